#include "unit/vault/film.h"

#include <openssl/crypto.h>

static void a_key_is_made_under_a_passphrase(void **state)
{
	struct house house;
	char folder[UNIT_FOLDER], path[UNIT_FOLDER + 16], *text = NULL;
	struct stat status;
	size_t len;
	_cleanup_secret_ struct secret *passphrase = film_secret(FILM_PASSPHRASE);
	_cleanup_secret_ struct secret *brief = film_secret("seven77"),
				       *wrong = film_secret("iwato-toji");

	(void)state;
	unit_folder(folder);
	assert_ok(house_open(&house, folder));
	assert_int_equal(house_state(&house), VAULT_EMPTY);
	assert_err(house_unseal(&house, passphrase), ERR_NOT_FOUND);
	assert_err(house_init(&house, brief), ERR_INVALID);
	assert_int_equal(house_state(&house), VAULT_EMPTY);
	assert_ok(house_init(&house, passphrase));
	assert_int_equal(house_state(&house), VAULT_OPEN);
	snprintf(path, sizeof(path), "%s/house.key", folder);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_ok(util_read_file(path, 8192, &text, &len));
	assert_non_null(strstr(text, "ENCRYPTED PRIVATE KEY"));
	free(text);
	/* Never another one in its place, open or not. */
	assert_err(house_init(&house, passphrase), ERR_EXISTS);
	house_seal(&house);
	assert_int_equal(house_state(&house), VAULT_SEALED);
	assert_err(house_init(&house, passphrase), ERR_EXISTS);
	assert_err(house_unseal(&house, wrong), ERR_LOGIN);
	assert_int_equal(house_state(&house), VAULT_SEALED);
	size_t sealed = CRYPTO_secure_used();
	assert_ok(house_unseal(&house, passphrase));
	assert_int_equal(house_state(&house), VAULT_OPEN);
	/* In locked memory, and wiped when it is sealed. */
	assert_true(CRYPTO_secure_used() > sealed);
	/* Asked again, the passphrase still counts, and the key that is in use stays. */
	EVP_PKEY *key = house.key;
	assert_err(house_unseal(&house, wrong), ERR_LOGIN);
	assert_ok(house_unseal(&house, passphrase));
	assert_ptr_equal(house.key, key);
	house_finish(&house);
	assert_int_equal(CRYPTO_secure_used(), sealed);
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
	house_seal(&ours.house);
	assert_err(house_csr(&ours.house, &csr), ERR_LOCKED);
	assert_err(house_set_certificate(&ours.house, (struct bytes){ ours.certificate.data,
								      ours.certificate.len }),
		   ERR_LOCKED);
	house_finish(&ours.house);
	/* It is there again after a start, without the key. */
	assert_ok(house_open(&ours.house, ours.folder));
	assert_int_equal(house_state(&ours.house), VAULT_SEALED);
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
	house_seal(&ours.house);
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
		house_finish(&ours.house);
		assert_ok(house_open(&ours.house, ours.folder));
		assert_ok(house_unseal(&ours.house, passphrase));
		assert_true(house_wants_certificate(&ours.house, clock_wall_s()));
	}
	film_house_close(&ours);
	film_house_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_made_under_a_passphrase),
		cmocka_unit_test(the_certificate_is_the_keys_own),
		cmocka_unit_test(a_certificate_is_wanted_in_time),
		cmocka_unit_test(a_damaged_certificate_counts_as_none),
	};

	return house_prepare() ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
