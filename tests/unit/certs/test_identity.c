#include "forge.h"

#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/identity.h"

/* An office as it is: a root, the issuing CA below it, an empty list, a gateway and a device. */
struct office {
	struct forged root, issuing, gateway, device;
	X509_CRL *list;
	STACK_OF(X509) * cas;
	STACK_OF(X509_CRL) * lists;
};

static STACK_OF(X509_CRL) * lists_of(X509_CRL *list)
{
	STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();

	assert_true(!list || sk_X509_CRL_push(lists, list) > 0);
	return lists;
}

static int setup(void **state)
{
	static struct office office;

	office.root = forge_ca(NULL, "office root");
	office.issuing = forge_ca(&office.root, "office CA 1");
	office.gateway = forge(&(struct forge){ .issuer = &office.issuing,
						.name = "gateway.example",
						.purpose = "serverAuth",
						.alt_name = "DNS:gateway.example" });
	office.device = forge(&(struct forge){ .issuer = &office.issuing, .unit = "sato" });
	office.list = forge_crl(&office.issuing, NULL, -60);
	office.cas = forge_stack(office.issuing.certificate, office.root.certificate, NULL);
	office.lists = lists_of(office.list);
	*state = &office;
	return 0;
}

static int teardown(void **state)
{
	struct office *office = *state;

	forged_free(&office->root);
	forged_free(&office->issuing);
	forged_free(&office->gateway);
	forged_free(&office->device);
	X509_CRL_free(office->list);
	forge_stack_free(office->cas);
	sk_X509_CRL_free(office->lists);
	return 0;
}

static int wave_through(int verified, X509_STORE_CTX *ctx)
{
	(void)verified, (void)ctx;
	return 1;
}

/* As a careless library sets it up: a callback that ignores the verdict, any purpose, any depth,
 * session cache and tickets on. */
static SSL_CTX *server_new(const struct office *office)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

	assert_int_equal(SSL_CTX_use_certificate(ctx, office->gateway.certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, office->gateway.key), 1);
	assert_int_equal(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4), 1);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, wave_through);
	SSL_CTX_set_verify_depth(ctx, 50);
	assert_int_equal(X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY), 1);
	return ctx;
}

struct peer {
	const struct forged *shown; /* NULL: none */
	STACK_OF(X509) * extra;     /* sent beside it */
	int version;                /* 0: any */
};

static SSL_CTX *client_new(const struct peer *peer)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	assert_non_null(ctx);
	/* Weak and strange certificates must leave the client, so that the server is what refuses
	 * them. */
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	if (peer->shown) {
		assert_int_equal(SSL_CTX_use_certificate(ctx, peer->shown->certificate), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(ctx, peer->shown->key), 1);
	}
	if (peer->extra)
		assert_int_equal(SSL_CTX_set1_chain(ctx, peer->extra), 1);
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
	/* A handshake takes three turns; the rest lets tickets, alerts and long chains through. */
	for (int turn = 0; turn < 20; turn++) {
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

static struct outcome connect_to(const struct office *office, STACK_OF(X509) * cas,
				 STACK_OF(X509_CRL) * lists, const struct peer *peer,
				 enum identity_demand demand)
{
	SSL_CTX *server = server_new(office), *client = client_new(peer);

	assert_int_equal(identity_require(server, cas, lists, demand), OK);
	struct outcome outcome = handshake(server, client, NULL, NULL);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	return outcome;
}

static struct outcome connect_peer(const struct office *office, const struct peer *peer)
{
	return connect_to(office, office->cas, office->lists, peer, IDENTITY_REQUIRED);
}

/*
 * Refused in the handshake where a device is demanded; nobody, with the reason kept, where it is
 * only asked for.
 */
static void expect_refused_by(const struct office *office, STACK_OF(X509) * cas,
			      STACK_OF(X509_CRL) * lists, const struct peer *peer, int verify_error)
{
	struct outcome outcome = connect_to(office, cas, lists, peer, IDENTITY_REQUIRED);

	assert_int_equal(outcome.verify_error, verify_error);
	assert_false(outcome.finished);
	assert_int_equal(outcome.identity, ERR_AUTH);
	outcome = connect_to(office, cas, lists, peer, IDENTITY_ASKED);
	assert_int_equal(outcome.verify_error, verify_error);
	assert_true(outcome.finished);
	assert_int_equal(outcome.identity, ERR_AUTH);
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

/* ---- who gets in --------------------------------------------------------------------------------
 */

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

/* ---- who does not -------------------------------------------------------------------------------
 */

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

/* ---- revocation ---------------------------------------------------------------------------------
 */

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

/* ---- the context --------------------------------------------------------------------------------
 */

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
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_bad_list_fails_closed),
		cmocka_unit_test(test_delta_list_is_refused),
		cmocka_unit_test(test_only_tls13),
		cmocka_unit_test(test_no_resumption),
		cmocka_unit_test(test_hint_is_our_cas_only),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
