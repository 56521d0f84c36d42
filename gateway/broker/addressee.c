#include "broker/addressee.h"

#include <openssl/pem.h>
#include <string.h>

#include "base/util.h"
#include "certs/cleanup.h"
#include "record/recipient.h"

void addressee_init(struct addressee *recipient)
{
	*recipient = (struct addressee){ 0 };
	buf_init(&recipient->der, RECIPIENT_DER_MAX);
}

void addressee_finish(struct addressee *recipient)
{
	buf_finish(&recipient->der);
}

/* ---- reading ---------------------------------------------------------------------------- */

/* The next of whatever kind. False: there is none, or it cannot be read. */
static bool next_pem(BIO *bio, char **name, uint8_t **data, long *len)
{
	char *header = NULL;
	bool found = PEM_read_bio(bio, name, &header, data, len);

	OPENSSL_free(header);
	return found;
}

/* Of several nobody could say which is meant, and a private key has no business here. */
static enum err read_pem(const char *text, struct buf *der)
{
	_cleanup_object_(bio) BIO *bio = BIO_new_mem_buf(text, (int)strlen(text));
	char *name = NULL, *other = NULL;
	uint8_t *data = NULL, *more = NULL;
	long len = 0;
	enum err err = bio ? ERR_INVALID : ERR_NOMEM;

	if (bio && next_pem(bio, &name, &data, &len) && util_streq(name, PEM_STRING_X509) &&
	    !next_pem(bio, &other, &more, &(long){ 0 }))
		err = len <= RECIPIENT_DER_MAX ? buf_add(der, data, (size_t)len) : ERR_TOO_BIG;
	OPENSSL_free(name);
	OPENSSL_free(data);
	OPENSSL_free(other);
	OPENSSL_free(more);
	return err;
}

static enum err read_text(struct db *db, const char *text, struct addressee *recipient)
{
	struct auditor_row row;
	int64_t number;
	enum err err;

	if (!*text || strlen(text) > ADDRESSEE_TEXT_MAX)
		return ERR_INVALID;
	if (strspn(text, "0123456789") != strlen(text))
		return read_pem(text, &recipient->der);
	if (util_parse_i64(text, 1, INT64_MAX, &number))
		return ERR_NOT_FOUND;
	err = auditor_certificate(db, number, &row, &recipient->der);
	if (err)
		return err;
	recipient->auditor = row.id;
	return OK;
}

/* ---- for the audit log ------------------------------------------------------------------ */

/* At most so many bytes, and no character in half. */
static void cut_off(char *to, size_t room, const char *text, size_t len)
{
	if (len > room - 1)
		len = room - 1;
	while (len > 0 && !util_utf8_valid(text, len))
		len--;
	memcpy(to, text, len);
	to[len] = 0;
}

static enum err subject_of(const X509 *certificate, char ret[ADDRESSEE_SUBJECT_BYTES + 1])
{
	_cleanup_object_(bio) BIO *bio = BIO_new(BIO_s_mem());
	const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
	char *text = NULL;
	long len;

	if (!bio)
		return ERR_NOMEM;
	if (X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, flags) < 0)
		return ERR_INVALID;
	len = BIO_get_mem_data(bio, &text);
	cut_off(ret, ADDRESSEE_SUBJECT_BYTES + 1, text, (size_t)len);
	return OK;
}

enum err addressee_find(struct db *db, const char *text, int64_t now_s, struct addressee *ret)
{
	_cleanup_object_(x509) X509 *certificate = NULL;
	enum err err = read_text(db, text, ret);

	if (!err)
		err = recipient_parse(ret->der.data, ret->der.len, now_s, &certificate);
	if (!err)
		err = subject_of(certificate, ret->subject);
	return err ? err : cert_fingerprint(certificate, ret->fingerprint);
}
