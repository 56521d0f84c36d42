/*
 * rdp_error.h - what FreeRDP's error codes mean for the person in front of the browser.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_ERROR_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/enums.h"

/*
 * last_error: freerdp_get_last_error. connected: the desktop was reached before. answered: the peer
 * spoke RDP at all, so that a failed negotiation is one and not rubbish.
 */
enum end_reason rdp_error_reason(uint32_t last_error, bool connected, bool answered);

/* The enum err that goes with a reason; never OK. */
enum err rdp_error_err(enum end_reason reason);

#endif
