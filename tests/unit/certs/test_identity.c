#include "fixture.h"

#include "certs/crl.h"
#include "certs/identity.h"
#include "certs/x509_build.h"

enum { DAY_S = 24 * 3600 };

struct office {
	struct ca *ca;
	EVP_PKEY *server_key, *device_key;
	X509 *server;
};

static int setup(void **state)
{
	static struct office office;

	office.ca = ca_fresh();
	office.server_key = EVP_EC_gen("P-256");
	office.device_key = EVP_EC_gen("P-256");
	office.server = issue(office.ca, CERT_GATEWAY, office.server_key);
	*state = &office;
	return 0;
}

static int teardown(void **state)
{
	struct office *office = *state;

	ca_free(office->ca);
	EVP_PKEY_free(office->server_key);
	EVP_PKEY_free(office->device_key);
	X509_free(office->server);
	return 0;
}

static int wave_through(int verified, X509_STORE_CTX *ctx)
{
	(void)verified, (void)ctx;
	return 1;
}

/* As a careless library sets it up: a callback that ignores the verdict, any purpose, session cache
 * and tickets on. */
static SSL_CTX *server_new(const struct office *office)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_use_certificate(ctx, office->server), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, office->server_key), 1);
	assert_int_equal(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4), 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, wave_through);
	assert_int_equal(X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(ctx), X509_PURPOSE_ANY),
			 1);
	return ctx;
}

struct peer {
	X509 *certificate; /* NULL: none */
	EVP_PKEY *key;
	X509 *extra; /* sent as an intermediate */
	int version; /* 0: any */
};

static SSL_CTX *client_new(const struct peer *peer)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	assert_non_null(ctx);
	/* Weak and strange certificates must leave the client, so that the server is what refuses
	 * them. */
	SSL_CTX_set_security_level(ctx, 0);
	if (peer->certificate) {
		assert_int_equal(SSL_CTX_use_certificate(ctx, peer->certificate), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(ctx, peer->key), 1);
	}
	if (peer->extra)
		assert_int_equal(SSL_CTX_add1_chain_cert(ctx, peer->extra), 1);
	if (peer->version)
		SSL_CTX_set_max_proto_version(ctx, peer->version);
	return ctx;
}

struct outcome {
	bool finished;    /* the server took the client in */
	bool resumed;     /* in a second handshake with the session of the first */
	int verify_error; /* the server's */
	enum err identity;
	uint8_t device[WIRE_DEVICE_ID];
};

static void exchange(SSL *server, SSL *client)
{
	/* A handshake takes three turns; the rest lets tickets and alerts through. */
	for (int turn = 0; turn < 10; turn++) {
		char byte;
		(void)SSL_do_handshake(client);
		(void)SSL_do_handshake(server);
		if (SSL_is_init_finished(client))
			(void)SSL_read(client, &byte, 1);
	}
}

static SSL *half_new(SSL_CTX *ctx, BIO *bio, bool is_server, SSL_SESSION *session)
{
	SSL *ssl = SSL_new(ctx);

	assert_non_null(ssl);
	SSL_set_bio(ssl, bio, bio);
	if (session)
		assert_int_equal(SSL_set_session(ssl, session), 1);
	if (is_server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

static struct outcome handshake(SSL_CTX *server_ctx, SSL_CTX *client_ctx, SSL_SESSION *session,
				SSL_SESSION **ret_session)
{
	BIO *server_bio, *client_bio;
	struct outcome outcome = { .identity = ERR_INTERNAL };

	assert_int_equal(BIO_new_bio_pair(&server_bio, 0, &client_bio, 0), 1);
	SSL *server = half_new(server_ctx, server_bio, true, NULL);
	SSL *client = half_new(client_ctx, client_bio, false, session);
	exchange(server, client);
	outcome.finished = SSL_is_init_finished(server);
	outcome.resumed = SSL_session_reused(server);
	outcome.verify_error = (int)SSL_get_verify_result(server);
	outcome.identity = identity_of_peer(server, outcome.device);
	if (ret_session)
		*ret_session = SSL_get1_session(client);
	SSL_shutdown(client);
	SSL_free(server);
	SSL_free(client);
	return outcome;
}

static struct outcome connect_peer(const struct office *office, X509_CRL *crl,
				   const struct peer *peer)
{
	SSL_CTX *server = server_new(office), *client = client_new(peer);

	assert_int_equal(identity_require(server, ca_certificate(office->ca), crl), OK);
	struct outcome outcome = handshake(server, client, NULL, NULL);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	return outcome;
}

static void expect_refused(const struct office *office, X509 *certificate, int verify_error)
{
	struct peer peer = { .certificate = certificate, .key = office->device_key };
	struct outcome outcome = connect_peer(office, NULL, &peer);

	assert_false(outcome.finished);
	assert_int_equal(outcome.identity, ERR_AUTH);
	assert_int_equal(outcome.verify_error, verify_error);
}

static void test_device_enters(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *certificate =
		issue(office->ca, CERT_DEVICE, office->device_key);
	struct peer peer = { .certificate = certificate, .key = office->device_key };
	struct outcome outcome = connect_peer(office, NULL, &peer);
	uint8_t expected[WIRE_DEVICE_ID];

	assert_true(outcome.finished);
	assert_int_equal(outcome.identity, OK);
	assert_int_equal(identity_of(certificate, expected), OK);
	assert_memory_equal(outcome.device, expected, sizeof(expected));
}

/* The id stays with the key through renewals, and is the hash that other tools show too. */
static void test_identity_is_the_key(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *first = issue(office->ca, CERT_DEVICE, office->device_key);
	_cleanup_object_(x509) X509 *second = issue(office->ca, CERT_DEVICE, office->device_key);
	_cleanup_object_(x509) X509 *other = issue(office->ca, CERT_DEVICE, office->server_key);
	uint8_t a[WIRE_DEVICE_ID], b[WIRE_DEVICE_ID], expected[WIRE_DEVICE_ID];
	uint8_t *der = NULL;

	assert_int_equal(identity_of(first, a), OK);
	assert_int_equal(identity_of(second, b), OK);
	assert_memory_equal(a, b, sizeof(a));
	int len = i2d_PUBKEY(office->device_key, &der);
	assert_true(len > 0);
	assert_int_equal(EVP_Digest(der, (size_t)len, expected, NULL, EVP_sha256(), NULL), 1);
	OPENSSL_free(der);
	assert_memory_equal(a, expected, sizeof(a));
	assert_int_equal(identity_of(other, b), OK);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void test_no_certificate(void **state)
{
	struct peer peer = { 0 };
	struct outcome outcome = connect_peer(*state, NULL, &peer);

	assert_false(outcome.finished);
	assert_int_equal(outcome.identity, ERR_AUTH);
}

/* On a context that does not demand one, the verify result of "no certificate" is OK. */
static void test_no_certificate_is_no_identity(void **state)
{
	struct peer peer = { 0 };
	SSL_CTX *server = server_new(*state), *client = client_new(&peer);
	struct outcome outcome = handshake(server, client, NULL, NULL);

	assert_true(outcome.finished);
	assert_int_equal(outcome.verify_error, X509_V_OK);
	assert_int_equal(outcome.identity, ERR_AUTH);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
}

/* And there a certificate whose verification failed is none either. */
static void test_unverified_is_no_identity(void **state)
{
	struct office *office = *state;
	struct ca *other = ca_fresh();
	_cleanup_object_(x509) X509 *certificate = issue(other, CERT_DEVICE, office->device_key);
	struct peer peer = { .certificate = certificate, .key = office->device_key };
	SSL_CTX *server = server_new(office), *client = client_new(&peer);
	struct outcome outcome = handshake(server, client, NULL, NULL);

	assert_true(outcome.finished);
	assert_int_equal(outcome.identity, ERR_AUTH);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	ca_free(other);
}

/* Same name, as every office of that name would have: the key decides. */
static void test_other_ca_of_same_name(void **state)
{
	struct office *office = *state;
	struct ca *other = ca_fresh();
	_cleanup_object_(x509) X509 *certificate = issue(other, CERT_DEVICE, office->device_key);

	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(ca_certificate(other)),
				       X509_get_subject_name(ca_certificate(office->ca))),
			 0);
	expect_refused(office, certificate, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	/* Sent with its CA, which then is an untrusted root in the chain. */
	struct peer peer = { .certificate = certificate,
			     .key = office->device_key,
			     .extra = ca_certificate(other) };
	struct outcome outcome = connect_peer(office, NULL, &peer);
	assert_false(outcome.finished);
	assert_int_equal(outcome.identity, ERR_AUTH);
	ca_free(other);
}

static void test_wrong_purpose(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *certificate =
		issue(office->ca, CERT_GATEWAY, office->device_key);

	expect_refused(office, certificate, X509_V_ERR_INVALID_PURPOSE);
}

static void test_expired_and_early(void **state)
{
	struct office *office = *state;
	int64_t now = clock_wall_s();
	_cleanup_object_(x509) X509 *old =
		issue_at(office->ca, CERT_DEVICE, office->device_key, now - 91 * DAY_S);
	_cleanup_object_(x509) X509 *early =
		issue_at(office->ca, CERT_DEVICE, office->device_key, now + DAY_S);

	expect_refused(office, old, X509_V_ERR_CERT_HAS_EXPIRED);
	expect_refused(office, early, X509_V_ERR_CERT_NOT_YET_VALID);
}

/* The fields of the device's certificate, changed by hand and signed with key. */
static X509 *forge(const struct office *office, EVP_PKEY *key, X509_NAME *issuer,
		   int drop_extension)
{
	X509 *certificate = issue(office->ca, CERT_DEVICE, office->device_key);

	assert_int_equal(X509_set_issuer_name(certificate, issuer), 1);
	int at = X509_get_ext_by_NID(certificate, drop_extension, -1);
	if (at >= 0)
		X509_EXTENSION_free(X509_delete_ext(certificate, at));
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

static void test_self_signed(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *subject = issue(office->ca, CERT_DEVICE, office->device_key);
	_cleanup_object_(x509) X509 *own =
		forge(office, office->device_key, X509_get_subject_name(subject),
		      NID_authority_key_identifier);
	/* With the office CA's name as issuer, but signed with its own key. */
	_cleanup_object_(x509) X509 *named =
		forge(office, office->device_key, X509_get_subject_name(ca_certificate(office->ca)),
		      NID_undef);

	expect_refused(office, own, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
	expect_refused(office, named, X509_V_ERR_CERT_SIGNATURE_FAILURE);
}

/* No extended key usage at all: good for any purpose in OpenSSL's eyes, not in ours. */
static void test_no_purpose_is_no_identity(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *certificate =
		forge(office, ca_key(office->ca), X509_get_subject_name(ca_certificate(office->ca)),
		      NID_ext_key_usage);
	struct peer peer = { .certificate = certificate, .key = office->device_key };
	struct outcome outcome = connect_peer(office, NULL, &peer);

	assert_int_equal(outcome.verify_error, X509_V_OK);
	assert_int_equal(outcome.identity, ERR_AUTH);
}

/* Well signed, but not as RFC 5280 wants it: not one of ours. */
static void test_strict(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *certificate =
		forge(office, ca_key(office->ca), X509_get_subject_name(ca_certificate(office->ca)),
		      NID_authority_key_identifier);

	expect_refused(office, certificate, X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER);
}

/* A device's certificate is no CA: what its key signs is worth nothing. */
static void test_device_cannot_issue(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *middle = issue(office->ca, CERT_DEVICE, office->server_key);
	_cleanup_object_(x509) X509 *certificate =
		forge(office, office->server_key, X509_get_subject_name(middle),
		      NID_authority_key_identifier);
	struct peer peer = { .certificate = certificate,
			     .key = office->device_key,
			     .extra = middle };
	struct outcome outcome = connect_peer(office, NULL, &peer);

	assert_false(outcome.finished);
	assert_int_equal(outcome.identity, ERR_AUTH);
}

static void test_revoked(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *certificate =
		issue(office->ca, CERT_DEVICE, office->device_key);
	_cleanup_object_(x509) X509 *kept = issue(office->ca, CERT_DEVICE, office->device_key);
	_cleanup_object_(crl) X509_CRL *empty = NULL, *crl = NULL;
	struct peer peer = { .certificate = certificate, .key = office->device_key };
	struct peer other = { .certificate = kept, .key = office->device_key };
	uint8_t entry[CRL_ENTRY_BYTES] = { 0 };

	assert_int_equal(x509_serial(certificate, entry), OK);
	assert_int_equal(crl_make(ca_certificate(office->ca), ca_key(office->ca), NULL, 0,
				  clock_wall_ms(), &empty),
			 OK);
	assert_int_equal(crl_make(ca_certificate(office->ca), ca_key(office->ca), entry,
				  sizeof(entry), clock_wall_ms(), &crl),
			 OK);
	/* One context that lives on while the list changes. */
	SSL_CTX *server = server_new(office), *client = client_new(&peer),
		*client_kept = client_new(&other);
	assert_int_equal(identity_require(server, ca_certificate(office->ca), empty), OK);
	assert_int_equal(handshake(server, client, NULL, NULL).identity, OK);
	assert_int_equal(identity_require(server, ca_certificate(office->ca), crl), OK);
	struct outcome outcome = handshake(server, client, NULL, NULL);
	assert_false(outcome.finished);
	assert_int_equal(outcome.verify_error, X509_V_ERR_CERT_REVOKED);
	assert_int_equal(outcome.identity, ERR_AUTH);
	assert_int_equal(handshake(server, client_kept, NULL, NULL).identity, OK);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	SSL_CTX_free(client_kept);
}

/* A list by somebody else, or one that has run out, must not let a revoked device in. */
static void test_bad_crl_fails_closed(void **state)
{
	struct office *office = *state;
	struct ca *other = ca_fresh();
	_cleanup_object_(x509) X509 *certificate =
		issue(office->ca, CERT_DEVICE, office->device_key);
	_cleanup_object_(crl) X509_CRL *foreign = NULL, *outdated = NULL;
	struct peer peer = { .certificate = certificate, .key = office->device_key };

	assert_int_equal(
		crl_make(ca_certificate(other), ca_key(other), NULL, 0, clock_wall_ms(), &foreign),
		OK);
	assert_int_equal(crl_make(ca_certificate(office->ca), ca_key(office->ca), NULL, 0,
				  clock_wall_ms() - (CRL_DAYS + 1) * DAY_S * INT64_C(1000),
				  &outdated),
			 OK);
	assert_int_equal(connect_peer(office, foreign, &peer).identity, ERR_AUTH);
	assert_int_equal(connect_peer(office, outdated, &peer).identity, ERR_AUTH);
	ca_free(other);
}

static void test_only_tls13(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *certificate =
		issue(office->ca, CERT_DEVICE, office->device_key);
	struct peer peer = { .certificate = certificate,
			     .key = office->device_key,
			     .version = TLS1_2_VERSION };

	assert_false(connect_peer(office, NULL, &peer).finished);
	peer.version = TLS1_3_VERSION;
	assert_true(connect_peer(office, NULL, &peer).finished);
}

static void test_no_resumption(void **state)
{
	struct office *office = *state;
	_cleanup_object_(x509) X509 *certificate =
		issue(office->ca, CERT_DEVICE, office->device_key);
	struct peer peer = { .certificate = certificate, .key = office->device_key };
	SSL_CTX *server = server_new(office), *client = client_new(&peer);
	SSL_SESSION *session = NULL, *ours = NULL;

	/* First without our rules, to see that this test would notice a resumption. */
	assert_true(handshake(server, client, NULL, &session).finished);
	assert_true(SSL_SESSION_is_resumable(session));
	assert_true(handshake(server, client, session, NULL).resumed);
	assert_int_equal(identity_require(server, ca_certificate(office->ca), NULL), OK);
	struct outcome outcome = handshake(server, client, session, &ours);
	assert_false(outcome.resumed);
	assert_int_equal(outcome.identity, OK);
	assert_false(SSL_SESSION_is_resumable(ours));
	/* Layers behind the missing tickets. */
	assert_int_equal(SSL_CTX_get_session_cache_mode(server), SSL_SESS_CACHE_OFF);
	assert_int_equal(SSL_CTX_get_max_early_data(server), 0);
	SSL_SESSION_free(session);
	SSL_SESSION_free(ours);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
}

static void test_no_intermediates(void **state)
{
	struct office *office = *state;
	SSL_CTX *server = server_new(office);

	assert_int_equal(identity_require(server, ca_certificate(office->ca), NULL), OK);
	assert_int_equal(X509_VERIFY_PARAM_get_depth(SSL_CTX_get0_param(server)), 0);
	SSL_CTX_free(server);
}

static void test_hint_is_our_ca_only(void **state)
{
	struct office *office = *state;
	SSL_CTX *server = server_new(office);

	for (int i = 0; i < 2; i++)
		assert_int_equal(identity_require(server, ca_certificate(office->ca), NULL), OK);
	const STACK_OF(X509_NAME) *names = SSL_CTX_get_client_CA_list(server);
	assert_int_equal(sk_X509_NAME_num(names), 1);
	assert_int_equal(X509_NAME_cmp(sk_X509_NAME_value(names, 0),
				       X509_get_subject_name(ca_certificate(office->ca))),
			 0);
	SSL_CTX_free(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device_enters),
		cmocka_unit_test(test_identity_is_the_key),
		cmocka_unit_test(test_no_certificate),
		cmocka_unit_test(test_no_certificate_is_no_identity),
		cmocka_unit_test(test_unverified_is_no_identity),
		cmocka_unit_test(test_other_ca_of_same_name),
		cmocka_unit_test(test_wrong_purpose),
		cmocka_unit_test(test_expired_and_early),
		cmocka_unit_test(test_self_signed),
		cmocka_unit_test(test_no_purpose_is_no_identity),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_device_cannot_issue),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_bad_crl_fails_closed),
		cmocka_unit_test(test_only_tls13),
		cmocka_unit_test(test_no_resumption),
		cmocka_unit_test(test_no_intermediates),
		cmocka_unit_test(test_hint_is_our_ca_only),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
