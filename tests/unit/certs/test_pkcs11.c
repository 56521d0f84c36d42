/* The signer's process with its key in SoftHSM, under the sandbox: by the provider and by the
 * engine. */
#include "signer.h"

#include <openssl/crypto.h>

#include "certs/ca_make.h"
#include "certs/key_file.h"
#include "certs/pkcs11.h"

#define PIN "87654321"

enum way { BY_PROVIDER, BY_ENGINE };

struct hsm {
	struct signer *signer;
	struct fixture_folder folder; /* of the tokens, and an empty one */
	enum way way;
};

static const char *module_path(void)
{
	static const char *const paths[] = {
		"/usr/lib/softhsm/libsofthsm2.so",
		"/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
		"/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (access(paths[i], R_OK) == 0)
			return paths[i];
	return NULL;
}

/* In a folder that OpenSSL names. */
static bool is_in(int info, const char *name)
{
	const char *text = OPENSSL_info(info);
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", text ? text : "", name);
	return access(path, R_OK) == 0;
}

static bool has(enum way way)
{
	if (way == BY_ENGINE)
		return is_in(OPENSSL_INFO_ENGINES_DIR, "pkcs11.so");
#ifdef __SANITIZE_ADDRESS__
	/* It loads modules with RTLD_DEEPBIND, which the sanitizer's runtime refuses. */
	return false;
#else
	return is_in(OPENSSL_INFO_MODULES_DIR, "pkcs11.so");
#endif
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void add_key(const struct hsm *hsm, const char *label, unsigned id)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	char path[128], command[400];

	folder_file(&hsm->folder, "key.pem", path);
	assert_ok(ca_make_key(&key));
	assert_ok(key_write(key, NULL, path));
	snprintf(command, sizeof(command),
		 "softhsm2-util --import %s --token sekisho --label %s --id %02x --pin " PIN
		 " >/dev/null 2>&1",
		 path, label, id);
	run(command);
}

static void make_token(struct hsm *hsm)
{
	char path[128], tokens[128], nothing[128];

	folder_make(&hsm->folder);
	folder_file(&hsm->folder, "softhsm.conf", path);
	folder_file(&hsm->folder, "tokens", tokens);
	folder_file(&hsm->folder, "nothing", nothing);
	assert_int_equal(mkdir(tokens, 0700), 0);
	assert_int_equal(mkdir(nothing, 0700), 0);
	FILE *conf = fopen(path, "w");
	assert_true(fprintf(conf, "directories.tokendir = %s\nobjectstore.backend = file\n",
			    tokens) > 0);
	fclose(conf);
	setenv("SOFTHSM2_CONF", path, 1);
	/* So that the other way is not found. */
	unsetenv("OPENSSL_MODULES");
	unsetenv("OPENSSL_ENGINES");
	setenv(hsm->way == BY_PROVIDER ? "OPENSSL_ENGINES" : "OPENSSL_MODULES", nothing, 1);
	run("softhsm2-util --init-token --free --label sekisho --so-pin 12345678 --pin " PIN
	    " >/dev/null 2>&1");
	add_key(hsm, "issuing-1", 1);
}

static struct signer *new_signer(const struct hsm *hsm, const char *label)
{
	char settings[600], tokens[128];

	folder_file(&hsm->folder, "tokens", tokens);
	snprintf(settings, sizeof(settings),
		 "[ca]\npkcs11_module = %s\npkcs11_key = pkcs11:token=sekisho;object=%s\n"
		 "pkcs11_dir = %s\n",
		 module_path(), label, tokens);
	return signer_new(settings);
}

static int setup(void **state, enum way way)
{
	struct hsm *hsm = calloc(1, sizeof(*hsm));

	hsm->way = way;
	*state = hsm;
	if (!has(way) || !module_path() || system("command -v softhsm2-util >/dev/null") != 0)
		return 0;
	make_token(hsm);
	hsm->signer = new_signer(hsm, "issuing-1");
	signer_start(hsm->signer);
	return 0;
}

static int setup_provider(void **state)
{
	return setup(state, BY_PROVIDER);
}

static int setup_engine(void **state)
{
	return setup(state, BY_ENGINE);
}

static int teardown(void **state)
{
	struct hsm *hsm = *state;

	if (hsm->signer) {
		signer_free(hsm->signer);
		folder_remove(&hsm->folder);
	}
	free(hsm);
	return 0;
}

static struct hsm *need(void **state)
{
	struct hsm *hsm = *state;

	if (!hsm->signer)
		skip();
	return hsm;
}

static bool is_file(const struct signer *signer, const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/ca/%s", signer->folder, name);
	return access(path, F_OK) == 0;
}

/* A certificate, a list and an OCSP answer, all signed by the token. */
static void use(struct signer *signer, int broker, uint32_t number)
{
	_cleanup_object_(x509) X509 *certificate = NULL, *ca = NULL;
	const struct msg_make_crl list = { .request = 6, .issuer = number };

	signer_enrol(signer, broker, &certificate, &ca);
	assert_ok(ipc_send(broker, MSG_make_crl, &list, -1));
	const struct msg_made_crl *reply = &signer_answer(signer, broker, MSG_made_crl)->made_crl;
	assert_ok(reply->error);
	const uint8_t *at = reply->crl.data;
	_cleanup_object_(crl) X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)reply->crl.len);
	assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(ca)), 1);
}

static void test_whole_life(void **state)
{
	struct hsm *hsm = need(state);
	struct signer *signer = hsm->signer;
	int broker = signer_link(signer);

	/* Without a PIN there is nothing yet, and nothing is made by itself. */
	const struct msg_ca_state *reply = signer_show(signer, broker);
	assert_ok(reply->error);
	assert_int_equal(reply->locked, 1);
	assert_int_equal(reply->issuers.len, 0);
	assert_int_equal(reply->cas.len, 0);
	assert_true(signer_said(signer, "event=ca-absent"));
	assert_true(signer_said(signer, hsm->way == BY_PROVIDER ? "way=provider key=seen"
								: "way=engine key=seen"));
	assert_err(signer_change(signer, broker, CA_INIT, "1111")->error, ERR_LOGIN);
	assert_false(is_file(signer, ""));
	reply = signer_change(signer, broker, CA_INIT, PIN);
	assert_ok(reply->error);
	assert_int_equal(reply->locked, 0);
	assert_true(is_file(signer, "1/issuing.uri"));
	assert_true(is_file(signer, "1/root.key"));
	assert_false(is_file(signer, "1/issuing.key"));
	use(signer, broker, 1);
	/* A new CA wants a new key. */
	assert_err(signer_change(signer, broker, CA_ROTATE, PIN)->error, ERR_EXISTS);
	close(broker);
	assert_int_equal(signer_stop(signer), 0);
	assert_false(signer_said(signer, PIN));
}

static void test_unlock_after_restart(void **state)
{
	struct hsm *hsm = need(state);
	struct signer *signer = hsm->signer;
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	int broker = signer_link(signer);

	assert_ok(signer_change(signer, broker, CA_INIT, PIN)->error);
	close(broker);
	assert_int_equal(signer_stop(signer), 0);
	signer_start(signer);
	broker = signer_link(signer);
	assert_int_equal(signer_show(signer, broker)->locked, 1);
	assert_err(signer_sign(signer, broker, key)->error, ERR_LOCKED);
	assert_err(signer_change(signer, broker, CA_UNLOCK, "1111")->error, ERR_LOGIN);
	assert_ok(signer_change(signer, broker, CA_UNLOCK, PIN)->error);
	use(signer, broker, 1);
	close(broker);
	assert_int_equal(signer_stop(signer), 0);
}

/* The settings name the next key; the CA before goes on with its own. */
static void test_rotate(void **state)
{
	struct hsm *hsm = need(state);
	struct signer *old = hsm->signer;
	char from[200], to[200];
	int broker = signer_link(old);

	assert_ok(signer_change(old, broker, CA_INIT, PIN)->error);
	close(broker);
	assert_int_equal(signer_stop(old), 0);
	add_key(hsm, "issuing-2", 2);
	hsm->signer = new_signer(hsm, "issuing-2");
	snprintf(from, sizeof(from), "%s/ca", old->folder);
	snprintf(to, sizeof(to), "%s/ca", hsm->signer->folder);
	assert_int_equal(rename(from, to), 0);
	signer_free(old);
	signer_start(hsm->signer);
	broker = signer_link(hsm->signer);
	const struct msg_ca_state *reply = signer_change(hsm->signer, broker, CA_ROTATE, PIN);
	assert_ok(reply->error);
	assert_memory_equal(reply->issuers.data, "\2\0\0\0\1\0\0\0", 8);
	use(hsm->signer, broker, 2);
	const struct msg_make_crl list = { .request = 6, .issuer = 1 };
	assert_ok(ipc_send(broker, MSG_make_crl, &list, -1));
	assert_ok(signer_answer(hsm->signer, broker, MSG_made_crl)->made_crl.error);
	close(broker);
	assert_int_equal(signer_stop(hsm->signer), 0);
}

/* ---- settings --------------------------------------------------------------------------- */

static void refuse(const char *module, const char *uri, enum err wanted)
{
	struct token *token = NULL;

	assert_err(token_open(module, uri, &token), wanted);
	assert_null(token);
}

static void test_refused_settings(void **state)
{
	(void)state;
	refuse("/nonexistent.so", "pkcs11:token=sekisho;object=x?pin-value=1234", ERR_INVALID);
	refuse("/nonexistent.so", "pkcs11:token=sekisho?pin-source=file:/etc/pin", ERR_INVALID);
	refuse("/nonexistent.so", "/var/lib/key.pem", ERR_INVALID);
	refuse("/nonexistent.so", "", ERR_INVALID);
	refuse("/nonexistent.so", "pkcs11:token=sekisho", ERR_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole_life, setup_provider, teardown),
		cmocka_unit_test_setup_teardown(test_whole_life, setup_engine, teardown),
		cmocka_unit_test_setup_teardown(test_unlock_after_restart, setup_provider,
						teardown),
		cmocka_unit_test_setup_teardown(test_unlock_after_restart, setup_engine, teardown),
		cmocka_unit_test_setup_teardown(test_rotate, setup_provider, teardown),
		cmocka_unit_test_setup_teardown(test_rotate, setup_engine, teardown),
		cmocka_unit_test(test_refused_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
