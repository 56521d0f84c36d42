/*
 * profile.h - the fixed kinds of certificates that the office CA issues (RFC 5280). What is in them
 * is decided here and by the arguments, never by a request's subject or extensions.
 */
#ifndef SEKISHO_CERTS_PROFILE_H
#define SEKISHO_CERTS_PROFILE_H

#include <openssl/x509.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/enums.h"

enum {
	PROFILE_DEVICE_DAYS_MAX = 90,
	PROFILE_GATEWAY_DAYS_MAX = 397,
	PROFILE_AUDITOR_DAYS_MAX = 730,
	PROFILE_BACKDATE_S = 300, /* for clocks that are a little behind */
};

/* Where certificates of devices and gateways say that their state can be asked for. */
struct profile_urls {
	const char *crl, *ocsp; /* http or https, of the issuer; NULL: none */
};

struct profile_order {
	enum cert_profile profile;
	X509 *issuer; /* the issuing CA */
	EVP_PKEY *issuer_key;
	const struct profile_urls *urls; /* DEVICE, GATEWAY: NULL for none */
	EVP_PKEY *key;                   /* public, already checked by csr_check */
	const char *name;  /* DEVICE, AUDITOR: CN, at most 64 characters; GATEWAY: DNS name or
			      address for the  SAN */
	const char *owner; /* DEVICE, AUDITOR: account, into OU; GATEWAY: unused */
	uint32_t days; /* 0 means the profile's most; more is cut to it, and to the CA's own end */
	int64_t now_s;
};

/*
 * A renewal is another order with the same name and owner: subject and alternative name come out
 * the same. ERR_INVALID: name, owner or urls not usable, or no such profile. ERR_KEY: an auditor's
 * key that is not on P-256. ERR_CRYPTO. The caller frees.
 */
nodiscard enum err profile_issue(const struct profile_order *order, X509 **ret);

#endif
