/*
 * Probes against listeners of our own, and the real program in its sandbox.
 */
#include "unit/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/util.h"
#include "wire/child.h"
#include "worker/probe/probe.h"

enum { PATIENCE_MS = 20000 };

struct fixture {
	struct loop *loop;
	struct resolver *resolver;
	struct prober *prober;
	unsigned answers, reachable;
	struct msg_probed last;
};

static void probed(void *ctx, const struct msg_probed *msg)
{
	struct fixture *fixture = ctx;

	fixture->answers++;
	fixture->reachable += msg->reachable;
	fixture->last = *msg;
}

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){ 0 };
	*state = &fixture;
	return loop_new(&fixture.loop) || resolver_new(fixture.loop, &fixture.resolver) ||
	       prober_new(fixture.loop, fixture.resolver, probed, &fixture, &fixture.prober);
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	resolver_free(fixture->resolver);
	prober_free(fixture->prober);
	loop_free(fixture->loop);
	return 0;
}

static void wait_answers(struct fixture *fixture, unsigned count)
{
	uint64_t until = clock_mono_ms() + PATIENCE_MS;

	while (fixture->answers < count) {
		assert_true(clock_mono_ms() < until);
		assert_int_equal(loop_step(fixture->loop, 1000), OK);
	}
}

static int listener(int backlog, uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void ask(struct fixture *fixture, const char *address, uint16_t port)
{
	const struct msg_probe msg = { .host = 7, .address = address, .port = port };

	assert_int_equal(prober_probe(fixture->prober, &msg), OK);
}

/* Reachable, and yet the server never got a connection. */
static void test_listener_is_reachable_and_not_disturbed(void **state)
{
	struct fixture *fixture = *state;
	uint16_t port;
	_cleanup_close_ int fd = listener(16, &port);
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	for (unsigned i = 1; i <= 8; i++) {
		ask(fixture, "127.0.0.1", port);
		wait_answers(fixture, i);
	}
	assert_int_equal(fixture->reachable, 8);
	assert_int_equal(fixture->last.host, 7);
	assert_true(fixture->last.took_us < PROBE_TIMEOUT_US);
	/* Longer than the kernel may hold back an acknowledgement (TCP_DELACK_MAX, 200 ms). */
	assert_int_equal(poll(&poll_fd, 1, 400), 0);
}

static void test_closed_port_is_not(void **state)
{
	struct fixture *fixture = *state;
	uint16_t port;

	close(listener(1, &port));
	ask(fixture, "127.0.0.1", port);
	wait_answers(fixture, 1);
	assert_int_equal(fixture->reachable, 0);
	assert_true(fixture->last.took_us < PROBE_TIMEOUT_US);
}

static void test_name_is_resolved(void **state)
{
	struct fixture *fixture = *state;
	uint16_t port;
	_cleanup_close_ int fd = listener(16, &port);

	/* Where localhost is ::1 first, the refused address is passed over. */
	ask(fixture, "localhost", port);
	wait_answers(fixture, 1);
	assert_int_equal(fixture->reachable, 1);
}

static void test_unknown_names(void **state)
{
	static const char *const names[] = { "no-such-pc.invalid", "", "300.1.1.1", "::g", "a b" };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ask(fixture, names[i], 3389);
	wait_answers(fixture, ARRAY_SIZE(names));
	assert_int_equal(fixture->reachable, 0);
}

/* A listener whose queue is full lets the kernel drop further handshakes: a PC that does not
 * answer. */
struct silent {
	int listener, clients[4];
	uint16_t port;
};

static void silent_start(struct silent *silent)
{
	silent->listener = listener(0, &silent->port);
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(silent->port),
	};
	for (size_t i = 0; i < ARRAY_SIZE(silent->clients); i++) {
		silent->clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		struct pollfd poll_fd = { .fd = silent->clients[i], .events = POLLOUT };
		(void)!connect(silent->clients[i], (struct sockaddr *)&address, sizeof(address));
		poll(&poll_fd, 1, 50);
	}
}

static void silent_stop(struct silent *silent)
{
	for (size_t i = 0; i < ARRAY_SIZE(silent->clients); i++)
		close(silent->clients[i]);
	close(silent->listener);
}

static unsigned open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void test_silence_ends_after_two_seconds_and_few_run_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct silent silent;

	silent_start(&silent);
	unsigned before = open_descriptors();
	uint64_t began = clock_mono_us();
	for (unsigned i = 0; i < PROBE_AT_ONCE + 10; i++)
		ask(fixture, "127.0.0.1", silent.port);
	assert_int_equal(open_descriptors() - before, PROBE_AT_ONCE);
	wait_answers(fixture, PROBE_AT_ONCE);
	uint64_t took_us = clock_mono_us() - began;
	assert_int_equal(fixture->reachable, 0);
	assert_in_range(took_us, PROBE_TIMEOUT_US, 2 * PROBE_TIMEOUT_US);
	wait_answers(fixture, PROBE_AT_ONCE + 10);
	assert_int_equal(open_descriptors(), before);
	silent_stop(&silent);
}

static void test_too_many_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct silent silent;

	silent_start(&silent);
	const struct msg_probe msg = { .address = "127.0.0.1", .port = silent.port };
	for (unsigned i = 0; i < PROBE_AT_ONCE + PROBE_WAITING_MAX; i++)
		assert_int_equal(prober_probe(fixture->prober, &msg), OK);
	assert_int_equal(prober_probe(fixture->prober, &msg), ERR_FULL);
	silent_stop(&silent);
}

/* Many that are answered before the call returns, one after the other. */
static void test_immediate_answers(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 0; i < 500; i++)
		ask(fixture, "255.255.255.255", 80); /* connect() fails at once */
	wait_answers(fixture, 500);
	assert_int_equal(fixture->reachable, 0);
}

/* ---- the program ------------------------------------------------------------------------ */

struct program {
	pid_t pid;
	int monitor_fd, broker_fd;
	char folder[UNIT_FOLDER], conf[80];
};

/* Beside the tests when everything is built. */
static bool program_path(char path[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 64);

	assert_true(len > 0);
	path[len] = 0;
	strcpy(strrchr(path, '/'), "/../bin/sekisho-probe");
	return access(path, X_OK) == 0;
}

static void program_start(struct program *program, char *path)
{
	char text[256];
	int fds[2], link_fds[2];

	unit_folder(program->folder);
	snprintf(program->conf, sizeof(program->conf), "%s/conf", program->folder);
	int len = snprintf(text, sizeof(text), "[gateway]\nstate_dir = %s\n", program->folder);
	assert_int_equal(util_write_file(program->conf, text, (size_t)len, 0644), OK);
	assert_int_equal(ipc_pair(fds), OK);
	assert_int_equal(ipc_pair(link_fds), OK);
	program->pid = fork();
	assert_true(program->pid >= 0);
	if (program->pid == 0) {
		char *argv[] = { path, program->conf, NULL };
		/* dup2 onto itself would keep close-on-exec */
		if (fds[1] == CHILD_MONITOR_FD ? fcntl(fds[1], F_SETFD, 0) < 0
					       : dup2(fds[1], CHILD_MONITOR_FD) < 0)
			_exit(90);
		execv(path, argv);
		_exit(91);
	}
	close(fds[1]);
	program->monitor_fd = fds[0];
	program->broker_fd = link_fds[1];
	assert_int_equal(ipc_send(fds[0], MSG_link, &(struct msg_link){ WIRE_BROKER }, link_fds[0]),
			 OK);
	close(link_fds[0]);
}

static void program_stop(struct program *program, int signal)
{
	int status;

	if (signal)
		kill(program->pid, signal);
	else
		close(util_take_fd(&program->monitor_fd));
	assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	if (program->monitor_fd >= 0)
		close(program->monitor_fd);
	close(program->broker_fd);
	unit_folder_remove(program->folder);
}

static struct msg_probed program_ask(struct program *program, const char *address, uint16_t port)
{
	const struct msg_probe msg = { .host = 42, .address = address, .port = port };
	struct pollfd poll_fd = { .fd = program->broker_fd, .events = POLLIN };
	struct ipc_received received;

	assert_int_equal(ipc_send(program->broker_fd, MSG_probe, &msg, -1), OK);
	assert_int_equal(poll(&poll_fd, 1, PATIENCE_MS), 1);
	assert_int_equal(ipc_receive(program->broker_fd, WIRE_PROBE, WIRE_BROKER, &received), OK);
	assert_int_equal(received.type->id, MSG_probed);
	assert_int_equal(received.msg.probed.host, 42);
	return received.msg.probed;
}

static void test_program_in_its_sandbox(void **state)
{
	char path[PATH_MAX];
	struct program program;
	uint16_t port;
	_cleanup_close_ int fd = listener(16, &port);

	(void)state;
	if (!program_path(path))
		skip();
	program_start(&program, path);
	assert_int_equal(program_ask(&program, "127.0.0.1", port).reachable, 1);
	assert_int_equal(program_ask(&program, "localhost", port).reachable, 1);
	assert_int_equal(program_ask(&program, "no-such-pc.invalid", port).reachable, 0);
	const struct msg_wake wake = { .host = 1, .address = "localhost" };
	assert_int_equal(ipc_send(program.broker_fd, MSG_wake, &wake, -1), OK);
	assert_int_equal(program_ask(&program, "127.0.0.1", port).reachable, 1);
	program_stop(&program, SIGTERM);
	program_start(&program, path);
	assert_int_equal(program_ask(&program, "127.0.0.1", port).reachable, 1);
	program_stop(&program, 0); /* the monitor went away */
}

#define with_prober(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_prober(test_listener_is_reachable_and_not_disturbed),
		with_prober(test_closed_port_is_not),
		with_prober(test_name_is_resolved),
		with_prober(test_unknown_names),
		with_prober(test_silence_ends_after_two_seconds_and_few_run_at_once),
		with_prober(test_too_many_are_refused),
		with_prober(test_immediate_answers),
		cmocka_unit_test(test_program_in_its_sandbox),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
