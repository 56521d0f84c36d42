/*
 * admin.h - one request over the broker's admin socket, one answer.
 */
#ifndef SEKISHO_CLI_ADMIN_H
#define SEKISHO_CLI_ADMIN_H

#include <jansson.h>

#include "base/err.h"

/* Who asks for the state wants to hear soon that there is no answer. */
enum { ADMIN_TIMEOUT_MS = 40000, ADMIN_STATUS_TIMEOUT_MS = 5000 };

/*
 * Sends arguments (borrowed) to <runtime_dir>/admin.sock. ret_status is an HTTP status, ret_body a
 * JSON object for the caller to release. ERR_NOT_FOUND, ERR_UNAVAILABLE: nobody listens.
 * ERR_DENIED: not this user. ERR_TOO_BIG: the arguments. ERR_TIMEOUT: the monitor listens, but no
 * broker answers within timeout_ms. ERR_CLOSED: it ended meanwhile. ERR_PROTOCOL.
 */
nodiscard enum err admin_call(const char *runtime_dir, const char *command, const json_t *arguments,
			      unsigned timeout_ms, unsigned *ret_status, json_t **ret_body);

#endif
