#include "edge/est.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "base/util.h"

/* Of so many bytes, with the NUL that EVP_EncodeBlock adds. */
#define BASE64_ROOM(bytes) (((bytes) + 2) / 3 * 4 + 1)

enum {
	LOGIN_MAX = EST_USER_MAX + 1 + EST_CODE_MAX,
	/* What EVP_DecodeBlock writes may have two bytes of padding more. */
	LOGIN_ROOM = LOGIN_MAX + 3,
	QUESTION_ROOM = EST_QUESTION_MAX + 3,
};

/*
 * Only the one encoding that these bytes have (RFC 4648 §3.5): OpenSSL's decoder is lenient with
 * white space, padding and its unused bits, so what it made is encoded again. again has as much
 * room as text needs.
 */
static enum err decode(const char *text, size_t len, uint8_t *out, char *again, size_t *ret_len)
{
	int written = EVP_DecodeBlock(out, (const uint8_t *)text, (int)len);

	if (written < 3)
		return ERR_INVALID;
	written -= (text[len - 1] == '=') + (text[len - 2] == '=');
	if (EVP_EncodeBlock((uint8_t *)again, out, written) != (int)len || memcmp(again, text, len))
		return ERR_INVALID;
	*ret_len = (size_t)written;
	return OK;
}

/* RFC 7617 §2: no control characters, and a user name ends at the first colon. */
static enum err split(const char *text, size_t len, struct est_login *ret)
{
	const char *colon = memchr(text, ':', len);
	size_t user_len = colon ? (size_t)(colon - text) : 0;
	size_t code_len = len - user_len - 1;

	if (!colon || user_len > EST_USER_MAX || !code_len || code_len > EST_CODE_MAX ||
	    !util_utf8_valid(text, len))
		return ERR_CODE;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return ERR_CODE;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->user, text, user_len);
	memcpy(ret->code, colon + 1, code_len);
	return OK;
}

enum err est_login_parse(const char *authorization, struct est_login *ret)
{
	static const char scheme[] = "Basic ";
	char again[BASE64_ROOM(LOGIN_MAX)];
	uint8_t text[LOGIN_ROOM];
	const char *base64;
	size_t len;
	enum err err;

	if (strncasecmp(authorization, scheme, sizeof(scheme) - 1))
		return ERR_CODE;
	base64 = authorization + sizeof(scheme) - 1;
	if (strlen(base64) >= sizeof(again))
		return ERR_CODE;
	err = decode(base64, strlen(base64), text, again, &len);
	err = err ? ERR_CODE : split((const char *)text, len, ret);
	secret_wipe(text, sizeof(text));
	secret_wipe(again, sizeof(again));
	return err;
}

bool est_type_fits(const char *content_type, const char *type)
{
	size_t len = strlen(type);

	if (strncasecmp(content_type, type, len))
		return false;
	content_type += len;
	content_type += strspn(content_type, " \t");
	return !*content_type || *content_type == ';';
}

enum err est_question(const char *text, struct buf *der)
{
	char base64[BASE64_ROOM(EST_QUESTION_MAX)], again[BASE64_ROOM(EST_QUESTION_MAX)];
	uint8_t bytes[QUESTION_ROOM];
	size_t len = strlen(text);
	enum err err;

	if (len >= sizeof(base64))
		return ERR_TOO_BIG;
	for (size_t i = 0; i <= len; i++)
		/* libwebsockets takes a + in a path for the blank of a form. */
		base64[i] = text[i] == ' ' ? '+' : text[i];
	err = decode(base64, len, bytes, again, &len);
	return err ? err : buf_add(der, bytes, len);
}

static const struct {
	enum body_kind kind;
	bool base64;
	const char *type;
} answers[] = {
	{ BODY_JSON, false, "application/json" },
	{ BODY_PKCS7, true, "application/pkcs7-mime; smime-type=certs-only" }, /* §4.1.3, §4.2.3 */
	{ BODY_CSRATTRS, true, "application/csrattrs" },                       /* §4.5.2 */
	{ BODY_OCSP, false, "application/ocsp-response" },                     /* RFC 6960 A.2 */
};

const char *est_answer_type(unsigned kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (answers[i].kind == kind)
			return answers[i].type;
	return NULL;
}

bool est_answer_base64(unsigned kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (answers[i].kind == kind)
			return answers[i].base64;
	return false;
}
