/*
 * handshake.h - an office, its gateway, and peers that shake hands with it in memory.
 */
#ifndef SEKISHO_TESTS_CERTS_HANDSHAKE_H
#define SEKISHO_TESTS_CERTS_HANDSHAKE_H

#include "forge.h"

#include "certs/identity.h"

/* An office as it is: a root, the issuing CA below it, an empty list, a gateway and a device. */
struct office {
	struct forged root, issuing, gateway, device;
	X509_CRL *list;
	STACK_OF(X509) * cas;
	STACK_OF(X509_CRL) * lists;
};

static inline STACK_OF(X509_CRL) * lists_of(X509_CRL *list)
{
	STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();

	assert_true(!list || sk_X509_CRL_push(lists, list) > 0);
	return lists;
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
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

static inline int wave_through(int verified, X509_STORE_CTX *ctx)
{
	(void)verified, (void)ctx;
	return 1;
}

/* As a careless library sets it up: a callback that ignores the verdict, any purpose, any depth,
 * session cache and tickets on. */
static inline SSL_CTX *server_new(const struct office *office)
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

static inline SSL_CTX *client_new(const struct peer *peer)
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

static inline void exchange(SSL *server, SSL *client)
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

static inline SSL *half_new(SSL_CTX *ctx, BIO *bio, bool is_server, SSL_SESSION *session)
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

static inline struct outcome handshake(SSL_CTX *server_ctx, SSL_CTX *client_ctx,
				       SSL_SESSION *session, SSL_SESSION **ret_session)
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

static inline struct outcome connect_to(const struct office *office, STACK_OF(X509) * cas,
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

/*
 * Refused in the handshake where a device is demanded; nobody, with the reason kept, where it is
 * only asked for.
 */
static inline void expect_refused_by(const struct office *office, STACK_OF(X509) * cas,
				     STACK_OF(X509_CRL) * lists, const struct peer *peer,
				     int verify_error)
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

#endif
