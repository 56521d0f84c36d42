/*
 * cleanup.h - cleanup attributes for the OpenSSL objects that certs/ uses.
 */
#ifndef SEKISHO_CERTS_CLEANUP_H
#define SEKISHO_CERTS_CLEANUP_H

#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define CLEANUP_OF(type, name)                                                                     \
	static inline void cleanup_##name(type **object)                                           \
	{                                                                                          \
		type##_free(*object);                                                              \
	}

CLEANUP_OF(ACCESS_DESCRIPTION, access)
CLEANUP_OF(ASN1_ENUMERATED, asn1_enumerated)
CLEANUP_OF(ASN1_INTEGER, asn1_integer)
CLEANUP_OF(ASN1_TIME, asn1_time)
CLEANUP_OF(AUTHORITY_INFO_ACCESS, info_access)
CLEANUP_OF(BIO, bio)
CLEANUP_OF(CRL_DIST_POINTS, dist_points)
CLEANUP_OF(DIST_POINT, dist_point)
CLEANUP_OF(EVP_MD_CTX, md_ctx)
CLEANUP_OF(EVP_PKEY, pkey)
CLEANUP_OF(GENERAL_NAME, general_name)
CLEANUP_OF(OCSP_BASICRESP, basicresp)
CLEANUP_OF(OCSP_CERTID, certid)
CLEANUP_OF(OCSP_REQUEST, ocsp_request)
CLEANUP_OF(OCSP_RESPONSE, ocsp_response)
CLEANUP_OF(PKCS12, pkcs12)
CLEANUP_OF(PKCS7, pkcs7)
CLEANUP_OF(PKCS8_PRIV_KEY_INFO, pkcs8)
CLEANUP_OF(X509, x509)
CLEANUP_OF(X509_CRL, crl)
CLEANUP_OF(X509_EXTENSION, extension)
CLEANUP_OF(X509_NAME, name)
CLEANUP_OF(X509_REQ, req)
CLEANUP_OF(X509_REVOKED, revoked)
CLEANUP_OF(X509_SIG, sig)
CLEANUP_OF(X509_STORE, store)
#undef CLEANUP_OF

/* _cleanup_object_(x509) X509 *certificate = NULL; */
#define _cleanup_object_(name) __attribute__((cleanup(cleanup_##name)))

#endif
