/*
 * rdp_channels.h - the channel policy: one static channel (drdynvc) and in it two dynamic ones,
 * graphics and display control. Where policy lets sound out, sound playback (rdpsnd) too, static
 * and dynamic. Nothing else is loaded, so clipboard, drives, printers, microphones and the rest do
 * not exist here.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_CHANNELS_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_CHANNELS_H

#include <freerdp/freerdp.h>

#include "worker/remote/remote.h"

struct rdp_remote;

/* Hangs the policy into a new instance. ERR_NOMEM. */
nodiscard enum err rdp_channels_init(freerdp *instance);

/*
 * The name in a DYNVC_CREATE_REQ ([MS-RDPEDYC] 2.2.2.1), NULL when data is something else. Points
 * into data, NUL-terminated.
 */
const char *rdp_channels_requested(const uint8_t *data, size_t len);

/*
 * The length that a DYNVC_DATA_FIRST (2.2.3.1) announces for its whole message, UINT32_MAX when it
 * is cut off; 0 when data is something else.
 */
uint32_t rdp_channels_length(const uint8_t *data, size_t len);

/* Is this dynamic channel one that policy opens? audio: as remote_config's. */
bool rdp_channels_allowed(const char *name, bool audio);

/*
 * What is loaded and open, for the log and the tests: "static=drdynvc loaded=rdpgfx,disp open=…".
 * Static: what was announced to the PC; loaded: the dynamic channels' code; open: what the PC
 * connected so far.
 */
void rdp_channels_describe(const struct remote *remote, char *text, size_t size);

/* struct remote_ops */
bool rdp_channels_resize(struct rdp_remote *rdp, const struct rect *monitors, size_t count);

#endif
