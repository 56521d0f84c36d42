/*
 * What a time stamping authority answers, and what hostile ones do. With openssl ts itself:
 * tests/integration/test_audit.py.
 */
#include "unit/folder.h"

#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "audit/stamp.h"
#include "base/util.h"

static const char note[] = "gw.example.jp/sekisho-audit\n7\nroot\n\n— gw sig\n";

struct authority {
	char folder[UNIT_FOLDER], file[256];
	EVP_PKEY *key;
	X509 *certificate;
};

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* Its own root. */
static void authority_init(struct authority *authority)
{
	X509 *certificate = X509_new();
	FILE *file;

	unit_folder(authority->folder);
	authority->key = EVP_EC_gen("P-256");
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
				   (const uint8_t *)"TSA", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	X509_set_pubkey(certificate, authority->key);
	add_extension(certificate, NID_key_usage, "critical,digitalSignature");
	add_extension(certificate, NID_ext_key_usage, "critical,timeStamping");
	assert_true(X509_sign(certificate, authority->key, EVP_sha256()) > 0);
	authority->certificate = certificate;
	snprintf(authority->file, sizeof(authority->file), "%s/ca.pem", authority->folder);
	file = fopen(authority->file, "w");
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	fclose(file);
}

static void authority_finish(struct authority *authority)
{
	EVP_PKEY_free(authority->key);
	X509_free(authority->certificate);
	unit_folder_remove(authority->folder);
}

static ASN1_INTEGER *serial_of(TS_RESP_CTX *context, void *data)
{
	ASN1_INTEGER *serial = ASN1_INTEGER_new();

	(void)context;
	(void)data;
	ASN1_INTEGER_set(serial, 7);
	return serial;
}

static void answer(const struct authority *authority, const struct buf *request,
		   struct buf *response)
{
	TS_RESP_CTX *context = TS_RESP_CTX_new();
	BIO *from = BIO_new_mem_buf(request->data, (int)request->len);
	ASN1_OBJECT *policy = OBJ_txt2obj("1.2.3.4", 1);
	uint8_t *der = NULL;

	assert_int_equal(TS_RESP_CTX_set_signer_cert(context, authority->certificate), 1);
	assert_int_equal(TS_RESP_CTX_set_signer_key(context, authority->key), 1);
	TS_RESP_CTX_set_signer_digest(context, EVP_sha256());
	TS_RESP_CTX_set_ess_cert_id_digest(context, EVP_sha256());
	TS_RESP_CTX_set_def_policy(context, policy);
	TS_RESP_CTX_add_md(context, EVP_sha256());
	TS_RESP_CTX_set_serial_cb(context, serial_of, NULL);
	TS_RESP *made = TS_RESP_create_response(context, from);
	int len = i2d_TS_RESP(made, &der);
	assert_true(len > 0);
	assert_ok(buf_add(response, der, (size_t)len));
	OPENSSL_free(der);
	TS_RESP_free(made);
	ASN1_OBJECT_free(policy);
	BIO_free(from);
	TS_RESP_CTX_free(context);
}

struct desk {
	struct authority authority, other;
	struct buf request, response;
};

static int setup(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	authority_init(&desk->authority);
	authority_init(&desk->other);
	buf_init(&desk->request, STAMP_REQUEST_MAX);
	buf_init(&desk->response, STAMP_RESPONSE_MAX);
	assert_ok(stamp_request(note, strlen(note), &desk->request));
	answer(&desk->authority, &desk->request, &desk->response);
	*state = desk;
	return 0;
}

static int teardown(void **state)
{
	struct desk *desk = *state;

	buf_finish(&desk->request);
	buf_finish(&desk->response);
	authority_finish(&desk->authority);
	authority_finish(&desk->other);
	free(desk);
	return 0;
}

static enum err check(const struct desk *desk, const char *text, const char *ca)
{
	int64_t time_s = 0;
	enum err err = stamp_check(desk->response.data, desk->response.len, text, strlen(text), ca,
				   &time_s);

	if (!err)
		assert_in_range(time_s, (int64_t)time(NULL) - 600, (int64_t)time(NULL) + 600);
	return err;
}

static void a_stamp_is_of_one_note_by_one_authority(void **state)
{
	struct desk *desk = *state;
	uint8_t digest[32], wanted[32];

	assert_ok(check(desk, note, desk->authority.file));
	assert_err(check(desk, "another note\n", desk->authority.file), ERR_CRYPTO);
	assert_err(check(desk, note, desk->other.file), ERR_CRYPTO);
	assert_err(check(desk, note, "/nowhere/at-all"), ERR_NOT_FOUND);
	assert_ok(stamp_imprint(desk->response.data, desk->response.len, digest));
	EVP_Digest(note, strlen(note), wanted, NULL, EVP_sha256(), NULL);
	assert_memory_equal(digest, wanted, sizeof(digest));
}

static void it_answers_the_request_that_was_made(void **state)
{
	struct desk *desk = *state;
	_cleanup_buf_ struct buf again;

	assert_ok(stamp_answers(desk->response.data, desk->response.len, &desk->request));
	/* Of the same note, and another nonce: an old answer is none. */
	buf_init(&again, STAMP_REQUEST_MAX);
	assert_ok(stamp_request(note, strlen(note), &again));
	assert_err(stamp_answers(desk->response.data, desk->response.len, &again), ERR_CRYPTO);
}

static void no_byte_can_be_changed(void **state)
{
	struct desk *desk = *state;
	size_t wrong = 0;

	for (size_t i = 0; i < desk->response.len; i += 7) {
		desk->response.data[i] ^= 0x55;
		wrong += check(desk, note, desk->authority.file) != OK;
		desk->response.data[i] ^= 0x55;
	}
	/* Some bytes are not signed, as the text of the status. */
	assert_true(wrong > desk->response.len / 7 * 8 / 10);
	for (size_t len = 0; len < desk->response.len; len += 11) {
		uint8_t digest[32];
		assert_err(stamp_imprint(desk->response.data, len, digest), ERR_INVALID);
	}
}

static void a_refusal_is_no_stamp(void **state)
{
	/* PKIStatusInfo with status 2 (rejection) and nothing else. */
	static const uint8_t refused[] = { 0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02 };
	uint8_t digest[32];

	(void)state;
	assert_err(stamp_imprint(refused, sizeof(refused), digest), ERR_INVALID);
}

static void addresses_are_plain_http(void **state)
{
	static const char *const wrong[] = { "",
					     "nothing",
					     "ftp://127.0.0.1/",
					     "https://127.0.0.1:1/",
					     "http://127.0.0.1:1/?q=1",
					     "/tmp/x" };
	struct desk *desk = *state;
	_cleanup_buf_ struct buf response;

	buf_init(&response, STAMP_RESPONSE_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_err(stamp_fetch(wrong[i], &desk->request, &response), ERR_INVALID);
	/* Nobody is there. */
	assert_err(stamp_fetch("http://127.0.0.1:1/", &desk->request, &response), ERR_UNAVAILABLE);
}

#define desk_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		desk_test(a_stamp_is_of_one_note_by_one_authority),
		desk_test(it_answers_the_request_that_was_made),
		desk_test(no_byte_can_be_changed),
		desk_test(a_refusal_is_no_stamp),
		desk_test(addresses_are_plain_http),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
