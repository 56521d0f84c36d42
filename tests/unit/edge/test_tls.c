#include "unit/certs/forge.h"
#include "unit/unit.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "certs/identity.h"
#include "edge/tls.h"

/* An office, of which the edge under test knows nothing yet, and the edge. */
struct office {
	char folder[64], key_path[96];
	struct forged root, issuing, gateway;
	struct tls *tls;
	EVP_PKEY *key; /* of tls, public */
};

/* The parts of an edge_config, DER one after another. */
struct config {
	struct buf certificate, ca, crl;
};

static EVP_PKEY *key_of(const struct tls *tls)
{
	_cleanup_buf_ struct buf csr;
	const unsigned char *at;
	X509_REQ *request;
	EVP_PKEY *key;

	buf_init(&csr, 8192);
	assert_ok(tls_request(tls, "gateway.example", &csr));
	at = csr.data;
	request = d2i_X509_REQ(NULL, &at, (long)csr.len);
	assert_non_null(request);
	key = X509_REQ_get_pubkey(request);
	assert_int_equal(X509_REQ_verify(request, key), 1);
	X509_REQ_free(request);
	return key;
}

static struct forged gateway_of(const struct forged *issuer, EVP_PKEY *key)
{
	return forge(&(struct forge){ .issuer = issuer,
				      .key = key,
				      .name = "gateway.example",
				      .purpose = "serverAuth",
				      .alt_name = "DNS:gateway.example" });
}

static int set_up(void **state)
{
	static struct office office;

	snprintf(office.folder, sizeof(office.folder), "/tmp/sekisho-tls-XXXXXX");
	assert_non_null(mkdtemp(office.folder));
	snprintf(office.key_path, sizeof(office.key_path), "%s/server.key", office.folder);
	assert_ok(tls_open(office.folder, &office.tls));
	office.key = key_of(office.tls);
	office.root = forge_ca(NULL, "office root");
	office.issuing = forge_ca(&office.root, "office CA 1");
	office.gateway = gateway_of(&office.issuing, office.key);
	*state = &office;
	return 0;
}

static int tear_down(void **state)
{
	struct office *office = *state;

	tls_free(office->tls);
	EVP_PKEY_free(office->key);
	forged_free(&office->root);
	forged_free(&office->issuing);
	forged_free(&office->gateway);
	unlink(office->key_path);
	assert_int_equal(rmdir(office->folder), 0);
	return 0;
}

static void config_init(struct config *config)
{
	buf_init(&config->certificate, 16384);
	buf_init(&config->ca, 24576);
	buf_init(&config->crl, 81920);
}

static void config_finish(struct config *config)
{
	buf_finish(&config->certificate);
	buf_finish(&config->ca);
	buf_finish(&config->crl);
}
#define _cleanup_config_ __attribute__((cleanup(config_finish)))

static void add(struct buf *buf, const struct forged *forged)
{
	uint8_t *der = NULL;
	int len = i2d_X509(forged->certificate, &der);

	assert_true(len > 0);
	assert_ok(buf_add(buf, der, (size_t)len));
	OPENSSL_free(der);
}

/* revoked may be NULL. */
static void add_crl(struct buf *buf, const struct forged *issuer, const struct forged *revoked)
{
	X509_CRL *crl = forge_crl(issuer, revoked ? revoked->certificate : NULL, -60);
	uint8_t *der = NULL;
	int len = i2d_X509_CRL(crl, &der);

	assert_true(len > 0);
	assert_ok(buf_add(buf, der, (size_t)len));
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

static enum err send(struct office *office, const struct config *config)
{
	const struct msg_edge_config message = {
		.certificate = { config->certificate.data, config->certificate.len },
		.ca = { config->ca.data, config->ca.len },
		.crl = { config->crl.data, config->crl.len },
	};

	return tls_update(office->tls, &message);
}

/* Everything as it should be. */
static void fill(const struct office *office, struct config *config)
{
	config_init(config);
	add(&config->certificate, &office->gateway);
	add(&config->certificate, &office->issuing);
	add(&config->certificate, &office->root);
	add(&config->ca, &office->issuing);
	add(&config->ca, &office->root);
	add_crl(&config->crl, &office->issuing, NULL);
}

static void replace(struct buf *buf, const struct forged *by)
{
	buf_clear(buf);
	add(buf, by);
}

/* The CRL with that number, or NULL; the caller frees. */
static X509_CRL *crl_of(const struct office *office, uint32_t number)
{
	struct bytes der = tls_crl_der(office->tls, number);
	const unsigned char *at = der.data;
	X509_CRL *crl = der.len ? d2i_X509_CRL(NULL, &at, (long)der.len) : NULL;

	assert_true(!der.len || (crl && at == der.data + der.len));
	return crl;
}

static bool is_list_of(const struct office *office, uint32_t number, const struct forged *issuer)
{
	X509_CRL *crl = crl_of(office, number);
	bool is = crl && X509_CRL_verify(crl, issuer->key) == 1;

	X509_CRL_free(crl);
	return is;
}

/* ---- the key ---------------------------------------------------------------------------- */

static void the_key_is_made_once(void **state)
{
	struct office *office = *state;
	EVP_PKEY *second;
	struct tls *again;
	struct stat status;

	assert_int_equal(stat(office->key_path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_ok(tls_open(office->folder, &again));
	second = key_of(again);
	assert_int_equal(EVP_PKEY_eq(office->key, second), 1);
	EVP_PKEY_free(second);
	tls_free(again);
}

/* Making a new one would hide that something is wrong; and nobody is asked for a passphrase. */
static void a_broken_key_is_an_error(void **state)
{
	struct office *office = *state;
	struct tls *again = NULL;
	FILE *file;

	assert_ok(util_write_file(office->key_path, "nonsense", 8, 0600));
	assert_err(tls_open(office->folder, &again), ERR_CRYPTO);
	file = fopen(office->key_path, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_PKCS8PrivateKey(file, office->root.key, EVP_aes_128_cbc(),
						   "secret", 6, NULL, NULL),
			 1);
	fclose(file);
	assert_err(tls_open(office->folder, &again), ERR_CRYPTO);
	assert_null(again);
}

/* ---- the office ------------------------------------------------------------------------- */

static void the_office_is_taken_over(void **state)
{
	struct office *office = *state;
	_cleanup_config_ struct config config;
	int64_t now_s = clock_wall_s();
	struct bytes pem;
	BIO *bio;
	X509 *root;

	fill(office, &config);
	assert_true(tls_renew_at(office->tls) == INT64_MAX);
	assert_int_equal(tls_crl_der(office->tls, 0).len, 0);
	assert_int_equal(tls_ca_pem(office->tls).len, 0);
	assert_ok(send(office, &config));
	assert_true(tls_renew_at(office->tls) > now_s && tls_renew_at(office->tls) < INT64_MAX);
	pem = tls_ca_pem(office->tls);
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	root = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_int_equal(X509_cmp(root, office->root.certificate), 0);
	X509_free(root);
	BIO_free(bio);
	assert_true(is_list_of(office, 0, &office->issuing));
	assert_true(is_list_of(office, 1, &office->issuing));
	assert_int_equal(tls_crl_der(office->tls, 2).len, 0);
	buf_clear(&config.crl);
	assert_ok(send(office, &config));
	assert_int_equal(tls_crl_der(office->tls, 0).len, 0);
}

/* Without an issuing CA in between, and no number in its name. */
static void the_first_form_of_an_office(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged gateway = gateway_of(&office->root, office->key);
	_cleanup_config_ struct config config;

	config_init(&config);
	add(&config.certificate, &gateway);
	add(&config.ca, &office->root);
	assert_ok(send(office, &config));
	add_crl(&config.crl, &office->root, NULL);
	assert_ok(send(office, &config));
	assert_true(is_list_of(office, 0, &office->root));
	assert_int_equal(tls_crl_der(office->tls, 1).len, 0);
}

static void each_issuing_ca_has_its_list(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged second = forge_ca(&office->root, "office CA 12");
	_cleanup_forged_ struct forged odd = forge_ca(&office->root, "office CA 4294967297");
	_cleanup_forged_ struct forged gateway = gateway_of(&second, office->key);
	_cleanup_config_ struct config config;

	config_init(&config);
	add(&config.certificate, &gateway);
	add(&config.ca, &second);
	add(&config.ca, &office->root);
	add(&config.ca, &odd);
	add(&config.ca, &office->issuing);
	add_crl(&config.crl, &second, NULL);
	add_crl(&config.crl, &odd, NULL);
	add_crl(&config.crl, &office->issuing, NULL);
	assert_ok(send(office, &config));
	assert_true(is_list_of(office, 0, &second));
	assert_true(is_list_of(office, 12, &second));
	assert_true(is_list_of(office, 1, &office->issuing));
	assert_int_equal(tls_crl_der(office->tls, 2).len, 0);
}

static void what_does_not_fit_changes_nothing(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged root = forge_ca(NULL, "office root");
	_cleanup_forged_ struct forged issuing = forge_ca(&root, "office CA 1");
	_cleanup_forged_ struct forged stranger = gateway_of(&issuing, office->key);
	_cleanup_forged_ struct forged other = gateway_of(&office->issuing, NULL);
	_cleanup_forged_ struct forged device =
		forge(&(struct forge){ .issuer = &office->issuing, .key = office->key });
	struct bytes before;

	for (int wrong = -1; wrong <= 11; wrong++) {
		_cleanup_config_ struct config config;

		fill(office, &config);
		switch (wrong) {
		case 0: /* another key, another office, no server */
			replace(&config.certificate, &other);
			break;
		case 1:
			replace(&config.certificate, &stranger);
			break;
		case 2:
			replace(&config.certificate, &device);
			break;
		case 3: /* another office of the same names; a path that ends before a root */
			replace(&config.ca, &issuing);
			add(&config.ca, &root);
			break;
		case 4:
			replace(&config.ca, &office->issuing);
			break;
		case 5:
			replace(&config.ca, &office->root);
			break;
		case 6: /* a list of somebody else, alone and after ours */
			buf_clear(&config.crl);
			add_crl(&config.crl, &issuing, NULL);
			break;
		case 7:
			add_crl(&config.crl, &issuing, NULL);
			break;
		case 8: /* more bytes than certificates and lists */
			assert_ok(buf_add(&config.certificate, "", 1));
			break;
		case 9:
			assert_ok(buf_add(&config.ca, "", 1));
			break;
		case 10:
			assert_ok(buf_add(&config.crl, "", 1));
			break;
		case 11:
			buf_clear(&config.certificate);
			break;
		default:
			assert_ok(send(office, &config));
			before = tls_crl_der(office->tls, 0);
			continue;
		}
		assert_err(send(office, &config), ERR_INVALID);
		assert_ptr_equal(tls_crl_der(office->tls, 0).data, before.data);
	}
}

static void an_unbounded_number_of_lists_is_refused(void **state)
{
	struct office *office = *state;
	_cleanup_config_ struct config config;

	fill(office, &config);
	for (int i = 0; i < 63; i++)
		add_crl(&config.crl, &office->issuing, NULL);
	assert_ok(send(office, &config));
	add_crl(&config.crl, &office->issuing, NULL);
	assert_err(send(office, &config), ERR_INVALID);
}

/* Or a revocation would not arrive when the renewal of our own certificate is late. */
static void an_expired_gateway_takes_new_lists(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged expired = forge(&(struct forge){ .issuer = &office->issuing,
									.key = office->key,
									.purpose = "serverAuth",
									.from_s = -2 * FORGE_DAY_S,
									.until_s = -60 });
	_cleanup_config_ struct config config;

	fill(office, &config);
	replace(&config.certificate, &expired);
	assert_ok(send(office, &config));
}

/* ---- handshakes ------------------------------------------------------------------------- */

struct link {
	SSL *server, *client;
};

static struct link link_make(SSL_CTX *server_ctx, const struct forged *shown)
{
	SSL_CTX *client_ctx = SSL_CTX_new(TLS_client_method());
	struct link link = { .server = SSL_new(server_ctx) };
	BIO *server_bio, *client_bio;

	if (shown) {
		assert_int_equal(SSL_CTX_use_certificate(client_ctx, shown->certificate), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(client_ctx, shown->key), 1);
	}
	link.client = SSL_new(client_ctx);
	SSL_CTX_free(client_ctx);
	assert_int_equal(BIO_new_bio_pair(&server_bio, 0, &client_bio, 0), 1);
	SSL_set_bio(link.server, server_bio, server_bio);
	SSL_set_bio(link.client, client_bio, client_bio);
	SSL_set_accept_state(link.server);
	SSL_set_connect_state(link.client);
	for (int turn = 0; turn < 10; turn++) {
		(void)SSL_do_handshake(link.client);
		(void)SSL_do_handshake(link.server);
	}
	return link;
}

static void link_free(struct link *link)
{
	SSL_free(link->server);
	SSL_free(link->client);
}
#define _cleanup_link_ __attribute__((cleanup(link_free)))

static bool carries(struct link *link)
{
	char byte = 0;

	return SSL_write(link->client, "x", 1) == 1 && SSL_read(link->server, &byte, 1) == 1 &&
	       byte == 'x' && SSL_write(link->server, "y", 1) == 1 &&
	       SSL_read(link->client, &byte, 1) == 1 && byte == 'y';
}

/* The certificates that the client was shown, the leaf first. */
static void assert_shown(const struct link *link, size_t count, X509 *const *wanted)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(link->client);

	assert_true(SSL_is_init_finished(link->server));
	assert_int_equal(sk_X509_num(chain), count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(X509_cmp(sk_X509_value(chain, (int)i), wanted[i]), 0);
}

struct ports {
	SSL_CTX *gateway, *enrol;
};

static struct ports ports_open(struct office *office)
{
	struct ports ports = { SSL_CTX_new(TLS_server_method()), SSL_CTX_new(TLS_server_method()) };

	assert_ok(tls_setup(office->tls, ports.gateway, true));
	assert_ok(tls_setup(office->tls, ports.enrol, false));
	return ports;
}

static void ports_close(struct ports *ports)
{
	SSL_CTX_free(ports->gateway);
	SSL_CTX_free(ports->enrol);
}
#define _cleanup_ports_ __attribute__((cleanup(ports_close)))

static void a_context_needs_an_office(void **state)
{
	struct office *office = *state;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert_err(tls_setup(office->tls, ctx, true), ERR_WRONG_STATE);
	SSL_CTX_free(ctx);
}

/* The root is for the peer to have; OpenSSL would add it from the store. */
static void leaf_and_issuer_are_shown(void **state)
{
	struct office *office = *state;
	X509 *const wanted[] = { office->gateway.certificate, office->issuing.certificate };
	_cleanup_config_ struct config config;

	fill(office, &config);
	assert_ok(send(office, &config));
	_cleanup_ports_ struct ports ports = ports_open(office);
	/* Also when the broker sends the leaf alone. */
	for (int i = 0; i < 2; i++) {
		_cleanup_link_ struct link link = link_make(ports.enrol, NULL);
		assert_shown(&link, 2, wanted);
		replace(&config.certificate, &office->gateway);
		assert_ok(send(office, &config));
	}
}

static void only_the_leaf_below_a_root(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged gateway = gateway_of(&office->root, office->key);
	_cleanup_config_ struct config config;

	config_init(&config);
	add(&config.certificate, &gateway);
	add(&config.ca, &office->root);
	assert_ok(send(office, &config));
	_cleanup_ports_ struct ports ports = ports_open(office);
	_cleanup_link_ struct link link = link_make(ports.enrol, NULL);
	assert_shown(&link, 1, &gateway.certificate);
}

static void the_gateway_demands_and_enrolment_asks(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged device =
		forge(&(struct forge){ .issuer = &office->issuing });
	_cleanup_forged_ struct forged stranger = forge(&(struct forge){ .name = "stranger" });
	const struct forged *const shown[] = { &device, NULL, &stranger };
	_cleanup_config_ struct config config;
	uint8_t id[WIRE_DEVICE_ID];

	fill(office, &config);
	assert_ok(send(office, &config));
	_cleanup_ports_ struct ports ports = ports_open(office);
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		_cleanup_link_ struct link gateway = link_make(ports.gateway, shown[i]);
		_cleanup_link_ struct link enrol = link_make(ports.enrol, shown[i]);
		enum err wanted = shown[i] == &device ? OK : ERR_AUTH;
		assert_int_equal(SSL_is_init_finished(gateway.server), !wanted);
		assert_err(identity_of_peer(gateway.server, id), wanted);
		assert_true(SSL_is_init_finished(enrol.server));
		assert_err(identity_of_peer(enrol.server, id), wanted);
	}
}

/* New CAs, lists and certificates reach both contexts; who is connected stays. */
static void an_update_keeps_connections(void **state)
{
	struct office *office = *state;
	_cleanup_forged_ struct forged device =
		forge(&(struct forge){ .issuer = &office->issuing });
	_cleanup_forged_ struct forged second = forge_ca(&office->root, "office CA 2");
	_cleanup_forged_ struct forged gateway = gateway_of(&second, office->key);
	X509 *const wanted[] = { gateway.certificate, second.certificate };
	_cleanup_config_ struct config config;
	uint8_t id[WIRE_DEVICE_ID];

	fill(office, &config);
	assert_ok(send(office, &config));
	_cleanup_ports_ struct ports ports = ports_open(office);
	_cleanup_link_ struct link on_gateway = link_make(ports.gateway, &device);
	_cleanup_link_ struct link on_enrol = link_make(ports.enrol, NULL);
	assert_true(carries(&on_gateway) && carries(&on_enrol));
	replace(&config.certificate, &gateway);
	add(&config.ca, &second);
	buf_clear(&config.crl);
	add_crl(&config.crl, &second, NULL);
	add_crl(&config.crl, &office->issuing, &device);
	assert_ok(send(office, &config));
	assert_true(carries(&on_gateway) && carries(&on_enrol));
	assert_ok(identity_of_peer(on_gateway.server, id));
	_cleanup_link_ struct link later = link_make(ports.gateway, &device);
	assert_false(SSL_is_init_finished(later.server));
	_cleanup_link_ struct link enrol_later = link_make(ports.enrol, &device);
	assert_shown(&enrol_later, 2, wanted);
	assert_err(identity_of_peer(enrol_later.server, id), ERR_AUTH);
}

/* The pair of a folder goes first, whatever kind its key is of. */
static void a_folder_is_shown_instead(void **state)
{
	struct office *office = *state;
	EVP_PKEY *rsa = EVP_RSA_gen(2048);
	_cleanup_forged_ struct forged public_root = forge_ca(NULL, "public root");
	_cleanup_forged_ struct forged public_ca = forge_ca(&public_root, "public CA");
	_cleanup_forged_ struct forged bought = gateway_of(&public_ca, rsa);
	X509 *const of_office[] = { office->gateway.certificate, office->issuing.certificate },
		    *const of_folder[] = { bought.certificate, public_ca.certificate };
	_cleanup_config_ struct config config;
	struct tls_folder *folder;
	char chain_path[96], key_path[96];
	FILE *file;

	fill(office, &config);
	assert_ok(send(office, &config));
	_cleanup_ports_ struct ports ports = ports_open(office);
	assert_ok(tls_folder_new(office->folder, "gateway.example", clock_wall_s(), &folder));
	tls_show(office->tls, folder);
	_cleanup_link_ struct link before = link_make(ports.enrol, NULL);
	assert_shown(&before, 2, of_office);
	snprintf(chain_path, sizeof(chain_path), "%s/fullchain.pem", office->folder);
	snprintf(key_path, sizeof(key_path), "%s/privkey.pem", office->folder);
	file = fopen(chain_path, "w");
	assert_true(file && PEM_write_X509(file, bought.certificate) &&
		    PEM_write_X509(file, public_ca.certificate));
	fclose(file);
	file = fopen(key_path, "w");
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	assert_true(PEM_write_PKCS8PrivateKey(file, rsa, NULL, NULL, 0, NULL, NULL));
	fclose(file);
	for (int i = 0; i < 2; i++)
		tls_folder_look(folder, clock_wall_s());
	assert_true(carries(&before));
	_cleanup_link_ struct link after = link_make(ports.enrol, NULL);
	assert_shown(&after, 2, of_folder);
	/* Both ports, and an update from the office leaves it. */
	assert_ok(send(office, &config));
	_cleanup_forged_ struct forged device =
		forge(&(struct forge){ .issuer = &office->issuing });
	_cleanup_link_ struct link gateway = link_make(ports.gateway, &device);
	assert_shown(&gateway, 2, of_folder);
	tls_show(office->tls, NULL);
	_cleanup_link_ struct link again = link_make(ports.enrol, NULL);
	assert_shown(&again, 2, of_office);
	tls_folder_free(folder);
	EVP_PKEY_free(rsa);
	unlink(chain_path);
	unlink(key_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_key_is_made_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_broken_key_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_office_is_taken_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_first_form_of_an_office, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_issuing_ca_has_its_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_fit_changes_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_unbounded_number_of_lists_is_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_expired_gateway_takes_new_lists, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_context_needs_an_office, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaf_and_issuer_are_shown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_the_leaf_below_a_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_gateway_demands_and_enrolment_asks, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_update_keeps_connections, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_is_shown_instead, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
