#include "unit/certs/handshake.h"

#include "base/util.h"
#include "certs/cleanup.h"

/* ---- who gets in ------------------------------------------------------------------------ */

static void test_device_enters(void **state)
{
	struct office *office = *state;
	STACK_OF(X509) *chain =
		forge_stack(office->issuing.certificate, office->root.certificate, NULL);
	struct peer peers[] = { { .shown = &office->device },
				{ .shown = &office->device, .extra = chain } };
	uint8_t expected[WIRE_DEVICE_ID];

	assert_int_equal(identity_of(office->device.certificate, expected), OK);
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
		for (int demand = IDENTITY_REQUIRED; demand <= IDENTITY_ASKED; demand++) {
			struct outcome outcome =
				connect_to(office, office->cas, office->lists, &peers[i],
					   (enum identity_demand)demand);
			assert_int_equal(outcome.verify_error, X509_V_OK);
			assert_true(outcome.finished);
			assert_int_equal(outcome.identity, OK);
			assert_memory_equal(outcome.device, expected, sizeof(expected));
		}
	forge_stack_free(chain);
}

/* The form of the first offices: nothing between root and device. */
static void test_device_below_the_root(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged device = forge(&(struct forge){ .issuer = &office->root });
	_cleanup_object_(crl) X509_CRL *list = forge_crl(&office->root, NULL, -60);
	STACK_OF(X509) *cas = forge_stack(office->root.certificate, NULL);
	STACK_OF(X509_CRL) *lists = lists_of(list), *none = lists_of(NULL);
	struct peer peer = { .shown = &device };

	assert_int_equal(connect_to(office, cas, lists, &peer, IDENTITY_REQUIRED).identity, OK);
	assert_int_equal(connect_to(office, cas, none, &peer, IDENTITY_REQUIRED).identity, OK);
	sk_X509_CRL_free(lists);
	sk_X509_CRL_free(none);
	forge_stack_free(cas);
}

/* After a rotation, below the same root and below a new one: all devices go on. */
static void test_rotated_offices(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged second = forge_ca(&office->root, "office CA 2");
	_cleanup_forged_ struct forged new_root = forge_ca(NULL, "office root");
	_cleanup_forged_ struct forged third = forge_ca(&new_root, "office CA 3");
	_cleanup_forged_ struct forged b = forge(&(struct forge){ .issuer = &second });
	_cleanup_forged_ struct forged c = forge(&(struct forge){ .issuer = &third });
	_cleanup_object_(crl) X509_CRL *list_b = forge_crl(&second, NULL, -60);
	_cleanup_object_(crl) X509_CRL *list_c = forge_crl(&third, c.certificate, -60);
	STACK_OF(X509) *cas =
		forge_stack(third.certificate, new_root.certificate, second.certificate,
			    office->issuing.certificate, office->root.certificate, NULL);
	STACK_OF(X509_CRL) *lists = lists_of(list_c);
	struct peer peers[] = { { .shown = &office->device }, { .shown = &b } },
		    gone = { &c, 0, 0 };

	assert_true(sk_X509_CRL_push(lists, list_b) && sk_X509_CRL_push(lists, office->list));
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
		assert_int_equal(
			connect_to(office, cas, lists, &peers[i], IDENTITY_REQUIRED).identity, OK);
	expect_refused_by(office, cas, lists, &gone, X509_V_ERR_CERT_REVOKED);
	/* What was taken out of the list of CAs is over, though its root is still trusted. */
	X509_free(sk_X509_delete(cas, 2));
	expect_refused_by(office, cas, lists, &peers[1],
			  X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	sk_X509_CRL_free(lists);
	forge_stack_free(cas);
}

/* The id stays with the key through renewals, and is the hash that other tools show too. */
static void test_identity_is_the_key(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged second =
		forge(&(struct forge){ .issuer = &office->issuing, .key = office->device.key });
	uint8_t a[WIRE_DEVICE_ID], b[WIRE_DEVICE_ID], expected[WIRE_DEVICE_ID];
	uint8_t *der = NULL;

	assert_int_equal(identity_of(office->device.certificate, a), OK);
	assert_int_equal(identity_of(second.certificate, b), OK);
	assert_memory_equal(a, b, sizeof(a));
	int len = i2d_PUBKEY(office->device.key, &der);
	assert_true(len > 0);
	assert_int_equal(EVP_Digest(der, (size_t)len, expected, NULL, EVP_sha256(), NULL), 1);
	OPENSSL_free(der);
	assert_memory_equal(a, expected, sizeof(a));
	assert_int_equal(identity_of(office->gateway.certificate, b), OK);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* ---- revocation ------------------------------------------------------------------------- */

static void test_revoked(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged kept = forge(&(struct forge){ .issuer = &office->issuing });
	_cleanup_object_(crl) X509_CRL *list =
		forge_crl(&office->issuing, office->device.certificate, -60);
	STACK_OF(X509_CRL) *lists = lists_of(list);
	struct peer lost = { .shown = &office->device }, other = { .shown = &kept };
	/* One context that lives on while the list changes. */
	SSL_CTX *server = server_new(office), *client = client_new(&lost),
		*client_kept = client_new(&other);

	assert_int_equal(identity_require(server, office->cas, office->lists, IDENTITY_REQUIRED),
			 OK);
	assert_int_equal(handshake(server, client, NULL, NULL).identity, OK);
	assert_int_equal(identity_require(server, office->cas, lists, IDENTITY_REQUIRED), OK);
	struct outcome outcome = handshake(server, client, NULL, NULL);
	assert_false(outcome.finished);
	assert_int_equal(outcome.verify_error, X509_V_ERR_CERT_REVOKED);
	assert_int_equal(outcome.identity, ERR_AUTH);
	assert_int_equal(handshake(server, client_kept, NULL, NULL).identity, OK);
	expect_refused_by(office, office->cas, lists, &lost, X509_V_ERR_CERT_REVOKED);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	SSL_CTX_free(client_kept);
	sk_X509_CRL_free(lists);
}

/* A list by somebody else, or one that has run out, must not let a revoked device in. */
static void test_bad_list_fails_closed(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged root = forge_ca(NULL, "office root");
	_cleanup_forged_ struct forged issuing = forge_ca(&root, "office CA 1");
	X509_CRL *bad[] = { forge_crl(&issuing, NULL, -60), forge_crl(&office->root, NULL, -60),
			    forge_crl(&office->issuing, NULL, -31 * FORGE_DAY_S),
			    forge_crl(&office->issuing, NULL, FORGE_DAY_S) };
	const int errors[] = { X509_V_ERR_CRL_SIGNATURE_FAILURE, X509_V_ERR_UNABLE_TO_GET_CRL,
			       X509_V_ERR_CRL_HAS_EXPIRED, X509_V_ERR_CRL_NOT_YET_VALID };
	struct peer peer = { .shown = &office->device };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		STACK_OF(X509_CRL) *lists = lists_of(bad[i]);
		expect_refused_by(office, office->cas, lists, &peer, errors[i]);
		sk_X509_CRL_free(lists);
		X509_CRL_free(bad[i]);
	}
}

/* Changes since another list are not the list: what was revoked before is not in them. */
static void test_delta_list_is_refused(void **state)
{
	struct office *office = *state;
	ASN1_INTEGER *base = ASN1_INTEGER_new();
	SSL_CTX *server = server_new(office);
	X509_CRL *delta = forge_crl(&office->issuing, NULL, -60);
	STACK_OF(X509_CRL) *lists = lists_of(delta);

	assert_int_equal(identity_require(server, office->cas, lists, IDENTITY_REQUIRED), OK);
	assert_int_equal(ASN1_INTEGER_set(base, 1), 1);
	assert_int_equal(X509_CRL_add1_ext_i2d(delta, NID_delta_crl, base, 1, 0), 1);
	assert_true(X509_CRL_sign(delta, office->issuing.key, EVP_sha256()) > 0);
	assert_int_equal(identity_require(server, office->cas, lists, IDENTITY_REQUIRED),
			 ERR_INVALID);
	sk_X509_CRL_free(lists);
	X509_CRL_free(delta);
	SSL_CTX_free(server);
	ASN1_INTEGER_free(base);
}

/* ---- the context ------------------------------------------------------------------------ */

static void test_only_tls13(void **state)
{
	struct office *office = *state;
	struct peer peer = { .shown = &office->device, .version = TLS1_2_VERSION };

	for (int demand = IDENTITY_REQUIRED; demand <= IDENTITY_ASKED; demand++) {
		peer.version = TLS1_2_VERSION;
		assert_false(connect_to(office, office->cas, office->lists, &peer,
					(enum identity_demand)demand)
				     .finished);
		peer.version = TLS1_3_VERSION;
		assert_true(connect_to(office, office->cas, office->lists, &peer,
				       (enum identity_demand)demand)
				    .finished);
	}
}

static void test_no_resumption(void **state)
{
	struct office *office = *state;
	struct peer peer = { .shown = &office->device };

	for (int demand = IDENTITY_REQUIRED; demand <= IDENTITY_ASKED; demand++) {
		SSL_CTX *server = server_new(office), *client = client_new(&peer);
		SSL_SESSION *session = NULL, *ours = NULL;

		/* First without our rules, to see that this test would notice a resumption. */
		assert_true(handshake(server, client, NULL, &session).finished);
		assert_true(SSL_SESSION_is_resumable(session));
		assert_true(handshake(server, client, session, NULL).resumed);
		assert_int_equal(identity_require(server, office->cas, office->lists,
						  (enum identity_demand)demand),
				 OK);
		struct outcome outcome = handshake(server, client, session, &ours);
		assert_false(outcome.resumed);
		assert_int_equal(outcome.identity, OK);
		assert_false(SSL_SESSION_is_resumable(ours));
		/* Layers behind the missing tickets. */
		assert_int_equal(SSL_CTX_get_session_cache_mode(server), SSL_SESS_CACHE_OFF);
		assert_int_equal(SSL_CTX_get_max_early_data(server), 0);
		assert_int_equal(SSL_CTX_get_num_tickets(server), 0);
		assert_true(SSL_CTX_get_options(server) & SSL_OP_NO_TICKET);
		assert_int_equal(SSL_CTX_get_security_level(server), 2);
		SSL_SESSION_free(session);
		SSL_SESSION_free(ours);
		SSL_CTX_free(server);
		SSL_CTX_free(client);
	}
}

/* Each CA once, and nobody else's: or browsers offer whatever they have. */
static void test_hint_is_our_cas_only(void **state)
{
	struct office *office = *state;
	SSL_CTX *server = server_new(office);
	_cleanup_forged_ struct forged namesake = forge_ca(NULL, "office root");
	STACK_OF(X509) *cas = forge_stack(office->issuing.certificate, office->root.certificate,
					  namesake.certificate, NULL);

	for (int i = 0; i < 2; i++)
		assert_int_equal(identity_require(server, cas, office->lists, IDENTITY_ASKED), OK);
	const STACK_OF(X509_NAME) *names = SSL_CTX_get_client_CA_list(server);
	assert_int_equal(sk_X509_NAME_num(names), 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(X509_NAME_cmp(sk_X509_NAME_value(names, i),
					       X509_get_subject_name(sk_X509_value(cas, i))),
				 0);
	forge_stack_free(cas);
	SSL_CTX_free(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device_enters),
		cmocka_unit_test(test_device_below_the_root),
		cmocka_unit_test(test_rotated_offices),
		cmocka_unit_test(test_identity_is_the_key),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_bad_list_fails_closed),
		cmocka_unit_test(test_delta_list_is_refused),
		cmocka_unit_test(test_only_tls13),
		cmocka_unit_test(test_no_resumption),
		cmocka_unit_test(test_hint_is_our_cas_only),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
