#include "broker/enrol_code.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/secret.h"
#include "base/util.h"

/* https://www.crockford.com/base32.html: no I, L, O and U. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void enrol_code_random(char *ret, size_t len)
{
	uint8_t bytes[64];

	/* 32 divides 256: every character is as likely as any other. */
	for (size_t i = 0; i < len; i++) {
		if (i % sizeof(bytes) == 0)
			util_random(bytes, sizeof(bytes));
		ret[i] = alphabet[bytes[i % sizeof(bytes)] % 32];
	}
	ret[len] = '\0';
	secret_wipe(bytes, sizeof(bytes));
}

void enrol_code_group(const char *code, char *ret, size_t size)
{
	size_t at = 0;

	for (size_t i = 0; code[i] && at + 1 < size; i++) {
		if (i && i % ENROL_CODE_GROUP == 0 && at + 2 < size)
			ret[at++] = '-';
		ret[at++] = code[i];
	}
	ret[at] = '\0';
}

/* The character that is meant, or NUL. */
static char meant(char typed)
{
	char upper = (char)toupper((unsigned char)typed);

	if (upper == 'O')
		return '0';
	if (upper == 'I' || upper == 'L')
		return '1';
	return upper && strchr(alphabet, upper) ? upper : '\0';
}

enum err enrol_code_hash(const char *typed, uint8_t ret[ENROL_CODE_HASH])
{
	char code[ENROL_CODE_LEN];
	size_t len = 0;
	enum err err = OK;

	for (; *typed && !err; typed++) {
		char c = meant(*typed);

		if (*typed == ' ' || *typed == '-')
			continue;
		if (!c || len == sizeof(code))
			err = ERR_CODE;
		else
			code[len++] = c;
	}
	if (!err && len != sizeof(code))
		err = ERR_CODE;
	if (!err && !EVP_Digest(code, len, ret, NULL, EVP_sha256(), NULL))
		err = ERR_CRYPTO;
	secret_wipe(code, sizeof(code));
	return err;
}
