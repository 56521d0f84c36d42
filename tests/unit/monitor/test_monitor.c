#include "unit/monitor/place.h"

#include <seccomp.h>

#include "monitor/passphrase.h"

/* ---- the place -------------------------------------------------------------------------- */

/* As root this test is nobody, as whom the monitor does not ask for users. */
static void drop_root(void)
{
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		_exit(90);
}

/* What the monitor writes, for wait_logged. */
static void log_to_file(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/log", place);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(96);
}

static pid_t fork_monitor(const char *conf)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	log_to_file();
	setenv("SEKISHO_TEST_SECRET", "1", 1);
	/* Unclean surroundings: a descriptor and a blocked signal that children must not inherit.
	 */
	sigset_t term;
	sigemptyset(&term);
	sigaddset(&term, SIGUSR1);
	sigprocmask(SIG_BLOCK, &term, NULL);
	if (dup2(STDERR_FILENO, 40) < 0)
		_exit(92);
	drop_root();
	_exit(run_monitor(conf));
}

/* ---- looking
 * -------------------------------------------------------------------------------------- */

/* Waits until the monitor's log holds the text. */
static void wait_logged(const char *text)
{
	uint64_t until = clock_mono_ms() + PATIENCE_MS;
	char path[128];

	snprintf(path, sizeof(path), "%s/log", place);
	while (clock_mono_ms() < until) {
		_cleanup_free_ char *log = NULL;
		size_t len;
		if (!util_read_file(path, 1 << 20, &log, &len) && strstr(log, text))
			return;
		short_pause();
	}
	fail_msg("no \"%s\" in the log", text);
}

/* ---- the tests
 * ------------------------------------------------------------------------------------ */

static int start_monitor(void **state)
{
	if (make_place(state))
		return -1;
	monitor_pid = fork_monitor("conf");
	return 0;
}

static void test_everybody_gets_what_is_theirs(void **state)
{
	(void)state;
	struct pids pids = started();
	wait_linked("edge", pids.edge, WIRE_EDGE, "broker", pids.broker, WIRE_BROKER);
	wait_linked("signer", pids.signer, WIRE_SIGNER, "broker", pids.broker, WIRE_BROKER);
	wait_linked("probe", pids.probe, WIRE_PROBE, "broker", pids.broker, WIRE_BROKER);
	wait_linked("vault", pids.vault, WIRE_VAULT, "broker", pids.broker, WIRE_BROKER);
	wait_event("edge", pids.edge, "listener gateway open");
	wait_event("edge", pids.edge, "listener enrol open");
	wait_event("broker", pids.broker, "listener admin open");
	static const char *const not_for_them[] = { "signer", "probe", "vault" };
	for (size_t i = 0; i < ARRAY_SIZE(not_for_them); i++) {
		_cleanup_free_ char *events = read_events(not_for_them[i]);
		assert_null(strstr(events, "listener"));
	}
	_cleanup_free_ char *edge = read_events("edge");
	assert_null(strstr(edge, "admin"));
	assert_null(strstr(edge, "link 4")); /* signer and vault are the broker's alone */
	assert_null(strstr(edge, "link 9"));
}

/* Each signer and each vault its own, and nobody else. */
static void test_signer_and_vault_get_their_passphrases(void **state)
{
	static const char *const others[] = { "broker", "probe", "edge" };

	(void)state;
	struct pids pids = started();
	wait_event("signer", pids.signer, "file ca-passphrase open-sesame");
	kill(pids.signer, SIGKILL);
	pid_t signer = wait_next("signer", pids.signer);
	wait_event("signer", signer, "file ca-passphrase open-sesame");
	wait_event("vault", pids.vault, "file vault-passphrase iwato-hirake");
	kill(pids.vault, SIGKILL);
	pid_t vault = wait_next("vault", pids.vault);
	wait_event("vault", vault, "file vault-passphrase iwato-hirake");
	_cleanup_free_ char *of_signer = read_events("signer"), *of_vault = read_events("vault");
	assert_null(strstr(of_signer, "vault-passphrase"));
	assert_null(strstr(of_vault, "ca-passphrase"));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_free_ char *events = read_events(others[i]);
		assert_null(strstr(events, "file"));
	}
}

static void refuse_passphrase(const char *text, unsigned mode, const char *reason)
{
	write_passphrase(text, mode);
	assert_int_equal(wait_exit(fork_monitor("conf")), 1);
	wait_logged(reason);
	assert_null(read_events("signer"));
}

static void test_bad_passphrase_file_is_refused(void **state)
{
	char large[4098], path[128];

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = 0;
	refuse_passphrase("open-sesame", 0640, "others may read");
	refuse_passphrase("open-sesame", 0604, "others may read");
	refuse_passphrase("", 0600, "not a file with a passphrase");
	refuse_passphrase(large, 0600, "larger than 4 KiB");
	snprintf(path, sizeof(path), "%s/passphrase", place);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(wait_exit(fork_monitor("conf")), 1);
	wait_logged("No such file");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(geteuid() == 0 ? chown(path, NOBODY, NOBODY) : 0, 0);
	assert_int_equal(wait_exit(fork_monitor("conf")), 1);
	assert_null(read_events("signer"));
}

static void test_foreign_passphrase_file_is_refused(void **state)
{
	char path[128];
	int fd = -1;

	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(path, sizeof(path), "%s/passphrase", place);
	/* Root can open it; what counts is who else can. */
	assert_int_equal(chown(path, NOBODY, NOBODY), 0);
	assert_err(passphrase_open("ca.passphrase_file", path, &fd), ERR_DENIED);
	assert_int_equal(chown(path, 0, 0), 0);
	assert_ok(passphrase_open("ca.passphrase_file", path, &fd));
	close(fd);
}

static void test_surroundings(void **state)
{
	char text[200];

	(void)state;
	struct pids pids = started();
	snprintf(text, sizeof(text),
		 "fds 0,1,2,3, home /nonexistent secret none dir 700 owner 1 term-blocked 0 uid %d "
		 "groups 0 nnp 1",
		 geteuid() == 0 ? NOBODY : (int)geteuid());
	if (geteuid() == 0)
		wait_event("edge", pids.edge, text);
	struct stat status;
	char path[128];
	snprintf(path, sizeof(path), "%s/run/admin.sock", place);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

/* No child has the log itself: it could empty it and speak for others. */
static void test_log_is_the_monitors(void **state)
{
	char text[128];

	(void)state;
	struct pids pids = started();
	pid_t worker = spawn_worker(pids.broker, 0, 0x71);
	wait_event("edge", pids.edge, "log pipe oom 0");
	wait_event("broker", pids.broker, "log pipe oom 0");
	wait_event("worker", worker, "log pipe oom 1000");
	snprintf(text, sizeof(text), "\n<4>role=edge pid=%d event=hello from=edge\n",
		 (int)pids.edge);
	wait_logged(text);
	snprintf(text, sizeof(text), "\n<4>role=worker pid=%d event=hello from=worker\n",
		 (int)worker);
	wait_logged(text);
	/* A line without an end comes when its writer ends. */
	kill(pids.signer, SIGKILL);
	snprintf(text, sizeof(text), "\n<6>role=signer pid=%d role=broker pid=1 event=x\n",
		 (int)pids.signer);
	wait_logged(text);
}

static void test_killed_child_comes_back(void **state)
{
	(void)state;
	struct pids pids = started();
	kill(pids.signer, SIGKILL);
	pid_t signer = wait_next("signer", pids.signer);
	wait_linked("signer", signer, WIRE_SIGNER, "broker", pids.broker, WIRE_BROKER);
	kill(pids.edge, SIGKILL);
	pid_t edge = wait_next("edge", pids.edge);
	wait_linked("edge", edge, WIRE_EDGE, "broker", pids.broker, WIRE_BROKER);
	wait_event("edge", edge, "listener gateway open");
	assert_true(alive(pids.broker) && alive(pids.probe) && alive(signer));
}

static void test_broker_comes_back_to_its_workers(void **state)
{
	char text[128];

	(void)state;
	struct pids pids = started();
	pid_t first = spawn_worker(pids.broker, 0, 0x11);
	kill(pids.broker, SIGKILL);
	pid_t broker = wait_next("broker", pids.broker);
	wait_linked("edge", pids.edge, WIRE_EDGE, "broker", broker, WIRE_BROKER);
	wait_linked("signer", pids.signer, WIRE_SIGNER, "broker", broker, WIRE_BROKER);
	wait_event("broker", broker, "listener admin open");
	snprintf(text, sizeof(text), "started %s pid %d adopted 1", session_text(0x11), (int)first);
	wait_event("broker", broker, text);
	wait_linked("worker", first, WIRE_WORKER, "broker", broker, WIRE_BROKER);
}

static void test_worker_end_is_reported(void **state)
{
	char text[128];

	(void)state;
	struct pids pids = started();
	pid_t first = spawn_worker(pids.broker, 0, 0x21);
	kill(first, SIGABRT); /* a crash */
	snprintf(text, sizeof(text), "exited %s status %d", session_text(0x21), SIGABRT);
	wait_event("broker", pids.broker, text);
	order('s', 0x22);
	snprintf(text, sizeof(text), "exited %s status %d", session_text(0x22), SIGKILL);
	wait_next("worker", first);
	order('k', 0x22);
	wait_event("broker", pids.broker, text);
}

/* A protocol that there is no program for is no worker. */
static void test_each_protocol_has_its_program(void **state)
{
	static const struct {
		char order;
		const char *program;
	} cases[] = { { 's', "/bin/sekisho-worker-rdp" }, { 'v', "/bin/sekisho-worker-vnc" } };
	char text[128], exe[256], expected[256];
	pid_t worker = 0;

	(void)state;
	struct pids pids = started();
	for (uint8_t i = 0; i < ARRAY_SIZE(cases); i++) {
		order(cases[i].order, (uint8_t)(0x31 + i));
		worker = wait_next("worker", worker);
		snprintf(text, sizeof(text), "/proc/%d/exe", (int)worker);
		ssize_t len = readlink(text, exe, sizeof(exe) - 1);
		assert_true(len > 0);
		exe[len] = '\0';
		snprintf(expected, sizeof(expected), "%s%s", place, cases[i].program);
		assert_string_equal(exe, expected);
	}
	order('u', 0x39);
	snprintf(text, sizeof(text), "exited %s status %u", session_text(0x39), UINT32_MAX);
	wait_event("broker", pids.broker, text);
}

static void test_workers_are_limited(void **state)
{
	char text[128];

	(void)state;
	struct pids pids = started();
	for (uint8_t i = 1; i <= SESSIONS; i++)
		order('s', i);
	order('s', 0x77);
	snprintf(text, sizeof(text), "exited %s status %u", session_text(0x77), UINT32_MAX);
	wait_event("broker", pids.broker, text);
	/* The same session twice is one worker, and not an end. */
	order('s', 1);
	order('k', 2);
	snprintf(text, sizeof(text), "exited %s status %d", session_text(2), SIGKILL);
	wait_event("broker", pids.broker, text);
	_cleanup_free_ char *events = read_events("broker");
	snprintf(text, sizeof(text), "exited %s", session_text(1));
	assert_null(strstr(events, text));
}

static pid_t spawn_exporter_of(pid_t broker, uint8_t number, pid_t old)
{
	return spawn_exporter_as(broker, number, old, geteuid() == 0 ? NOBODY : geteuid());
}

static void wait_logged_end(enum log_level level, unsigned number, pid_t pid, const char *how)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "<%d>role=monitor pid=%d event=helper-ended kind=export number=%u pid=%d "
		 "how=\"%s\"",
		 (int)level, (int)monitor_pid, number, (int)pid, how);
	wait_logged(text);
}

static void test_exporters(void **state)
{
	char text[128];

	(void)state;
	struct pids pids = started();
	pid_t first = spawn_exporter_of(pids.broker, 7, 0);
	pid_t second = spawn_exporter_of(pids.broker, 8, first);
	/* No more than two, and one that cannot be is said to have ended. */
	order('x', 9);
	snprintf(text, sizeof(text), "export 9 exited status %u", UINT32_MAX);
	wait_event("broker", pids.broker, text);
	kill(first, SIGABRT); /* a crash */
	snprintf(text, sizeof(text), "export 7 exited status %d", SIGABRT);
	wait_event("broker", pids.broker, text);
	/* How it ended is in the log, as a warning where nobody wanted it. */
	wait_logged_end(LOG_LEVEL_WARNING, 7, first, "signal 6 ABRT");
	/* Also one that does not run. */
	kill(second, SIGSTOP);
	order('y', 8);
	snprintf(text, sizeof(text), "export 8 exited status %d", SIGKILL);
	wait_event("broker", pids.broker, text);
	wait_logged_end(LOG_LEVEL_INFO, 8, second, "signal 9 KILL");
	/* One that somebody else kills, or a limit. */
	first = spawn_exporter_of(pids.broker, 9, second);
	kill(first, SIGKILL);
	wait_logged_end(LOG_LEVEL_WARNING, 9, first,
			"signal 9 KILL: its processor time was over, or the machine's memory");
	assert_true(alive(pids.broker) && alive(pids.edge));
}

static void test_exporters_end_with_their_broker(void **state)
{
	(void)state;
	struct pids pids = started();
	pid_t exporter = spawn_exporter_of(pids.broker, 7, 0);
	kill(exporter, SIGSTOP);
	kill(pids.broker, SIGKILL);
	pid_t broker = wait_next("broker", pids.broker);
	wait_gone(exporter);
	/* Another broker counts from the beginning. */
	spawn_exporter_of(broker, 7, exporter);
	_cleanup_free_ char *events = read_events("broker");
	assert_null(strstr(events, "exited status"));
}

static void test_hanging_child_is_ended(void **state)
{
	(void)state;
	struct pids pids = started();
	order('c', 0);
	wait_next("broker", pids.broker);
	assert_false(alive(pids.broker));
}

static void test_rubbish_ends_the_sender(void **state)
{
	(void)state;
	struct pids pids = started();
	order('w', 0);
	pid_t broker = wait_next("broker", pids.broker);
	wait_gone(pids.broker);
	wait_linked("edge", pids.edge, WIRE_EDGE, "broker", broker, WIRE_BROKER);
	assert_true(alive(monitor_pid));
}

static void test_term_leaves_nothing(void **state)
{
	char path[128];
	struct stat status;

	(void)state;
	struct pids pids = started();
	pid_t worker = spawn_worker(pids.broker, 0, 0x31);
	pid_t exporter = spawn_exporter_of(pids.broker, 3, 0);
	kill(worker, SIGSTOP); /* hangs: only SIGKILL helps */
	kill(exporter, SIGSTOP);
	kill(monitor_pid, SIGTERM);
	assert_int_equal(wait_exit(monitor_pid), 0);
	monitor_pid = 0;
	assert_false(alive(pids.signer) || alive(pids.broker) || alive(pids.probe) ||
		     alive(pids.vault) || alive(pids.edge) || alive(worker) || alive(exporter));
	wait_event("edge", pids.edge, "signal 15");
	snprintf(path, sizeof(path), "%s/run/admin.sock", place);
	assert_int_equal(stat(path, &status), -1);
	snprintf(path, sizeof(path), "%s/run/sekishod.pid", place);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 0);
}

static void test_children_end_with_a_killed_monitor(void **state)
{
	(void)state;
	struct pids pids = started();
	pid_t worker = spawn_worker(pids.broker, 0, 0x41);
	kill(worker, SIGSTOP);
	kill(monitor_pid, SIGKILL);
	wait_exit(monitor_pid);
	wait_gone(pids.signer);
	wait_gone(pids.broker);
	wait_gone(pids.probe);
	wait_gone(pids.vault);
	wait_gone(pids.edge);
	wait_gone(worker);
	/* The socket and the lock file it left behind are no obstacle. */
	monitor_pid = fork_monitor("conf");
	wait_next("edge", pids.edge);
}

static void test_second_monitor_is_refused(void **state)
{
	(void)state;
	struct pids pids = started();
	write_settings("same-state", "state", "run2", free_port(), free_port());
	write_settings("same-run", "state2", "run", free_port(), free_port());
	assert_int_equal(wait_exit(fork_monitor("same-state")), 1);
	assert_int_equal(wait_exit(fork_monitor("same-run")), 1);
	assert_true(alive(monitor_pid) && alive(pids.edge));
	order('s', 0x51); /* the first one's admin socket still works */
	wait_next("worker", 0);
}

static void test_port_in_use_is_refused(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	write_settings("conf", "state", "run", free_port(), ntohs(address.sin_port));
	assert_int_equal(wait_exit(fork_monitor("conf")), 1);
	assert_null(read_events("edge"));
}

static pid_t fork_without_landlock(const char *conf)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (!filter ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(landlock_create_ruleset),
			     0) ||
	    seccomp_load(filter))
		_exit(97);
	seccomp_release(filter);
	drop_root();
	_exit(run_monitor(conf));
}

static void test_kernel_without_landlock_is_refused(void **state)
{
	static const char no[] = "[gateway]\nrequire_landlock = no\n";
	char path[128];
	_cleanup_free_ char *conf = NULL, *allowing = NULL;
	size_t len;

	(void)state;
	assert_int_equal(wait_exit(fork_without_landlock("conf")), 1);
	assert_null(read_events("edge"));
	snprintf(path, sizeof(path), "%s/conf", place);
	assert_int_equal(util_read_file(path, 4096, &conf, &len), OK);
	assert_true(asprintf(&allowing, "%s%s", no, conf + strlen("[gateway]\n")) > 0);
	assert_int_equal(util_write_file(path, allowing, strlen(allowing), 0644), OK);
	monitor_pid = fork_without_landlock("conf");
	wait_next("edge", 0);
}

static void test_missing_program_is_refused(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/bin/sekisho-probe", place);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(wait_exit(fork_monitor("conf")), 1);
}

/* ---- as root
 * --------------------------------------------------------------------------------------- */

#define with_monitor(test) cmocka_unit_test_setup_teardown(test, start_monitor, stop_monitor)

int main(int argc, char **argv)
{
	int code;

	if (standin_is(argc, argv, &code))
		return code;
	const struct CMUnitTest tests[] = {
		with_monitor(test_everybody_gets_what_is_theirs),
		with_monitor(test_signer_and_vault_get_their_passphrases),
		with_place(test_bad_passphrase_file_is_refused),
		with_place(test_foreign_passphrase_file_is_refused),
		with_monitor(test_surroundings),
		with_monitor(test_log_is_the_monitors),
		with_monitor(test_killed_child_comes_back),
		with_monitor(test_broker_comes_back_to_its_workers),
		with_monitor(test_worker_end_is_reported),
		with_monitor(test_each_protocol_has_its_program),
		with_monitor(test_workers_are_limited),
		with_monitor(test_exporters),
		with_monitor(test_exporters_end_with_their_broker),
		with_monitor(test_hanging_child_is_ended),
		with_monitor(test_rubbish_ends_the_sender),
		with_monitor(test_term_leaves_nothing),
		with_monitor(test_children_end_with_a_killed_monitor),
		with_monitor(test_second_monitor_is_refused),
		with_place(test_port_in_use_is_refused),
		with_place(test_missing_program_is_refused),
		cmocka_unit_test_setup_teardown(test_kernel_without_landlock_is_refused, make_place,
						stop_monitor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
