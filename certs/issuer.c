#include "certs/issuer.h"

#include <stdio.h>

#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/crl.h"
#include "certs/csr.h"
#include "certs/profile.h"

enum { PATH_BYTES = 400 };

enum err issuer_init(struct issuer *issuer, const char *folder, const char *office, int64_t now_s,
		     bool *ret_made)
{
	char path[PATH_BYTES];

	*issuer = (struct issuer){ .journal.fd = -1 };
	if ((size_t)snprintf(path, sizeof(path), "%s/issued.log", folder) >= sizeof(path))
		return ERR_TOO_BIG;
	enum err err = ca_open(folder, office, now_s, ret_made, &issuer->ca);
	if (!err)
		err = journal_open(&issuer->journal, path);
	if (err)
		issuer_finish(issuer);
	return err;
}

void issuer_finish(struct issuer *issuer)
{
	ca_free(issuer->ca);
	issuer->ca = NULL;
	journal_close(&issuer->journal);
}

/* An unknown profile is refused later, but pays. */
static enum err take_certificate(struct issuer *issuer, unsigned profile, uint64_t mono_ms)
{
	int64_t wait_ms;

	if (profile == CERT_GATEWAY)
		return bucket_take(&issuer->gateways, ISSUER_GATEWAYS_PER_MINUTE, mono_ms,
				   &wait_ms);
	return bucket_take(&issuer->devices, ISSUER_PER_MINUTE, mono_ms, &wait_ms);
}

static enum err add_certificate(const X509 *certificate, struct buf *buf)
{
	uint8_t *der = NULL;
	int len = i2d_X509(certificate, &der);

	if (len <= 0)
		return ERR_CRYPTO;
	enum err err = buf_add(buf, der, (size_t)len);
	OPENSSL_free(der);
	return err;
}

enum err issuer_sign(struct issuer *issuer, const struct msg_sign *order, int64_t now_ms,
		     uint64_t mono_ms, struct buf *buf)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	_cleanup_object_(x509) X509 *certificate = NULL;
	bool is_device = order->profile == CERT_DEVICE;

	/* Counted before anything is looked at, so that refused orders cost as much as good ones.
	 */
	enum err err = take_certificate(issuer, order->profile, mono_ms);
	if (!err)
		err = csr_check(order->csr.data, order->csr.len, order->challenge, &key);
	if (err)
		return err;
	struct profile_order wanted = {
		.profile = (enum cert_profile)order->profile,
		.issuer = ca_certificate(issuer->ca),
		.issuer_key = ca_key(issuer->ca),
		.key = key,
		.name = order->name,
		.owner = order->owner,
		.days = order->days,
		.now_s = now_ms / 1000,
	};
	err = profile_issue(&wanted, &certificate);
	if (!err)
		err = journal_add(&issuer->journal, wanted.now_s, cert_profile_code(order->profile),
				  certificate, is_device ? order->owner : "-", order->name);
	return err ? err : add_certificate(certificate, buf);
}

enum err issuer_make_crl(struct issuer *issuer, const struct msg_make_crl *order, int64_t now_ms,
			 uint64_t mono_ms, struct buf *buf)
{
	_cleanup_object_(crl) X509_CRL *crl = NULL;
	uint8_t *der = NULL;
	int64_t wait_ms;
	enum err err = bucket_take(&issuer->crls, ISSUER_PER_MINUTE, mono_ms, &wait_ms);

	if (!err)
		err = crl_make(ca_certificate(issuer->ca), ca_key(issuer->ca), order->revoked.data,
			       order->revoked.len, now_ms, &crl);
	if (err)
		return err;
	int len = i2d_X509_CRL(crl, &der);
	if (len <= 0)
		return ERR_CRYPTO;
	err = buf_add(buf, der, (size_t)len);
	OPENSSL_free(der);
	return err;
}

enum err issuer_ca(const struct issuer *issuer, struct buf *buf)
{
	return add_certificate(ca_certificate(issuer->ca), buf);
}
