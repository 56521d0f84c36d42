#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "certs/crl.h"
#include "certs/csr.h"
#include "certs/issuer.h"

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
		cmocka_unit_test_setup_teardown(test_bad_orders_count, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crl_orders, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
