/*
 * rdp_text.h - committed text as RDP's Unicode keyboard events, at a pace that hosts with an X
 * server can follow.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_TEXT_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include <freerdp/settings.h>

#include "base/loop.h"
#include "worker/remote/remote.h"

struct rdp_remote;

enum {
	/*
	 * After each character beyond ASCII. GNOME under X11 gives such a one a key of its own for
	 * a moment, and has few: with 2 ms between them programs read wrong ones, with 10 ms none.
	 */
	RDP_TEXT_GAP_US = 10000,
	RDP_TEXT_MAX = 2048, /* UTF-16 units that wait; more push out those before them */
};

struct rdp_text {
	struct loop_timer timer;
	uint16_t units[RDP_TEXT_MAX];
	size_t next, count; /* units[next..count) wait */
};

void rdp_text_init(struct rdp_remote *rdp);
void rdp_text_finish(struct rdp_remote *rdp);

/* struct remote_ops */
void rdp_text_send(struct rdp_remote *rdp, const char *text);

/* Sends all that waits at once, before something that must not overtake it. */
void rdp_text_flush(struct rdp_remote *rdp);

/* What the PC said about itself while connecting. */
enum remote_text rdp_text_support(const rdpSettings *settings);

#endif
