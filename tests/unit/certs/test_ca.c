#include "fixture.h"

#include <openssl/x509v3.h>
#include <sys/stat.h>

static struct ca *open_again(const struct fixture_folder *folder)
{
	struct ca *ca = NULL;
	bool made = false;

	assert_int_equal(ca_open(folder->path, "another name", clock_wall_s(), &made, &ca), OK);
	assert_false(made);
	return ca;
}

static enum err open_error(const struct fixture_folder *folder)
{
	struct ca *ca = NULL;
	bool made = false;
	enum err err = ca_open(folder->path, FIXTURE_OFFICE, clock_wall_s(), &made, &ca);

	assert_null(ca);
	assert_false(made);
	return err;
}

static void test_made_once(void **state)
{
	struct fixture_folder folder;
	struct ca *first = NULL;
	struct stat status;
	char path[128];
	bool made = false;

	(void)state;
	folder_make(&folder);
	assert_int_equal(ca_open(folder.path, FIXTURE_OFFICE, clock_wall_s(), &made, &first), OK);
	assert_true(made);
	folder_file(&folder, "ca.key", path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	struct ca *second = open_again(&folder);
	assert_int_equal(X509_cmp(ca_certificate(first), ca_certificate(second)), 0);
	assert_int_equal(EVP_PKEY_eq(ca_key(first), ca_key(second)), 1);
	ca_free(first);
	ca_free(second);
	folder_remove(&folder);
}

static void test_certificate(void **state)
{
	struct ca *ca = ca_fresh();
	X509 *certificate = ca_certificate(ca);
	char name[128], group[32];
	size_t len;

	(void)state;
	assert_int_equal(X509_check_ca(certificate), 1);
	assert_int_equal(X509_get_extension_flags(certificate) & EXFLAG_CRITICAL, 0);
	assert_int_equal(X509_get_pathlen(certificate), 0);
	assert_int_equal(X509_get_key_usage(certificate), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_true(X509_EXTENSION_get_critical(X509_get_ext(
		certificate, X509_get_ext_by_NID(certificate, NID_basic_constraints, -1))));
	assert_true(EVP_PKEY_get_group_name(ca_key(ca), group, sizeof(group), &len));
	assert_string_equal(group, "prime256v1");
	assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
					      name, sizeof(name)) > 0);
	assert_string_equal(name, FIXTURE_OFFICE " CA");
	assert_int_equal(X509_cmp_time(X509_get0_notBefore(certificate), NULL), -1);
	ca_free(ca);
}

/* 128 bytes of office name are 42 kanji or 128 letters; a common name holds 64 characters. */
static void test_long_office(void **state)
{
	const char *kanji = "税税税税税税税税税税税税税税税税税税税税税税税税税税税税税税税税税税税"
			    "税税税税税税税";
	char letters[129], name[300];
	struct fixture_folder folder;
	struct ca *ca = NULL;
	bool made;

	(void)state;
	memset(letters, 'x', sizeof(letters) - 1);
	letters[sizeof(letters) - 1] = '\0';
	const char *offices[] = { kanji, letters };
	size_t lengths[] = { strlen(kanji) + 3, 64 };
	for (size_t i = 0; i < ARRAY_SIZE(offices); i++) {
		folder_make(&folder);
		assert_int_equal(ca_open(folder.path, offices[i], clock_wall_s(), &made, &ca), OK);
		int len = X509_NAME_get_text_by_NID(X509_get_subject_name(ca_certificate(ca)),
						    NID_commonName, name, sizeof(name));
		assert_int_equal(len, lengths[i]);
		assert_string_equal(name + len - 3, " CA");
		ca_free(ca);
		folder_remove(&folder);
	}
}

static void test_key_without_certificate(void **state)
{
	struct fixture_folder folder;
	struct ca *first = NULL;
	char path[128];
	bool made;

	(void)state;
	folder_make(&folder);
	assert_int_equal(ca_open(folder.path, FIXTURE_OFFICE, clock_wall_s(), &made, &first), OK);
	folder_file(&folder, "ca.crt", path);
	assert_int_equal(unlink(path), 0);
	struct ca *second = open_again(&folder);
	assert_int_equal(EVP_PKEY_eq(ca_key(first), ca_key(second)), 1);
	ca_free(first);
	ca_free(second);
	folder_remove(&folder);
}

static void test_certificate_without_key(void **state)
{
	struct fixture_folder folder;
	struct ca *ca = NULL;
	char path[128];
	bool made;

	(void)state;
	folder_make(&folder);
	assert_int_equal(ca_open(folder.path, FIXTURE_OFFICE, clock_wall_s(), &made, &ca), OK);
	ca_free(ca);
	folder_file(&folder, "ca.key", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(open_error(&folder), ERR_NOT_FOUND);
	assert_int_equal(access(path, F_OK), -1);
	folder_remove(&folder);
}

static void test_refused_files(void **state)
{
	struct fixture_folder folder, other;
	struct ca *ca = NULL;
	char path[128], other_path[128];
	bool made;

	(void)state;
	folder_make(&folder);
	folder_make(&other);
	assert_int_equal(ca_open(folder.path, FIXTURE_OFFICE, clock_wall_s(), &made, &ca), OK);
	ca_free(ca);
	assert_int_equal(ca_open(other.path, FIXTURE_OFFICE, clock_wall_s(), &made, &ca), OK);
	ca_free(ca);
	folder_file(&folder, "ca.key", path);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(open_error(&folder), ERR_DENIED);
	/* The key of another CA. */
	folder_file(&other, "ca.key", other_path);
	assert_int_equal(rename(other_path, path), 0);
	assert_int_equal(open_error(&folder), ERR_CRYPTO);
	assert_int_equal(util_write_file(path, "rubbish", 7, 0600), OK);
	assert_int_equal(open_error(&folder), ERR_CRYPTO);
	folder_remove(&folder);
	folder_remove(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_once),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_long_office),
		cmocka_unit_test(test_key_without_certificate),
		cmocka_unit_test(test_certificate_without_key),
		cmocka_unit_test(test_refused_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
