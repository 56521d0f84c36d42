/* Questions of OpenSSL's library and of its client, "openssl ocsp". */
#include "issuing.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>

#include "certs/ocsp.h"

enum { DEVICES = 10 };

struct office {
	struct issuing root, issuing[2];
	X509 *devices[DEVICES], *other; /* of issuing[0], of issuing[1] */
	struct ocsp_issuer issuers[2];
	struct ocsp_source source;
	uint8_t serials[DEVICES][CERT_SERIAL_BYTES];
	int64_t revoked_s;
	size_t asked; /* issuer of the last question about a serial */
};

/* Device 1 was stolen, device 2 went for no reason that is said, the others are good. */
static enum ocsp_state state_of(void *ctx, size_t issuer, const uint8_t serial[CERT_SERIAL_BYTES],
				int64_t *ret_revoked_s, uint8_t *ret_reason)
{
	struct office *office = ctx;

	office->asked = issuer;
	for (size_t i = 0; i < DEVICES; i++) {
		if (memcmp(serial, office->serials[i], CERT_SERIAL_BYTES) != 0)
			continue;
		if (i != 1 && i != 2)
			return OCSP_STATE_GOOD;
		*ret_revoked_s = office->revoked_s;
		*ret_reason = i == 1 ? CRL_REASON_KEY_COMPROMISE : CRL_REASON_UNSPECIFIED;
		return OCSP_STATE_REVOKED;
	}
	return OCSP_STATE_UNKNOWN;
}

static int setup(void **state)
{
	struct office *office = calloc(1, sizeof(*office));
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");

	office->root = issuing_make(NULL, "root");
	for (size_t i = 0; i < 2; i++) {
		office->issuing[i] = issuing_make(&office->root, i ? "issuing 2" : "issuing 1");
		office->issuers[i] = (struct ocsp_issuer){ office->issuing[i].certificate,
							   office->issuing[i].key };
	}
	for (size_t i = 0; i < DEVICES; i++) {
		office->devices[i] = issuing_issue(&office->issuing[0], CERT_DEVICE, key);
		assert_int_equal(x509_serial(office->devices[i], office->serials[i]), OK);
	}
	office->other = issuing_issue(&office->issuing[1], CERT_DEVICE, key);
	office->revoked_s = clock_wall_s() - 1000;
	office->source = (struct ocsp_source){
		.issuers = office->issuers,
		.count = 2,
		.state = state_of,
		.ctx = office,
	};
	*state = office;
	return 0;
}

static int teardown(void **state)
{
	struct office *office = *state;

	issuing_free(&office->root);
	for (size_t i = 0; i < 2; i++)
		issuing_free(&office->issuing[i]);
	for (size_t i = 0; i < DEVICES; i++)
		X509_free(office->devices[i]);
	X509_free(office->other);
	free(office);
	return 0;
}

static OCSP_REQUEST *question_about(const struct office *office, const size_t *devices,
				    size_t count, const EVP_MD *hash)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();

	for (size_t i = 0; i < count; i++)
		assert_non_null(OCSP_request_add0_id(
			request, OCSP_cert_to_id(hash, office->devices[devices[i]],
						 office->issuing[0].certificate)));
	return request;
}

static OCSP_RESPONSE *answer_bytes(const struct office *office, const uint8_t *der, size_t len)
{
	_cleanup_buf_ struct buf answer;

	buf_init(&answer, 8192);
	assert_int_equal(ocsp_answer(&office->source, der, len, clock_wall_s(), &answer), OK);
	const uint8_t *at = answer.data;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)answer.len);
	assert_non_null(response);
	assert_ptr_equal(at, answer.data + answer.len);
	return response;
}

static OCSP_RESPONSE *answer_to(const struct office *office, OCSP_REQUEST *request)
{
	uint8_t *der = NULL;
	int len = i2d_OCSP_REQUEST(request, &der);

	assert_true(len > 0);
	OCSP_RESPONSE *response = answer_bytes(office, der, (size_t)len);
	OPENSSL_free(der);
	return response;
}

/* Frees request. */
static int status_of(const struct office *office, OCSP_REQUEST *request)
{
	_cleanup_object_(ocsp_response) OCSP_RESPONSE *response = answer_to(office, request);
	int status = OCSP_response_status(response);

	OCSP_REQUEST_free(request);
	/* Who is refused gets nothing that is signed. */
	_cleanup_object_(basicresp) OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	assert_int_equal(basic != NULL, status == OCSP_RESPONSE_STATUS_SUCCESSFUL);
	return status;
}

static void expect_signed_by(OCSP_BASICRESP *basic, const struct issuing *issuing)
{
	STACK_OF(X509) *signers = sk_X509_new_null();
	X509_STORE *store = X509_STORE_new();

	assert_true(sk_X509_push(signers, issuing->certificate));
	assert_int_equal(OCSP_basic_verify(basic, signers, store, OCSP_TRUSTOTHER), 1);
	X509_STORE_free(store);
	sk_X509_free(signers);
}

static void expect_state(OCSP_BASICRESP *basic, OCSP_CERTID *id, int wanted, int wanted_reason)
{
	ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *until = NULL;
	int status = -1, reason = -1, days = 0, seconds = 0;

	assert_int_equal(
		OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &from, &until), 1);
	assert_int_equal(status, wanted);
	assert_int_equal(reason, wanted_reason);
	assert_int_equal(revoked != NULL, wanted == V_OCSP_CERTSTATUS_REVOKED);
	assert_true(ASN1_TIME_diff(&days, &seconds, from, until));
	assert_int_equal(days * 86400 + seconds, OCSP_NEXT_S);
	assert_int_equal(OCSP_check_validity(from, until, 5, -1), 1);
}

static void test_states(void **state)
{
	const struct office *office = *state;
	const EVP_MD *const hashes[] = { EVP_sha1(), EVP_sha256() };
	static const size_t devices[] = { 0, 1, 2, 3 };

	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
		_cleanup_object_(ocsp_request) OCSP_REQUEST *request =
			question_about(office, devices, 4, hashes[i]);
		/* Somebody else's serial, of the same length, and one that is too long. */
		for (int k = 0; k < 2; k++) {
			BIGNUM *number = BN_new();
			assert_true(BN_set_bit(number, k ? 130 : 120));
			ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(number, NULL);
			X509 *issuer = office->issuing[0].certificate;
			assert_non_null(OCSP_request_add0_id(
				request,
				OCSP_cert_id_new(hashes[i], X509_get_subject_name(issuer),
						 X509_get0_pubkey_bitstr(issuer), serial)));
			ASN1_INTEGER_free(serial);
			BN_free(number);
		}
		_cleanup_object_(ocsp_response) OCSP_RESPONSE *response =
			answer_to(office, request);
		assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_SUCCESSFUL);
		_cleanup_object_(basicresp) OCSP_BASICRESP *basic =
			OCSP_response_get1_basic(response);
		expect_signed_by(basic, &office->issuing[0]);
		assert_int_equal(OCSP_resp_count(basic), 6);
		static const int wanted[][2] = {
			{ V_OCSP_CERTSTATUS_GOOD, -1 },
			{ V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_KEYCOMPROMISE },
			{ V_OCSP_CERTSTATUS_REVOKED, -1 },
			{ V_OCSP_CERTSTATUS_GOOD, -1 },
			{ V_OCSP_CERTSTATUS_UNKNOWN, -1 },
			{ V_OCSP_CERTSTATUS_UNKNOWN, -1 },
		};
		for (int k = 0; k < 6; k++)
			expect_state(basic,
				     OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, k)),
				     wanted[k][0], wanted[k][1]);
	}
}

static void test_time_of_revocation(void **state)
{
	const struct office *office = *state;
	static const size_t stolen = 1;
	_cleanup_object_(ocsp_request) OCSP_REQUEST *request =
		question_about(office, &stolen, 1, EVP_sha256());
	_cleanup_object_(ocsp_response) OCSP_RESPONSE *response = answer_to(office, request);
	_cleanup_object_(basicresp) OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	ASN1_GENERALIZEDTIME *revoked = NULL;
	struct tm when;

	OCSP_single_get0_status(OCSP_resp_get0(basic, 0), NULL, &revoked, NULL, NULL);
	assert_true(ASN1_TIME_to_tm(revoked, &when));
	assert_int_equal(timegm(&when), office->revoked_s);
	assert_int_equal(office->asked, 0);
}

static void test_nonce(void **state)
{
	static const struct {
		int len, status;
	} rows[] = {
		{ 0, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST },
		{ 1, OCSP_RESPONSE_STATUS_SUCCESSFUL },
		{ OCSP_NONCE_MAX, OCSP_RESPONSE_STATUS_SUCCESSFUL },
		{ OCSP_NONCE_MAX + 1, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST },
	};
	const struct office *office = *state;
	static const size_t device = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t der[2 + OCSP_NONCE_MAX + 1] = { 0x04, (uint8_t)rows[i].len };
		_cleanup_object_(ocsp_request) OCSP_REQUEST *request =
			question_about(office, &device, 1, EVP_sha1());
		ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
		assert_true(ASN1_OCTET_STRING_set(value, der, rows[i].len + 2));
		X509_EXTENSION *extension =
			X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_Nonce, 0, value);
		assert_true(OCSP_REQUEST_add_ext(request, extension, -1));
		_cleanup_object_(ocsp_response) OCSP_RESPONSE *response =
			answer_to(office, request);
		assert_int_equal(OCSP_response_status(response), rows[i].status);
		_cleanup_object_(basicresp) OCSP_BASICRESP *basic =
			OCSP_response_get1_basic(response);
		if (basic)
			assert_int_equal(OCSP_check_nonce(request, basic), 1);
		/* And once more. */
		assert_true(OCSP_REQUEST_add_ext(request, extension, -1));
		OCSP_RESPONSE *twice = answer_to(office, request);
		assert_int_equal(OCSP_response_status(twice),
				 OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
		OCSP_RESPONSE_free(twice);
		X509_EXTENSION_free(extension);
		ASN1_OCTET_STRING_free(value);
	}
}

static void test_how_many(void **state)
{
	const struct office *office = *state;
	static const size_t devices[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };

	assert_int_equal(status_of(office, question_about(office, devices, 0, EVP_sha1())),
			 OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
	assert_int_equal(
		status_of(office, question_about(office, devices, OCSP_SINGLES_MAX, EVP_sha1())),
		OCSP_RESPONSE_STATUS_SUCCESSFUL);
	assert_int_equal(status_of(office, question_about(office, devices, OCSP_SINGLES_MAX + 1,
							  EVP_sha1())),
			 OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
}

static void test_issuers(void **state)
{
	struct office *office = *state;
	static const size_t device = 0;
	struct issuing stranger = issuing_make(NULL, "issuing 1");
	OCSP_REQUEST *request = OCSP_REQUEST_new();

	/* The second CA answers for its own. */
	assert_non_null(
		OCSP_request_add0_id(request, OCSP_cert_to_id(EVP_sha1(), office->other,
							      office->issuing[1].certificate)));
	OCSP_RESPONSE *response = answer_to(office, request);
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	expect_signed_by(basic, &office->issuing[1]);
	assert_int_equal(office->asked, 1);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	/* One signature cannot answer for two. */
	assert_non_null(
		OCSP_request_add0_id(request, OCSP_cert_to_id(EVP_sha1(), office->devices[0],
							      office->issuing[0].certificate)));
	assert_int_equal(status_of(office, request), OCSP_RESPONSE_STATUS_UNAUTHORIZED);
	/* Another CA of the same name, and a hash that is not taken. */
	request = OCSP_REQUEST_new();
	assert_non_null(OCSP_request_add0_id(
		request, OCSP_cert_to_id(EVP_sha1(), office->devices[0], stranger.certificate)));
	assert_int_equal(status_of(office, request), OCSP_RESPONSE_STATUS_UNAUTHORIZED);
	assert_int_equal(status_of(office, question_about(office, &device, 1, EVP_sha384())),
			 OCSP_RESPONSE_STATUS_UNAUTHORIZED);
	/* Locked. */
	office->issuers[0].key = NULL;
	assert_int_equal(status_of(office, question_about(office, &device, 1, EVP_sha1())),
			 OCSP_RESPONSE_STATUS_TRYLATER);
	issuing_free(&stranger);
}

static void expect_malformed(const struct office *office, const uint8_t *der, size_t len)
{
	_cleanup_object_(ocsp_response) OCSP_RESPONSE *response = answer_bytes(office, der, len);

	assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
}

static void test_malformed(void **state)
{
	const struct office *office = *state;
	static const size_t device = 0;
	_cleanup_object_(ocsp_request) OCSP_REQUEST *request =
		question_about(office, &device, 1, EVP_sha1());
	uint8_t *der = NULL, data[OCSP_QUESTION_MAX + 1] = { 0 };
	size_t len = (size_t)i2d_OCSP_REQUEST(request, &der);

	expect_malformed(office, (const uint8_t *)"", 0);
	for (size_t cut = 0; cut < len; cut++)
		expect_malformed(office, der, cut);
	memcpy(data, der, len);
	expect_malformed(office, data, len + 1);
	expect_malformed(office, data, sizeof(data));
	/* Indefinite length: OpenSSL would take it. */
	data[1] = 0x80;
	data[len] = data[len + 1] = 0;
	const uint8_t *at = data;
	_cleanup_object_(ocsp_request) OCSP_REQUEST *taken =
		d2i_OCSP_REQUEST(NULL, &at, (long)len + 2);
	assert_non_null(taken);
	expect_malformed(office, data, len + 2);
	OPENSSL_free(der);
}

static void test_too_long(void **state)
{
	static const int spare[] = { -1, 0 };
	const struct office *office = *state;
	static const size_t device = 0;
	static uint8_t filler[OCSP_QUESTION_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(spare); i++) {
		OCSP_REQUEST *request = question_about(office, &device, 1, EVP_sha1());
		/* An extension that nobody minds, so long that the question is OCSP_QUESTION_MAX
		 * or one more. */
		int len = 1800;
		for (;;) {
			OCSP_REQUEST *tried = question_about(office, &device, 1, EVP_sha1());
			ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
			assert_true(ASN1_OCTET_STRING_set(value, filler, len));
			X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(
				NULL, NID_id_pkix_OCSP_serviceLocator, 0, value);
			assert_true(OCSP_REQUEST_add_ext(tried, extension, -1));
			X509_EXTENSION_free(extension);
			ASN1_OCTET_STRING_free(value);
			OCSP_REQUEST_free(request);
			request = tried;
			if (i2d_OCSP_REQUEST(request, NULL) == OCSP_QUESTION_MAX + 1 + spare[i])
				break;
			len++;
		}
		assert_int_equal(status_of(office, request),
				 spare[i] < 0 ? OCSP_RESPONSE_STATUS_SUCCESSFUL
					      : OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
	}
}

/* What is critical and not understood must not be passed over. */
static void test_strange_extensions(void **state)
{
	const struct office *office = *state;
	static const size_t device = 0;

	for (int critical = 0; critical <= 1; critical++) {
		for (int single = 0; single <= 1; single++) {
			OCSP_REQUEST *request = question_about(office, &device, 1, EVP_sha1());
			ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
			assert_true(ASN1_OCTET_STRING_set(value, (const uint8_t *)"\x05\x00", 2));
			X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(
				NULL, NID_id_pkix_OCSP_serviceLocator, critical, value);
			assert_true(
				single ? OCSP_ONEREQ_add_ext(OCSP_request_onereq_get0(request, 0),
							     extension, -1)
				       : OCSP_REQUEST_add_ext(request, extension, -1));
			assert_int_equal(status_of(office, request),
					 critical ? OCSP_RESPONSE_STATUS_MALFORMEDREQUEST
						  : OCSP_RESPONSE_STATUS_SUCCESSFUL);
			X509_EXTENSION_free(extension);
			ASN1_OCTET_STRING_free(value);
		}
	}
}

static void write_pem(const char *folder, const char *name, X509 *certificate)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(PEM_write_X509(file, certificate));
	fclose(file);
}

/* Runs "openssl ocsp" in folder; what it says. */
static void client(const char *folder, const char *arguments, char text[4096])
{
	char command[512];

	snprintf(command, sizeof(command), "cd %s && openssl ocsp %s 2>&1", folder, arguments);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	size_t len = fread(text, 1, 4095, pipe);
	text[len] = '\0';
	if (pclose(pipe) != 0)
		fail_msg("openssl ocsp %s: %s", arguments, text);
}

static void expect_said(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("\"%s\" is not in: %s", wanted, text);
}

static void test_openssl_client(void **state)
{
	static const char *const files[] = { "issuer.pem", "root.pem", "0.pem",
					     "1.pem",      "q.der",    "a.der" };
	struct office *office = *state;
	char folder[] = "/tmp/sekisho-ocsp-XXXXXX", path[128], text[4096], *question = NULL;
	_cleanup_buf_ struct buf answer;
	size_t len = 0;

	assert_non_null(mkdtemp(folder));
	write_pem(folder, "issuer.pem", office->issuing[0].certificate);
	write_pem(folder, "root.pem", office->root.certificate);
	write_pem(folder, "0.pem", office->devices[0]);
	write_pem(folder, "1.pem", office->devices[1]);
	client(folder, "-issuer issuer.pem -cert 0.pem -cert 1.pem -reqout q.der", text);
	snprintf(path, sizeof(path), "%s/q.der", folder);
	assert_int_equal(util_read_file(path, OCSP_QUESTION_MAX, &question, &len), OK);
	buf_init(&answer, 8192);
	assert_int_equal(ocsp_answer(&office->source, (const uint8_t *)question, len,
				     clock_wall_s(), &answer),
			 OK);
	free(question);
	snprintf(path, sizeof(path), "%s/a.der", folder);
	assert_int_equal(util_write_file(path, answer.data, answer.len, 0600), OK);
	client(folder,
	       "-issuer issuer.pem -cert 0.pem -cert 1.pem -reqin q.der -no_nonce -respin a.der"
	       " -CAfile root.pem",
	       text);
	expect_said(text, "Response verify OK");
	expect_said(text, "0.pem: good");
	expect_said(text, "1.pem: revoked");
	expect_said(text, "Reason: keyCompromise");
	assert_null(strstr(text, "WARNING"));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_states),         TEST(test_time_of_revocation),
		TEST(test_nonce),          TEST(test_how_many),
		TEST(test_issuers),        TEST(test_malformed),
		TEST(test_too_long),       TEST(test_strange_extensions),
		TEST(test_openssl_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
