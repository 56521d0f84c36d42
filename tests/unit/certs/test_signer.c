#include "signer.h"

#include <signal.h>

#include "certs/ca_make.h"

static int setup(void **state)
{
	struct signer *signer = signer_new("");

	signer_start(signer);
	*state = signer;
	return 0;
}

static int teardown(void **state)
{
	signer_free(*state);
	return 0;
}

static void test_signs(void **state)
{
	struct signer *signer = *state;
	_cleanup_object_(x509) X509 *certificate = NULL, *ca = NULL;
	_cleanup_close_ int broker = signer_link(signer);

	signer_enrol(signer, broker, &certificate, &ca);
	const struct msg_make_crl list = { .request = 6, .issuer = 1 };
	assert_int_equal(ipc_send(broker, MSG_make_crl, &list, -1), OK);
	const struct msg_made_crl *reply = &signer_answer(signer, broker, MSG_made_crl)->made_crl;
	assert_int_equal(reply->request, 6);
	assert_int_equal(reply->error, OK);
	const uint8_t *at = reply->crl.data;
	_cleanup_object_(crl) X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)reply->crl.len);
	assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(ca)), 1);
	assert_int_equal(signer_stop(signer), 0);
}

/* Before anything was signed. */
static void test_shows_its_ca(void **state)
{
	struct signer *signer = *state;
	_cleanup_close_ int broker = signer_link(signer);
	const struct msg_ca_state *reply = signer_show(signer, broker);
	const uint8_t *at = reply->cas.data, *end = at + reply->cas.len;
	assert_int_equal(reply->request, 7);
	assert_int_equal(reply->error, OK);
	assert_int_equal(reply->locked, 0);
	assert_int_equal(reply->root.len, 0);
	assert_int_equal(reply->issuers.len, 4);
	assert_memory_equal(reply->issuers.data, "\1\0\0\0", 4);
	_cleanup_object_(x509) X509 *ca = d2i_X509(NULL, &at, end - at);
	_cleanup_object_(x509) X509 *root = d2i_X509(NULL, &at, end - at);
	assert_ptr_equal(at, end);
	assert_true(ca_is_signed_by(ca, root));
	assert_true(ca_is_signed_by(root, root));
	assert_int_equal(signer_stop(signer), 0);
}

static void test_refuses_with_an_answer(void **state)
{
	struct signer *signer = *state;
	_cleanup_close_ int broker = signer_link(signer);
	const struct msg_sign order = { .request = 9,
					.profile = CERT_DEVICE,
					.name = "x",
					.owner = "y",
					.challenge = "",
					.csr = { (const uint8_t *)"rubbish", 7 } };

	assert_int_equal(ipc_send(broker, MSG_sign, &order, -1), OK);
	const struct msg_certified *reply =
		&signer_answer(signer, broker, MSG_certified)->certified;
	assert_int_equal(reply->request, 9);
	assert_int_equal(reply->error, ERR_INVALID);
	assert_int_equal(reply->certificate.len, 0);
	assert_int_equal(signer_stop(signer), 0);
}

/* Brokers come and go; the CA stays. */
static void test_broker_replaced(void **state)
{
	struct signer *signer = *state;
	_cleanup_object_(x509) X509 *certificate = NULL, *ca = NULL;

	for (int i = 0; i < 3; i++) {
		X509 *next = NULL, *next_ca = NULL;
		int broker = signer_link(signer);
		signer_enrol(signer, broker, &next, &next_ca);
		/* The last one hangs up first, the others are replaced while they are there. */
		if (i == 1)
			close(broker);
		if (ca)
			assert_int_equal(X509_cmp(ca, next_ca), 0);
		X509_free(util_take_ptr(certificate));
		X509_free(util_take_ptr(ca));
		certificate = next;
		ca = next_ca;
		if (i == 0) {
			/* The replaced one sees the end of its channel. */
			int second = signer_link(signer);
			struct pollfd poll_fd = { .fd = broker, .events = POLLIN };
			assert_int_equal(poll(&poll_fd, 1, 20000), 1);
			assert_int_equal(
				ipc_receive(broker, WIRE_SIGNER, WIRE_BROKER, signer->received),
				ERR_CLOSED);
			close(broker);
			close(second);
		}
		if (i == 2)
			close(broker);
	}
	assert_int_equal(signer_stop(signer), 0);
}

/* A broker that breaks the protocol loses its channel; the signer lives on. */
static void test_broken_broker(void **state)
{
	struct signer *signer = *state;
	_cleanup_object_(x509) X509 *certificate = NULL, *ca = NULL;
	int broken = signer_link(signer);
	struct pollfd poll_fd = { .fd = broken, .events = POLLIN };

	assert_int_equal(write(broken, "\x01\x05rubbish", 9), 9);
	assert_int_equal(poll(&poll_fd, 1, 20000), 1);
	assert_int_equal(ipc_receive(broken, WIRE_SIGNER, WIRE_BROKER, signer->received),
			 ERR_CLOSED);
	close(broken);
	_cleanup_close_ int broker = signer_link(signer);
	signer_enrol(signer, broker, &certificate, &ca);
	assert_int_equal(signer_stop(signer), 0);
}

static void test_restart_keeps_ca(void **state)
{
	struct signer *signer = *state;
	_cleanup_object_(x509) X509 *certificate = NULL, *ca = NULL, *later = NULL,
				    *later_ca = NULL;
	int broker = signer_link(signer);

	signer_enrol(signer, broker, &certificate, &ca);
	close(broker);
	assert_int_equal(kill(signer->pid, SIGKILL), 0);
	signer_stop(signer);
	signer_start(signer);
	broker = signer_link(signer);
	signer_enrol(signer, broker, &later, &later_ca);
	assert_int_equal(X509_cmp(ca, later_ca), 0);
	close(broker);
	assert_int_equal(kill(signer->pid, SIGTERM), 0);
	assert_int_equal(signer_stop(signer), 0);
}

/* ---- passphrase ------------------------------------------------------------------------- */

static int setup_passphrase(void **state)
{
	*state = signer_new("[ca]\npassphrase_file = /run/not-for-the-signer\n");
	return 0;
}

static bool is_file(const struct signer *signer, const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/ca/%s", signer->folder, name);
	return access(path, F_OK) == 0;
}

static bool is_encrypted(const struct signer *signer, const char *name)
{
	char path[200];
	_cleanup_free_ char *text = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%s/ca/%s", signer->folder, name);
	assert_ok(util_read_file(path, 8192, &text, &len));
	return strstr(text, "BEGIN ENCRYPTED PRIVATE KEY") != NULL;
}

static void test_passphrase_file(void **state)
{
	struct signer *signer = *state;
	_cleanup_object_(x509) X509 *certificate = NULL, *ca = NULL, *later = NULL,
				    *later_ca = NULL;

	signer_start(signer);
	signer_give_passphrase(signer, "correct horse battery\n");
	int broker = signer_link(signer);
	signer_enrol(signer, broker, &certificate, &ca);
	assert_true(is_encrypted(signer, "1/root.key"));
	assert_true(is_encrypted(signer, "1/issuing.key"));
	close(broker);
	assert_int_equal(signer_stop(signer), 0);
	/* The line's end makes no difference. */
	signer_start(signer);
	signer_give_passphrase(signer, "correct horse battery");
	broker = signer_link(signer);
	signer_enrol(signer, broker, &later, &later_ca);
	assert_int_equal(X509_cmp(ca, later_ca), 0);
	close(broker);
	assert_int_equal(signer_stop(signer), 0);
	assert_false(signer_said(signer, "horse"));
}

/* Locked is no reason to end: it can be unlocked while it runs. */
static void test_wrong_passphrase_file(void **state)
{
	struct signer *signer = *state;
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	_cleanup_object_(x509) X509 *certificate = NULL, *ca = NULL;

	signer_start(signer);
	signer_give_passphrase(signer, "correct horse battery\n");
	int broker = signer_link(signer);
	signer_show(signer, broker);
	close(broker);
	assert_int_equal(signer_stop(signer), 0);
	signer_start(signer);
	signer_give_passphrase(signer, "correct horse batterie\n");
	broker = signer_link(signer);
	const struct msg_ca_state *reply = signer_show(signer, broker);
	assert_int_equal(reply->locked, 1);
	assert_int_equal(reply->issuers.len, 4);
	assert_true(reply->cas.len > 0);
	assert_true(signer_said(signer, "event=ca-passphrase-wrong"));
	assert_true(signer_said(signer, "event=ca-locked"));
	assert_err(signer_sign(signer, broker, key)->error, ERR_LOCKED);
	assert_err(signer_change(signer, broker, CA_UNLOCK, "wrong again")->error, ERR_LOGIN);
	reply = signer_change(signer, broker, CA_UNLOCK, "correct horse battery");
	assert_ok(reply->error);
	assert_int_equal(reply->locked, 0);
	signer_enrol(signer, broker, &certificate, &ca);
	close(broker);
	assert_int_equal(signer_stop(signer), 0);
	assert_false(signer_said(signer, "horse"));
}

static void refuse_passphrase(struct signer *signer, const char *text)
{
	signer_start(signer);
	signer_give_passphrase(signer, text);
	int status = signer_wait(signer);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	close(signer->monitor);
	assert_true(signer_said(signer, "event=ca-passphrase-file"));
	assert_int_equal(truncate(signer->log, 0), 0);
	assert_false(is_file(signer, "1/issuing.key"));
}

static void test_bad_passphrase_file(void **state)
{
	struct signer *signer = *state;
	char large[300];

	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	refuse_passphrase(signer, large);
	refuse_passphrase(signer, "seven77\n");
	refuse_passphrase(signer, "two lines\nof text\n");
	refuse_passphrase(signer, "not UTF-8: \xff\xfe");
}

/* ---- orders while it runs, under its sandbox -------------------------------------------- */

static void test_init_and_rotate(void **state)
{
	struct signer *signer = *state;
	_cleanup_object_(x509) X509 *certificate = NULL, *ca = NULL;
	int broker = signer_link(signer);
	struct msg_change_ca order = {
		.request = 8,
		.order = CA_INIT,
		.passphrase = "correct horse",
	};

	assert_ok(ipc_send(broker, MSG_change_ca, &order, -1));
	const struct msg_ca_state *reply = &signer_answer(signer, broker, MSG_ca_state)->ca_state;
	assert_ok(reply->error);
	assert_memory_equal(reply->issuers.data, "\2\0\0\0", 4);
	assert_int_equal(reply->root.len, 0);
	assert_false(is_file(signer, "1"));
	/* The root's key leaves in two steps. */
	reply = signer_change(signer, broker, CA_SHOW_ROOT, "correct horse");
	assert_ok(reply->error);
	assert_true(reply->root_here);
	_cleanup_free_ char *root = strndup((const char *)reply->root.data, reply->root.len);
	assert_non_null(strstr(root, "BEGIN ENCRYPTED PRIVATE KEY"));
	assert_true(is_encrypted(signer, "2/root.key"));
	order = (struct msg_change_ca){
		.request = 8,
		.order = CA_DROP_ROOT,
		.passphrase = "correct horse",
		.root = { (const uint8_t *)root, strlen(root) },
	};
	assert_ok(ipc_send(broker, MSG_change_ca, &order, -1));
	reply = &signer_answer(signer, broker, MSG_ca_state)->ca_state;
	assert_ok(reply->error);
	assert_false(reply->root_here);
	assert_int_equal(reply->root.len, 0);
	assert_false(is_file(signer, "2/root.key"));
	assert_true(is_encrypted(signer, "2/issuing.key"));
	assert_err(signer_change(signer, broker, CA_ROTATE, "correct horse")->error, ERR_NOT_FOUND);
	order = (struct msg_change_ca){
		.request = 8,
		.order = CA_ROTATE,
		.passphrase = "correct horse",
		.root = { (const uint8_t *)root, strlen(root) },
	};
	assert_ok(ipc_send(broker, MSG_change_ca, &order, -1));
	reply = &signer_answer(signer, broker, MSG_ca_state)->ca_state;
	assert_ok(reply->error);
	assert_int_equal(reply->issuers.len, 8);
	assert_memory_equal(reply->issuers.data, "\3\0\0\0\2\0\0\0", 8);
	assert_int_equal(reply->root.len, 0);
	signer_enrol(signer, broker, &certificate, &ca);
	assert_err(signer_change(signer, broker, CA_INIT, "correct horse")->error, ERR_WRONG_STATE);
	close(broker);
	assert_int_equal(signer_stop(signer), 0);
	assert_false(signer_said(signer, "horse"));
	signer_start(signer);
	broker = signer_link(signer);
	reply = signer_show(signer, broker);
	assert_int_equal(reply->locked, 1);
	assert_memory_equal(reply->issuers.data, "\3\0\0\0\2\0\0\0", 8);
	close(broker);
	assert_int_equal(signer_stop(signer), 0);
}

static void test_checks_requests(void **state)
{
	struct signer *signer = *state;
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-384");
	struct msg_check_csr order = { .request = 4, .challenge = "" };
	uint8_t *der = NULL, hash[CSR_KEY_HASH];
	int broker = signer_link(signer);

	assert_ok(csr_make(key, &der, &order.csr.len));
	order.csr.data = der;
	assert_ok(csr_key_hash(key, hash));
	assert_ok(ipc_send(broker, MSG_check_csr, &order, -1));
	const struct msg_checked_csr *reply =
		&signer_answer(signer, broker, MSG_checked_csr)->checked_csr;
	assert_int_equal(reply->request, 4);
	assert_ok(reply->error);
	assert_memory_equal(reply->key, hash, sizeof(hash));
	assert_string_equal(reply->key_type, "EC P-384");
	order.csr.len--;
	assert_ok(ipc_send(broker, MSG_check_csr, &order, -1));
	assert_err(signer_answer(signer, broker, MSG_checked_csr)->checked_csr.error, ERR_INVALID);
	OPENSSL_free(der);
	close(broker);
	assert_int_equal(signer_stop(signer), 0);
}

static void test_answers_ocsp(void **state)
{
	struct signer *signer = *state;
	const struct msg_answer_ocsp order = { .request = 3,
					       .question = { (const uint8_t *)"?", 1 } };
	int broker = signer_link(signer);

	assert_ok(ipc_send(broker, MSG_answer_ocsp, &order, -1));
	const struct msg_ocsp_answer *reply =
		&signer_answer(signer, broker, MSG_ocsp_answer)->ocsp_answer;
	assert_int_equal(reply->request, 3);
	assert_ok(reply->error);
	assert_true(reply->answer.len > 0);
	close(broker);
	assert_int_equal(signer_stop(signer), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_signs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shows_its_ca, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses_with_an_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broker_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_broker, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart_keeps_ca, setup, teardown),
		cmocka_unit_test_setup_teardown(test_passphrase_file, setup_passphrase, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_passphrase_file, setup_passphrase,
						teardown),
		cmocka_unit_test_setup_teardown(test_bad_passphrase_file, setup_passphrase,
						teardown),
		cmocka_unit_test_setup_teardown(test_init_and_rotate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_checks_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers_ocsp, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
