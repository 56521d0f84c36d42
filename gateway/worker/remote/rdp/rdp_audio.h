/*
 * rdp_audio.h - the output device that FreeRDP's sound channel plays on: 16-bit PCM goes to
 * remote_events.sound, nothing else is taken. The channel is synchronous (rdp_settings.c), so all
 * of this runs inside freerdp_check_event_handles, in the worker's thread.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_AUDIO_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_AUDIO_H

#include <freerdp/client/rdpsnd.h>
#include <freerdp/codec/audio.h>

#include "worker/remote/remote.h"

/* As which FreeRDP asks for the device. */
#define RDP_AUDIO_SUBSYSTEM "sekisho"

/* The sound channel's arguments: our device, PCM. NULL: no memory. Freed by
 * freerdp_addin_argv_free. */
ADDIN_ARGV *rdp_audio_arguments(void);

/* freerdp_rdpsnd_client_subsystem_entry: gives the channel its device. */
UINT VCAPITYPE rdp_audio_entry(PFREERDP_RDPSND_DEVICE_ENTRY_POINTS points);

/* 16-bit PCM, 44.1 or 48 kHz, one or two channels, and every field of it consistent. */
bool rdp_audio_takes(const AUDIO_FORMAT *format);

#endif
