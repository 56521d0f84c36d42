/*
 * admin.h - one request over the broker's admin socket, one answer.
 */
#ifndef SEKISHO_CLI_ADMIN_H
#define SEKISHO_CLI_ADMIN_H

#include <jansson.h>

#include "base/err.h"

enum { ADMIN_TIMEOUT_MS = 30000 };

/*
 * Sends arguments (borrowed) to <runtime_dir>/admin.sock. ret_status is an HTTP status, ret_body a
 * JSON object for the caller to release. ERR_NOT_FOUND, ERR_UNAVAILABLE: nobody listens.
 * ERR_DENIED: not this user. ERR_TOO_BIG: the arguments. ERR_TIMEOUT, ERR_CLOSED, ERR_PROTOCOL.
 */
nodiscard enum err admin_call(const char *runtime_dir, const char *command, const json_t *arguments,
			      unsigned *ret_status, json_t **ret_body);

#endif
