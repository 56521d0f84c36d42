/*
 * passphrase.h - opens a file with a passphrase of keys, which the user of the process that needs
 * it may not read.
 */
#ifndef SEKISHO_MONITOR_PASSPHRASE_H
#define SEKISHO_MONITOR_PASSPHRASE_H

#include "base/err.h"

enum { PASSPHRASE_FILE_MAX = 4096 };

/*
 * setting: which one names it, for what is said. For reading; nothing is read here. The caller
 * closes. Says on stderr what is wrong: ERR_NOT_FOUND; ERR_DENIED: it belongs to another user, or
 * others may read it; ERR_INVALID: empty, or no regular file; ERR_TOO_BIG.
 */
nodiscard enum err passphrase_open(const char *setting, const char *path, int *ret_fd);

#endif
