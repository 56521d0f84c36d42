#include "fixture.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <time.h>

#include "certs/ca_folder.h"
#include "certs/ca_make.h"

static const int64_t now_s = 1800000000;

static struct ca *make(const struct ca_plan *plan, EVP_PKEY **ret_root_key)
{
	struct ca *ca = NULL;

	assert_ok(ca_new(plan, &ca, ret_root_key));
	return ca;
}

static struct ca_plan plan_of(uint32_t number)
{
	return (struct ca_plan){ .office = FIXTURE_OFFICE, .number = number, .now_s = now_s };
}

static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm tm;

	assert_int_equal(ASN1_TIME_to_tm(time, &tm), 1);
	return timegm(&tm);
}

static void assert_name(X509 *certificate, const char *wanted)
{
	char name[300];

	assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
					      name, sizeof(name)) > 0);
	assert_string_equal(name, wanted);
}

static void assert_p256(X509 *certificate)
{
	char group[32];
	size_t len;

	assert_int_equal(
		EVP_PKEY_get_group_name(X509_get0_pubkey(certificate), group, sizeof(group), &len),
		1);
	assert_string_equal(group, "prime256v1");
}

static void assert_critical(X509 *certificate, int nid)
{
	X509_EXTENSION *extension =
		X509_get_ext(certificate, X509_get_ext_by_NID(certificate, nid, -1));

	assert_non_null(extension);
	assert_int_equal(X509_EXTENSION_get_critical(extension), 1);
}

static void test_root(void **state)
{
	const struct ca_plan plan = plan_of(3);
	EVP_PKEY *root_key;
	struct ca *ca = make(&plan, &root_key);
	X509 *root = ca_root(ca);

	(void)state;
	assert_true(ca_is_signed_by(root, root));
	assert_true(ca_key_fits(root, root_key));
	assert_int_equal(X509_get_pathlen(root), 1);
	assert_int_equal(X509_get_key_usage(root), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_critical(root, NID_basic_constraints);
	assert_critical(root, NID_key_usage);
	assert_p256(root);
	assert_name(root, FIXTURE_OFFICE " Root CA 3");
	assert_int_equal(seconds_of(X509_get0_notBefore(root)), now_s - CA_BACKDATE_S);
	assert_int_equal(seconds_of(X509_get0_notAfter(root)), now_s + 20 * 31557600LL);
	EVP_PKEY_free(root_key);
	ca_free(ca);
}

static void test_issuing(void **state)
{
	const struct ca_plan plan = plan_of(3);
	EVP_PKEY *root_key;
	struct ca *ca = make(&plan, &root_key);
	X509 *certificate = ca_certificate(ca);

	(void)state;
	assert_int_equal(ca_number(ca), 3);
	assert_true(ca_is_signed_by(certificate, ca_root(ca)));
	assert_false(ca_is_signed_by(certificate, certificate));
	assert_true(ca_key_fits(certificate, ca_key(ca)));
	assert_false(ca_key_fits(certificate, root_key));
	assert_int_equal(X509_get_pathlen(certificate), 0);
	assert_int_equal(X509_get_key_usage(certificate),
			 KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE);
	assert_critical(certificate, NID_basic_constraints);
	assert_critical(certificate, NID_key_usage);
	assert_p256(certificate);
	assert_name(certificate, FIXTURE_OFFICE " CA 3");
	assert_int_equal(seconds_of(X509_get0_notAfter(certificate)), now_s + 5 * 31557600LL);
	assert_memory_equal(ASN1_STRING_get0_data(X509_get0_authority_key_id(certificate)),
			    ASN1_STRING_get0_data(X509_get0_subject_key_id(ca_root(ca))), 20);
	EVP_PKEY_free(root_key);
	ca_free(ca);
}

/* Serials have 128 bits and are never the same. */
static void test_serials(void **state)
{
	const struct ca_plan plan = plan_of(1);
	EVP_PKEY *root_key;
	struct ca *ca = make(&plan, &root_key);

	(void)state;
	assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(ca_root(ca))), 16);
	assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(ca_certificate(ca))), 16);
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(ca_root(ca)),
					      X509_get0_serialNumber(ca_certificate(ca))),
			     0);
	EVP_PKEY_free(root_key);
	ca_free(ca);
}

static void test_same_root(void **state)
{
	struct ca_plan plan = plan_of(1);
	EVP_PKEY *root_key, *again;
	struct ca *first = make(&plan, &root_key), *other = NULL;

	(void)state;
	plan.number = 2;
	plan.root = ca_root(first);
	plan.root_key = root_key;
	struct ca *second = make(&plan, &again);
	assert_int_equal(X509_cmp(ca_root(first), ca_root(second)), 0);
	assert_true(ca_is_signed_by(ca_certificate(second), ca_root(first)));
	assert_false(ca_key_fits(ca_certificate(second), ca_key(first)));
	/* Another root's key. */
	plan.root_key = ca_key(first);
	assert_err(ca_new(&plan, &other, &again), ERR_CRYPTO);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(again);
	ca_free(first);
	ca_free(second);
}

/* A CA does not outlive its root, and none begins outside of its time. */
static void test_within_root(void **state)
{
	struct ca_plan plan = plan_of(1);
	EVP_PKEY *root_key, *again;
	struct ca *first = make(&plan, &root_key), *other = NULL;
	const int64_t year_s = 31557600;

	(void)state;
	plan.root = ca_root(first);
	plan.root_key = root_key;
	plan.now_s = now_s + 18 * year_s;
	struct ca *late = make(&plan, &again);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(ca_certificate(late)),
					   X509_get0_notAfter(ca_root(first))),
			 0);
	EVP_PKEY_free(again);
	plan.now_s = now_s + 20 * year_s;
	assert_err(ca_new(&plan, &other, &again), ERR_EXPIRED);
	plan.now_s = now_s - CA_BACKDATE_S - 1;
	assert_err(ca_new(&plan, &other, &again), ERR_EXPIRED);
	EVP_PKEY_free(root_key);
	ca_free(first);
	ca_free(late);
}

/* 128 bytes of office name are 42 kanji or 128 letters; a common name holds 64 characters. */
static void test_long_office(void **state)
{
	const char *kanji = "税税税税税税税税税税税税税税税税税税税税税税税税税税税税税税税税税税税"
			    "税税税税税税税";
	char letters[129], name[300];
	struct ca_plan plan = plan_of(999999);

	(void)state;
	memset(letters, 'x', sizeof(letters) - 1);
	letters[sizeof(letters) - 1] = '\0';
	const char *offices[] = { kanji, letters };
	size_t lengths[] = { strlen(kanji) + 15, 64 };
	for (size_t i = 0; i < ARRAY_SIZE(offices); i++) {
		EVP_PKEY *root_key;
		plan.office = offices[i];
		struct ca *ca = make(&plan, &root_key);
		int len = X509_NAME_get_text_by_NID(X509_get_subject_name(ca_root(ca)),
						    NID_commonName, name, sizeof(name));
		assert_int_equal(len, lengths[i]);
		assert_string_equal(name + len - 15, " Root CA 999999");
		EVP_PKEY_free(root_key);
		ca_free(ca);
	}
}

/* ---- as files --------------------------------------------------------------------------- */

struct files {
	struct fixture_folder folder;
	struct ca *made;
	EVP_PKEY *root_key;
	struct secret *passphrase;
};

static int setup(void **state)
{
	struct files *files = calloc(1, sizeof(*files));
	const struct ca_plan plan = plan_of(1);

	folder_make(&files->folder);
	files->made = make(&plan, &files->root_key);
	assert_ok(secret_new("correct horse", 13, &files->passphrase));
	*state = files;
	return 0;
}

static int teardown(void **state)
{
	struct files *files = *state;

	folder_remove(&files->folder);
	ca_free(files->made);
	EVP_PKEY_free(files->root_key);
	secret_free(files->passphrase);
	free(files);
	return 0;
}

static struct ca *read_again(struct files *files)
{
	struct ca *ca = NULL;

	assert_ok(ca_read(files->folder.path, 1, &ca));
	assert_null(ca_key(ca));
	assert_int_equal(X509_cmp(ca_certificate(ca), ca_certificate(files->made)), 0);
	assert_int_equal(X509_cmp(ca_root(ca), ca_root(files->made)), 0);
	return ca;
}

static void test_files_in_the_clear(void **state)
{
	struct files *files = *state;
	EVP_PKEY *root_key = NULL;
	bool sealed = false;

	assert_ok(ca_write(files->made, files->root_key, NULL, NULL, files->folder.path));
	_cleanup_(ca_freep) struct ca *ca = read_again(files);
	assert_ok(ca_unlock(ca, files->folder.path, NULL, NULL, &sealed));
	assert_false(sealed);
	assert_int_equal(EVP_PKEY_eq(ca_key(ca), ca_key(files->made)), 1);
	assert_ok(ca_read_root_key(ca, files->folder.path, NULL, &root_key));
	assert_int_equal(EVP_PKEY_eq(root_key, files->root_key), 1);
	EVP_PKEY_free(root_key);
}

static void test_files_encrypted(void **state)
{
	struct files *files = *state;
	_cleanup_secret_ struct secret *wrong = NULL;
	EVP_PKEY *root_key = NULL;
	bool sealed = false;

	assert_ok(secret_new("correct hors", 12, &wrong));
	assert_ok(ca_write(files->made, files->root_key, files->passphrase, NULL,
			   files->folder.path));
	_cleanup_(ca_freep) struct ca *ca = read_again(files);
	assert_err(ca_unlock(ca, files->folder.path, NULL, NULL, &sealed), ERR_LOCKED);
	assert_err(ca_unlock(ca, files->folder.path, wrong, NULL, &sealed), ERR_LOGIN);
	assert_null(ca_key(ca));
	assert_err(ca_try(ca, files->folder.path, wrong), ERR_LOGIN);
	assert_ok(ca_try(ca, files->folder.path, files->passphrase));
	assert_err(ca_read_root_key(ca, files->folder.path, NULL, &root_key), ERR_LOCKED);
	assert_ok(ca_unlock(ca, files->folder.path, files->passphrase, NULL, &sealed));
	assert_int_equal(EVP_PKEY_eq(ca_key(ca), ca_key(files->made)), 1);
	assert_false(sealed);
}

/* A passphrase that comes later encrypts what lies there in the clear. */
static void test_files_sealed_later(void **state)
{
	struct files *files = *state;
	EVP_PKEY *root_key = NULL;
	bool sealed = false;

	assert_ok(ca_write(files->made, files->root_key, NULL, NULL, files->folder.path));
	_cleanup_(ca_freep) struct ca *ca = read_again(files);
	assert_ok(ca_unlock(ca, files->folder.path, files->passphrase, NULL, &sealed));
	assert_true(sealed);
	_cleanup_(ca_freep) struct ca *later = read_again(files);
	assert_err(ca_unlock(later, files->folder.path, NULL, NULL, &sealed), ERR_LOCKED);
	assert_err(ca_read_root_key(later, files->folder.path, NULL, &root_key), ERR_LOCKED);
	assert_ok(ca_read_root_key(later, files->folder.path, files->passphrase, &root_key));
	EVP_PKEY_free(root_key);
}

static void test_files_without_root_key(void **state)
{
	struct files *files = *state;
	EVP_PKEY *root_key = NULL;
	bool sealed;

	assert_ok(ca_write(files->made, NULL, NULL, NULL, files->folder.path));
	_cleanup_(ca_freep) struct ca *ca = read_again(files);
	assert_ok(ca_unlock(ca, files->folder.path, NULL, NULL, &sealed));
	assert_err(ca_read_root_key(ca, files->folder.path, NULL, &root_key), ERR_NOT_FOUND);
}

static void test_refused_files(void **state)
{
	struct files *files = *state;
	const struct ca_plan plan = plan_of(1);
	struct ca *ca = NULL;
	EVP_PKEY *other_key;
	char path[128];
	bool sealed;

	assert_ok(ca_write(files->made, files->root_key, NULL, NULL, files->folder.path));
	_cleanup_(ca_freep) struct ca *there = read_again(files);
	folder_file(&files->folder, "issuing.key", path);
	assert_int_equal(chmod(path, 0640), 0);
	assert_err(ca_unlock(there, files->folder.path, NULL, NULL, &sealed), ERR_DENIED);
	/* The root of another CA with the same names, and the keys that go with it. */
	_cleanup_(ca_freep) struct ca *other = make(&plan, &other_key);
	assert_ok(ca_write(other, other_key, NULL, NULL, files->folder.path));
	assert_err(ca_unlock(there, files->folder.path, NULL, NULL, &sealed), ERR_CRYPTO);
	EVP_PKEY_free(other_key);
	assert_ok(ca_write(files->made, files->root_key, NULL, NULL, files->folder.path));
	folder_file(&files->folder, "root.crt", path);
	assert_int_equal(unlink(path), 0);
	assert_err(ca_read(files->folder.path, 1, &ca), ERR_NOT_FOUND);
	assert_ok(util_write_file(path, "rubbish", 7, 0644));
	assert_err(ca_read(files->folder.path, 1, &ca), ERR_CRYPTO);
	BIO *bio = BIO_new_file(path, "w");
	PEM_write_bio_X509(bio, ca_root(other));
	BIO_free(bio);
	assert_err(ca_read(files->folder.path, 1, &ca), ERR_CRYPTO);
	assert_null(ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_issuing),
		cmocka_unit_test(test_serials),
		cmocka_unit_test(test_same_root),
		cmocka_unit_test(test_within_root),
		cmocka_unit_test(test_long_office),
		cmocka_unit_test_setup_teardown(test_files_in_the_clear, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_encrypted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_sealed_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_without_root_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
