/*
 * rdp.h - what the modules of the RDP client share: one connection's state and the way from
 * FreeRDP's contexts back to it. Private to rdp/.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_H

#include <assert.h>

#include <freerdp/client/disp.h>
#include <freerdp/client/rdpgfx.h>
#include <freerdp/freerdp.h>
#include <freerdp/transport_io.h>

#include "base/loop.h"
#include "worker/remote/dial.h"
#include "worker/remote/rdp/rdp_decoders.h"
#include "worker/remote/rdp/rdp_frames.h"
#include "worker/remote/rdp/rdp_input.h"
#include "worker/remote/rdp/rdp_surfaces.h"
#include "worker/remote/rdp/rdp_video.h"
#include "worker/remote/remote.h"

enum {
	RDP_MAGIC = 0x52445021,
	RDP_MAX_WATCHES = 32,
	RDP_MAX_REFUSED = 64, /* refused channels reported for one connection */
	RDP_MAX_OPENED = 8,
	RDP_MAX_MONITORS = 2, /* asked for */
};

/* Callbacks of FreeRDP's GDI that ours go on to. */
struct rdp_gdi_calls {
	pScrBlt scr_blt;
	pSurfaceBits surface_bits;
	pSwitchSurface switch_surface;
};

/* A descriptor of FreeRDP's in the loop. */
struct rdp_watch {
	struct loop_io io;
	struct rdp_remote *rdp;
};

struct rdp_remote {
	struct remote remote; /* first: rdp_from casts */
	freerdp *instance;    /* owned, with its context */
	pTransportRWFkt read_pdu;
	struct remote_watchdog watchdog;
	struct rdp_watch watches[RDP_MAX_WATCHES];
	size_t watch_count;
	struct loop_timer deadline; /* for the first picture; also to end from the loop */
	enum end_reason failed; /* why our own callbacks refused, before FreeRDP's error counts */
	bool connected;         /* freerdp_connect succeeded */
	bool answered;          /* the PC spoke X.224 */
	bool received;          /* a message, since this was last cleared */
	bool held;
	bool painted;
	int fd; /* FreeRDP's socket, only to ask how it does; -1 */

	uint8_t trusted[32]; /* the certificate accepted on this connection */
	bool has_trusted;

	struct rdp_gdi_calls gdi;
	RdpgfxClientContext *graphics; /* NULL while the channel is not open */
	struct rdp_surfaces surfaces;
	struct rdp_decoders decoders;
	struct rdp_video video;
	struct rdp_frames frames;
	DispClientContext *disp; /* NULL while the channel is not open */
	uint64_t disp_max_area;  /* pixels */
	bool pc_closes;          /* a dynamic channel, right now */
	unsigned refused;        /* channels reported so far */
	const char *opened[RDP_MAX_OPENED];
	size_t opened_count;

	struct rdp_pointer_state pointer;
	bool pressed[512]; /* by RDP scancode, so that a repeat is told apart */
	uint32_t locks;    /* KBD_SYNC_* as told to the PC */
	bool locks_known;  /* told, and no lock key was pressed since */
};

/* FreeRDP allocates this in place of its context. */
struct rdp_context_ours {
	rdpContext base;
	struct rdp_remote *rdp;
	uint32_t magic;
};

static inline struct rdp_remote *rdp_of(rdpContext *context)
{
	struct rdp_context_ours *ours = (struct rdp_context_ours *)context;
	assert(ours->magic == RDP_MAGIC);
	return ours->rdp;
}

/* Fails the connection for a reason of our own; the first one stands. Returns FALSE for the
 * callbacks. */
static inline BOOL rdp_fail(struct rdp_remote *rdp, enum end_reason reason)
{
	if (rdp->failed == END_NONE)
		rdp->failed = reason;
	return FALSE;
}

static inline const struct remote_events *rdp_events(const struct rdp_remote *rdp)
{
	return rdp->remote.events;
}

#endif
