#include "unit/certs/fixture.h"
#include "unit/unit.h"

#include <openssl/ssl.h>
#include <sys/stat.h>

#include "certs/crl.h"
#include "certs/csr.h"
#include "edge/tls.h"

struct office {
	struct fixture_folder folder;
	struct ca *ca;
	struct tls *tls;
};

static int set_up(void **state)
{
	static struct office office;

	folder_make(&office.folder);
	office.ca = ca_fresh();
	assert_ok(tls_open(office.folder.path, &office.tls));
	*state = &office;
	return 0;
}

static int tear_down(void **state)
{
	struct office *office = *state;
	char path[128];

	tls_free(office->tls);
	ca_free(office->ca);
	folder_file(&office->folder, "server.key", path);
	unlink(path);
	folder_remove(&office->folder);
	return 0;
}

static EVP_PKEY *key_of(const struct tls *tls)
{
	_cleanup_buf_ struct buf csr;
	EVP_PKEY *key = NULL;

	buf_init(&csr, CSR_MAX);
	assert_ok(tls_request(tls, "gateway.example", &csr));
	assert_ok(csr_check(csr.data, csr.len, "", &key));
	return key;
}

struct ders {
	uint8_t *certificate, *ca, *crl;
	struct msg_edge_config config;
};

/* What the broker sends; any part may be of somebody else. */
static struct ders make(X509 *certificate, const struct ca *ca, const struct ca *crl_of)
{
	struct ders ders = { 0 };
	X509_CRL *crl = NULL;

	ders.config.certificate.len = (size_t)i2d_X509(certificate, &ders.certificate);
	ders.config.ca.len = (size_t)i2d_X509(ca_certificate(ca), &ders.ca);
	if (crl_of) {
		assert_ok(crl_make(ca_certificate(crl_of), ca_key(crl_of), NULL, 0, clock_wall_ms(),
				   &crl));
		ders.config.crl.len = (size_t)i2d_X509_CRL(crl, &ders.crl);
		X509_CRL_free(crl);
	}
	ders.config.certificate.data = ders.certificate;
	ders.config.ca.data = ders.ca;
	ders.config.crl.data = ders.crl;
	return ders;
}

static void ders_free(struct ders *ders)
{
	OPENSSL_free(ders->certificate);
	OPENSSL_free(ders->ca);
	OPENSSL_free(ders->crl);
}

static enum err update(struct office *office, const struct ca *issuer, EVP_PKEY *key,
		       const struct ca *shown, const struct ca *crl_of)
{
	X509 *certificate = issue(issuer, CERT_GATEWAY, key);
	struct ders ders = make(certificate, shown, crl_of);
	enum err err = tls_update(office->tls, &ders.config);

	ders_free(&ders);
	X509_free(certificate);
	return err;
}

static void the_key_is_made_once(void **state)
{
	struct office *office = *state;
	EVP_PKEY *first = key_of(office->tls), *second;
	struct tls *again;
	struct stat status;
	char path[128];

	folder_file(&office->folder, "server.key", path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_ok(tls_open(office->folder.path, &again));
	second = key_of(again);
	assert_int_equal(EVP_PKEY_eq(first, second), 1);
	EVP_PKEY_free(first);
	EVP_PKEY_free(second);
	tls_free(again);
}

/* Making a new one would hide that something is wrong. */
static void a_broken_key_is_an_error(void **state)
{
	struct office *office = *state;
	struct tls *again = NULL;
	char path[128];

	folder_file(&office->folder, "server.key", path);
	assert_ok(util_write_file(path, "nonsense", 8, 0600));
	assert_err(tls_open(office->folder.path, &again), ERR_CRYPTO);
	assert_null(again);
}

static void the_office_is_taken_over(void **state)
{
	struct office *office = *state;
	EVP_PKEY *key = key_of(office->tls);
	int64_t now_s = clock_wall_s();

	assert_true(tls_renew_at(office->tls) == INT64_MAX);
	assert_ok(update(office, office->ca, key, office->ca, NULL));
	assert_true(tls_renew_at(office->tls) > now_s && tls_renew_at(office->tls) < INT64_MAX);
	assert_int_equal(tls_crl_der(office->tls).len, 0);
	assert_memory_equal(tls_ca_pem(office->tls).data, "-----BEGIN CERTIFICATE-----", 27);
	assert_ok(update(office, office->ca, key, office->ca, office->ca));
	assert_true(tls_crl_der(office->tls).len > 0);
	EVP_PKEY_free(key);
}

static void what_does_not_fit_changes_nothing(void **state)
{
	struct office *office = *state;
	EVP_PKEY *key = key_of(office->tls), *other = EVP_EC_gen("P-256");
	struct ca *stranger = ca_fresh();
	struct msg_edge_config empty = { 0 };
	size_t crl_len;

	assert_ok(update(office, office->ca, key, office->ca, office->ca));
	crl_len = tls_crl_der(office->tls).len;
	/* Another key; a certificate of another CA; a CRL of another CA of the same name. */
	assert_err(update(office, office->ca, other, office->ca, office->ca), ERR_INVALID);
	assert_err(update(office, stranger, key, office->ca, office->ca), ERR_INVALID);
	assert_err(update(office, office->ca, key, stranger, NULL), ERR_INVALID);
	assert_err(update(office, office->ca, key, office->ca, stranger), ERR_INVALID);
	assert_err(tls_update(office->tls, &empty), ERR_INVALID);
	assert_int_equal(tls_crl_der(office->tls).len, crl_len);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	ca_free(stranger);
}

static void trailing_bytes_are_refused(void **state)
{
	struct office *office = *state;
	EVP_PKEY *key = key_of(office->tls);
	X509 *certificate = issue(office->ca, CERT_GATEWAY, key);
	struct ders ders = make(certificate, office->ca, office->ca);
	uint8_t *longer = calloc(1, ders.config.crl.len + 1);

	assert_non_null(longer);
	memcpy(longer, ders.crl, ders.config.crl.len);
	ders.config.crl.data = longer;
	ders.config.crl.len++;
	assert_err(tls_update(office->tls, &ders.config), ERR_INVALID);
	free(longer);
	ders_free(&ders);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void a_context_resumes_nothing(void **state)
{
	struct office *office = *state;
	EVP_PKEY *key = key_of(office->tls);
	SSL_CTX *gateway = SSL_CTX_new(TLS_server_method()),
		*enrol = SSL_CTX_new(TLS_server_method());

	assert_err(tls_setup(office->tls, gateway, true), ERR_WRONG_STATE);
	assert_ok(update(office, office->ca, key, office->ca, NULL));
	assert_ok(tls_setup(office->tls, gateway, true));
	assert_ok(tls_setup(office->tls, enrol, false));
	assert_int_equal(SSL_CTX_get_num_tickets(enrol), 0);
	assert_int_equal(SSL_CTX_get_session_cache_mode(enrol), SSL_SESS_CACHE_OFF);
	assert_int_equal(SSL_CTX_get_min_proto_version(enrol), TLS1_3_VERSION);
	assert_true(SSL_CTX_get_options(enrol) & SSL_OP_NO_TICKET);
	assert_int_equal(SSL_CTX_get_num_tickets(gateway), 0);
	assert_int_equal(SSL_CTX_get_session_cache_mode(gateway), SSL_SESS_CACHE_OFF);
	assert_int_equal(SSL_CTX_get_verify_mode(gateway),
			 SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
	assert_int_equal(SSL_CTX_get_verify_mode(enrol), SSL_VERIFY_NONE);
	/* A new office reaches both. */
	X509 *before = SSL_CTX_get0_certificate(enrol);
	assert_ok(update(office, office->ca, key, office->ca, office->ca));
	assert_ptr_not_equal(SSL_CTX_get0_certificate(enrol), before);
	assert_int_equal(SSL_CTX_get_verify_mode(enrol), SSL_VERIFY_NONE);
	SSL_CTX_free(gateway);
	SSL_CTX_free(enrol);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_key_is_made_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_broken_key_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_office_is_taken_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_fit_changes_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(trailing_bytes_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_context_resumes_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
