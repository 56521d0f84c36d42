/*
 * rdp_text.h - committed text as RDP's Unicode keyboard events.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_TEXT_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_TEXT_H

#include <freerdp/input.h>
#include <freerdp/settings.h>

#include "worker/remote/remote.h"

/* A press and a release for each UTF-16 unit; line ends and tabs as their keys. */
void rdp_text_send(rdpInput *input, const char *text);

/* What the PC said about itself while connecting. */
enum remote_text rdp_text_support(const rdpSettings *settings);

#endif
