/*
 * rdp_pipeline.h - the graphics channel ([MS-RDPEGFX]): its messages, in place of FreeRDP's own
 * pipeline, which copies each surface, keeps memory for decoders that nobody asked for and trusts
 * what a PC sends.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_PIPELINE_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_PIPELINE_H

#include <freerdp/client/rdpgfx.h>

struct rdp_remote;

/* The channel was opened or closed. */
void rdp_pipeline_open(struct rdp_remote *rdp, RdpgfxClientContext *channel);
void rdp_pipeline_close(struct rdp_remote *rdp, RdpgfxClientContext *channel);

#endif
