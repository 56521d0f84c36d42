#include "unit/folder.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/util.h"
#include "certs/ca.h"
#include "certs/cleanup.h"
#include "certs/csr.h"
#include "certs/profile.h"
#include "cli/enrol.h"

struct office {
	char folder[UNIT_FOLDER], out[128];
	struct ca *ca;
	struct secret *password;
};

static int setup(void **state)
{
	static struct office office;
	const struct ca_plan plan = { .office = "office", .number = 1, .now_s = clock_wall_s() };
	EVP_PKEY *root_key = NULL;

	unit_folder(office.folder);
	assert_int_equal(ca_new(&plan, &office.ca, &root_key), OK);
	EVP_PKEY_free(root_key);
	assert_int_equal(secret_new("geheim-geheim", 13, &office.password), OK);
	*state = &office;
	return 0;
}

static int teardown(void **state)
{
	struct office *office = *state;

	ca_free(office->ca);
	secret_free(office->password);
	unit_folder_remove(office->folder);
	return 0;
}

static struct args args_for(struct office *office, const char *file, bool compatible)
{
	struct args args;
	struct args_error error;
	char *argv[12] = { (char *)"sekisho", (char *)"device", (char *)"enrol",
			   (char *)"--user",  (char *)"sato",   (char *)"--name",
			   (char *)"laptop",  (char *)"--out",  office->out };

	snprintf(office->out, sizeof(office->out), "%s/%s", office->folder, file);
	if (compatible)
		argv[9] = (char *)"--compatible";
	assert_int_equal(args_parse(compatible ? 10 : 9, argv, &args, &error), OK);
	return args;
}

static char *pem_of(X509 *certificate)
{
	_cleanup_object_(bio) BIO *bio = BIO_new(BIO_s_mem());
	char *data = NULL;

	assert_true(PEM_write_bio_X509(bio, certificate));
	long len = BIO_get_mem_data(bio, &data);
	return strndup(data, (size_t)len);
}

/* What the broker and the signer do with the request. */
static json_t *answer(const struct office *office, const json_t *request)
{
	const char *text = json_string_value(json_object_get(request, "csr"));
	uint8_t der[CSR_MAX];
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	_cleanup_object_(x509) X509 *certificate = NULL;

	assert_non_null(text);
	size_t pad = strlen(text) - strcspn(text, "=");
	int len = EVP_DecodeBlock(der, (const uint8_t *)text, (int)strlen(text));
	assert_true(len > 0);
	assert_int_equal(csr_check(der, (size_t)len - pad, "", &key), OK);
	struct profile_order order = { .profile = CERT_DEVICE,
				       .key = key,
				       .issuer = ca_certificate(office->ca),
				       .issuer_key = ca_key(office->ca),
				       .name = "laptop",
				       .owner = "sato",
				       .now_s = clock_wall_s() };
	assert_int_equal(profile_issue(&order, &certificate), OK);
	_cleanup_free_ char *pem = pem_of(certificate), *ca = pem_of(ca_certificate(office->ca));
	_cleanup_free_ char *root = pem_of(ca_root(office->ca));
	return json_pack("{s:s, s:s++, s:i}", "certificate", pem, "ca", ca, root, "", "id", 7);
}

static void expect_mode_0600(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void check_pkcs12(const struct office *office)
{
	_cleanup_fclose_ FILE *file = fopen(office->out, "re");
	_cleanup_object_(pkcs12) PKCS12 *p12 = d2i_PKCS12_fp(file, NULL);
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	_cleanup_object_(x509) X509 *certificate = NULL;

	assert_non_null(p12);
	STACK_OF(X509) *chain = NULL;

	assert_int_equal(PKCS12_parse(p12, "geheim-geheim", &key, &certificate, &chain), 1);
	/* Whoever imports it gets the way to the root along. */
	assert_int_equal(sk_X509_num(chain), 2);
	sk_X509_pop_free(chain, X509_free);
	assert_int_equal(X509_check_private_key(certificate, key), 1);
	assert_int_equal(X509_verify(certificate, ca_key(office->ca)), 1);
	expect_mode_0600(office->out);
}

static void test_pkcs12(void **state)
{
	struct office *office = *state;

	for (int compatible = 0; compatible <= 1; compatible++) {
		struct args args = args_for(office, "a.p12", compatible);
		struct enrol *enrol = NULL;
		assert_int_equal(enrol_new(&args, &enrol), OK);
		assert_false(enrol_is_pem(enrol));
		json_t *request = enrol_request(enrol), *reply = answer(office, request);
		assert_string_equal(json_string_value(json_object_get(request, "user")), "sato");
		assert_string_equal(json_string_value(json_object_get(request, "name")), "laptop");
		/* No key, no password, no path: nothing else leaves. */
		assert_string_equal(json_string_value(json_object_get(request, "place")), "pkcs12");
		assert_int_equal(json_object_size(request), 4);
		assert_int_equal(enrol_write(enrol, reply, office->password), OK);
		check_pkcs12(office);
		json_decref(request);
		json_decref(reply);
		enrol_free(enrol);
		unlink(office->out);
	}
}

static void test_pem(void **state)
{
	struct office *office = *state;
	struct args args = args_for(office, "a.pem", false);
	struct enrol *enrol = NULL;

	assert_int_equal(enrol_new(&args, &enrol), OK);
	assert_true(enrol_is_pem(enrol));
	json_t *request = enrol_request(enrol), *reply = answer(office, request);
	assert_string_equal(json_string_value(json_object_get(request, "place")), "file");
	assert_int_equal(enrol_write(enrol, reply, NULL), OK);
	expect_mode_0600(office->out);
	_cleanup_fclose_ FILE *file = fopen(office->out, "re");
	_cleanup_object_(pkey) EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	_cleanup_object_(x509) X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
	assert_int_equal(X509_check_private_key(certificate, key), 1);
	json_decref(request);
	json_decref(reply);
	enrol_free(enrol);
	unlink(office->out);
}

/* Somebody's only key may be in it. */
static void test_never_overwrites(void **state)
{
	struct office *office = *state;
	struct args args = args_for(office, "a.p12", false);
	struct enrol *enrol = NULL;

	assert_int_equal(util_write_file(office->out, "x", 1, 0600), OK);
	assert_int_equal(enrol_new(&args, &enrol), ERR_EXISTS);
	unlink(office->out);
	/* Not even through a link to nowhere. */
	assert_int_equal(symlink("/nonexistent", office->out), 0);
	assert_int_equal(enrol_new(&args, &enrol), ERR_EXISTS);
	unlink(office->out);
	args = args_for(office, "no-folder/a.p12", false);
	assert_int_equal(enrol_new(&args, &enrol), ERR_NOT_FOUND);
	assert_null(enrol);
}

static void test_wrong_answers(void **state)
{
	static const char *const replies[] = {
		"{}",
		"{\"certificate\":\"x\",\"ca\":\"y\"}",
		"{\"certificate\":7,\"ca\":null}",
	};
	struct office *office = *state;
	struct args args = args_for(office, "a.p12", false);
	struct enrol *enrol = NULL, *other = NULL;

	assert_int_equal(enrol_new(&args, &enrol), OK);
	assert_int_equal(enrol_new(&args, &other), OK);
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		json_t *reply = json_loads(replies[i], 0, NULL);
		assert_int_equal(enrol_write(enrol, reply, office->password), ERR_PROTOCOL);
		json_decref(reply);
	}
	/* A good certificate, but for another key. */
	json_t *request = enrol_request(other), *reply = answer(office, request);
	assert_int_equal(enrol_write(enrol, reply, office->password), ERR_PROTOCOL);
	assert_int_equal(access(office->out, F_OK), -1);
	json_decref(request);
	json_decref(reply);
	enrol_free(enrol);
	enrol_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pkcs12),
		cmocka_unit_test(test_pem),
		cmocka_unit_test(test_never_overwrites),
		cmocka_unit_test(test_wrong_answers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
