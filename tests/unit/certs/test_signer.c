/* The process itself, started as the monitor starts it. */
#include "fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "certs/ca_make.h"
#include "certs/csr.h"
#include "certs/identity.h"
#include "wire/child.h"
#include "wire/ipc.h"

struct signer {
	struct fixture_folder state;
	char conf[128], folder[128];
	int monitor; /* our end of its channel */
	pid_t pid;
	struct ipc_received *received;
};

/* Beside the tests: <build>/tests/unit-certs-signer and <build>/bin/sekisho-signer. */
static void program_path(char *path, size_t room)
{
	char self[512];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(len > 0);
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	assert_true((size_t)snprintf(path, room, "%s/../bin/sekisho-signer", self) < room);
	if (access(path, X_OK) < 0)
		fail_msg("%s is not built", path);
}

static void start(struct signer *signer)
{
	char program[600];
	int fds[2];

	program_path(program, sizeof(program));
	assert_int_equal(ipc_pair(fds), OK);
	signer->monitor = fds[0];
	signer->pid = fork();
	assert_true(signer->pid >= 0);
	if (signer->pid == 0) {
		int quiet = open("/dev/null", O_WRONLY);
		dup2(quiet, STDERR_FILENO);
		if (fds[1] == CHILD_MONITOR_FD)
			fcntl(fds[1], F_SETFD, 0);
		else
			dup2(fds[1], CHILD_MONITOR_FD);
		execl(program, program, signer->conf, NULL);
		_exit(127);
	}
	close(fds[1]);
}

static int setup(void **state)
{
	struct signer *signer = calloc(1, sizeof(*signer));

	folder_make(&signer->state);
	folder_file(&signer->state, "signer", signer->folder);
	folder_file(&signer->state, "conf", signer->conf);
	assert_int_equal(mkdir(signer->folder, 0700), 0);
	FILE *conf = fopen(signer->conf, "w");
	assert_true(fprintf(conf, "[gateway]\nstate_dir = %s\noffice = Test\n",
			    signer->state.path) > 0);
	fclose(conf);
	signer->received = malloc(sizeof(*signer->received));
	start(signer);
	*state = signer;
	return 0;
}

static int stop(struct signer *signer)
{
	int status = 0;

	close(signer->monitor);
	assert_int_equal(waitpid(signer->pid, &status, 0), signer->pid);
	return status;
}

static int teardown(void **state)
{
	struct signer *signer = *state;

	folder_remove(&signer->state);
	free(signer->received);
	free(signer);
	return 0;
}

/* A new broker: our end of a fresh channel whose other end goes to the signer. */
static int link_broker(struct signer *signer)
{
	const struct msg_link link = { .peer = WIRE_BROKER };
	int fds[2];

	assert_int_equal(ipc_pair(fds), OK);
	assert_int_equal(ipc_send(signer->monitor, MSG_link, &link, fds[1]), OK);
	close(fds[1]);
	return fds[0];
}

static const union wire_any *answer(struct signer *signer, int broker, uint16_t id)
{
	struct pollfd poll_fd = { .fd = broker, .events = POLLIN };

	assert_int_equal(poll(&poll_fd, 1, 20000), 1);
	assert_int_equal(ipc_receive(broker, WIRE_SIGNER, WIRE_BROKER, signer->received), OK);
	assert_int_equal(signer->received->type->id, id);
	return &signer->received->msg;
}

/* Asks for a certificate; returns it and the CA's. */
static void enrol(struct signer *signer, int broker, X509 **ret_certificate, X509 **ret_ca)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	struct msg_sign order = {
		.request = 5,
		.profile = CERT_DEVICE,
		.name = "laptop",
		.owner = "sato",
		.challenge = "",
	};
	uint8_t *der = NULL;

	assert_int_equal(csr_make(key, &der, &order.csr.len), OK);
	order.csr.data = der;
	assert_int_equal(ipc_send(broker, MSG_sign, &order, -1), OK);
	OPENSSL_free(der);
	const struct msg_certified *reply = &answer(signer, broker, MSG_certified)->certified;
	assert_int_equal(reply->request, 5);
	assert_int_equal(reply->error, OK);
	const uint8_t *at = reply->certificate.data;
	*ret_certificate = d2i_X509(NULL, &at, (long)reply->certificate.len);
	at = reply->ca.data;
	*ret_ca = d2i_X509(NULL, &at, (long)reply->ca.len);
	assert_int_equal(X509_check_private_key(*ret_certificate, key), 1);
	assert_int_equal(X509_verify(*ret_certificate, X509_get0_pubkey(*ret_ca)), 1);
}

static void test_signs(void **state)
{
	struct signer *signer = *state;
	_cleanup_object_(x509) X509 *certificate = NULL, *ca = NULL;
	_cleanup_close_ int broker = link_broker(signer);

	enrol(signer, broker, &certificate, &ca);
	const struct msg_make_crl list = { .request = 6, .issuer = 1 };
	assert_int_equal(ipc_send(broker, MSG_make_crl, &list, -1), OK);
	const struct msg_made_crl *reply = &answer(signer, broker, MSG_made_crl)->made_crl;
	assert_int_equal(reply->request, 6);
	assert_int_equal(reply->error, OK);
	const uint8_t *at = reply->crl.data;
	_cleanup_object_(crl) X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)reply->crl.len);
	assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(ca)), 1);
	assert_int_equal(stop(signer), 0);
}

/* Before anything was signed. */
static void test_shows_its_ca(void **state)
{
	struct signer *signer = *state;
	_cleanup_close_ int broker = link_broker(signer);
	const struct msg_show_ca order = { .request = 7 };

	assert_int_equal(ipc_send(broker, MSG_show_ca, &order, -1), OK);
	const struct msg_ca_state *reply = &answer(signer, broker, MSG_ca_state)->ca_state;
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
	assert_int_equal(stop(signer), 0);
}

static void test_refuses_with_an_answer(void **state)
{
	struct signer *signer = *state;
	_cleanup_close_ int broker = link_broker(signer);
	const struct msg_sign order = { .request = 9,
					.profile = CERT_DEVICE,
					.name = "x",
					.owner = "y",
					.csr = { (const uint8_t *)"rubbish", 7 } };

	assert_int_equal(ipc_send(broker, MSG_sign, &order, -1), OK);
	const struct msg_certified *reply = &answer(signer, broker, MSG_certified)->certified;
	assert_int_equal(reply->request, 9);
	assert_int_equal(reply->error, ERR_INVALID);
	assert_int_equal(reply->certificate.len, 0);
	assert_int_equal(stop(signer), 0);
}

/* Brokers come and go; the CA stays. */
static void test_broker_replaced(void **state)
{
	struct signer *signer = *state;
	_cleanup_object_(x509) X509 *certificate = NULL, *ca = NULL;

	for (int i = 0; i < 3; i++) {
		X509 *next = NULL, *next_ca = NULL;
		int broker = link_broker(signer);
		enrol(signer, broker, &next, &next_ca);
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
			int second = link_broker(signer);
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
	assert_int_equal(stop(signer), 0);
}

/* A broker that breaks the protocol loses its channel; the signer lives on. */
static void test_broken_broker(void **state)
{
	struct signer *signer = *state;
	_cleanup_object_(x509) X509 *certificate = NULL, *ca = NULL;
	int broken = link_broker(signer);
	struct pollfd poll_fd = { .fd = broken, .events = POLLIN };

	assert_int_equal(write(broken, "\x01\x05rubbish", 9), 9);
	assert_int_equal(poll(&poll_fd, 1, 20000), 1);
	assert_int_equal(ipc_receive(broken, WIRE_SIGNER, WIRE_BROKER, signer->received),
			 ERR_CLOSED);
	close(broken);
	_cleanup_close_ int broker = link_broker(signer);
	enrol(signer, broker, &certificate, &ca);
	assert_int_equal(stop(signer), 0);
}

static void test_restart_keeps_ca(void **state)
{
	struct signer *signer = *state;
	_cleanup_object_(x509) X509 *certificate = NULL, *ca = NULL, *later = NULL,
				    *later_ca = NULL;
	int broker = link_broker(signer);

	enrol(signer, broker, &certificate, &ca);
	close(broker);
	assert_int_equal(kill(signer->pid, SIGKILL), 0);
	stop(signer);
	start(signer);
	broker = link_broker(signer);
	enrol(signer, broker, &later, &later_ca);
	assert_int_equal(X509_cmp(ca, later_ca), 0);
	close(broker);
	assert_int_equal(kill(signer->pid, SIGTERM), 0);
	assert_int_equal(stop(signer), 0);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
