/*
 * scanner.h - connections to ClamAV's daemon for the vault, which may not open any itself.
 */
#ifndef SEKISHO_MONITOR_SCANNER_H
#define SEKISHO_MONITOR_SCANNER_H

#include "base/err.h"

/* where: as of vault.clamd. The descriptor, the caller's, does not block; over TCP it may still be
 * connecting. ERR_INVALID: no such place; else as connect(2) says. */
nodiscard enum err scanner_connect(const char *where, int *ret_fd);

#endif
