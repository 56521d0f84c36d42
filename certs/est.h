/*
 * est.h - the two bodies of EST (RFC 7030) that are not the peer's: certificates, and what a
 * request should look like.
 */
#ifndef SEKISHO_CERTS_EST_H
#define SEKISHO_CERTS_EST_H

#include "base/buf.h"
#include "wire/wire.h"

enum { EST_CERTIFICATES_MAX = 16 };

/*
 * Appends a certs-only CMS message (RFC 8551 §3.8, RFC 7030 §4.1.3) with the certificates of ders,
 * DER one after another, in base64 on one line: "pki --est" reads no other. ERR_INVALID: none, more
 * than EST_CERTIFICATES_MAX, or not certificates.
 */
nodiscard enum err est_certs_only(struct bytes ders, struct buf *base64);

/* Appends the attributes that a request should have (RFC 7030 §4.5.2), in base64: a P-256 key,
 * signed with SHA-256. */
nodiscard enum err est_csrattrs(struct buf *base64);

#endif
