/*
 * place.h - a folder with a monitor, its settings and its programs, which are stand-ins; and what
 * the stand-ins say.
 */
#ifndef SEKISHO_TESTS_MONITOR_PLACE_H
#define SEKISHO_TESTS_MONITOR_PLACE_H

#include "unit/monitor/standin.h"

#include <netinet/in.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "monitor/monitor.h"

/* ---- the place -------------------------------------------------------------------------- */

static char place[UNIT_FOLDER]; /* bin/ with the stand-ins, state/, run/, conf */
static pid_t monitor_pid;

static inline uint16_t free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

static inline void copy_self(const char *target)
{
	_cleanup_free_ char *data = NULL;
	size_t len;

	assert_int_equal(util_read_file("/proc/self/exe", 256u << 20, &data, &len), OK);
	assert_int_equal(util_write_file(target, data, len, 0755), OK);
}

static inline void write_settings(const char *name, const char *state, const char *run,
				  uint16_t port, uint16_t enrol_port)
{
	char path[128], text[1024];
	int len = snprintf(
		text, sizeof(text),
		"[gateway]\nstate_dir = %s/%s\nruntime_dir = %s/%s\nlisten = 127.0.0.1:%u\n"
		"enrol_listen = 127.0.0.1:%u\n[ca]\npassphrase_file = %s/passphrase\n"
		"[vault]\npassphrase_file = %s/vault-passphrase\n"
		"[session]\ntotal = %d\n",
		place, state, place, run, port, enrol_port, place, place, SESSIONS);

	snprintf(path, sizeof(path), "%s/%s", place, name);
	assert_int_equal(util_write_file(path, text, (size_t)len, 0644), OK);
}

static inline void write_secret(const char *name, const char *text, unsigned mode)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", place, name);
	assert_int_equal(util_write_file(path, text, strlen(text), mode), OK);
	if (geteuid() == 0)
		assert_int_equal(chown(path, NOBODY, NOBODY), 0);
}

static inline void write_passphrase(const char *text, unsigned mode)
{
	write_secret("passphrase", text, mode);
}

static inline int make_place(void **state)
{
	char path[128], first[128];

	(void)state;
	unit_folder(place);
	if (chmod(place, 0755) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/bin", place);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(first, sizeof(first), "%s/bin/sekisho-signer", place);
	copy_self(first);
	for (size_t i = 1; i < ARRAY_SIZE(program_names); i++) {
		snprintf(path, sizeof(path), "%s/bin/sekisho-%s", place, program_names[i]);
		assert_int_equal(link(first, path), 0);
	}
	write_passphrase("open-sesame", 0600);
	write_secret("vault-passphrase", "iwato-hirake", 0600);
	write_settings("conf", "state", "run", free_port(), free_port());
	return geteuid() == 0 ? chown(place, NOBODY, NOBODY) : 0;
}

static inline int run_monitor(const char *conf)
{
	static struct settings settings;
	char path[128], programs[128];
	struct config_error error;

	snprintf(path, sizeof(path), "%s/%s", place, conf);
	snprintf(programs, sizeof(programs), "%s/bin", place);
	if (settings_read(path, &settings, &error)) {
		fprintf(stderr, "%s\n", error.en);
		return 91;
	}
	log_init("monitor", LOG_LEVEL_INFO);
	return monitor_run(path, &settings, programs);
}

/* ---- looking
 * -------------------------------------------------------------------------------------- */

static inline char *read_events(const char *role)
{
	char path[128];
	char *data = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%s/state/%s/events", place, role);
	return util_read_file(path, 1 << 20, &data, &len) ? NULL : data;
}

static inline void short_pause(void)
{
	nanosleep(&(struct timespec){ 0, 5 * 1000 * 1000 }, NULL);
}

/* Waits until the role's events hold a line that ends with text (after the pid), from pid or from
 * any (0). */
static inline pid_t wait_event(const char *role, pid_t pid, const char *text)
{
	uint64_t until = clock_mono_ms() + PATIENCE_MS;

	while (clock_mono_ms() < until) {
		_cleanup_free_ char *events = read_events(role);
		char *rest = events;
		for (char *line; rest && (line = strsep(&rest, "\n"));) {
			char *space = strchr(line, ' ');
			pid_t from = (pid_t)strtol(line, NULL, 10);
			if (space && util_streq(space + 1, text) && (!pid || pid == from))
				return from;
		}
		short_pause();
	}
	_cleanup_free_ char *events = read_events(role);
	fail_msg("no event \"%s\" of %s %d in:\n%s", text, role, (int)pid,
		 events ? events : "(nothing)");
	return 0;
}

/* The first process of the role that said "ready" and is none of those given. */
static inline pid_t wait_next(const char *role, pid_t old)
{
	uint64_t until = clock_mono_ms() + PATIENCE_MS;

	while (clock_mono_ms() < until) {
		_cleanup_free_ char *events = read_events(role);
		char *rest = events;
		for (char *line; rest && (line = strsep(&rest, "\n"));) {
			pid_t from = (pid_t)strtol(line, NULL, 10);
			if (from && from != old && strstr(line, " ready"))
				return from;
		}
		short_pause();
	}
	fail_msg("no new process of %s after %d", role, (int)old);
	return 0;
}

static inline void wait_linked(const char *a, pid_t a_pid, enum wire_role a_role, const char *b,
			       pid_t b_pid, enum wire_role b_role)
{
	char text[64];

	snprintf(text, sizeof(text), "peer %d %d", (int)b_role, (int)b_pid);
	wait_event(a, a_pid, text);
	snprintf(text, sizeof(text), "peer %d %d", (int)a_role, (int)a_pid);
	wait_event(b, b_pid, text);
}

static inline bool alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static inline void wait_gone(pid_t pid)
{
	uint64_t until = clock_mono_ms() + PATIENCE_MS;

	while (alive(pid)) {
		assert_true(clock_mono_ms() < until);
		short_pause();
	}
}

static inline int wait_exit(pid_t pid)
{
	uint64_t until = clock_mono_ms() + PATIENCE_MS;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_mono_ms() > until) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			fail_msg("process %d did not end", (int)pid);
		}
		short_pause();
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

struct pids {
	pid_t signer, broker, probe, vault, edge;
};

static inline struct pids started(void)
{
	return (struct pids){ wait_next("signer", 0), wait_next("broker", 0), wait_next("probe", 0),
			      wait_next("vault", 0), wait_next("edge", 0) };
}

static inline void order(char what, uint8_t session)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uint8_t text[1 + WIRE_SESSION_ID] = { (uint8_t)what };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	memset(text + 1, session, WIRE_SESSION_ID);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/admin.sock", place);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, text, sizeof(text), 0), sizeof(text));
}

/* An exporter that has said on its channel what it was given. */
static inline pid_t spawn_exporter_as(pid_t broker, uint8_t number, pid_t old, unsigned uid)
{
	char text[128];
	uint64_t until = clock_mono_ms() + PATIENCE_MS;

	order('x', number);
	snprintf(text, sizeof(text), "%d peer export log pipe oom 1000 nice 10 fds 4 uid %u pid ",
		 (int)broker, uid);
	while (clock_mono_ms() < until) {
		_cleanup_free_ char *events = read_events("broker");
		char *at = events;
		while (at && (at = strstr(at, text)) != NULL) {
			at += strlen(text);
			pid_t pid = (pid_t)strtol(at, NULL, 10);
			if (pid > old)
				return pid;
		}
		short_pause();
	}
	_cleanup_free_ char *events = read_events("broker");
	fail_msg("no exporter after %d in:\n%s", (int)old, events ? events : "(nothing)");
	return 0;
}

static inline const char *session_text(uint8_t session)
{
	static char text[2 * WIRE_SESSION_ID + 1];
	uint8_t id[WIRE_SESSION_ID];

	memset(id, session, sizeof(id));
	util_hex(id, sizeof(id), text);
	return text;
}

static inline pid_t spawn_worker(pid_t broker, pid_t old, uint8_t session)
{
	char text[128];

	order('s', session);
	pid_t pid = wait_next("worker", old);
	snprintf(text, sizeof(text), "started %s pid %d adopted 0", session_text(session),
		 (int)pid);
	wait_event("broker", broker, text);
	wait_linked("worker", pid, WIRE_WORKER, "broker", broker, WIRE_BROKER);
	return pid;
}

/* ---- life ------------------------------------------------------------------------------- */

static inline int remove_place(void **state)
{
	(void)state;
	unit_folder_remove(place);
	return 0;
}

static inline int stop_monitor(void **state)
{
	if (monitor_pid) {
		kill(monitor_pid, SIGTERM);
		wait_exit(monitor_pid);
		monitor_pid = 0;
	}
	return remove_place(state);
}

#define with_place(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

#endif
