/*
 * rdp_gfx.h - pixels: FreeRDP's software GDI draws into the worker's framebuffer.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_GFX_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_GFX_H

#include <freerdp/freerdp.h>

#include "base/err.h"

struct rdp_remote;

/* After the connection: makes the GDI on the worker's framebuffer and takes the update callbacks.
 */
BOOL rdp_gfx_init(struct rdp_remote *rdp);
/* Before the context is freed. */
void rdp_gfx_finish(struct rdp_remote *rdp);

/* The PC's desktop has this size from now on. On failure rdp_fail was told why. */
nodiscard enum err rdp_gfx_resize(struct rdp_remote *rdp, UINT32 width, UINT32 height);

/* Something is on the desktop: the PC has kept its time. */
void rdp_gfx_painted(struct rdp_remote *rdp);

#endif
