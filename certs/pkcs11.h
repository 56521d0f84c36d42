/*
 * pkcs11.h - a key that stays in a token (smart card, HSM, SoftHSM), used through OpenSSL's pkcs11
 * provider, or through its pkcs11 engine where there is no provider.
 */
#ifndef SEKISHO_CERTS_PKCS11_H
#define SEKISHO_CERTS_PKCS11_H

#include <openssl/evp.h>

#include "base/err.h"
#include "base/secret.h"

enum { TOKEN_URI_MAX = 255 };

struct token;

/* Sets what the module wants to find in its environment: NAME=value, with blanks between several.
 * Before token_open. ERR_INVALID: it is nothing of the kind; logged. */
nodiscard enum err token_environment(const char *text);

/*
 * Loads all libraries that will be needed, so that a sandbox may forbid that afterwards; once in a
 * process. module: path of the PKCS#11 module. uri: of the key (RFC 7512). ERR_INVALID: not a URI,
 * or one with a PIN in it; ERR_UNAVAILABLE: the module does not load, or there is neither provider
 * nor engine. All are logged. A token that is not there is not an error yet.
 */
nodiscard enum err token_open(const char *module, const char *uri, struct token **ret);
/* After all keys have been freed. */
void token_close(struct token *token);

/*
 * The private key, for signing. pin: as the passphrase of a key in a file. ERR_LOGIN: it is wrong,
 * or the token does not have the key. The caller frees.
 */
nodiscard enum err token_key(struct token *token, const char *uri, const struct secret *pin,
			     EVP_PKEY **ret);

#endif
