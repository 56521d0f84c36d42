/*
 * standin.h - stand-ins for all roles below a monitor: copies of the very program that includes
 * this, which is one of them when its name begins with "sekisho-". They say what they get in
 * <state_dir>/<role>/events. The stand-in for the broker takes orders at the admin socket: 's' or
 * 'k' and a session id, 'x' or 'y' and a number for an exporter, 'w' for writing rubbish, 'c' for
 * closing its channel to the monitor; after the last two it hangs. What an exporter says of itself
 * is in the broker's events.
 */
#ifndef SEKISHO_TESTS_MONITOR_STANDIN_H
#define SEKISHO_TESTS_MONITOR_STANDIN_H

#include "unit/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "wire/child.h"
#include "wire/enums.h"

enum { PATIENCE_MS = 20000, NOBODY = 65534, SESSIONS = 3 };
static const char *const role_names[] = { "signer", "broker", "probe", "vault", "edge", "worker" };
static const char *const program_names[] = { "signer",     "broker",     "probe",  "vault",  "edge",
					     "worker-rdp", "worker-vnc", "export", "preview" };

static struct child child;
static int events_fd = -1;
static struct loop *child_loop;
static struct channel *child_monitor;
static struct loop_io admin_io;
static bool stubborn;               /* goes on without a monitor */
static struct loop_io link_ios[64]; /* by descriptor */

static void event(const char *fmt, ...) printf_like(1, 2);

static inline void event(const char *fmt, ...)
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

static inline void link_ready(struct loop_io *io, uint32_t events)
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
static inline void link_came(const char *what, int fd)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%d %d", (int)child.role, (int)getpid());

	event("%s", what);
	if (fd < 0 || fd >= (int)ARRAY_SIZE(link_ios) || send(fd, text, (size_t)len, 0) != len ||
	    loop_io_init(child_loop, &link_ios[fd], fd, EPOLLIN, link_ready))
		abort();
}

static inline void spawn_exporter(uint32_t number)
{
	const struct msg_export_spawn msg = { .number = number };
	int pair[2];

	if (ipc_pair(pair) || channel_send(child_monitor, MSG_export_spawn, &msg, pair[0]) ||
	    pair[1] >= (int)ARRAY_SIZE(link_ios) ||
	    loop_io_init(child_loop, &link_ios[pair[1]], pair[1], EPOLLIN, link_ready))
		abort();
}

static inline void obey(const uint8_t *order, size_t len)
{
	struct msg_worker_spawn spawn;
	struct msg_worker_kill kill_msg;
	const struct msg_export_kill end = { .number = order[1] };

	if (len != 1 + WIRE_SESSION_ID)
		abort();
	memcpy(spawn.session, order + 1, WIRE_SESSION_ID);
	memcpy(kill_msg.session, order + 1, WIRE_SESSION_ID);
	enum err err = OK;
	spawn.protocol = order[0] == 'v' ? PROTOCOL_VNC : order[0] == 'u' ? 9 : PROTOCOL_RDP;
	if (order[0] == 's' || order[0] == 'v' || order[0] == 'u')
		err = channel_send(child_monitor, MSG_worker_spawn, &spawn, -1);
	else if (order[0] == 'k')
		err = channel_send(child_monitor, MSG_worker_kill, &kill_msg, -1);
	else if (order[0] == 'x')
		spawn_exporter(order[1]);
	else if (order[0] == 'y')
		err = channel_send(child_monitor, MSG_export_kill, &end, -1);
	stubborn = order[0] == 'w' || order[0] == 'c';
	if (order[0] == 'w' && send(CHILD_MONITOR_FD, order, len, 0) < 0)
		abort();
	if (order[0] == 'c' && shutdown(CHILD_MONITOR_FD, SHUT_RDWR) < 0)
		abort();
	if (err)
		abort();
}

static inline void admin_ready(struct loop_io *io, uint32_t events)
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

static inline void listener_came(unsigned kind, int fd)
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
static inline void file_came(unsigned kind, int fd)
{
	char text[32] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		abort();
	event("file %s %s", file_kind_code(kind), text);
	close(fd);
}

static inline void child_message(void *ctx, struct channel *channel, const struct wire_type *type,
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
	} else if (type->id == MSG_export_exited) {
		event("export %u exited status %u", msg->export_exited.number,
		      msg->export_exited.status);
	}
}

static inline void child_closed(void *ctx, struct channel *channel, enum err why)
{
	(void)ctx;
	(void)channel;
	(void)why;
	if (!stubborn)
		loop_stop(child_loop, 0);
}

static const struct channel_ops child_ops = { child_message, child_closed };

static inline void child_stop(void *ctx, int signal)
{
	(void)ctx;
	event("signal %d", signal);
	loop_stop(child_loop, 0);
}

static inline int oom_score(void)
{
	char text[16] = "";
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		abort();
	return (int)strtol(text, NULL, 10);
}

/* What the process was given apart from messages. */
static inline void report_surroundings(void)
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

/* It has no folder, only its channel, to the broker: says there what it was given, until that ends.
 */
static inline int export_main(void)
{
	struct stat log_status;
	char text[128];
	int open_fds = 0;

	for (int fd = 0; fd < 64; fd++)
		open_fds += fcntl(fd, F_GETFD) >= 0;
	if (fstat(STDERR_FILENO, &log_status) < 0)
		return 3;
	int len = snprintf(text, sizeof(text), "export log %s oom %d nice %d fds %d uid %d pid %d",
			   S_ISFIFO(log_status.st_mode) ? "pipe" : "other", oom_score(),
			   getpriority(PRIO_PROCESS, 0), open_fds, (int)geteuid(), (int)getpid());
	if (send(CHILD_MONITOR_FD, text, (size_t)len, 0) != len)
		return 4;
	struct pollfd channel = { .fd = CHILD_MONITOR_FD, .events = POLLIN };
	while (poll(&channel, 1, -1) < 0 && errno == EINTR)
		;
	return 0;
}

static inline int child_main(const char *name, int argc, char **argv)
{
	char path[400];
	unsigned role = 0;
	static const enum wire_role roles[] = { WIRE_SIGNER, WIRE_BROKER, WIRE_PROBE,
						WIRE_VAULT,  WIRE_EDGE,   WIRE_WORKER };

	while (role < ARRAY_SIZE(role_names) &&
	       strncmp(name, role_names[role], strlen(role_names[role])) != 0)
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

/* Whether this program was started as one of them; *ret_code is then what it ends with. */
static inline bool standin_is(int argc, char **argv, int *ret_code)
{
	const char *name = strrchr(argv[0], '/');

	name = name ? name + 1 : argv[0];
	if (strncmp(name, "sekisho-", 8) != 0)
		return false;
	*ret_code = util_streq(name, "sekisho-export") ? export_main()
						       : child_main(name + 8, argc, argv);
	return true;
}

#endif
