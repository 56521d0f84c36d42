/*
 * rdp_gfx.h - pixels: FreeRDP's software GDI draws into the worker's framebuffer.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_GFX_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_GFX_H

#include <freerdp/client/rdpgfx.h>

struct rdp_remote;

/* After the connection: makes the GDI on the worker's framebuffer and takes the update callbacks.
 */
BOOL rdp_gfx_init(struct rdp_remote *rdp);
/* Before the context is freed. */
void rdp_gfx_finish(struct rdp_remote *rdp);

/* The graphics channel ([MS-RDPEGFX]) was opened or closed. */
void rdp_gfx_open(struct rdp_remote *rdp, RdpgfxClientContext *channel);
void rdp_gfx_close(struct rdp_remote *rdp, RdpgfxClientContext *channel);

#endif
