/*
 * leaked.h - looks a password up in an offline list of leaked ones: a file of lines "SHA1[:count]"
 * in hexadecimal, sorted, as Have I Been Pwned offers it (some tens of GB, so it is searched on
 * disk).
 */
#ifndef SEKISHO_AUTH_LEAKED_H
#define SEKISHO_AUTH_LEAKED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Any thread. ERR_NOT_FOUND: no such file. ERR_INVALID: a line met on the way is not a hash.
 * ERR_IO. */
nodiscard enum err leaked_find(const char *path, const char *password, size_t len, bool *ret_found);

#endif
