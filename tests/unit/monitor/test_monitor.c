/*
 * Runs the monitor with stand-ins for all roles: copies of this very program, which is one of them
 * when its name begins with "sekisho-". They say what they get in <state_dir>/<role>/events. The
 * stand-in for the broker takes orders at the admin socket: 's' or 'k' and a session id, 'w' for
 * writing rubbish, 'c' for closing its channel to the monitor; after the last two it hangs.
 */
#include "unit/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "monitor/monitor.h"
#include "monitor/passphrase.h"
#include "wire/child.h"
#include "wire/enums.h"

enum { PATIENCE_MS = 20000, NOBODY = 65534, SESSIONS = 3 };

static const char *const role_names[] = { "signer", "broker", "probe", "edge", "worker" };

/* ---- the stand-ins -----------------------------------------------------------------------------
 */

static struct child child;
static int events_fd = -1;
static struct loop *child_loop;
static struct channel *child_monitor;
static struct loop_io admin_io;
static bool stubborn;               /* goes on without a monitor */
static struct loop_io link_ios[64]; /* by descriptor */

static void event(const char *fmt, ...) printf_like(1, 2);

static void event(const char *fmt, ...)
{
	char line[256];
	va_list args;

	va_start(args, fmt);
	int len = snprintf(line, sizeof(line), "%d ", (int)getpid());
	len += vsnprintf(line + len, sizeof(line) - (size_t)len - 1, fmt, args);
	va_end(args);
	line[len++] = '\n';
	if (write(events_fd, line, (size_t)len) != len)
		abort();
}

static void link_ready(struct loop_io *io, uint32_t events)
{
	char text[64];
	ssize_t len = recv(io->fd, text, sizeof(text) - 1, 0);

	(void)events;
	if (len > 0) {
		text[len] = 0;
		event("peer %s", text);
		return;
	}
	event("peer gone");
	int fd = io->fd;
	loop_io_finish(io);
	close(fd);
}

/* Both ends introduce themselves, so that the tests see who was linked to whom. */
static void link_came(const char *what, int fd)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%d %d", (int)child.role, (int)getpid());

	event("%s", what);
	if (fd < 0 || fd >= (int)ARRAY_SIZE(link_ios) || send(fd, text, (size_t)len, 0) != len ||
	    loop_io_init(child_loop, &link_ios[fd], fd, EPOLLIN, link_ready))
		abort();
}

static void obey(const uint8_t *order, size_t len)
{
	struct msg_worker_spawn spawn;
	struct msg_worker_kill kill_msg;

	if (len != 1 + WIRE_SESSION_ID)
		abort();
	memcpy(spawn.session, order + 1, WIRE_SESSION_ID);
	memcpy(kill_msg.session, order + 1, WIRE_SESSION_ID);
	enum err err = OK;
	if (order[0] == 's')
		err = channel_send(child_monitor, MSG_worker_spawn, &spawn, -1);
	else if (order[0] == 'k')
		err = channel_send(child_monitor, MSG_worker_kill, &kill_msg, -1);
	stubborn = order[0] == 'w' || order[0] == 'c';
	if (order[0] == 'w' && send(CHILD_MONITOR_FD, order, len, 0) < 0)
		abort();
	if (order[0] == 'c' && shutdown(CHILD_MONITOR_FD, SHUT_RDWR) < 0)
		abort();
	if (err)
		abort();
}

static void admin_ready(struct loop_io *io, uint32_t events)
{
	uint8_t order[64];
	int fd = accept(io->fd, NULL, NULL);

	(void)events;
	if (fd < 0)
		return;
	/* The test sends at once after it connected, and the accepted socket blocks. */
	ssize_t len = recv(fd, order, sizeof(order), 0);
	if (len > 0)
		obey(order, (size_t)len);
	close(fd);
}

static void listener_came(unsigned kind, int fd)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
		abort();
	event("listener %s %s", listener_kind_code(kind), listening ? "open" : "closed");
	if (kind == LISTENER_ADMIN && loop_io_init(child_loop, &admin_io, fd, EPOLLIN, admin_ready))
		abort();
}

/* Read as the signer does: the next one gets the same file. */
static void file_came(unsigned kind, int fd)
{
	char text[32] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		abort();
	event("file %s %s", file_kind_code(kind), text);
	close(fd);
}

static void child_message(void *ctx, struct channel *channel, const struct wire_type *type,
			  const union wire_any *msg, int fd)
{
	char what[128], id[2 * WIRE_SESSION_ID + 1];

	(void)ctx;
	(void)channel;
	if (type->id == MSG_link) {
		snprintf(what, sizeof(what), "link %d", msg->link.peer);
		link_came(what, fd);
	} else if (type->id == MSG_listener) {
		listener_came(msg->listener.kind, fd);
	} else if (type->id == MSG_file) {
		file_came(msg->file.kind, fd);
	} else if (type->id == MSG_worker_started) {
		util_hex(msg->worker_started.session, WIRE_SESSION_ID, id);
		snprintf(what, sizeof(what), "started %s pid %u adopted %d", id,
			 msg->worker_started.pid, msg->worker_started.adopted);
		link_came(what, fd);
	} else if (type->id == MSG_worker_exited) {
		util_hex(msg->worker_exited.session, WIRE_SESSION_ID, id);
		event("exited %s status %u", id, msg->worker_exited.status);
	}
}

static void child_closed(void *ctx, struct channel *channel, enum err why)
{
	(void)ctx;
	(void)channel;
	(void)why;
	if (!stubborn)
		loop_stop(child_loop, 0);
}

static const struct channel_ops child_ops = { child_message, child_closed };

static void child_stop(void *ctx, int signal)
{
	(void)ctx;
	event("signal %d", signal);
	loop_stop(child_loop, 0);
}

static int oom_score(void)
{
	char text[16] = "";
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		abort();
	return (int)strtol(text, NULL, 10);
}

/* What the process was given apart from messages. */
static void report_surroundings(void)
{
	char open_fds[64] = "";
	struct stat status, log_status;
	sigset_t blocked;

	for (int fd = 0; fd < 64; fd++)
		if (fd != events_fd && fcntl(fd, F_GETFD) >= 0)
			snprintf(open_fds + strlen(open_fds), sizeof(open_fds) - strlen(open_fds),
				 "%d,", fd);
	if (stat(child.state_dir, &status) < 0 || sigprocmask(SIG_BLOCK, NULL, &blocked) < 0)
		abort();
	if (fstat(STDERR_FILENO, &log_status) < 0)
		abort();
	event("log %s oom %d", S_ISFIFO(log_status.st_mode) ? "pipe" : "other", oom_score());
	event("fds %s home %s secret %s dir %o owner %d term-blocked %d uid %d groups %d nnp %d",
	      open_fds, getenv("HOME"), getenv("SEKISHO_TEST_SECRET") ? "leaked" : "none",
	      status.st_mode & 07777u, status.st_uid == geteuid(), sigismember(&blocked, SIGTERM),
	      (int)geteuid(), getgroups(0, NULL), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

static int child_main(const char *name, int argc, char **argv)
{
	char path[400];
	unsigned role = 0;
	static const enum wire_role roles[] = { WIRE_SIGNER, WIRE_BROKER, WIRE_PROBE, WIRE_EDGE,
						WIRE_WORKER };

	while (role < ARRAY_SIZE(role_names) && !util_streq(name, role_names[role]))
		role++;
	child_start(&child, roles[role], role_names[role], argc, argv);
	snprintf(path, sizeof(path), "%s/events", child.state_dir);
	events_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (events_fd < 0)
		return 3;
	report_surroundings();
	log_warn("hello", "from=%s", role_names[role]);
	if (child.role == WIRE_SIGNER &&
	    write(STDERR_FILENO, "<6>role=broker pid=1 event=x", 28) < 0)
		return 7;
	/* Waits for one link out of order, as real processes do, so that others are stored
	 * meanwhile. */
	int fd = -1;
	if (child.role == WIRE_EDGE && child_wait_listener(LISTENER_ENROL, &fd))
		return 4;
	if (loop_new(&child_loop) || loop_signal(child_loop, SIGTERM, child_stop, NULL))
		return 5;
	if (fd >= 0)
		listener_came(LISTENER_ENROL, fd);
	if (child_channel(&child, child_loop, &child_ops, NULL, &child_monitor))
		return 6;
	event("ready");
	return loop_run(child_loop);
}

/* ---- the place ----------------------------------------------------------------------------------
 */

static char place[UNIT_FOLDER]; /* bin/ with the stand-ins, state/, run/, conf */
static pid_t monitor_pid;

static uint16_t free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

static void copy_self(const char *target)
{
	_cleanup_free_ char *data = NULL;
	size_t len;

	assert_int_equal(util_read_file("/proc/self/exe", 256u << 20, &data, &len), OK);
	assert_int_equal(util_write_file(target, data, len, 0755), OK);
}

static void write_settings(const char *name, const char *state, const char *run, uint16_t port,
			   uint16_t enrol_port)
{
	char path[128], text[1024];
	int len = snprintf(
		text, sizeof(text),
		"[gateway]\nstate_dir = %s/%s\nruntime_dir = %s/%s\nlisten = 127.0.0.1:%u\n"
		"enrol_listen = 127.0.0.1:%u\n[ca]\npassphrase_file = %s/passphrase\n"
		"[session]\ntotal = %d\n",
		place, state, place, run, port, enrol_port, place, SESSIONS);

	snprintf(path, sizeof(path), "%s/%s", place, name);
	assert_int_equal(util_write_file(path, text, (size_t)len, 0644), OK);
}

static void write_passphrase(const char *text, unsigned mode)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/passphrase", place);
	assert_int_equal(util_write_file(path, text, strlen(text), mode), OK);
	if (geteuid() == 0)
		assert_int_equal(chown(path, NOBODY, NOBODY), 0);
}

static int make_place(void **state)
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
	for (size_t i = 1; i < ARRAY_SIZE(role_names); i++) {
		snprintf(path, sizeof(path), "%s/bin/sekisho-%s", place, role_names[i]);
		assert_int_equal(link(first, path), 0);
	}
	write_passphrase("open-sesame", 0600);
	write_settings("conf", "state", "run", free_port(), free_port());
	return geteuid() == 0 ? chown(place, NOBODY, NOBODY) : 0;
}

/* As root this test is nobody, as whom the monitor does not ask for users. */
static void drop_root(void)
{
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		_exit(90);
}

static int run_monitor(const char *conf)
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

static char *read_events(const char *role)
{
	char path[128];
	char *data = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%s/state/%s/events", place, role);
	return util_read_file(path, 1 << 20, &data, &len) ? NULL : data;
}

static void short_pause(void)
{
	nanosleep(&(struct timespec){ 0, 5 * 1000 * 1000 }, NULL);
}

/* Waits until the role's events hold a line that ends with text (after the pid), from pid or from
 * any (0). */
static pid_t wait_event(const char *role, pid_t pid, const char *text)
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
static pid_t wait_next(const char *role, pid_t old)
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

static void wait_linked(const char *a, pid_t a_pid, enum wire_role a_role, const char *b,
			pid_t b_pid, enum wire_role b_role)
{
	char text[64];

	snprintf(text, sizeof(text), "peer %d %d", (int)b_role, (int)b_pid);
	wait_event(a, a_pid, text);
	snprintf(text, sizeof(text), "peer %d %d", (int)a_role, (int)a_pid);
	wait_event(b, b_pid, text);
}

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

static bool alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static void wait_gone(pid_t pid)
{
	uint64_t until = clock_mono_ms() + PATIENCE_MS;

	while (alive(pid)) {
		assert_true(clock_mono_ms() < until);
		short_pause();
	}
}

static int wait_exit(pid_t pid)
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
	pid_t signer, broker, probe, edge;
};

static struct pids started(void)
{
	return (struct pids){ wait_next("signer", 0), wait_next("broker", 0), wait_next("probe", 0),
			      wait_next("edge", 0) };
}

static void order(char what, uint8_t session)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uint8_t text[1 + WIRE_SESSION_ID] = { (uint8_t)what };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	memset(text + 1, session, WIRE_SESSION_ID);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/admin.sock", place);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, text, sizeof(text), 0), sizeof(text));
}

static const char *session_text(uint8_t session)
{
	static char text[2 * WIRE_SESSION_ID + 1];
	uint8_t id[WIRE_SESSION_ID];

	memset(id, session, sizeof(id));
	util_hex(id, sizeof(id), text);
	return text;
}

static pid_t spawn_worker(pid_t broker, pid_t old, uint8_t session)
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

/* ---- the tests
 * ------------------------------------------------------------------------------------ */

static int start_monitor(void **state)
{
	if (make_place(state))
		return -1;
	monitor_pid = fork_monitor("conf");
	return 0;
}

static int remove_place(void **state)
{
	(void)state;
	unit_folder_remove(place);
	return 0;
}

static int stop_monitor(void **state)
{
	if (monitor_pid) {
		kill(monitor_pid, SIGTERM);
		wait_exit(monitor_pid);
		monitor_pid = 0;
	}
	return remove_place(state);
}

static void test_everybody_gets_what_is_theirs(void **state)
{
	(void)state;
	struct pids pids = started();
	wait_linked("edge", pids.edge, WIRE_EDGE, "broker", pids.broker, WIRE_BROKER);
	wait_linked("signer", pids.signer, WIRE_SIGNER, "broker", pids.broker, WIRE_BROKER);
	wait_linked("probe", pids.probe, WIRE_PROBE, "broker", pids.broker, WIRE_BROKER);
	wait_event("edge", pids.edge, "listener gateway open");
	wait_event("edge", pids.edge, "listener enrol open");
	wait_event("broker", pids.broker, "listener admin open");
	static const char *const not_for_them[] = { "signer", "probe" };
	for (size_t i = 0; i < ARRAY_SIZE(not_for_them); i++) {
		_cleanup_free_ char *events = read_events(not_for_them[i]);
		assert_null(strstr(events, "listener"));
	}
	_cleanup_free_ char *edge = read_events("edge");
	assert_null(strstr(edge, "admin"));
	assert_null(strstr(edge, "link 4")); /* the signer is the broker's alone */
}

/* Each signer, and nobody else. */
static void test_signer_gets_the_passphrase(void **state)
{
	static const char *const others[] = { "broker", "probe", "edge" };

	(void)state;
	struct pids pids = started();
	wait_event("signer", pids.signer, "file ca-passphrase open-sesame");
	kill(pids.signer, SIGKILL);
	pid_t signer = wait_next("signer", pids.signer);
	wait_event("signer", signer, "file ca-passphrase open-sesame");
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
	assert_err(passphrase_open(path, &fd), ERR_DENIED);
	assert_int_equal(chown(path, 0, 0), 0);
	assert_ok(passphrase_open(path, &fd));
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
	kill(worker, SIGSTOP); /* hangs: only SIGKILL helps */
	kill(monitor_pid, SIGTERM);
	assert_int_equal(wait_exit(monitor_pid), 0);
	monitor_pid = 0;
	assert_false(alive(pids.signer) || alive(pids.broker) || alive(pids.probe) ||
		     alive(pids.edge) || alive(worker));
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

enum { FIRST_UID = 61001 };

/* In a mount namespace of its own /etc/passwd has, or has not, our users. */
static void see_users(bool with_users)
{
	char path[128], text[1024] = "root:x:0:0::/root:/bin/sh\n";

	for (unsigned i = 0; with_users && i < ARRAY_SIZE(role_names); i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "sekisho-%s:x:%u:%u::/:/bin/false\n", role_names[i], FIRST_UID + i,
			 FIRST_UID + i);
	snprintf(path, sizeof(path), "%s/passwd", place);
	if (util_write_file(path, text, strlen(text), 0644) || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(path, "/etc/passwd", NULL, MS_BIND, NULL) < 0)
		_exit(94);
}

static pid_t fork_root_monitor(bool with_users)
{
	char path[128];

	/* Everything below belongs to who runs the monitor. */
	assert_int_equal(chown(place, 0, 0), 0);
	snprintf(path, sizeof(path), "%s/passphrase", place);
	assert_int_equal(chown(path, 0, 0), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setgroups(1, &(gid_t){ 0 }) < 0) /* must not be handed on */
		_exit(95);
	see_users(with_users);
	_exit(run_monitor("conf"));
}

static bool may_unshare(void)
{
	int status = 1;
	pid_t pid = geteuid() == 0 ? fork() : -1;

	if (pid == 0)
		_exit(unshare(CLONE_NEWNS) < 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void test_root_gives_each_its_user(void **state)
{
	char text[200], path[128];
	struct stat status;

	(void)state;
	if (!may_unshare())
		skip();
	monitor_pid = fork_root_monitor(true);
	struct pids pids = started();
	spawn_worker(pids.broker, 0, 0x61);
	/* From a file that its user may not read. */
	wait_event("signer", pids.signer, "file ca-passphrase open-sesame");
	for (unsigned i = 0; i < ARRAY_SIZE(role_names); i++) {
		snprintf(text, sizeof(text),
			 "fds 0,1,2,3, home /nonexistent secret none dir 700 owner 1 term-blocked "
			 "0 uid %u groups 0 nnp 1",
			 FIRST_UID + i);
		wait_event(role_names[i], 0, text);
	}
	/* None of them could connect to the admin socket. */
	snprintf(path, sizeof(path), "%s/run/admin.sock", place);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_uid, 0);
	/* The death signal survives the change of user. */
	kill(monitor_pid, SIGKILL);
	wait_exit(monitor_pid);
	monitor_pid = 0;
	wait_gone(pids.edge);
	wait_gone(pids.broker);
}

static void test_root_without_users_is_refused(void **state)
{
	(void)state;
	if (!may_unshare())
		skip();
	assert_int_equal(wait_exit(fork_root_monitor(false)), 1);
	assert_null(read_events("edge"));
}

static void test_foreign_folder_is_refused(void **state)
{
	char path[128];

	(void)state;
	if (!may_unshare())
		skip();
	snprintf(path, sizeof(path), "%s/state", place);
	assert_int_equal(mkdir(path, 0711), 0);
	snprintf(path, sizeof(path), "%s/state/edge", place);
	assert_int_equal(mkdir(path, 0700), 0); /* root's, not the edge's */
	assert_int_equal(wait_exit(fork_root_monitor(true)), 1);
}

static void test_child_by_hand(void **state)
{
	char program[128];
	int status;

	(void)state;
	snprintf(program, sizeof(program), "%s/bin/sekisho-edge", place);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(3);
		execl(program, program, "conf", (char *)NULL);
		_exit(93);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
}

#define with_monitor(test) cmocka_unit_test_setup_teardown(test, start_monitor, stop_monitor)
#define with_place(test)   cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	name = name ? name + 1 : argv[0];
	if (strncmp(name, "sekisho-", 8) == 0)
		return child_main(name + 8, argc, argv);
	const struct CMUnitTest tests[] = {
		with_monitor(test_everybody_gets_what_is_theirs),
		with_monitor(test_signer_gets_the_passphrase),
		with_place(test_bad_passphrase_file_is_refused),
		with_place(test_foreign_passphrase_file_is_refused),
		with_monitor(test_surroundings),
		with_monitor(test_log_is_the_monitors),
		with_monitor(test_killed_child_comes_back),
		with_monitor(test_broker_comes_back_to_its_workers),
		with_monitor(test_worker_end_is_reported),
		with_monitor(test_workers_are_limited),
		with_monitor(test_hanging_child_is_ended),
		with_monitor(test_rubbish_ends_the_sender),
		with_monitor(test_term_leaves_nothing),
		with_monitor(test_children_end_with_a_killed_monitor),
		with_monitor(test_second_monitor_is_refused),
		with_place(test_port_in_use_is_refused),
		with_place(test_missing_program_is_refused),
		cmocka_unit_test_setup_teardown(test_kernel_without_landlock_is_refused, make_place,
						stop_monitor),
		with_place(test_foreign_folder_is_refused),
		cmocka_unit_test_setup_teardown(test_root_gives_each_its_user, make_place,
						stop_monitor),
		with_place(test_root_without_users_is_refused),
		with_place(test_child_by_hand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
