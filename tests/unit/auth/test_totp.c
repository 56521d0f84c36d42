#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/totp.h"
#include "base/util.h"

/* The vectors of RFC 4226 appendix D and RFC 6238 appendix B, from Debian's
 * python3-cryptography-vectors. */
#define VECTORS "/usr/lib/python3/dist-packages/cryptography_vectors/twofactor/"

static struct secret *rfc_key(void)
{
	struct secret *key = NULL;

	assert_int_equal(secret_new("12345678901234567890", 20, &key), OK);
	return key;
}

static FILE *vectors_open(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", VECTORS, name);
	FILE *file = fopen(path, "re");
	if (!file) {
		print_message("skipped: %s is not there (python3-cryptography-vectors)\n", path);
		skip();
	}
	return file;
}

/* The rest of a line "NAME = value", or NULL. */
static const char *value_of(char *line, const char *name)
{
	size_t len = strlen(name);

	line[strcspn(line, "\r\n")] = '\0';
	if (strncmp(line, name, len) != 0 || strncmp(line + len, " = ", 3) != 0)
		return NULL;
	return line + len + 3;
}

static void test_rfc4226(void **state)
{
	_cleanup_secret_ struct secret *key = rfc_key();
	_cleanup_fclose_ FILE *file = vectors_open("rfc-4226.txt");
	char line[256];
	int64_t counter = -1;
	int checked = 0;

	(void)state;
	while (fgets(line, sizeof(line), file)) {
		const char *value = value_of(line, "COUNTER");
		if (value)
			counter = atoll(value);
		value = value_of(line, "HOTP");
		if (!value)
			continue;
		uint64_t step = 99;
		assert_int_equal(totp_check(key, value, counter * TOTP_STEP_S, &step), OK);
		assert_int_equal(step, counter);
		checked++;
	}
	assert_int_equal(checked, 10);
}

static void test_rfc6238(void **state)
{
	_cleanup_secret_ struct secret *key = rfc_key();
	_cleanup_fclose_ FILE *file = vectors_open("rfc-6238.txt");
	char line[256], code[16] = "";
	int64_t now = -1;
	int checked = 0;

	(void)state;
	while (fgets(line, sizeof(line), file)) {
		const char *value = value_of(line, "TIME");
		if (value)
			now = atoll(value);
		value = value_of(line, "TOTP");
		/* Eight digits there; the last six are the six-digit code (RFC 4226 §5.3). */
		if (value && strlen(value) == 8)
			snprintf(code, sizeof(code), "%s", value + 2);
		value = value_of(line, "MODE");
		if (!value || strcmp(value, "SHA1") != 0)
			continue;
		uint64_t step = 0;
		assert_int_equal(totp_check(key, code, now, &step), OK);
		assert_int_equal(step, now / TOTP_STEP_S);
		checked++;
	}
	assert_int_equal(checked, 6);
}

/* Step 1 of the RFC's key is 287082: good for the steps 0, 1 and 2 and no others. */
static void test_window(void **state)
{
	_cleanup_secret_ struct secret *key = rfc_key();
	uint64_t step;

	(void)state;
	for (int64_t now = 0; now < 90; now++) {
		step = 99;
		assert_int_equal(totp_check(key, "287082", now, &step), OK);
		assert_int_equal(step, 1);
	}
	step = 99;
	for (int64_t now = 90; now < 300; now++)
		assert_int_equal(totp_check(key, "287082", now, &step), ERR_LOGIN);
	/* Step 9 is 520489. */
	for (int64_t now = 0; now < 240; now++)
		assert_int_equal(totp_check(key, "520489", now, &step), ERR_LOGIN);
	assert_int_equal(step, 99);
	assert_int_equal(totp_check(key, "520489", 240, &step), OK);
	assert_int_equal(step, 9);
}

static void test_only_six_ascii_digits(void **state)
{
	static const char *const codes[] = {
		"",         "2",       "82",      "082",          "7082",    "87082",
		"94287082", "2870820", " 287082", "287082 ",      "+87082",  "28708a",
		"28708\n",  "0x8708",  "-87082",  "２８７０８２", "28708２", "287082287082",
	};
	_cleanup_secret_ struct secret *key = rfc_key();
	uint64_t step = 99;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		assert_int_equal(totp_check(key, codes[i], 59, &step), ERR_LOGIN);
	assert_int_equal(step, 99);
}

static void test_bad_key_fails_closed(void **state)
{
	_cleanup_secret_ struct secret *empty = NULL, *brief = NULL, *key = rfc_key();
	uint64_t step;

	(void)state;
	assert_int_equal(secret_new("", 0, &empty), OK);
	assert_int_equal(secret_new("1234567890", 10, &brief), OK);
	assert_int_equal(totp_check(empty, "287082", 59, &step), ERR_CRYPTO);
	assert_int_equal(totp_check(brief, "287082", 59, &step), ERR_CRYPTO);
	assert_int_equal(totp_check(key, "287082", -1, &step), ERR_CRYPTO);
}

static void test_new(void **state)
{
	_cleanup_secret_ struct secret *a = NULL, *b = NULL;

	(void)state;
	assert_int_equal(totp_new(&a), OK);
	assert_int_equal(totp_new(&b), OK);
	assert_int_equal(secret_len(a), 20);
	assert_memory_not_equal(secret_text(a), secret_text(b), 20);
}

static void test_step(void **state)
{
	(void)state;
	assert_int_equal(totp_step(0), 0);
	assert_int_equal(totp_step(29), 0);
	assert_int_equal(totp_step(30), 1);
	assert_int_equal(totp_step(1111111109), 37037036);
	assert_int_equal(totp_step(-5), 0);
}

static void test_uri(void **state)
{
	_cleanup_secret_ struct secret *key = rfc_key(), *text = NULL, *uri = NULL, *odd = NULL;

	(void)state;
	assert_int_equal(totp_base32(key, &text), OK);
	assert_string_equal(secret_text(text), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
	assert_int_equal(totp_uri(key, "税理士 A&B", "sato", &uri), OK);
	assert_string_equal(
		secret_text(uri),
		"otpauth://totp/%E7%A8%8E%E7%90%86%E5%A3%AB%20A%26B:sato"
		"?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
		"&issuer=%E7%A8%8E%E7%90%86%E5%A3%AB%20A%26B&algorithm=SHA1&digits=6&period=30");
	/* No padding for a key whose base32 would have some. */
	assert_int_equal(secret_new("1", 1, &odd), OK);
	secret_free(util_take_ptr(text));
	assert_int_equal(totp_base32(odd, &text), OK);
	assert_string_equal(secret_text(text), "GE");
}

static void test_uri_limit(void **state)
{
	_cleanup_secret_ struct secret *key = rfc_key(), *uri = NULL;
	char office[3000];

	(void)state;
	memset(office, 'x', sizeof(office) - 1);
	office[sizeof(office) - 1] = '\0';
	assert_int_equal(totp_uri(key, office, "sato", &uri), ERR_TOO_BIG);
	assert_null(uri);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc4226),
		cmocka_unit_test(test_rfc6238),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_only_six_ascii_digits),
		cmocka_unit_test(test_bad_key_fails_closed),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_uri),
		cmocka_unit_test(test_uri_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
