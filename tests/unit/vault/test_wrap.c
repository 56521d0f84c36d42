#include "unit/vault/vectors.h"

#include "vault/wrap.h"

/* The same for data keys, without locked memory. */
static void whole_key(const struct secret *kek, bool valid, const struct octets *plain,
		      const struct octets *wrapped)
{
	const uint8_t *key = (const uint8_t *)secret_text(kek);
	uint8_t back[WRAP_KEY], again[WRAP_KEY_WRAPPED];

	assert_err(wrap_key_get(key, wrapped->data, back), valid ? OK : ERR_LOGIN);
	if (!valid)
		return;
	assert_memory_equal(back, plain->data, WRAP_KEY);
	assert_ok(wrap_key_put(key, back, again));
	assert_memory_equal(again, wrapped->data, WRAP_KEY_WRAPPED);
}

/* Ours wraps with 256 bits alone; the other sizes have to be refused. */
static void kwp(const json_t *group, const json_t *test)
{
	_cleanup_secret_ struct secret *kek = secret_of(test, "key"), *back = NULL;
	struct octets plain = octets_of(test, "msg"), wrapped = octets_of(test, "ct");
	bool ours = json_integer_value(json_object_get(group, "keySize")) == 256;
	uint8_t room[WRAP_MAX];
	size_t len = 0;
	enum err err = wrap_get(kek, wrapped.data, wrapped.len, &back);

	if (!ours) {
		assert_err(err, ERR_INVALID);
		assert_err(wrap_put(kek, plain.data, plain.len, room, &len), ERR_INVALID);
	} else if (is_valid(test)) {
		assert_ok(err);
		assert_int_equal(secret_len(back), plain.len);
		assert_memory_equal(secret_text(back), plain.data, plain.len);
		assert_ok(wrap_put(kek, plain.data, plain.len, room, &len));
		assert_int_equal(len, wrapped.len);
		assert_memory_equal(room, wrapped.data, len);
	} else {
		assert_err(err, ERR_LOGIN);
	}
	if (ours && wrapped.len == WRAP_KEY_WRAPPED)
		whole_key(kek, is_valid(test) && plain.len == WRAP_KEY, &plain, &wrapped);
	free(plain.data);
	free(wrapped.data);
}

static void wrapping_is_rfc_5649s(void **state)
{
	(void)state;
	run_all("aes_kwp_test.json", kwp, 254);
}

static void hkdf(const json_t *group, const json_t *test)
{
	_cleanup_secret_ struct secret *from = secret_of(test, "ikm"), *got = NULL;
	struct octets salt = octets_of(test, "salt"), info = octets_of(test, "info"),
		      wanted = octets_of(test, "okm");
	size_t size = (size_t)json_integer_value(json_object_get(test, "size"));
	enum err err = wrap_derive(from, salt.data, salt.len, info.data, info.len, size, &got);

	(void)group;
	if (is_valid(test)) {
		assert_ok(err);
		assert_int_equal(secret_len(got), wanted.len);
		assert_memory_equal(secret_text(got), wanted.data, wanted.len);
	} else {
		assert_err(err, ERR_TOO_BIG);
	}
	free(salt.data);
	free(info.data);
	free(wanted.data);
}

static void deriving_is_rfc_5869s(void **state)
{
	(void)state;
	run_all("hkdf_sha256_test.json", hkdf, 86);
}

static void hmac(const json_t *group, const json_t *test)
{
	_cleanup_secret_ struct secret *key = secret_of(test, "key");
	struct octets text = octets_of(test, "msg"), tag = octets_of(test, "tag");
	uint8_t got[WRAP_MAC];

	(void)group;
	assert_ok(wrap_mac(key, text.data, text.len, got));
	assert_int_equal(memcmp(got, tag.data, tag.len) == 0, is_valid(test));
	free(text.data);
	free(tag.data);
}

static void macs_are_rfc_2104s(void **state)
{
	(void)state;
	run_all("hmac_sha256_test.json", hmac, 174);
}

static void what_does_not_fit_is_refused(void **state)
{
	uint8_t plain[WRAP_PLAIN_MAX + 1] = { 1 }, room[WRAP_MAX];
	_cleanup_secret_ struct secret *kek = NULL, *other = NULL, *back = NULL;
	size_t len = 0;

	(void)state;
	assert_ok(secret_random(WRAP_KEY, &kek));
	assert_ok(secret_random(WRAP_KEY, &other));
	assert_err(wrap_put(kek, plain, 0, room, &len), ERR_INVALID);
	assert_err(wrap_put(kek, plain, sizeof(plain), room, &len), ERR_TOO_BIG);
	assert_ok(wrap_put(kek, plain, WRAP_PLAIN_MAX, room, &len));
	assert_int_equal(len, WRAP_MAX);
	assert_err(wrap_get(other, room, len, &back), ERR_LOGIN);
	for (size_t i = 0; i < len; i += 8)
		assert_err(wrap_get(kek, room, i, &back), ERR_LOGIN);
	for (size_t i = 0; i < len; i++) {
		room[i] ^= 1;
		assert_err(wrap_get(kek, room, len, &back), ERR_LOGIN);
		room[i] ^= 1;
	}
	assert_ok(wrap_get(kek, room, len, &back));
	assert_memory_equal(secret_text(back), plain, WRAP_PLAIN_MAX);
}

static void passphrases_are_stretched(void **state)
{
	static const struct wrap_cost none = { 0, 0, 0 }, dear = { 1024 * 1024, 3, 1 };
	static const uint8_t salt[WRAP_SALT] = "0123456789abcde";
	_cleanup_secret_ struct secret *passphrase = NULL, *one = NULL, *same = NULL, *other = NULL;
	uint8_t changed[WRAP_SALT];

	(void)state;
	assert_ok(secret_new("iwato-hirake", 12, &passphrase));
	assert_err(wrap_stretch(passphrase, salt, &none, &one), ERR_INVALID);
	assert_err(wrap_stretch(passphrase, salt, &dear, &one), ERR_INVALID);
	assert_ok(wrap_stretch(passphrase, salt, &wrap_cost, &one));
	assert_ok(wrap_stretch(passphrase, salt, &wrap_cost, &same));
	assert_memory_equal(secret_text(one), secret_text(same), WRAP_KEY);
	memcpy(changed, salt, sizeof(changed));
	changed[0] ^= 1;
	assert_ok(wrap_stretch(passphrase, changed, &wrap_cost, &other));
	assert_memory_not_equal(secret_text(one), secret_text(other), WRAP_KEY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrapping_is_rfc_5649s),
		cmocka_unit_test(deriving_is_rfc_5869s),
		cmocka_unit_test(macs_are_rfc_2104s),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(passphrases_are_stretched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
