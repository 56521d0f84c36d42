/*
 * rdp_settings.h - FreeRDP's settings from ours: every switch that matters is set, none is left to
 * a default.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_SETTINGS_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_SETTINGS_H

#include <freerdp/settings.h>

#include "worker/remote/remote.h"

/* ERR_INVALID: a security that RDP does not have; ERR_NOMEM. */
nodiscard enum err rdp_settings_apply(rdpSettings *settings, const struct remote_config *config);

/* Overwrites the password that FreeRDP keeps. */
void rdp_settings_forget(rdpSettings *settings);

#endif
