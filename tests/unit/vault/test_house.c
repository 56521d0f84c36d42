#include "unit/vault/film.h"

#include <openssl/crypto.h>

#include "unit/locked.h"

/* Where OpenSSL has the key's numbers. */
static void its_memory_is_locked(void **state)
{
	void *data = OPENSSL_secure_malloc(32);

	(void)state;
	assert_true(CRYPTO_secure_allocated(data));
	assert_locked(data);
	OPENSSL_secure_free(data);
}

static void a_key_comes_back_from_its_encoding(void **state)
{
	static const char *const wrong[] = { "", "0", "rubbish, and more of it than that" };
	struct house house;
	char folder[UNIT_FOLDER];
	EVP_PKEY *key = NULL, *other = NULL;
	_cleanup_secret_ struct secret *encoded = NULL, *others = NULL;
	size_t used;

	(void)state;
	unit_folder(folder);
	assert_ok(house_open(&house, folder));
	assert_ok(house_make(&key));
	assert_ok(house_make(&other));
	assert_ok(house_encode(key, &encoded));
	assert_ok(house_encode(other, &others));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_secret_ struct secret *text = film_secret(wrong[i]);

		assert_err(house_unseal(&house, text), ERR_INVALID);
		assert_null(house.key);
	}
	assert_ok(house_unseal(&house, encoded));
	assert_int_equal(EVP_PKEY_eq(house.key, key), 1);
	/* One that is in use stays. */
	assert_ok(house_unseal(&house, others));
	assert_int_equal(EVP_PKEY_eq(house.key, key), 1);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	house_seal(&house);
	used = CRYPTO_secure_used();
	assert_ok(house_unseal(&house, encoded));
	assert_true(CRYPTO_secure_used() > used);
	house_finish(&house);
	assert_int_equal(CRYPTO_secure_used(), used);
}

static void the_certificate_is_the_keys_own(void **state)
{
	struct film_house ours = { 0 }, other = { 0 };
	_cleanup_buf_ struct buf csr, kept;

	(void)state;
	buf_init(&csr, HOUSE_CSR_MAX);
	buf_init(&kept, HOUSE_CERTIFICATE_MAX);
	film_house_open(&ours);
	film_house_open(&other);
	assert_err(house_set_certificate(&ours.house, (struct bytes){ other.certificate.data,
								      other.certificate.len }),
		   ERR_INVALID);
	assert_err(house_set_certificate(&ours.house, (struct bytes){ ours.certificate.data,
								      ours.certificate.len - 1 }),
		   ERR_INVALID);
	assert_ok(house_csr(&ours.house, &csr));
	assert_true(csr.len > 0);
	root_seal(&ours.root);
	assert_err(house_csr(&ours.house, &csr), ERR_LOCKED);
	assert_err(house_set_certificate(&ours.house, (struct bytes){ ours.certificate.data,
								      ours.certificate.len }),
		   ERR_LOCKED);
	house_finish(&ours.house);
	/* It is there again after a start, without the key. */
	assert_ok(house_open(&ours.house, ours.folder));
	assert_null(ours.house.key);
	assert_ok(house_certificate(&ours.house, &kept));
	assert_int_equal(kept.len, ours.certificate.len);
	assert_memory_equal(kept.data, ours.certificate.data, kept.len);
	film_house_close(&ours);
	film_house_close(&other);
}

static void a_certificate_is_wanted_in_time(void **state)
{
	struct film_house ours = { 0 };
	int64_t now_s = clock_wall_s();

	(void)state;
	film_house_open(&ours);
	assert_false(house_wants_certificate(&ours.house, now_s));
	assert_true(house_wants_certificate(
		&ours.house, now_s + PROFILE_AUDITOR_DAYS_MAX * 86400LL - HOUSE_RENEW_S + 60));
	root_seal(&ours.root);
	assert_false(house_wants_certificate(&ours.house, now_s + 1000 * 86400LL));
	film_house_close(&ours);
}

/* What somebody puts in place of the certificate costs a new one, not the key. */
static void a_damaged_certificate_counts_as_none(void **state)
{
	static const char *const contents[] = { "", "rubbish" };
	struct film_house ours = { 0 }, other = { 0 };
	_cleanup_secret_ struct secret *passphrase = film_secret(FILM_PASSPHRASE);
	char path[UNIT_FOLDER + 16];

	(void)state;
	film_house_open(&ours);
	film_house_open(&other);
	snprintf(path, sizeof(path), "%s/house.crt", ours.folder);
	for (size_t i = 0; i < ARRAY_SIZE(contents) + 1; i++) {
		if (i < ARRAY_SIZE(contents))
			assert_ok(util_write_file(path, contents[i], strlen(contents[i]), 0600));
		else
			assert_ok(util_write_file(path, other.certificate.data,
						  other.certificate.len, 0600));
		root_finish(&ours.root);
		house_finish(&ours.house);
		assert_ok(house_open(&ours.house, ours.folder));
		assert_ok(root_unseal(&ours.root, passphrase));
		assert_true(house_wants_certificate(&ours.house, clock_wall_s()));
	}
	film_house_close(&ours);
	film_house_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_memory_is_locked),
		cmocka_unit_test(a_key_comes_back_from_its_encoding),
		cmocka_unit_test(the_certificate_is_the_keys_own),
		cmocka_unit_test(a_certificate_is_wanted_in_time),
		cmocka_unit_test(a_damaged_certificate_counts_as_none),
	};

	return house_prepare() ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
