/*
 * auditor_key.h - `sekisho auditor key`: an auditor's private key and the request for its
 * certificate, made on the auditor's own machine, without any gateway.
 */
#ifndef SEKISHO_CLI_AUDITOR_KEY_H
#define SEKISHO_CLI_AUDITOR_KEY_H

#include "cli/args.h"

enum { AUDITOR_KEY_ARGS = 3, AUDITOR_KEY_PASSPHRASE_MIN = 12 /* bytes */ };

extern const struct command_arg auditor_key_args[AUDITOR_KEY_ARGS];

/* Writes a key on P-256 under a passphrase (certs/key_file.h) and a PKCS#10 request (RFC 2986) in
 * PEM. Files that are there already are never replaced. Returns the exit code. */
int auditor_key(const struct args *args);

#endif
