/*
 * rdp_settings.h - FreeRDP's settings from ours: every switch that matters is set, none is left to
 * a default.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_SETTINGS_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_SETTINGS_H

#include <freerdp/settings.h>

#include "worker/remote/remote.h"

/* All but the size. ERR_INVALID: a security that RDP does not have; ERR_NOMEM. */
nodiscard enum err rdp_settings_apply(rdpSettings *settings, const struct remote_config *config);

/*
 * The wished size of the desktop. Once FreeRDP dials, and not before: it begins with making
 * decoders that take 18 bytes a pixel of it, which rdp_gfx throws away.
 */
nodiscard enum err rdp_settings_size(rdpSettings *settings, const struct remote_config *config);

/* Overwrites the password that FreeRDP keeps. */
void rdp_settings_forget(rdpSettings *settings);

#endif
