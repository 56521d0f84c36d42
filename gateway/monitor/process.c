#include "monitor/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "wire/child.h"

enum {
	PROCESS_PAUSE_MIN_US = 100 * 1000,
	PROCESS_PAUSE_MAX_US = 5 * 1000 * 1000,
	PROCESS_GRACE_US = 1000 * 1000,     /* to end by itself once its channel is closed */
	PROCESS_GOOD_US = 30 * 1000 * 1000, /* alive for so long: the next death is a new story */
};

const struct process_row process_rows[PROCESS_COUNT] = {
	{ WIRE_SIGNER, "signer", 0, 0 },
	{ WIRE_BROKER, "broker", 1U << LISTENER_ADMIN, 0 },
	{ WIRE_PROBE, "probe", 0, 0 },
	{ WIRE_VAULT, "vault", 0, 0 },
	{ WIRE_EDGE, "edge", 1U << LISTENER_GATEWAY | 1U << LISTENER_ENROL, 0 },
	{ WIRE_SIEM, "siem", 0, offsetof(struct settings, siem_address) },
};

/* Who may talk to whom; nobody else is ever given a channel. Workers are linked in worker.c. */
static const enum wire_role process_links[][2] = {
	{ WIRE_EDGE, WIRE_BROKER },  { WIRE_BROKER, WIRE_SIGNER }, { WIRE_BROKER, WIRE_PROBE },
	{ WIRE_BROKER, WIRE_VAULT }, { WIRE_BROKER, WIRE_SIEM },
};

void process_describe_end(int status, char *text, size_t room)
{
	if (!WIFSIGNALED(status)) {
		snprintf(text, room, "exit code %d", WEXITSTATUS(status));
		return;
	}
	const char *name = sigabbrev_np(WTERMSIG(status)); /* NULL for real-time ones */
	bool refused = WTERMSIG(status) == SIGSYS;
	snprintf(text, room, "signal %d %s%s", WTERMSIG(status), name ? name : "",
		 refused ? ": a system call that its sandbox forbids" : "");
}

static void kill_process(struct process *process)
{
	if (process->pid)
		kill(process->pid, SIGKILL);
}

void process_send(struct process *process, uint16_t id, const void *msg, int pass_fd)
{
	_cleanup_close_ int fd = pass_fd;

	if (!process->channel)
		return;
	enum err err = channel_send(process->channel, id, msg, util_take_fd(&fd));
	if (!err || err == ERR_CLOSED) /* closed: about to be reaped */
		return;
	log_error("child-hung", "child=%s pid=%d error=%s", process->row->name, (int)process->pid,
		  err_code(err));
	kill_process(process);
}

static void message(void *ctx, struct channel *channel, const struct wire_type *type,
		    const union wire_any *msg, int fd)
{
	struct process *process = ctx;
	struct processes *all = process->all;

	(void)channel;
	all->ops->message(all->ctx, process, type, msg, fd);
}

/* One that talks rubbish ends now. One that closed its channel is on its way out and should say
 * with what code. */
static void closed(void *ctx, struct channel *channel, enum err why)
{
	struct process *process = ctx;

	(void)channel;
	process->channel = NULL;
	if (why == ERR_PROTOCOL)
		kill_process(process);
	else
		loop_timer_set(&process->grace, PROCESS_GRACE_US);
}

static void grace_over(struct loop_timer *timer)
{
	kill_process(container_of(timer, struct process, grace));
}

static const struct channel_ops process_channel_ops = { message, closed };

static void link_processes(struct process *a, struct process *b)
{
	int fds[2];
	enum err err = ipc_pair(fds);

	if (err) {
		log_error("link-failed", "a=%s b=%s error=%s", a->row->name, b->row->name,
			  err_code(err));
		kill_process(a);
		return;
	}
	process_send(a, MSG_link, &(struct msg_link){ .peer = (uint8_t)b->row->role }, fds[0]);
	process_send(b, MSG_link, &(struct msg_link){ .peer = (uint8_t)a->row->role }, fds[1]);
}

static void send_links(struct process *process)
{
	for (size_t i = 0; i < ARRAY_SIZE(process_links); i++) {
		for (int side = 0; side < 2; side++) {
			struct process *peer =
				processes_find(process->all, process_links[i][!side]);
			if (process_links[i][side] == process->row->role && peer)
				link_processes(process, peer);
		}
	}
}

static void send_listeners(struct process *process)
{
	for (unsigned kind = 1; kind < PROCESS_LISTENERS; kind++) {
		struct msg_listener msg = { .kind = (uint8_t)kind };
		if (!(process->row->listeners & 1U << kind))
			continue;
		int fd =
			fcntl(process->all->listeners[kind], F_DUPFD_CLOEXEC, CHILD_MONITOR_FD + 1);
		if (fd < 0) {
			log_error("listener-failed", "child=%s error=\"%s\"", process->row->name,
				  strerror(errno));
			kill_process(process);
			return;
		}
		process_send(process, MSG_listener, &msg, fd);
	}
}

static enum err spawn_logged(struct process *process, int channel_fd)
{
	struct processes *all = process->all;
	const char *name = process->row->name;
	_cleanup_close_ int log_fd = -1;

	enum err err = child_log_open(&process->log, all->loop, name, &log_fd);
	if (err)
		return err;
	const struct spawn_gift gift = { .channel_fd = channel_fd, .log_fd = log_fd };
	err = spawn_process(all->place, name, &process->user, &gift, &process->pid);
	if (err)
		child_log_close(&process->log);
	else
		child_log_set_pid(&process->log, process->pid);
	return err;
}

static enum err launch(struct process *process)
{
	struct processes *all = process->all;
	int fds[2];

	enum err err = ipc_pair(fds);
	if (err)
		return err;
	_cleanup_close_ int ours = fds[0], theirs = fds[1];
	err = spawn_logged(process, theirs);
	if (err)
		return err;
	process->started_us = clock_mono_us();
	err = channel_new(all->loop, util_take_fd(&ours), WIRE_MONITOR, process->row->role,
			  &process_channel_ops, process, &process->channel);
	if (err)
		kill_process(process); /* reaped and tried again like any other */
	return OK;
}

static void start_again_later(struct process *process)
{
	process->pause_us =
		MIN(MAX(process->pause_us * 2, PROCESS_PAUSE_MIN_US), PROCESS_PAUSE_MAX_US);
	loop_timer_set(&process->again, process->pause_us);
}

static void start(struct process *process)
{
	enum err err = launch(process);

	if (err) {
		log_error("child-start-failed", "child=%s error=%s", process->row->name,
			  err_code(err));
		start_again_later(process);
		return;
	}
	log_info("child-started", "child=%s pid=%d", process->row->name, (int)process->pid);
	send_links(process);
	send_listeners(process);
	process->all->ops->started(process->all->ctx, process);
}

static void pause_over(struct loop_timer *timer)
{
	start(container_of(timer, struct process, again));
}

static bool is_wanted(const struct process_row *row, const struct settings *settings)
{
	return !row->setting || ((const char *)settings)[row->setting] != '\0';
}

enum err processes_init(struct processes *processes, struct loop *loop,
			const struct settings *settings, const struct spawn_place *place,
			const int *listeners, const struct process_ops *ops, void *ctx)
{
	*processes = (struct processes){
		.loop = loop, .place = place, .listeners = listeners, .ops = ops, .ctx = ctx
	};
	for (size_t i = 0; i < PROCESS_COUNT; i++) {
		struct process *process = &processes->list[i];
		process->row = &process_rows[i];
		process->all = processes;
		loop_timer_init(loop, &process->again, pause_over);
		loop_timer_init(loop, &process->grace, grace_over);
		process->wanted = is_wanted(process->row, settings);
		if (!process->wanted)
			continue;
		enum err err = spawn_find_user(process->row->name, &process->user);
		if (!err)
			err = spawn_check(place, process->row->name);
		if (err)
			return err;
	}
	return OK;
}

void processes_finish(struct processes *processes)
{
	for (size_t i = 0; i < PROCESS_COUNT; i++) {
		loop_timer_cancel(&processes->list[i].again);
		loop_timer_cancel(&processes->list[i].grace);
		channel_free(processes->list[i].channel);
		child_log_close(&processes->list[i].log);
	}
}

void processes_start(struct processes *processes)
{
	for (size_t i = 0; i < PROCESS_COUNT; i++)
		if (processes->list[i].wanted)
			start(&processes->list[i]);
}

bool processes_reaped(struct processes *processes, pid_t pid, int status)
{
	struct process *process = NULL;
	char how[96];

	for (size_t i = 0; i < PROCESS_COUNT; i++)
		if (processes->list[i].pid == pid)
			process = &processes->list[i];
	if (!process)
		return false;
	process_describe_end(status, how, sizeof(how));
	process->pid = 0;
	loop_timer_cancel(&process->grace);
	channel_free(process->channel);
	process->channel = NULL;
	child_log_close(&process->log);
	if (processes->stopping) {
		log_info("child-stopped", "child=%s pid=%d how=\"%s\"", process->row->name,
			 (int)pid, how);
		return true;
	}
	if (clock_mono_us() - process->started_us >= PROCESS_GOOD_US)
		process->pause_us = 0;
	start_again_later(process);
	log_error("child-died", "child=%s pid=%d how=\"%s\" again_ms=%u", process->row->name,
		  (int)pid, how, (unsigned)(process->pause_us / 1000));
	return true;
}

void processes_stop(struct processes *processes, int signal)
{
	processes->stopping = true;
	for (size_t i = 0; i < PROCESS_COUNT; i++) {
		struct process *process = &processes->list[i];
		loop_timer_cancel(&process->again);
		if (process->pid)
			kill(process->pid, signal);
	}
}

bool processes_running(const struct processes *processes)
{
	for (size_t i = 0; i < PROCESS_COUNT; i++)
		if (processes->list[i].pid)
			return true;
	return false;
}

struct process *processes_find(struct processes *processes, enum wire_role role)
{
	for (size_t i = 0; i < PROCESS_COUNT; i++) {
		struct process *process = &processes->list[i];
		if (process->row->role == role && process->channel)
			return process;
	}
	return NULL;
}
