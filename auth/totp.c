#include "auth/totp.h"

#include <ctype.h>
#include <liboath/oath.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"

enum { URI_MAX = 2048, WINDOW_STEPS = 1 };

enum err totp_new(struct secret **ret_key)
{
	return secret_random(TOTP_KEY_BYTES, ret_key);
}

uint64_t totp_step(int64_t now_s)
{
	return now_s < 0 ? 0 : (uint64_t)now_s / TOTP_STEP_S;
}

/* liboath takes the number of digits from the string, so a one-digit code would be right once in
 * ten. */
static bool is_six_digits(const char *code)
{
	if (strnlen(code, TOTP_DIGITS + 1) != TOTP_DIGITS)
		return false;
	for (size_t i = 0; i < TOTP_DIGITS; i++)
		if (code[i] < '0' || code[i] > '9')
			return false;
	return true;
}

enum err totp_check(const struct secret *key, const char *code, int64_t now_s, uint64_t *ret_step)
{
	uint64_t step = 0;

	if (secret_len(key) != TOTP_KEY_BYTES || now_s < 0)
		return ERR_CRYPTO;
	if (!is_six_digits(code))
		return ERR_LOGIN;
	int offset = oath_totp_validate4(secret_text(key), secret_len(key), (time_t)now_s,
					 TOTP_STEP_S, OATH_TOTP_DEFAULT_START_TIME, WINDOW_STEPS,
					 NULL, &step, 0, code);
	if (offset == OATH_INVALID_OTP)
		return ERR_LOGIN;
	if (offset < 0)
		return ERR_CRYPTO;
	*ret_step = step;
	return OK;
}

enum err totp_base32(const struct secret *key, struct secret **ret_text)
{
	char *text = NULL;
	size_t len = 0;

	if (oath_base32_encode(secret_text(key), secret_len(key), &text, &len) != OATH_OK)
		return ERR_NOMEM;
	/* RFC 4648 §3.2: apps do without the padding, and some refuse it. */
	size_t kept = len;
	while (kept > 0 && text[kept - 1] == '=')
		kept--;
	enum err err = secret_new(text, kept, ret_text);
	secret_wipe(text, len);
	free(text);
	return err;
}

static enum err add_encoded(struct buf *buf, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = c < 0x80 && (isalnum(c) || strchr("-._~", c));
		enum err err = plain ? buf_add(buf, &c, 1) : buf_printf(buf, "%%%02X", c);
		if (err)
			return err;
	}
	return OK;
}

enum err totp_uri(const struct secret *key, const char *issuer, const char *account,
		  struct secret **ret_uri)
{
	_cleanup_secret_ struct secret *text = NULL;
	_cleanup_buf_ struct buf uri;
	enum err err = totp_base32(key, &text);

	buf_init(&uri, URI_MAX);
	if (!err)
		err = buf_printf(&uri, "otpauth://totp/");
	if (!err)
		err = add_encoded(&uri, issuer);
	if (!err)
		err = buf_printf(&uri, ":");
	if (!err)
		err = add_encoded(&uri, account);
	if (!err)
		err = buf_printf(&uri, "?secret=%s&issuer=", secret_text(text));
	if (!err)
		err = add_encoded(&uri, issuer);
	if (!err)
		err = buf_printf(&uri, "&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS,
				 TOTP_STEP_S);
	if (!err)
		err = secret_new(uri.data, uri.len, ret_uri);
	buf_wipe(&uri);
	return err;
}
