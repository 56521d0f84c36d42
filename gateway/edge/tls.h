/*
 * tls.h - the edge's server key and certificate, the office's CAs and lists, and the two server
 * contexts that use them: the gateway's demands a device certificate, the enrolment's asks for one.
 */
#ifndef SEKISHO_EDGE_TLS_H
#define SEKISHO_EDGE_TLS_H

#include <openssl/ssl.h>

#include "base/buf.h"
#include "edge/tls_folder.h"
#include "wire/wire.h"

struct tls;

/* Reads the P-256 key in folder/server.key, or makes it at the first start (mode 0600). Errors are
 * logged. */
nodiscard enum err tls_open(const char *folder, struct tls **ret);
void tls_free(struct tls *tls);

/* A certificate request in DER. Its subject does not matter: the signer writes its own. */
nodiscard enum err tls_request(const struct tls *tls, const char *name, struct buf *csr);

/*
 * Takes over certificate, CAs and CRLs, also into contexts in use: connections go on, new
 * handshakes use the new ones. ERR_INVALID when something does not parse, fit our key or lead to a
 * root; then all stays as it was.
 */
nodiscard enum err tls_update(struct tls *tls, const struct msg_edge_config *config);

/* From now on its pair, when it has one, is shown instead of the office's certificate. Borrowed. */
void tls_show(struct tls *tls, const struct tls_folder *folder);

/*
 * Sets up a server context, which stays libwebsockets' and must live as long as tls is updated. At
 * most one of each kind; after the first tls_update. tls must outlive its handshakes.
 */
nodiscard enum err tls_setup(struct tls *tls, SSL_CTX *ctx, bool demand_device);

/* Seconds since 1970 when two thirds of our certificate's life are over; INT64_MAX without one. */
int64_t tls_renew_at(const struct tls *tls);

/* The newest root in PEM, valid until the next update. */
struct bytes tls_ca_pem(const struct tls *tls);

/*
 * The CRL in DER of the issuing CA with that number, as its common name ends in (" 2"), or of the
 * newest issuing CA for 0. Empty when there is none; valid until the next update.
 */
struct bytes tls_crl_der(const struct tls *tls, uint32_t issuer);

#endif
