/*
 * identity.h - who a peer's certificate says it is, and the one function that judges the path from
 * it to the office. The edge sees this header and nothing else of certs/.
 */
#ifndef SEKISHO_CERTS_IDENTITY_H
#define SEKISHO_CERTS_IDENTITY_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "wire/wire.h"

/* The most that a peer may send as its certificate and those above it, in bytes. */
enum { IDENTITY_CHAIN_MAX = 32 * 1024 };

/* Without a good certificate: no connection, or a connection of nobody. */
enum identity_demand { IDENTITY_REQUIRED, IDENTITY_ASKED };

/* SHA-256 of the DER SubjectPublicKeyInfo. */
nodiscard enum err identity_of(const X509 *certificate, uint8_t ret_device[WIRE_DEVICE_ID]);

/*
 * The device of a finished handshake: ERR_AUTH unless there is a certificate AND its verification
 * ended well (the verify result alone is OK without one).
 */
nodiscard enum err identity_of_peer(const SSL *ssl, uint8_t ret_device[WIRE_DEVICE_ID]);

/*
 * Sets up ctx to ask for a client certificate of the office: cas are all of its CAs, of which the
 * self-signed ones are trusted and the others known, so that nothing a peer sends beside its own
 * certificate counts; crls, when there are any, must have a list of each CA that signs devices, and
 * a whole one (ERR_INVALID for a delta CRL).
 * TLS 1.3 only, no tickets, no session cache, no renegotiation. IDENTITY_ASKED finishes the
 * handshake with a missing or bad certificate too; identity_of_peer then says ERR_AUTH. Replaces
 * what was there; called again when the office's certificates or lists change. Copies nothing, but
 * takes references; both stacks stay the caller's.
 */
nodiscard enum err identity_require(SSL_CTX *ctx, STACK_OF(X509) * cas, STACK_OF(X509_CRL) * crls,
				    enum identity_demand demand);

/* ---- what identity_require is made of, for tests and for the edge's own certificate ----- */

struct identity_rules {
	int depth;   /* CAs allowed between a root and the certificate */
	int purpose; /* X509_PURPOSE_…, 0 for any */
	bool device; /* it is no CA, and names clientAuth among its purposes */
};

extern const struct identity_rules identity_rules_of_device;

/* What identity_require trusts and knows. The caller frees. */
nodiscard enum err identity_store(STACK_OF(X509) * cas, STACK_OF(X509_CRL) * crls,
				  X509_STORE **ret);

/*
 * The path from the context's certificate to a root of its store, which is identity_store's. 1 when
 * it is good; else 0, and X509_STORE_CTX_get_error says why. The context's untrusted certificates
 * are forgotten: what is not known to the store leads nowhere.
 */
int identity_verify(X509_STORE_CTX *ctx, const struct identity_rules *rules);

#endif
