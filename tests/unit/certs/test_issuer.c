#include "fixture.h"

#include <fcntl.h>
#include <openssl/ocsp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "certs/crl.h"
#include "certs/csr.h"
#include "certs/issuer.h"
#include "certs/x509_build.h"

struct office {
	struct fixture_folder folder;
	struct ca_place place;
	struct issuer issuer;
	uint8_t *csr;
	size_t csr_len;
};

static int setup(void **state)
{
	struct office *office = calloc(1, sizeof(*office));
	EVP_PKEY *key = EVP_EC_gen("P-256");
	bool made = false;

	assert_non_null(office);
	folder_make(&office->folder);
	office->place =
		(struct ca_place){ .folder = office->folder.path, .office = FIXTURE_OFFICE };
	assert_ok(issuer_init(&office->issuer, &office->place, NULL, clock_wall_s(), &made));
	assert_true(made);
	office->issuer.gateway_name = "gateway.example";
	assert_int_equal(csr_make(key, &office->csr, &office->csr_len), OK);
	EVP_PKEY_free(key);
	*state = office;
	return 0;
}

static int teardown(void **state)
{
	struct office *office = *state;

	issuer_finish(&office->issuer);
	OPENSSL_free(office->csr);
	folder_remove(&office->folder);
	free(office);
	return 0;
}

static struct msg_sign order_of(const struct office *office)
{
	return (struct msg_sign){
		.request = 1,
		.profile = CERT_DEVICE,
		.csr = { office->csr, office->csr_len },
		.name = "laptop",
		.owner = "sato",
		.days = 30,
		.challenge = "",
	};
}

static enum err sign(struct office *office, const struct msg_sign *order, uint64_t mono_ms,
		     struct buf *buf)
{
	struct issuer_signed issued = { 0 };

	buf_init(&issued.certificate, 8192);
	buf_init(&issued.chain, 16384);
	enum err err = issuer_sign(&office->issuer, order, clock_wall_ms(), mono_ms, &issued);
	buf_finish(&issued.chain);
	*buf = issued.certificate;
	return err;
}

static char *journal_text(const struct office *office)
{
	char path[128], *text = NULL;
	size_t len;

	folder_file(&office->folder, "issued.log", path);
	assert_int_equal(util_read_file(path, 65536, &text, &len), OK);
	return text;
}

static void test_written_before_answered(void **state)
{
	struct office *office = *state;
	struct msg_sign order = order_of(office);
	_cleanup_buf_ struct buf buf;
	struct stat status;
	char path[128];

	assert_int_equal(sign(office, &order, 0, &buf), OK);
	const uint8_t *at = buf.data;
	_cleanup_object_(x509) X509 *certificate = d2i_X509(NULL, &at, (long)buf.len);
	assert_non_null(certificate);
	assert_ptr_equal(at, buf.data + buf.len);
	uint8_t hash[32];
	char hex[65];
	assert_int_equal(X509_digest(certificate, EVP_sha256(), hash, NULL), 1);
	util_hex(hash, sizeof(hash), hex);
	_cleanup_free_ char *text = journal_text(office);
	assert_non_null(strstr(text, hex));
	assert_non_null(strstr(text, "\tdevice\t"));
	assert_non_null(strstr(text, "\tsato\tlaptop\n"));
	folder_file(&office->folder, "issued.log", path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void test_refused_leave_no_trace(void **state)
{
	struct office *office = *state;
	struct msg_sign order = order_of(office);
	_cleanup_buf_ struct buf buf;

	order.csr.len--;
	assert_int_equal(sign(office, &order, 0, &buf), ERR_INVALID);
	order = order_of(office);
	order.profile = 77;
	assert_int_equal(sign(office, &order, 0, &buf), ERR_INVALID);
	order = order_of(office);
	order.name = "laptop\nforged line";
	assert_int_equal(sign(office, &order, 0, &buf), ERR_INVALID);
	assert_int_equal(buf.len, 0);
	_cleanup_free_ char *text = journal_text(office);
	assert_string_equal(text, "");
}

static void test_full_disk_refuses(void **state)
{
	struct office *office = *state;
	struct msg_sign order = order_of(office);
	_cleanup_buf_ struct buf buf;

	_cleanup_close_ int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(dup2(full, office->issuer.journal.fd) >= 0);
	assert_int_equal(sign(office, &order, 0, &buf), ERR_FULL);
	assert_int_equal(buf.len, 0);
	/* A device cannot be cut back as a file can; from then on nothing is signed at all. */
	assert_int_equal(sign(office, &order, 0, &buf), ERR_IO);
	assert_int_equal(buf.len, 0);
}

/* A limit on the file's size stands for a disk that fills up in the middle of a line. */
static void test_half_line_is_taken_back(void **state)
{
	struct office *office = *state;
	struct msg_sign order = order_of(office);
	_cleanup_buf_ struct buf first, second, third;
	struct rlimit none, limit;

	assert_int_equal(sign(office, &order, 0, &first), OK);
	_cleanup_free_ char *before = journal_text(office);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &none), 0);
	limit = (struct rlimit){ strlen(before) + 20, none.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	enum err err = sign(office, &order, 0, &second);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(err, ERR_FULL);
	assert_int_equal(second.len, 0);
	_cleanup_free_ char *after = journal_text(office);
	assert_string_equal(before, after);
	assert_int_equal(sign(office, &order, 0, &third), OK);
}

static void test_sixty_a_minute(void **state)
{
	struct office *office = *state;
	struct msg_sign order = order_of(office);
	const uint64_t start = 5000000;

	for (int i = 0; i < ISSUER_PER_MINUTE; i++) {
		_cleanup_buf_ struct buf buf;
		assert_int_equal(sign(office, &order, start, &buf), OK);
	}
	_cleanup_buf_ struct buf refused, later;
	assert_int_equal(sign(office, &order, start, &refused), ERR_THROTTLED);
	assert_int_equal(sign(office, &order, start + 999, &refused), ERR_THROTTLED);
	assert_int_equal(refused.len, 0);
	assert_int_equal(sign(office, &order, start + 1000, &later), OK);
	/* Refused orders count as well; the list of revoked ones has its own count. */
	struct msg_make_crl list = { .request = 2, .issuer = 1 };
	_cleanup_buf_ struct buf crl;
	buf_init(&crl, 65536);
	assert_int_equal(
		issuer_make_crl(&office->issuer, &list, clock_wall_ms(), start + 1000, &crl), OK);
	assert_true(crl.len > 0);
}

/* An edge that asks and asks keeps nobody from enrolling a device, nor the other way round. */
static void test_profiles_have_their_own_count(void **state)
{
	struct office *office = *state;
	struct msg_sign device = order_of(office), gateway = order_of(office);
	_cleanup_buf_ struct buf refused, other;

	gateway.profile = CERT_GATEWAY;
	gateway.name = "gateway.example";
	gateway.owner = "";
	gateway.days = 0;
	for (int i = 0; i < ISSUER_GATEWAYS_PER_MINUTE; i++) {
		_cleanup_buf_ struct buf buf;
		assert_int_equal(sign(office, &gateway, 0, &buf), OK);
	}
	assert_int_equal(sign(office, &gateway, 0, &refused), ERR_THROTTLED);
	assert_int_equal(sign(office, &device, 0, &other), OK);
}

static void test_the_gateways_name_alone(void **state)
{
	static const char *const others[] = { "", "bank.example", "gateway.example.",
					      "GATEWAY.example", "gateway.example.evil.example" };
	struct office *office = *state;
	struct msg_sign gateway = order_of(office);
	_cleanup_buf_ struct buf made;

	gateway.profile = CERT_GATEWAY;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_buf_ struct buf buf;
		gateway.name = others[i];
		assert_err(sign(office, &gateway, 0, &buf), ERR_INVALID);
		assert_int_equal(buf.len, 0);
	}
	gateway.name = "gateway.example";
	office->issuer.gateway_name = NULL;
	_cleanup_buf_ struct buf none;
	assert_err(sign(office, &gateway, 0, &none), ERR_INVALID);
	office->issuer.gateway_name = "gateway.example";
	assert_ok(sign(office, &gateway, 0, &made));
}

static void test_bad_orders_count(void **state)
{
	struct office *office = *state;
	struct msg_sign bad = order_of(office), good = order_of(office);
	_cleanup_buf_ struct buf buf;

	bad.csr.len = 3;
	for (int i = 0; i < ISSUER_PER_MINUTE; i++)
		assert_int_equal(sign(office, &bad, 0, &buf), ERR_INVALID);
	assert_int_equal(sign(office, &good, 0, &buf), ERR_THROTTLED);
}

static enum err make_crl(struct office *office, struct msg_make_crl *list, struct buf *buf)
{
	buf_init(buf, 65536);
	return issuer_make_crl(&office->issuer, list, clock_wall_ms(), 0, buf);
}

static void test_crl_orders(void **state)
{
	struct office *office = *state;
	uint8_t entries[2 * CRL_ENTRY_BYTES] = { 0 };
	struct msg_make_crl list = { .issuer = 1, .revoked = { entries, sizeof(entries) } };
	_cleanup_buf_ struct buf buf, refused, unknown;

	util_random(entries, CERT_SERIAL_BYTES);
	util_random(entries + CRL_ENTRY_BYTES, CERT_SERIAL_BYTES);
	assert_ok(make_crl(office, &list, &buf));
	const uint8_t *at = buf.data;
	_cleanup_object_(crl) X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)buf.len);
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 2);
	assert_int_equal(X509_CRL_verify(crl, ca_key(ca_store_newest(&office->issuer.cas))), 1);
	list.revoked.len--;
	assert_err(make_crl(office, &list, &refused), ERR_INVALID);
	list.revoked.len++;
	list.issuer = 2;
	assert_err(make_crl(office, &list, &unknown), ERR_NOT_FOUND);
}

/* ---- clock and lock --------------------------------------------------------------------- */

static enum err sign_at(struct office *office, int64_t now_s, struct issuer_signed *issued)
{
	const struct msg_sign order = order_of(office);

	*issued = (struct issuer_signed){ 0 };
	buf_init(&issued->certificate, 8192);
	buf_init(&issued->chain, 16384);
	return issuer_sign(&office->issuer, &order, now_s * 1000, 0, issued);
}

static void finish(struct issuer_signed *issued)
{
	buf_finish(&issued->certificate);
	buf_finish(&issued->chain);
}

static void test_wrong_clock(void **state)
{
	struct office *office = *state;
	const int64_t now_s = clock_wall_s(), year_s = 31557600;
	const int64_t wrong[] = { now_s - 2 * 24 * 3600, 0, now_s + 5 * year_s + 60 };
	struct issuer_signed issued;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_err(sign_at(office, wrong[i], &issued), ERR_UNAVAILABLE);
		assert_int_equal(issued.certificate.len, 0);
		finish(&issued);
	}
	_cleanup_free_ char *text = journal_text(office);
	assert_string_equal(text, "");
	assert_ok(sign_at(office, now_s - 3600, &issued));
	finish(&issued);
}

static void test_chain(void **state)
{
	struct office *office = *state;
	struct issuer_signed issued;
	const struct ca *ca = ca_store_newest(&office->issuer.cas);

	assert_ok(sign_at(office, clock_wall_s(), &issued));
	const uint8_t *at = issued.chain.data, *end = at + issued.chain.len;
	_cleanup_object_(x509) X509 *first = d2i_X509(NULL, &at, end - at);
	_cleanup_object_(x509) X509 *second = d2i_X509(NULL, &at, end - at);
	assert_ptr_equal(at, end);
	assert_int_equal(X509_cmp(first, ca_certificate(ca)), 0);
	assert_int_equal(X509_cmp(second, ca_root(ca)), 0);
	assert_int_equal(issued.issuer, 1);
	finish(&issued);
}

static enum err change_at(struct office *office, enum ca_order kind, const char *passphrase,
			  uint64_t mono_ms)
{
	const struct msg_change_ca order = { .order = (uint8_t)kind, .passphrase = passphrase };
	struct secret *root = NULL;
	enum err err = issuer_change(&office->issuer, &order, clock_wall_s(), mono_ms, &root);

	assert_null(root);
	return err;
}

static void test_locked(void **state)
{
	struct office *office = *state;
	struct issuer_signed issued;
	struct msg_make_crl list = { .issuer = 2 };
	const struct msg_check_csr check = { .csr = { office->csr, office->csr_len },
					     .challenge = "" };
	_cleanup_buf_ struct buf refused, made;
	uint8_t key[WIRE_DEVICE_ID];
	char type[ISSUER_KEY_TYPE_MAX + 1];
	bool fresh = false;

	assert_ok(change_at(office, CA_INIT, "correct horse", 0));
	issuer_finish(&office->issuer);
	assert_ok(issuer_init(&office->issuer, &office->place, NULL, clock_wall_s(), &fresh));
	assert_err(sign_at(office, clock_wall_s(), &issued), ERR_LOCKED);
	finish(&issued);
	assert_err(make_crl(office, &list, &refused), ERR_LOCKED);
	/* Who only looks at a request needs no key. */
	assert_ok(issuer_check(&office->issuer, &check, 0, key, type));
	assert_string_equal(type, "EC P-256");
	assert_err(change_at(office, CA_UNLOCK, "", 0), ERR_INVALID);
	assert_err(change_at(office, CA_UNLOCK, "wrong horse", 0), ERR_LOGIN);
	assert_ok(change_at(office, CA_UNLOCK, "correct horse", 0));
	assert_ok(sign_at(office, clock_wall_s(), &issued));
	assert_int_equal(issued.issuer, 2);
	finish(&issued);
	assert_ok(make_crl(office, &list, &made));
}

static void test_init_only_before_devices(void **state)
{
	struct office *office = *state;
	struct msg_sign gateway = order_of(office);
	struct issuer_signed issued;
	_cleanup_buf_ struct buf buf;

	gateway.profile = CERT_GATEWAY;
	gateway.name = "gateway.example";
	assert_ok(sign(office, &gateway, 0, &buf));
	assert_ok(change_at(office, CA_INIT, "correct horse", 0));
	assert_ok(sign_at(office, clock_wall_s(), &issued));
	finish(&issued);
	assert_err(change_at(office, CA_INIT, "correct horse", 0), ERR_WRONG_STATE);
	assert_err(change_at(office, (enum ca_order)77, "correct horse", 0), ERR_INVALID);
}

/* A CA that is gone is not made again while there are devices that trust it. */
static void test_lost_ca_is_not_replaced(void **state)
{
	struct office *office = *state;
	struct issuer_signed issued;
	char path[128];
	bool made = false;

	assert_ok(sign_at(office, clock_wall_s(), &issued));
	finish(&issued);
	issuer_finish(&office->issuer);
	folder_file(&office->folder, "ca", path);
	assert_ok(ca_folder_remove(path));
	assert_err(issuer_init(&office->issuer, &office->place, NULL, clock_wall_s(), &made),
		   ERR_NOT_FOUND);
	assert_false(made);
	assert_int_equal(access(path, F_OK), -1);
}

/* ---- counts apart ----------------------------------------------------------------------- */

static void test_passphrases_are_counted(void **state)
{
	struct office *office = *state;

	assert_ok(change_at(office, CA_INIT, "correct horse", 0));
	for (int i = 1; i < ISSUER_CHANGES_PER_MINUTE; i++)
		assert_err(change_at(office, CA_ROTATE, "wrong horse", 0), ERR_LOGIN);
	assert_err(change_at(office, CA_ROTATE, "correct horse", 0), ERR_THROTTLED);
	assert_ok(change_at(office, CA_ROTATE, "correct horse", 10000));
}

static enum err ask(struct office *office, uint64_t mono_ms)
{
	const struct msg_answer_ocsp order = { .question = { (const uint8_t *)"?", 1 } };
	_cleanup_buf_ struct buf buf;

	buf_init(&buf, 8192);
	return issuer_answer(&office->issuer, &order, clock_wall_s(), mono_ms, &buf);
}

/* A flood of questions starves neither each other nor what must go on. */
static void test_questions_have_their_own_count(void **state)
{
	struct office *office = *state;
	struct msg_make_crl list = { .issuer = 1 };
	const struct msg_check_csr check = { .csr = { office->csr, 3 }, .challenge = "" };
	struct issuer_signed issued;
	uint8_t key[WIRE_DEVICE_ID];
	char type[ISSUER_KEY_TYPE_MAX + 1];
	_cleanup_buf_ struct buf crl;

	for (int i = 0; i < ISSUER_CHECKS_PER_MINUTE; i++)
		assert_err(issuer_check(&office->issuer, &check, 0, key, type), ERR_INVALID);
	assert_err(issuer_check(&office->issuer, &check, 0, key, type), ERR_THROTTLED);
	for (int i = 0; i < ISSUER_QUESTIONS_PER_MINUTE; i++)
		assert_ok(ask(office, 0));
	assert_err(ask(office, 0), ERR_THROTTLED);
	assert_ok(make_crl(office, &list, &crl));
	assert_ok(sign_at(office, clock_wall_s(), &issued));
	finish(&issued);
}

/* ---- OCSP ------------------------------------------------------------------------------- */

static X509 *issue_one(struct office *office, X509 **ret_ca)
{
	struct issuer_signed issued;

	assert_ok(sign_at(office, clock_wall_s(), &issued));
	const uint8_t *at = issued.certificate.data;
	X509 *certificate = d2i_X509(NULL, &at, (long)issued.certificate.len);
	at = issued.chain.data;
	*ret_ca = d2i_X509(NULL, &at, (long)issued.chain.len);
	finish(&issued);
	return certificate;
}

/* The state of a certificate by OCSP, or minus the status of an answer that refuses. */
static int state_of(struct office *office, X509 *certificate, X509 *ca)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), certificate, ca);
	_cleanup_buf_ struct buf buf;
	uint8_t *der = NULL;
	int result = -1, reason;

	assert_non_null(OCSP_request_add0_id(request, OCSP_CERTID_dup(id)));
	int len = i2d_OCSP_REQUEST(request, &der);
	const struct msg_answer_ocsp order = { .question = { der, (size_t)len } };
	buf_init(&buf, 8192);
	assert_ok(issuer_answer(&office->issuer, &order, clock_wall_s(), 0, &buf));
	const uint8_t *at = buf.data;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)buf.len);
	assert_non_null(response);
	if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
		result = -OCSP_response_status(response);
	} else {
		OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
		assert_int_equal(
			OCSP_resp_find_status(basic, id, &result, &reason, NULL, NULL, NULL), 1);
		OCSP_BASICRESP_free(basic);
	}
	OCSP_RESPONSE_free(response);
	OCSP_CERTID_free(id);
	OCSP_REQUEST_free(request);
	OPENSSL_free(der);
	return result;
}

static void test_ocsp(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *ca = NULL, *same = NULL;
	_cleanup_object_(x509) X509 *good = issue_one(office, &ca);
	_cleanup_object_(x509) X509 *revoked = issue_one(office, &same);
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	/* Signed by the CA, but not by the signer: it is not in the journal. */
	_cleanup_object_(x509) X509 *forged =
		issue(ca_store_newest(&office->issuer.cas), CERT_DEVICE, key);
	uint8_t entry[CRL_ENTRY_BYTES] = { 0 };
	struct msg_make_crl list = { .issuer = 1 };
	_cleanup_buf_ struct buf first, second;

	/* Before the broker has said what is revoked, nothing is good. */
	assert_int_equal(state_of(office, good, ca), -OCSP_RESPONSE_STATUS_TRYLATER);
	assert_ok(make_crl(office, &list, &first));
	assert_int_equal(state_of(office, revoked, ca), V_OCSP_CERTSTATUS_GOOD);
	assert_ok(x509_serial(revoked, entry));
	entry[CRL_ENTRY_BYTES - 1] = 1;
	list.revoked = (struct bytes){ entry, sizeof(entry) };
	assert_ok(make_crl(office, &list, &second));
	assert_int_equal(state_of(office, revoked, ca), V_OCSP_CERTSTATUS_REVOKED);
	assert_int_equal(state_of(office, good, ca), V_OCSP_CERTSTATUS_GOOD);
	assert_int_equal(state_of(office, forged, ca), V_OCSP_CERTSTATUS_UNKNOWN);
}

/* Each CA answers for its own, and goes on when there is a newer one. */
static void test_ocsp_after_rotation(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *old_ca = NULL, *new_ca = NULL;
	_cleanup_object_(x509) X509 *old = issue_one(office, &old_ca);
	struct msg_make_crl list = { .issuer = 1 };
	_cleanup_buf_ struct buf first, second;

	assert_ok(make_crl(office, &list, &first));
	assert_ok(change_at(office, CA_ROTATE, "", 0));
	_cleanup_object_(x509) X509 *new = issue_one(office, &new_ca);
	assert_int_not_equal(X509_cmp(old_ca, new_ca), 0);
	assert_int_equal(state_of(office, old, old_ca), V_OCSP_CERTSTATUS_GOOD);
	assert_int_equal(state_of(office, new, new_ca), -OCSP_RESPONSE_STATUS_TRYLATER);
	list.issuer = 2;
	assert_ok(make_crl(office, &list, &second));
	assert_int_equal(state_of(office, new, new_ca), V_OCSP_CERTSTATUS_GOOD);
	/* The name of the one with the key of the other. */
	assert_int_equal(state_of(office, old, new_ca), -OCSP_RESPONSE_STATUS_UNAUTHORIZED);
}

static void test_addresses_in_certificates(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *ca = NULL;

	office->issuer.base_url = "https://gateway.example:8443";
	_cleanup_object_(x509) X509 *certificate = issue_one(office, &ca);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	assert_int_equal(X509_print(bio, certificate), 1);
	assert_int_equal(BIO_write(bio, "", 1), 1);
	BIO_get_mem_data(bio, &text);
	assert_non_null(strstr(text, "URI:https://gateway.example:8443/crl/1.der"));
	assert_non_null(strstr(text, "URI:https://gateway.example:8443/ocsp"));
	BIO_free(bio);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_written_before_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_leave_no_trace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_line_is_taken_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sixty_a_minute, setup, teardown),
		cmocka_unit_test_setup_teardown(test_profiles_have_their_own_count, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_the_gateways_name_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_orders_count, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crl_orders, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_clock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_locked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_init_only_before_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_ca_is_not_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_passphrases_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_questions_have_their_own_count, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_ocsp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ocsp_after_rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses_in_certificates, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
