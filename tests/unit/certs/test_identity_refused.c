#include "unit/certs/handshake.h"

#include <openssl/rsa.h>

#include "base/util.h"

static struct outcome connect_peer(const struct office *office, const struct peer *peer)
{
	return connect_to(office, office->cas, office->lists, peer, IDENTITY_REQUIRED);
}

static void expect_refused(const struct office *office, const struct forged *shown,
			   int verify_error)
{
	struct peer peer = { .shown = shown };

	expect_refused_by(office, office->cas, office->lists, &peer, verify_error);
}

/* The same, shown with certificates that would lead somewhere. */
static void expect_refused_with(const struct office *office, const struct forged *shown,
				STACK_OF(X509) * extra, int verify_error)
{
	struct peer peer = { .shown = shown, .extra = extra };

	expect_refused_by(office, office->cas, office->lists, &peer, verify_error);
	forge_stack_free(extra);
}

/* Signs and frees; most of the tests below. */
static void expect_forged_refused(const struct office *office, const struct forge *order,
				  int verify_error)
{
	_cleanup_forged_ struct forged forged = forge(order);

	expect_refused(office, &forged, verify_error);
}

/* ---- who does not ----------------------------------------------------------------------- */

static void test_no_certificate(void **state)
{
	struct office *office = *state;
	struct peer peer = { 0 };
	struct outcome outcome = connect_peer(office, &peer);

	assert_false(outcome.finished);
	assert_int_equal(outcome.identity, ERR_AUTH);
	/* Where one is only asked for, the verify result of "no certificate" is OK. */
	outcome = connect_to(office, office->cas, office->lists, &peer, IDENTITY_ASKED);
	assert_true(outcome.finished);
	assert_int_equal(outcome.verify_error, X509_V_OK);
	assert_int_equal(outcome.identity, ERR_AUTH);
}

static void test_self_signed(void **state)
{
	struct office *office = *state;
	/* With the issuing CA's name as issuer, but signed with its own key. */
	struct forge named = { .issuer = &office->issuing, .key = office->device.key };

	named.sign_with = named.key;
	expect_forged_refused(office, &(struct forge){ .name = "laptop" },
			      X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
	expect_forged_refused(office, &named, X509_V_ERR_CERT_SIGNATURE_FAILURE);
}

/* Same names at every step, as every office of that name would have: the keys decide. */
static void test_other_office_of_same_names(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged root = forge_ca(NULL, "office root");
	_cleanup_forged_ struct forged issuing = forge_ca(&root, "office CA 1");
	_cleanup_forged_ struct forged device = forge(&(struct forge){ .issuer = &issuing });
	/* And with the key identifier of the true issuing CA. */
	_cleanup_forged_ struct forged named =
		forge(&(struct forge){ .issuer = &office->issuing, .sign_with = issuing.key });

	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(issuing.certificate),
				       X509_get_subject_name(office->issuing.certificate)),
			 0);
	expect_refused(office, &device, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	expect_refused_with(office, &device,
			    forge_stack(issuing.certificate, root.certificate, NULL),
			    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	expect_refused_with(office, &named,
			    forge_stack(issuing.certificate, root.certificate, NULL),
			    X509_V_ERR_CERT_SIGNATURE_FAILURE);
}

/* Chain confusion: another root of the same name certifies the true issuing CA's name and key, or
 * the true root a foreign issuing CA of the same name. */
static void test_crossed_chains(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged root = forge_ca(NULL, "office root");
	struct forge order = { .issuer = &root,
			       .key = office->issuing.key,
			       .name = "office CA 1",
			       .constraints = FORGE_CA,
			       .usage = FORGE_CA_USE,
			       .purpose = "" };
	_cleanup_forged_ struct forged crossed = forge(&order);
	_cleanup_forged_ struct forged foreign = forge_ca(&office->root, "office CA 1");
	_cleanup_forged_ struct forged device = forge(&(struct forge){ .issuer = &foreign });
	STACK_OF(X509) *chain = forge_stack(crossed.certificate, root.certificate, NULL);
	struct peer peer = { .shown = &office->device, .extra = chain };

	/* A good device stays one, whatever it sends along ... */
	assert_int_equal(connect_peer(office, &peer).identity, OK);
	forge_stack_free(chain);
	/* ... and only issuing CAs that the office told of lead to its root. */
	expect_refused_with(office, &device, forge_stack(foreign.certificate, NULL),
			    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	/* Not trusted alone, as a root of the same name does not make it so. */
	STACK_OF(X509) *cas = forge_stack(office->issuing.certificate, root.certificate, NULL);
	peer.extra = NULL;
	expect_refused_by(office, cas, office->lists, &peer, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT);
	forge_stack_free(cas);
}

static void test_wrong_purpose(void **state)
{
	struct office *office = *state;
	struct forge order = { .issuer = &office->issuing };

	/* The gateway's own. */
	expect_refused(office, &office->gateway, X509_V_ERR_INVALID_PURPOSE);
	/* None at all, or any: good for every purpose in OpenSSL's eyes, not in ours. */
	order.purpose = "";
	expect_forged_refused(office, &order, X509_V_ERR_INVALID_PURPOSE);
	order.purpose = "anyExtendedKeyUsage";
	expect_forged_refused(office, &order, X509_V_ERR_INVALID_PURPOSE);
	order.purpose = "emailProtection";
	expect_forged_refused(office, &order, X509_V_ERR_INVALID_PURPOSE);
	order.purpose = NULL;
	order.usage = "critical,keyEncipherment";
	expect_forged_refused(office, &order, X509_V_ERR_INVALID_PURPOSE);
}

/* With the key of a CA somebody may sign certificates, but is no device, even when its certificate
 * names the purpose. Without lists, because none is of the root. */
static void test_ca_is_no_device(void **state)
{
	struct office *office = *state;
	struct forge order = { .issuer = &office->root,
			       .name = "office CA 9",
			       .constraints = FORGE_CA,
			       .usage = "critical,digitalSignature,keyCertSign" };

	_cleanup_forged_ struct forged named = forge(&order);
	const struct forged *shown[] = { &office->issuing, &office->root, &named };
	STACK_OF(X509_CRL) *none = lists_of(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		struct peer peer = { .shown = shown[i] };
		expect_refused_by(office, office->cas, none, &peer, X509_V_ERR_INVALID_PURPOSE);
	}
	sk_X509_CRL_free(none);
}

static void test_expired_and_early(void **state)
{
	struct office *office = *state;
	struct forge order = { .issuer = &office->issuing, .from_s = -91 * FORGE_DAY_S };

	order.until_s = -60;
	expect_forged_refused(office, &order, X509_V_ERR_CERT_HAS_EXPIRED);
	order.from_s = order.until_s = FORGE_DAY_S;
	expect_forged_refused(office, &order, X509_V_ERR_CERT_NOT_YET_VALID);
}

/* An issuing CA that has run out takes its devices with it. */
static void test_expired_issuer(void **state)
{
	struct office *office = *state;
	struct forge order = { .issuer = &office->root,
			       .name = "office CA 0",
			       .constraints = FORGE_CA,
			       .usage = FORGE_CA_USE,
			       .purpose = "",
			       .from_s = -91 * FORGE_DAY_S,
			       .until_s = -60 };
	_cleanup_forged_ struct forged old = forge(&order);
	_cleanup_forged_ struct forged device = forge(&(struct forge){ .issuer = &old });
	STACK_OF(X509) *cas = forge_stack(old.certificate, office->root.certificate, NULL);
	STACK_OF(X509_CRL) *none = lists_of(NULL);
	struct peer peer = { .shown = &device };

	expect_refused_by(office, cas, none, &peer, X509_V_ERR_CERT_HAS_EXPIRED);
	sk_X509_CRL_free(none);
	forge_stack_free(cas);
}

/* Well signed, but not as RFC 5280 wants it: not one of ours. */
static void test_strict(void **state)
{
	struct office *office = *state;

	expect_forged_refused(
		office, &(struct forge){ .issuer = &office->issuing, .no_authority_key = true },
		X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER);
}

static void test_weak_key(void **state)
{
	struct office *office = *state;
	EVP_PKEY *weak = EVP_RSA_gen(1024);

	expect_forged_refused(office, &(struct forge){ .issuer = &office->issuing, .key = weak },
			      X509_V_ERR_EE_KEY_TOO_SMALL);
	EVP_PKEY_free(weak);
}

/* A device's certificate is no CA: what its key signs is worth nothing, even were it CA:TRUE. */
static void test_device_cannot_issue(void **state)
{
	struct office *office = *state;
	struct forge order = { .issuer = &office->issuing, .name = "middle" };
	_cleanup_forged_ struct forged plain = forge(&order);
	order.constraints = FORGE_CA;
	order.usage = FORGE_CA_USE ",digitalSignature";
	_cleanup_forged_ struct forged ca = forge(&order);
	_cleanup_forged_ struct forged below_plain = forge(&(struct forge){ .issuer = &plain });
	_cleanup_forged_ struct forged below_ca = forge(&(struct forge){ .issuer = &ca });

	expect_refused_with(office, &below_plain, forge_stack(plain.certificate, NULL),
			    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	expect_refused_with(office, &below_ca, forge_stack(ca.certificate, NULL),
			    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

/* One CA between root and device, also among those that the office told of. */
static void test_depth(void **state)
{
	struct office *office = *state;
	struct forge order = { .issuer = &office->root,
			       .name = "long",
			       .constraints = FORGE_CA,
			       .usage = FORGE_CA_USE,
			       .purpose = "" };
	_cleanup_forged_ struct forged first = forge(&order);
	_cleanup_forged_ struct forged second = forge_ca(&first, "longer");
	_cleanup_forged_ struct forged device = forge(&(struct forge){ .issuer = &second });
	STACK_OF(X509) *cas =
		forge_stack(second.certificate, first.certificate, office->root.certificate, NULL);
	STACK_OF(X509_CRL) *none = lists_of(NULL);
	struct peer peer = { .shown = &device };

	expect_refused_by(office, cas, none, &peer, X509_V_ERR_CERT_CHAIN_TOO_LONG);
	sk_X509_CRL_free(none);
	forge_stack_free(cas);
}

static void test_name_constraints(void **state)
{
	struct office *office = *state;
	struct forge order = { .issuer = &office->root,
			       .name = "office CA 5",
			       .constraints = FORGE_CA,
			       .usage = FORGE_CA_USE,
			       .purpose = "",
			       .name_constraints = "critical,permitted;DNS:office.example" };
	_cleanup_forged_ struct forged bound = forge(&order);
	_cleanup_forged_ struct forged within =
		forge(&(struct forge){ .issuer = &bound, .alt_name = "DNS:laptop.office.example" });
	_cleanup_forged_ struct forged beyond =
		forge(&(struct forge){ .issuer = &bound, .alt_name = "DNS:laptop.evil.example" });
	STACK_OF(X509) *cas = forge_stack(bound.certificate, office->root.certificate, NULL);
	STACK_OF(X509_CRL) *none = lists_of(NULL);
	struct peer good = { .shown = &within }, bad = { .shown = &beyond };

	assert_int_equal(connect_to(office, cas, none, &good, IDENTITY_REQUIRED).identity, OK);
	expect_refused_by(office, cas, none, &bad, X509_V_ERR_PERMITTED_VIOLATION);
	sk_X509_CRL_free(none);
	forge_stack_free(cas);
}

/* Not one byte more is read of a peer's certificates than a good device could need. */
static void test_huge_chain(void **state)
{
	struct office *office = *state;
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct peer peer = { .shown = &office->device, .extra = chain };
	int one = i2d_X509(office->root.certificate, NULL),
	    fit = IDENTITY_CHAIN_MAX / (one + 5) - 2;

	for (int i = 0; i < fit; i++) {
		assert_int_equal(X509_up_ref(office->root.certificate), 1);
		assert_true(sk_X509_push(chain, office->root.certificate) > 0);
	}
	assert_int_equal(connect_peer(office, &peer).identity, OK);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(X509_up_ref(office->root.certificate), 1);
		assert_true(sk_X509_push(chain, office->root.certificate) > 0);
	}
	for (int demand = IDENTITY_REQUIRED; demand <= IDENTITY_ASKED; demand++) {
		struct outcome outcome = connect_to(office, office->cas, office->lists, &peer,
						    (enum identity_demand)demand);
		assert_false(outcome.finished);
		assert_int_equal(outcome.identity, ERR_AUTH);
	}
	forge_stack_free(chain);
}

/* A client that shows a device's certificate has not yet proved to have its key: nobody until the
 * handshake is over, wherever it stops. */
static void test_nobody_before_the_proof(void **state)
{
	struct office *office = *state;
	struct peer peer = { .shown = &office->device };
	SSL_CTX *server_ctx = server_new(office), *client_ctx = client_new(&peer);
	BIO *server_bio, *client_bio, *wire;
	uint8_t device[WIRE_DEVICE_ID];
	char flight[16384];
	bool was_shown = false;

	assert_int_equal(
		identity_require(server_ctx, office->cas, office->lists, IDENTITY_REQUIRED), OK);
	assert_int_equal(BIO_new_bio_pair(&server_bio, 0, &wire, 0), 1);
	client_bio = BIO_new(BIO_s_mem());
	SSL *server = half_new(server_ctx, server_bio, true, NULL);
	SSL *client = SSL_new(client_ctx);
	SSL_set_bio(client, BIO_new(BIO_s_mem()), client_bio);
	SSL_set_connect_state(client);
	for (int turn = 0; turn < 4; turn++) {
		(void)SSL_do_handshake(client);
		int len = BIO_read(client_bio, flight, sizeof(flight));
		for (int i = 0; i < len; i++) {
			assert_int_equal(BIO_write(wire, flight + i, 1), 1);
			(void)SSL_do_handshake(server);
			X509 *shown = SSL_get1_peer_certificate(server);
			bool finished = SSL_is_init_finished(server);
			was_shown |= shown && !finished;
			assert_int_equal(identity_of_peer(server, device),
					 finished ? OK : ERR_AUTH);
			X509_free(shown);
		}
		len = BIO_read(wire, flight, sizeof(flight));
		if (len > 0)
			assert_int_equal(BIO_write(SSL_get_rbio(client), flight, len), len);
	}
	assert_true(SSL_is_init_finished(server));
	assert_true(was_shown);
	BIO_free(wire);
	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(server_ctx);
	SSL_CTX_free(client_ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_certificate),
		cmocka_unit_test(test_self_signed),
		cmocka_unit_test(test_other_office_of_same_names),
		cmocka_unit_test(test_crossed_chains),
		cmocka_unit_test(test_wrong_purpose),
		cmocka_unit_test(test_ca_is_no_device),
		cmocka_unit_test(test_expired_and_early),
		cmocka_unit_test(test_expired_issuer),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_weak_key),
		cmocka_unit_test(test_device_cannot_issue),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_name_constraints),
		cmocka_unit_test(test_huge_chain),
		cmocka_unit_test(test_nobody_before_the_proof),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
