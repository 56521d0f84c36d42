/*
 * issued.h - what the signer made, as the store and PKCS#12 files want it.
 */
#ifndef SEKISHO_BROKER_ISSUED_H
#define SEKISHO_BROKER_ISSUED_H

#include <openssl/x509.h>

#include "store/certificates.h"
#include "wire/wire.h"

/* All of ders; the caller frees with sk_X509_pop_free. ERR_PROTOCOL, ERR_NOMEM. */
nodiscard enum err issued_stack(struct bytes ders, STACK_OF(X509) * *ret);

/* Its row but for device, key_type and key_place. */
nodiscard enum err issued_row(const struct msg_certified *certified, int64_t now_s,
			      struct certificate *ret);

#endif
