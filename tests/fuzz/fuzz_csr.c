/*
 * Takes anything as a certificate request, twice: with another challenge, and wrapped in base64.
 * What is accepted has a key of the allowed kinds, and always the same one.
 */
#include <stdlib.h>
#include <string.h>

#include "certs/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_good(EVP_PKEY *key)
{
	uint8_t hash[CSR_KEY_HASH];
	char type[32];

	if (EVP_PKEY_is_a(key, "RSA")) {
		if (EVP_PKEY_get_bits(key) < 3072)
			abort();
	} else if (!EVP_PKEY_is_a(key, "EC") && !EVP_PKEY_is_a(key, "ED25519")) {
		abort();
	}
	csr_key_type(key, type, sizeof(type));
	if (csr_key_hash(key, hash) != OK)
		abort();
}

static void check_base64(const uint8_t *data, size_t size, EVP_PKEY *key)
{
	char text[CSR_MAX + 4];
	EVP_PKEY *again = NULL;

	if (size > CSR_MAX / 4 * 3 || data[0] != 0x30)
		return;
	int len = EVP_EncodeBlock((unsigned char *)text, data, (int)size);
	if (csr_check((const uint8_t *)text, (size_t)len, "", &again) != OK ||
	    EVP_PKEY_eq(key, again) != 1)
		abort();
	EVP_PKEY_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	EVP_PKEY *key = NULL, *other = NULL;
	enum err err = csr_check(data, size, "", &key);
	enum err with_code = csr_check(data, size, "ABCD-EF01", &other);

	if ((err == OK) != (key != NULL) || (size > CSR_MAX && err != ERR_TOO_BIG))
		abort();
	if (err != with_code && err != ERR_CODE && with_code != ERR_CODE)
		abort();
	if (key) {
		expect_good(key);
		check_base64(data, size, key);
	}
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	return 0;
}
