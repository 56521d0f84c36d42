#include "broker/cert.h"

#include <time.h>

#include "base/util.h"
#include "certs/cleanup.h"

enum err cert_take(struct bytes *rest, X509 **ret)
{
	const uint8_t *at = rest->data;
	X509 *certificate = d2i_X509(NULL, &at, (long)rest->len);

	if (!certificate)
		return ERR_PROTOCOL;
	rest->len -= (size_t)(at - rest->data);
	rest->data = at;
	*ret = certificate;
	return OK;
}

enum err cert_parse(struct bytes der, X509 **ret)
{
	_cleanup_object_(x509) X509 *certificate = NULL;
	enum err err = cert_take(&der, &certificate);

	if (err || der.len)
		return ERR_PROTOCOL;
	*ret = util_take_ptr(certificate);
	return OK;
}

enum err cert_pem(X509 *certificate, struct buf *pem)
{
	_cleanup_object_(bio) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (!bio || !PEM_write_bio_X509(bio, certificate))
		return ERR_NOMEM;
	len = BIO_get_mem_data(bio, &text);
	return buf_add(pem, text, (size_t)len);
}

enum err cert_pem_all(struct bytes ders, struct buf *pem)
{
	enum err err = ders.len ? OK : ERR_PROTOCOL;

	while (!err && ders.len) {
		_cleanup_object_(x509) X509 *certificate = NULL;

		err = cert_take(&ders, &certificate);
		if (!err)
			err = cert_pem(certificate, pem);
	}
	return err;
}

bool cert_is_root(X509 *certificate)
{
	return X509_get_extension_flags(certificate) & EXFLAG_SS;
}

enum err cert_fingerprint(const X509 *certificate, char ret[CERT_FINGERPRINT_TEXT])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!X509_digest(certificate, EVP_sha256(), digest, &len))
		return ERR_CRYPTO;
	util_hex(digest, len, ret);
	return OK;
}

enum err cert_seconds(const ASN1_TIME *time, int64_t *ret)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(time, &tm))
		return ERR_CRYPTO;
	*ret = timegm(&tm);
	return OK;
}

enum err cert_root(struct bytes ders, X509 **ret)
{
	while (ders.len) {
		_cleanup_object_(x509) X509 *certificate = NULL;
		enum err err = cert_take(&ders, &certificate);

		if (err)
			return err;
		if (cert_is_root(certificate)) {
			*ret = util_take_ptr(certificate);
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}
