/*
 * vnc.h - one VNC connection. libvncclient makes it (versions, security types, VeNCrypt) and writes
 * to it; what the PC sends after that is read here. The library's reader blocks, decodes whatever
 * encoding a PC cares to send, asked for or not (Tight, ZRLE, Ultra …: where its overflows were
 * found), and allocates what the PC says. This one knows raw, copyrect, cursors and desktop sizes,
 * which are all that is asked for, and everything else ends the connection.
 */
#ifndef SEKISHO_WORKER_REMOTE_VNC_VNC_H
#define SEKISHO_WORKER_REMOTE_VNC_VNC_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rfb/rfbclient.h>

#include "worker/remote/remote.h"

enum {
	VNC_MAGIC = 0x564e4321,
	VNC_INPUT = 64 * 1024,               /* bytes read at once */
	VNC_CUT_TEXT_MAX = 16 * 1024 * 1024, /* skipped, never kept */
	VNC_CURSOR_MASK = REMOTE_MAX_CURSOR * ((REMOTE_MAX_CURSOR + 7) / 8),
	VNC_GATHER_MAX = REMOTE_MAX_CURSOR * REMOTE_MAX_CURSOR * 4 + VNC_CURSOR_MASK,
};

struct vnc;

/* A part of a message that was gathered; sets up what comes next. False: the connection was failed.
 */
typedef bool (*vnc_part)(struct vnc *vnc, const uint8_t *data);

struct vnc_rect {
	unsigned x, y, width, height;
};

/* Where in the PC's stream we are. */
struct vnc_reader {
	enum { VNC_GATHER, VNC_PIXELS, VNC_SKIP } mode;
	vnc_part part;  /* GATHER: called with need bytes */
	size_t need;    /* GATHER: bytes of the part; PIXELS, SKIP: bytes left */
	size_t have;    /* GATHER: bytes in gathered */
	size_t done;    /* PIXELS: pixels of the rectangle that are in place */
	unsigned rects; /* left in this update */
	bool in_message;
	bool drawn; /* this update changed pixels */
	struct vnc_rect rect;
	uint8_t input[VNC_INPUT];
	size_t input_at, input_len;
	uint8_t gathered[VNC_GATHER_MAX];
	uint8_t cursor[REMOTE_MAX_CURSOR * REMOTE_MAX_CURSOR * 4];
};

struct vnc {
	uint32_t magic;
	struct remote remote;
	rfbClient *client; /* owned; its socket too */
	struct loop_io io;
	struct loop_timer timer; /* goes on reading, or reports the end */
	struct loop_timer stall; /* runs while a message is incomplete */
	uint64_t progress_us;
	struct vnc_reader reader;
	uint8_t *pixels; /* the worker's framebuffer */
	size_t stride;
	unsigned width, height;
	uint32_t screen_id, screen_flags; /* of the first screen, for SetDesktopSize */
	enum end_reason failed;
	bool connected; /* the loop reads */
	bool held;
	bool asked;           /* an update request is out */
	bool ask_whole;       /* the next one is for everything */
	unsigned buttons;     /* as RFB button mask, wheel left out */
	int wheel_x, wheel_y; /* not yet a whole notch */

	/* While connecting. */
	uint64_t connect_due_us;
	bool password_given, certificate_wanted, refused;
	int ca_fd;       /* -1 or the CA's certificates */
	uint32_t scheme; /* the security type that is wanted */
	bool verified;   /* it must be VeNCrypt with a verified certificate */
};

extern const char vnc_tag;

/* The way back from the library's callbacks. */
static inline struct vnc *vnc_of(rfbClient *client)
{
	struct vnc *vnc = rfbClientGetClientData(client, (void *)(uintptr_t)&vnc_tag);
	assert(vnc && vnc->magic == VNC_MAGIC);
	return vnc;
}

static inline struct vnc *vnc_from(struct remote *remote)
{
	struct vnc *vnc = (struct vnc *)((char *)remote - offsetof(struct vnc, remote));
	assert(vnc->magic == VNC_MAGIC);
	return vnc;
}

/* The connection is over; told to the worker from the loop, never from inside a call. The first
 * reason stands. False. */
bool vnc_fail(struct vnc *vnc, enum end_reason reason);

/* Writes to the PC, unless that would block: a PC that reads nothing for so long is gone. False:
 * failed. */
bool vnc_write(struct vnc *vnc, const void *data, size_t len);
/* The same question for the library's own messages. */
bool vnc_can_write(struct vnc *vnc);

/* Asks for what changed, if nothing was asked and the remote is not held. */
void vnc_ask(struct vnc *vnc);

/* Takes over a new size: END_PC_TOO_BIG when it is out of range. */
bool vnc_take_size(struct vnc *vnc, unsigned width, unsigned height);

#endif
