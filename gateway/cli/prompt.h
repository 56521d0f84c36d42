/*
 * prompt.h - passwords from a terminal without echo, or as one line from standard input.
 */
#ifndef SEKISHO_CLI_PROMPT_H
#define SEKISHO_CLI_PROMPT_H

#include <stdbool.h>

#include "base/secret.h"

enum { PROMPT_MAX = 256 /* bytes */ };

/*
 * label: what is asked for. twice: on a terminal, asked again to catch a slip. ERR_CLOSED: nothing
 * came. ERR_TOO_BIG. ERR_INVALID: the two differ. The caller frees.
 */
nodiscard enum err prompt_password(const char *label, bool twice, struct secret **ret);

/* One line from fd, without its end (LF or CR LF). Reads no byte past it. */
nodiscard enum err prompt_line(int fd, struct secret **ret);

#endif
