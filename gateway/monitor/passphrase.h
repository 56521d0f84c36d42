/*
 * passphrase.h - opens the file with the passphrase of the CA's keys, which the signer's own user
 * may not read.
 */
#ifndef SEKISHO_MONITOR_PASSPHRASE_H
#define SEKISHO_MONITOR_PASSPHRASE_H

#include "base/err.h"

enum { PASSPHRASE_FILE_MAX = 4096 };

/*
 * For reading; nothing is read here. The caller closes. Says on stderr what is wrong:
 * ERR_NOT_FOUND; ERR_DENIED: it belongs to another user, or others may read it; ERR_INVALID: empty,
 * or no regular file; ERR_TOO_BIG.
 */
nodiscard enum err passphrase_open(const char *path, int *ret_fd);

#endif
