/*
 * remote.h - the office PC seen from the worker: one small interface, two implementations (rdp/,
 * vnc/). Everything happens in the worker's one thread.
 */
#ifndef SEKISHO_WORKER_REMOTE_REMOTE_H
#define SEKISHO_WORKER_REMOTE_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "wire/enums.h"
#include "worker/display/surface.h"
#include "worker/remote/unit.h"

enum {
	REMOTE_MAX_WIDTH = 7680,
	REMOTE_MAX_HEIGHT = 4320,
	REMOTE_MIN_SIZE = 64, /* both ways; a PC with less is refused as END_PC_TOO_BIG too */
	REMOTE_MAX_CURSOR = 384,
};

struct remote;

/* Which committed text arrives, as far as the PC lets one know. */
enum remote_text {
	REMOTE_TEXT_ANY,
	REMOTE_TEXT_KEYS, /* most likely only what its own keyboard has keys for */
	REMOTE_TEXT_NONE,
};

/* What the PC does, told to the worker. All are called from inside remote_connect or the loop. */
struct remote_events {
	/*
	 * The desktop has this size from now on: gives the BGRX framebuffer to draw into (owned by
	 * the worker, zeroed, stride bytes a row, 64-byte aligned, with
	 * SURFACE_SPARE_ROWS behind the last) until the next call. NULL:
	 * refused, end the connection. The size was checked against REMOTE_MAX_* and
	 * REMOTE_MIN_SIZE by the caller already.
	 */
	uint8_t *(*resized)(void *ctx, unsigned width, unsigned height, size_t *ret_stride);
	/* Pixels in this rectangle may have changed. Clipped by the worker. */
	void (*damaged)(void *ctx, int x, int y, int width, int height);
	/*
	 * The PC has moved these pixels, and they are in the framebuffer already; everything that
	 * it drew before has been told. Inside the desktop.
	 */
	void (*copied)(void *ctx, int from_x, int from_y, int x, int y, int width, int height);
	/*
	 * A picture of H.264, only when config.video. True: it is shown without us, keep it; then
	 * decoded follows when it was, unless a later unit hides it (settle). False: decode it now.
	 * Also of units that are not passable, whose answer does not count.
	 */
	bool (*video)(void *ctx, struct remote_unit *unit);
	/* The framebuffer shows what this one draws; in their order. */
	void (*decoded)(void *ctx, const struct remote_unit *unit);
	/* The PC says that a frame is complete: a good moment to send. */
	void (*frame_done)(void *ctx);
	/* can_resize has changed outside a frame. */
	void (*able)(void *ctx);
	/* RGBA, straight alpha, width * height * 4 bytes, at most REMOTE_MAX_CURSOR each way; 0 × 0
	 * hides. */
	void (*cursor)(void *ctx, unsigned hot_x, unsigned hot_y, unsigned width, unsigned height,
		       const uint8_t *rgba);
	void (*bell)(void *ctx);
	/* The PC offered what was copied there; it was dropped unread. */
	void (*clipboard)(void *ctx);
	/*
	 * The PC's sound, only when config.audio: interleaved samples, 44.1 or 48 kHz, one or two
	 * channels.
	 */
	void (*sound)(void *ctx, const int16_t *samples, size_t frames, unsigned rate,
		      unsigned channels);
	/*
	 * No pin was kept: may this certificate be trusted (SHA-256 of its DER)? Blocks until the
	 * broker answers. Only asked at first use; a pin that does not match is refused inside the
	 * remote as END_PC_CERTIFICATE.
	 */
	bool (*trust)(void *ctx, const uint8_t fingerprint[32]);
	/* A channel the PC asked for and policy has not opened; name is made printable by the
	 * worker. */
	void (*channel_refused)(void *ctx, const char *name);
	/* The connection is over; the worker frees the remote after the return. Not called by
	 * remote_free. */
	void (*ended)(void *ctx, enum end_reason reason);
};

struct remote_config {
	const char *address;
	uint16_t port;
	enum security security;
	const char *user, *password, *domain; /* "" when not given */
	const uint8_t *pin;                   /* 32 bytes or NULL */
	const uint8_t *tls_ca;                /* PEM for VeNCrypt X509, or NULL */
	size_t tls_ca_len;
	unsigned width, height; /* wished for; even */
	uint32_t layout;        /* Windows keyboard layout: 0x411 Japanese, 0x409 US */
	unsigned connect_s;     /* for each of: TCP, handshake, first picture */
	bool audio;             /* policy lets the PC's sound out */
	bool video;             /* RDP: ask for H.264 */
};

struct remote_ops {
	/*
	 * Connects, blocking at most about connect_s; on failure *ret_reason says why in END_PC_*.
	 * On success it has called resized once and registered with the loop.
	 */
	enum err (*connect)(struct remote *remote, enum end_reason *ret_reason);
	void (*key)(struct remote *remote, uint32_t keysym, uint16_t scancode, bool down);
	/* Committed text, well-formed UTF-8. */
	void (*text)(struct remote *remote, const char *text);
	/* As MSG_pointer. */
	void (*pointer)(struct remote *remote, unsigned x, unsigned y, unsigned buttons,
			int wheel_x, int wheel_y);
	/*
	 * Asks the PC for these monitors, the first at 0, 0 and the others beside it, at most
	 * remote->monitors; resized with the size of all follows if it agrees. False: it cannot.
	 */
	bool (*resize)(struct remote *remote, const struct rect *monitors, size_t count);
	/* Round trip to the PC as its TCP connection measures it; 0: not known. */
	uint32_t (*rtt_us)(struct remote *remote);
	/*
	 * False: the framebuffer lacks what units draw that were told before; they are decoded as
	 * soon as can be, and once again asked when the last was told as decoded, it is true. NULL:
	 * there is no H.264.
	 */
	bool (*settle)(struct remote *remote);
	/* Back-pressure: while held the PC is not asked for more pixels. */
	void (*hold)(struct remote *remote, bool held);
	void (*free)(struct remote *remote);
};

struct remote {
	const struct remote_ops *ops;
	const struct remote_events *events;
	void *ctx; /* for events */
	struct loop *loop;
	struct remote_config config; /* strings live as long as the remote */
	bool can_resize;
	unsigned monitors;     /* that the PC can have; 0 and 1: one, until it says more */
	enum remote_text text; /* once connected */
};

/* Allocate; the result is freed with remote_free. */
nodiscard enum err remote_vnc_new(struct loop *loop, const struct remote_config *config,
				  const struct remote_events *events, void *ctx,
				  struct remote **ret);
nodiscard enum err remote_rdp_new(struct loop *loop, const struct remote_config *config,
				  const struct remote_events *events, void *ctx,
				  struct remote **ret);

static inline void remote_free(struct remote *remote)
{
	if (remote)
		remote->ops->free(remote);
}

#endif
