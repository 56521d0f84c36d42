/*
 * machine.h - the secret with which a machine opens the vault at its start, as an encrypted
 * credential of systemd: systemd-creds(1) seals it to the TPM, or to the host's own key.
 */
#ifndef SEKISHO_CLI_MACHINE_H
#define SEKISHO_CLI_MACHINE_H

#include "base/err.h"

#define MACHINE_CREDENTIAL "sekisho-vault" /* its name, which is sealed with it */

/* Whether systemd-creds is there. ERR_NOT_FOUND. */
nodiscard enum err machine_check(void);

/*
 * Writes secret, encrypted, to path. with_key: as systemd-creds takes it. What systemd-creds says
 * goes to standard error. ERR_UNAVAILABLE: it would not, as where there is no TPM; ERR_INVALID:
 * with_key is none; ERR_IO.
 */
nodiscard enum err machine_seal(const char *secret, const char *with_key, const char *path);

#endif
