#include "unit/folder.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/leaked.h"
#include "auth/password.h"
#include "base/clock.h"
#include "base/util.h"

static struct password_policy policy(void)
{
	return (struct password_policy){
		.min_length = 12,
		.account = "t.yamashita",
		.full_name = "Yamashita Taro 山下太郎",
		.office = "Kogawa Tax Office",
	};
}

static enum password_rule rule_with(const char *text, size_t len,
				    const struct password_policy *used)
{
	_cleanup_secret_ struct secret *password = NULL;
	enum password_rule rule = PASSWORD_GOOD;

	assert_int_equal(secret_new(text, len, &password), OK);
	assert_int_equal(password_check(password, used, &rule), OK);
	return rule;
}

static enum password_rule rule_of(const char *text)
{
	struct password_policy used = policy();

	return rule_with(text, strlen(text), &used);
}

static void test_good(void **state)
{
	(void)state;
	assert_int_equal(rule_of("kx92mvqp3jtz"), PASSWORD_GOOD);
	assert_int_equal(rule_of("correct horse battery staple"), PASSWORD_GOOD);
	assert_int_equal(rule_of("桜の木の下で待つ猫が三匹"), PASSWORD_GOOD);
}

static void test_length(void **state)
{
	char longest[PASSWORD_BYTES_MAX + 1];
	struct password_policy used = policy();

	(void)state;
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = (char)('!' + (i * 37 + i / 90) % 90);
	assert_int_equal(rule_of(""), PASSWORD_SHORT);
	assert_int_equal(rule_of("kx92mvqp3jt"), PASSWORD_SHORT);
	/* Eleven characters in 33 bytes. */
	assert_int_equal(rule_of("桜の木の下で待つ猫三匹"), PASSWORD_SHORT);
	assert_int_equal(rule_with(longest, PASSWORD_BYTES_MAX, &used), PASSWORD_GOOD);
	assert_int_equal(rule_with(longest, PASSWORD_BYTES_MAX + 1, &used), PASSWORD_LONG);
	used.min_length = 10;
	assert_int_equal(rule_with("kx92mvqp3j", 10, &used), PASSWORD_GOOD);
}

static void test_characters(void **state)
{
	struct password_policy used = policy();

	(void)state;
	assert_int_equal(rule_of("kx92mvqp3jtz\xff"), PASSWORD_CHARACTERS);
	assert_int_equal(rule_of("kx92mvqp\n3jtz"), PASSWORD_CHARACTERS);
	assert_int_equal(rule_with("kx92mvqp\0"
				   "3jtz",
				   13, &used),
			 PASSWORD_CHARACTERS);
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(rule_of("kx92YAMASHITAmvqp3jtz"), PASSWORD_NAME);
	assert_int_equal(rule_of("kx92taromvqp3jtz"), PASSWORD_NAME);
	assert_int_equal(rule_of("kx92kogawamvqp3jtz"), PASSWORD_NAME);
	assert_int_equal(rule_of("kx92山下太郎mvqp3jtz"), PASSWORD_NAME);
	assert_int_equal(rule_of("y4m4sh1t4!9ab"), PASSWORD_NAME);
	/* "Tax" is too short a word to refuse everything that contains it. */
	assert_int_equal(rule_of("kx92taxmvqp3jtz"), PASSWORD_GOOD);
}

static void test_sequences(void **state)
{
	(void)state;
	assert_int_equal(rule_of("abcdefghijkl"), PASSWORD_SEQUENCE);
	assert_int_equal(rule_of("123456789012"), PASSWORD_SEQUENCE);
	assert_int_equal(rule_of("aaaaaaaaaaaa"), PASSWORD_SEQUENCE);
	assert_int_equal(rule_of("さくらさくらさくらさくら"), PASSWORD_SEQUENCE);
	assert_int_equal(rule_of("19800101 1980"), PASSWORD_SEQUENCE);
}

static void test_common(void **state)
{
	(void)state;
	assert_int_equal(rule_of("password1234"), PASSWORD_COMMON);
	assert_int_equal(rule_of("P@ssw0rd2024"), PASSWORD_COMMON);
	assert_int_equal(rule_of("iloveyou1234"), PASSWORD_COMMON);
	assert_int_equal(rule_of("qwertyuiop12"), PASSWORD_COMMON);
}

static void test_rule_texts(void **state)
{
	(void)state;
	assert_string_equal(password_rule_en(PASSWORD_SHORT), "the password is too short");
	assert_string_equal(password_rule_ja(PASSWORD_SHORT), "パスワードが短すぎます");
	/* What is not in the table refuses. */
	assert_string_equal(password_rule_en((enum password_rule)99),
			    password_rule_en(PASSWORD_WEAK));
}

/* A list of the hashes of "leaked <i>", as Have I Been Pwned writes it. */
enum { LEAKED_COUNT = 300 };

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void leaked_write(char path[UNIT_FILE], const char *line_end, const char *tail)
{
	static char lines[LEAKED_COUNT][41];

	for (int i = 0; i < LEAKED_COUNT; i++) {
		char text[32];
		uint8_t hash[SHA_DIGEST_LENGTH];
		int len = snprintf(text, sizeof(text), "leaked %d", i);
		SHA1((const uint8_t *)text, (size_t)len, hash);
		for (size_t k = 0; k < sizeof(hash); k++)
			snprintf(lines[i] + 2 * k, 3, "%02X", hash[k]);
	}
	qsort(lines, LEAKED_COUNT, sizeof(lines[0]), by_text);
	int fd = unit_file(path);
	for (int i = 0; i < LEAKED_COUNT; i++)
		assert_true(dprintf(fd, "%s%s%s", lines[i], i % 3 ? ":7" : ":1234567",
				    i + 1 < LEAKED_COUNT ? line_end : tail) > 0);
	close(fd);
}

static void leaked_expect(const char *path, const char *text, bool expected)
{
	bool found = !expected;

	assert_int_equal(leaked_find(path, text, strlen(text), &found), OK);
	assert_int_equal(found, expected);
}

static void test_leaked_all_found(void **state)
{
	const char *ends[][2] = { { "\n", "\n" }, { "\r\n", "" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		char path[UNIT_FILE], text[32];
		leaked_write(path, ends[i][0], ends[i][1]);
		for (int k = 0; k < LEAKED_COUNT; k++) {
			snprintf(text, sizeof(text), "leaked %d", k);
			leaked_expect(path, text, true);
			snprintf(text, sizeof(text), "kept %d", k);
			leaked_expect(path, text, false);
		}
	}
}

static void test_leaked_refused(void **state)
{
	_cleanup_secret_ struct secret *password = NULL;
	struct password_policy used = policy();
	enum password_rule rule;
	char path[UNIT_FILE];

	(void)state;
	leaked_write(path, "\n", "\n");
	used.leaked_path = path;
	used.min_length = 8;
	used.account = used.full_name = used.office = NULL;
	/* Only its hash is in the list; strong enough otherwise. */
	const char *text = "kx92mvqp3jtz";
	assert_int_equal(rule_with(text, strlen(text), &used), PASSWORD_GOOD);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	uint8_t hash[SHA_DIGEST_LENGTH];
	SHA1((const uint8_t *)text, strlen(text), hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		fprintf(file, "%02x", hash[i]);
	fclose(file);
	assert_int_equal(rule_with(text, strlen(text), &used), PASSWORD_LEAKED);
	unlink(path);
	/* A configured list that cannot be read refuses every password. */
	assert_int_equal(secret_new(text, strlen(text), &password), OK);
	assert_int_equal(password_check(password, &used, &rule), ERR_NOT_FOUND);
}

static void test_leaked_malformed(void **state)
{
	char path[UNIT_FILE];
	bool found;
	int fd = unit_file(path);

	(void)state;
	leaked_expect(path, "x", false);
	assert_true(dprintf(fd, "no hash\n") > 0);
	assert_int_equal(leaked_find(path, "x", 1, &found), ERR_INVALID);
	assert_int_equal(ftruncate(fd, 0), 0);
	for (int i = 0; i < 1000; i++)
		assert_true(dprintf(fd, "0123456789") > 0);
	assert_int_equal(leaked_find(path, "x", 1, &found), ERR_INVALID);
	close(fd);
}

static void test_hash(void **state)
{
	_cleanup_secret_ struct secret *right = NULL, *wrong = NULL;
	char hash[PASSWORD_HASH_MAX], other[PASSWORD_HASH_MAX];

	(void)state;
	assert_int_equal(secret_new("kx92mvqp3jtz", 12, &right), OK);
	assert_int_equal(secret_new("kx92mvqp3jtZ", 12, &wrong), OK);
	assert_int_equal(password_hash(right, hash), OK);
	assert_int_equal(password_hash(right, other), OK);
	assert_int_equal(strncmp(hash, "$argon2id$v=19$m=65536,t=3,p=1$", 31), 0);
	assert_string_not_equal(hash, other);
	assert_int_equal(password_verify(right, hash), OK);
	assert_int_equal(password_verify(right, other), OK);
	assert_int_equal(password_verify(wrong, hash), ERR_LOGIN);
	hash[strlen(hash) - 1] ^= 1;
	assert_int_not_equal(password_verify(right, hash), OK);
}

static void test_hash_not_ours(void **state)
{
	static const char *const hashes[] = {
		"",
		"kx92mvqp3jtz",
		"$argon2id$v=19$m=65536,t=3,p=1$",
		/* A right hash of another kind, and ones that ask for more than a damaged row may.
		 */
		"$argon2i$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b27dWRJJTmaaJObG",
		"$argon2id$v=19$m=999999999,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=64,t=999999999,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	_cleanup_secret_ struct secret *password = NULL;

	(void)state;
	assert_int_equal(secret_new("kx92mvqp3jtz", 12, &password), OK);
	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++)
		assert_int_equal(password_verify(password, hashes[i]), ERR_CRYPTO);
}

static void test_too_long_to_hash(void **state)
{
	char text[PASSWORD_BYTES_MAX + 1], hash[PASSWORD_HASH_MAX];
	_cleanup_secret_ struct secret *password = NULL;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(secret_new(text, sizeof(text), &password), OK);
	assert_int_equal(password_hash(password, hash), ERR_TOO_BIG);
	assert_int_equal(password_verify_dummy(password), ERR_LOGIN);
}

/* An unknown account must not be told from a known one by the time the answer takes. */
static void test_dummy_takes_as_long(void **state)
{
	_cleanup_secret_ struct secret *password = NULL;
	char hash[PASSWORD_HASH_MAX];
	uint64_t real = UINT64_MAX, dummy = UINT64_MAX;

	(void)state;
	assert_int_equal(secret_new("kx92mvqp3jtz", 12, &password), OK);
	assert_int_equal(password_hash(password, hash), OK);
	for (int i = 0; i < 3; i++) {
		uint64_t start = clock_mono_us();
		assert_int_equal(password_verify(password, hash), OK);
		uint64_t between = clock_mono_us();
		assert_int_equal(password_verify_dummy(password), ERR_LOGIN);
		real = MIN(real, between - start);
		dummy = MIN(dummy, clock_mono_us() - between);
	}
	/* Wide, because the machine is shared; a dummy that does nothing is thousands of times
	 * faster. */
	assert_true(dummy > real / 2 && dummy < real * 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_common),
		cmocka_unit_test(test_rule_texts),
		cmocka_unit_test(test_leaked_all_found),
		cmocka_unit_test(test_leaked_refused),
		cmocka_unit_test(test_leaked_malformed),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_hash_not_ours),
		cmocka_unit_test(test_too_long_to_hash),
		cmocka_unit_test(test_dummy_takes_as_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
