/*
 * crl.h - the list of revoked certificates (RFC 5280 §5), the second layer behind the device's row
 * in the database.
 */
#ifndef SEKISHO_CERTS_CRL_H
#define SEKISHO_CERTS_CRL_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	/* The gateway makes a new list at each start and revocation. An outdated one would keep
	 * everybody out, so it outlives the longest certificate of a gateway, which needs a start
	 * by then. */
	CRL_DAYS = 400,
	CRL_SERIALS_MAX = 1000, /* so that the DER fits a message; certificates that have run out
				   need no entry */
	/* Serial (16, big-endian), seconds since 1970 (8, little-endian), CRLReason. */
	CRL_ENTRY_BYTES = 25,
};

/*
 * issuer, key: of the issuing CA. revoked: count × CRL_ENTRY_BYTES; a serial that comes twice is
 * listed once. now_ms is the time of issue and the list's number. ERR_INVALID: len does not fit.
 * ERR_FULL: more than CRL_SERIALS_MAX. The caller frees.
 */
nodiscard enum err crl_make(X509 *issuer, EVP_PKEY *key, const uint8_t *revoked, size_t len,
			    int64_t now_ms, X509_CRL **ret);

#endif
