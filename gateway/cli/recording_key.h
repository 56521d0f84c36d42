/*
 * recording_key.h - an auditor's private key and certificate from the auditor's own files: PEM,
 * with or without a passphrase, or PKCS#12.
 */
#ifndef SEKISHO_CLI_RECORDING_KEY_H
#define SEKISHO_CLI_RECORDING_KEY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/err.h"

struct recording_key {
	EVP_PKEY *key;
	X509 *certificate; /* NULL: none was given, so every recipient is tried */
};

/*
 * certificate: a file in PEM (the first one in it counts) or DER; NULL for none, or for the one in
 * the PKCS#12 file. The passphrase is asked for only where one is needed. *ret_wrong is a sentence
 * in the user's language for some errors, else NULL; *ret_field the option that is wrong.
 * ERR_LOGIN: wrong passphrase. ERR_CLOSED: none came. ERR_KEY: no key on P-256, or of another
 * certificate. ERR_INVALID: not such a file. And what reading a file says. The caller finishes.
 */
nodiscard enum err recording_key_load(const char *key, const char *certificate,
				      struct recording_key *ret, const char **ret_field,
				      const char **ret_wrong);
void recording_key_finish(struct recording_key *key);

#endif
