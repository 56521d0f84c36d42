/*
 * signer.h - the process itself, started as the monitor starts it, for tests that speak to it as
 * the broker does.
 */
#ifndef SEKISHO_TESTS_CERTS_SIGNER_H
#define SEKISHO_TESTS_CERTS_SIGNER_H

#include "fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "certs/csr.h"
#include "wire/child.h"
#include "wire/enums.h"
#include "wire/ipc.h"

struct signer {
	struct fixture_folder state;
	char conf[128], folder[128], log[128];
	int monitor; /* our end of its channel */
	pid_t pid;
	struct ipc_received *received;
};

/* Beside the tests: <build>/tests/unit-certs-... and <build>/bin/sekisho-signer. */
static inline void signer_program(char *path, size_t room)
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

/* In the new process. */
static inline void signer_become(const struct signer *signer, const char *program, int channel)
{
	int log = open(signer->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	dup2(log, STDERR_FILENO);
	if (channel == CHILD_MONITOR_FD)
		fcntl(channel, F_SETFD, 0);
	else
		dup2(channel, CHILD_MONITOR_FD);
	execl(program, program, signer->conf, NULL);
	_exit(127);
}

static inline void signer_start(struct signer *signer)
{
	char program[600];
	int fds[2];

	signer_program(program, sizeof(program));
	assert_ok(ipc_pair(fds));
	signer->monitor = fds[0];
	signer->pid = fork();
	assert_true(signer->pid >= 0);
	if (signer->pid == 0)
		signer_become(signer, program, fds[1]);
	close(fds[1]);
}

/* With more lines of settings; does not start it. */
static inline struct signer *signer_new(const char *settings)
{
	struct signer *signer = calloc(1, sizeof(*signer));

	folder_make(&signer->state);
	folder_file(&signer->state, "signer", signer->folder);
	folder_file(&signer->state, "conf", signer->conf);
	folder_file(&signer->state, "log", signer->log);
	assert_int_equal(mkdir(signer->folder, 0700), 0);
	FILE *conf = fopen(signer->conf, "w");
	assert_true(fprintf(conf, "[gateway]\nstate_dir = %s\noffice = Test\n%s",
			    signer->state.path, settings) > 0);
	fclose(conf);
	signer->received = malloc(sizeof(*signer->received));
	return signer;
}

/* Its exit status. */
static inline int signer_wait(struct signer *signer)
{
	int status = 0;

	assert_int_equal(waitpid(signer->pid, &status, 0), signer->pid);
	signer->pid = 0;
	return status;
}

static inline int signer_stop(struct signer *signer)
{
	close(signer->monitor);
	return signer_wait(signer);
}

static inline void signer_free(struct signer *signer)
{
	if (signer->pid)
		signer_stop(signer);
	folder_remove(&signer->state);
	free(signer->received);
	free(signer);
}

static inline char *signer_log(const struct signer *signer)
{
	char *text = NULL;
	size_t len;

	assert_ok(util_read_file(signer->log, 1 << 20, &text, &len));
	return text;
}

static inline bool signer_said(const struct signer *signer, const char *text)
{
	_cleanup_free_ char *log = signer_log(signer);

	return strstr(log, text) != NULL;
}

/* The passphrase's file, as from the monitor. */
static inline void signer_give_passphrase(const struct signer *signer, const char *text)
{
	const struct msg_file msg = { .kind = FILE_CA_PASSPHRASE };
	char path[UNIT_FILE];
	_cleanup_close_ int fd = unit_file(path);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_ok(ipc_send(signer->monitor, MSG_file, &msg, fd));
}

/* A new broker: our end of a fresh channel whose other end goes to the signer. */
static inline int signer_link(const struct signer *signer)
{
	const struct msg_link link = { .peer = WIRE_BROKER };
	int fds[2];

	assert_ok(ipc_pair(fds));
	assert_ok(ipc_send(signer->monitor, MSG_link, &link, fds[1]));
	close(fds[1]);
	return fds[0];
}

/* Lives until the next one. */
static inline const union wire_any *signer_answer(struct signer *signer, int broker, uint16_t id)
{
	struct pollfd poll_fd = { .fd = broker, .events = POLLIN };

	assert_int_equal(poll(&poll_fd, 1, 20000), 1);
	enum err err = ipc_receive(broker, WIRE_SIGNER, WIRE_BROKER, signer->received);
	if (err) {
		_cleanup_free_ char *log = signer_log(signer);
		fail_msg("%s: %s", err_code(err), log);
	}
	assert_int_equal(signer->received->type->id, id);
	return &signer->received->msg;
}

static inline const struct msg_certified *signer_sign(struct signer *signer, int broker,
						      EVP_PKEY *key)
{
	struct msg_sign order = {
		.request = 5,
		.profile = CERT_DEVICE,
		.name = "laptop",
		.owner = "sato",
		.challenge = "",
	};
	uint8_t *der = NULL;

	assert_ok(csr_make(key, &der, &order.csr.len));
	order.csr.data = der;
	assert_ok(ipc_send(broker, MSG_sign, &order, -1));
	OPENSSL_free(der);
	const struct msg_certified *reply =
		&signer_answer(signer, broker, MSG_certified)->certified;
	assert_int_equal(reply->request, 5);
	return reply;
}

/* Asks for a certificate; returns it and the issuing CA's. */
static inline void signer_enrol(struct signer *signer, int broker, X509 **ret_certificate,
				X509 **ret_ca)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	const struct msg_certified *reply = signer_sign(signer, broker, key);

	assert_ok(reply->error);
	const uint8_t *at = reply->certificate.data;
	*ret_certificate = d2i_X509(NULL, &at, (long)reply->certificate.len);
	at = reply->ca.data;
	*ret_ca = d2i_X509(NULL, &at, (long)reply->ca.len);
	assert_int_equal(X509_check_private_key(*ret_certificate, key), 1);
	assert_int_equal(X509_verify(*ret_certificate, X509_get0_pubkey(*ret_ca)), 1);
}

static inline const struct msg_ca_state *signer_show(struct signer *signer, int broker)
{
	const struct msg_show_ca order = { .request = 7 };

	assert_ok(ipc_send(broker, MSG_show_ca, &order, -1));
	return &signer_answer(signer, broker, MSG_ca_state)->ca_state;
}

static inline const struct msg_ca_state *signer_change(struct signer *signer, int broker,
						       enum ca_order kind, const char *passphrase)
{
	const struct msg_change_ca order = { .request = 8,
					     .order = (uint8_t)kind,
					     .passphrase = passphrase };

	assert_ok(ipc_send(broker, MSG_change_ca, &order, -1));
	return &signer_answer(signer, broker, MSG_ca_state)->ca_state;
}

#endif
