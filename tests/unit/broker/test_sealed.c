#include "unit/folder.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "broker/sealed.h"

static const struct sealed_place place = { .table = "account", .column = "totp", .row = 7 };

static struct secret *fresh_key(void)
{
	struct secret *key = NULL;

	assert_ok(secret_random(SEALED_KEY, &key));
	return key;
}

static void what_was_sealed_opens(void **state)
{
	_cleanup_secret_ struct secret *key = fresh_key();
	uint8_t sealed[64], again[64];
	size_t len, again_len;

	(void)state;
	for (size_t size = 0; size <= 20; size++) {
		_cleanup_secret_ struct secret *opened = NULL;

		assert_ok(sealed_seal(key, &place, "abcdefghijklmnopqrst", size, sealed,
				      sizeof(sealed), &len));
		assert_int_equal(len, size + SEALED_OVERHEAD);
		assert_ok(sealed_open(key, &place, sealed, len, &opened));
		assert_int_equal(secret_len(opened), size);
		assert_memory_equal(secret_text(opened), "abcdefghijklmnopqrst", size);
	}
	/* Equal values look different. */
	assert_ok(sealed_seal(key, &place, "abc", 3, again, sizeof(again), &again_len));
	assert_ok(sealed_seal(key, &place, "abc", 3, sealed, sizeof(sealed), &len));
	assert_memory_not_equal(sealed, again, len);
	assert_err(sealed_seal(key, &place, "abc", 3, sealed, 3 + SEALED_OVERHEAD - 1, &len),
		   ERR_TOO_BIG);
}

static void one_changed_bit_is_seen(void **state)
{
	_cleanup_secret_ struct secret *key = fresh_key(), *other = fresh_key();
	struct secret *opened = NULL;
	uint8_t sealed[64];
	size_t len;

	(void)state;
	assert_ok(sealed_seal(key, &place, "secret", 6, sealed, sizeof(sealed), &len));
	for (size_t i = 0; i < len * 8; i++) {
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_err(sealed_open(key, &place, sealed, len, &opened), ERR_CRYPTO);
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_err(sealed_open(key, &place, sealed, cut, &opened), ERR_CRYPTO);
	assert_err(sealed_open(other, &place, sealed, len, &opened), ERR_CRYPTO);
	assert_null(opened);
}

static void a_value_opens_only_where_it_belongs(void **state)
{
	static const struct sealed_place others[] = {
		{ .table = "host_credential", .column = "totp", .row = 7 },
		{ .table = "account", .column = "password", .row = 7 },
		{ .table = "account", .column = "totp", .row = 8 },
		{ .table = "account", .column = "totp", .row = 7, .row2 = 1 },
		{ .table = "account/totp", .column = "", .row = 7 },
	};
	_cleanup_secret_ struct secret *key = fresh_key();
	struct secret *opened = NULL;
	uint8_t sealed[64];
	size_t len;

	(void)state;
	assert_ok(sealed_seal(key, &place, "secret", 6, sealed, sizeof(sealed), &len));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_err(sealed_open(key, &others[i], sealed, len, &opened), ERR_CRYPTO);
}

static void the_key_is_made_once_and_private(void **state)
{
	char folder[UNIT_FOLDER], path[UNIT_FOLDER + 8];
	_cleanup_secret_ struct secret *first = NULL, *second = NULL;
	struct secret *third = NULL;
	struct stat status;

	(void)state;
	unit_folder(folder);
	snprintf(path, sizeof(path), "%s/key", folder);
	assert_ok(sealed_key_open(path, &first));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(status.st_size, SEALED_KEY);
	assert_ok(sealed_key_open(path, &second));
	assert_memory_equal(secret_text(first), secret_text(second), SEALED_KEY);
	assert_int_equal(chmod(path, 0640), 0);
	assert_err(sealed_key_open(path, &third), ERR_DENIED);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, SEALED_KEY - 1), 0);
	assert_err(sealed_key_open(path, &third), ERR_INVALID);
	assert_int_equal(truncate(path, SEALED_KEY + 1), 0);
	assert_err(sealed_key_open(path, &third), ERR_INVALID);
}

/* ---- Project Wycheproof ----------------------------------------------------------------- */

static json_t *load_vectors(void)
{
	const char *folder = getenv("SEKISHO_VECTORS"),
		   *source_end = strstr(__FILE__, "/tests/unit/");
	char path[512];

	if (folder)
		snprintf(path, sizeof(path), "%s/aes_gcm_test.json", folder);
	else
		snprintf(path, sizeof(path), "%.*s/../shared/vectors/wycheproof/aes_gcm_test.json",
			 source_end ? (int)(source_end - __FILE__) : 0, __FILE__);
	return json_load_file(path, 0, NULL);
}

static size_t unhex(const json_t *test, const char *name, uint8_t *ret, size_t max)
{
	const char *text = json_string_value(json_object_get(test, name));
	size_t len = strlen(text) / 2;

	assert_true(len <= max);
	assert_ok(util_unhex(text, ret, len));
	return len;
}

static void run_vector(const json_t *test)
{
	static uint8_t key[64], nonce[64], aad[4096], data[4096], wanted[4096], tag[64], got[4096];
	bool valid = strcmp(json_string_value(json_object_get(test, "result")), "valid") == 0;
	size_t aad_len = unhex(test, "aad", aad, sizeof(aad)),
	       len = unhex(test, "msg", data, sizeof(data));
	size_t ct_len = unhex(test, "ct", wanted, sizeof(wanted));

	unhex(test, "key", key, sizeof(key));
	unhex(test, "iv", nonce, sizeof(nonce));
	unhex(test, "tag", tag, sizeof(tag));
	if (valid) {
		uint8_t got_tag[SEALED_TAG];

		assert_ok(sealed_gcm_encrypt(key, nonce, aad, aad_len, data, len, got, got_tag));
		assert_memory_equal(got, wanted, ct_len);
		assert_memory_equal(got_tag, tag, SEALED_TAG);
		assert_ok(sealed_gcm_decrypt(key, nonce, aad, aad_len, wanted, ct_len, tag, got));
		assert_memory_equal(got, data, len);
	} else {
		assert_err(sealed_gcm_decrypt(key, nonce, aad, aad_len, wanted, ct_len, tag, got),
			   ERR_CRYPTO);
	}
}

static void wycheproof(void **state)
{
	json_t *vectors = load_vectors();
	json_t *group, *test;
	size_t group_index, test_index, count = 0;

	(void)state;
	if (!vectors) {
		print_message(
			"skipped: no Wycheproof vectors; set SEKISHO_VECTORS to their folder\n");
		skip();
	}
	json_array_foreach(json_object_get(vectors, "testGroups"), group_index, group)
	{
		/* The only form that the program uses. */
		if (json_integer_value(json_object_get(group, "keySize")) != 256 ||
		    json_integer_value(json_object_get(group, "ivSize")) != 96 ||
		    json_integer_value(json_object_get(group, "tagSize")) != 128)
			continue;
		json_array_foreach(json_object_get(group, "tests"), test_index, test)
		{
			run_vector(test);
			count++;
		}
	}
	assert_true(count >= 60);
	json_decref(vectors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens),
		cmocka_unit_test(one_changed_bit_is_seen),
		cmocka_unit_test(a_value_opens_only_where_it_belongs),
		cmocka_unit_test(the_key_is_made_once_and_private),
		cmocka_unit_test(wycheproof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
