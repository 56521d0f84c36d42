#include "monitor/worker.h"

#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

static const char worker_name[] = "worker"; /* its user and its log, whichever program it is */

enum { WORKER_GRACE_US = 1000 * 1000 };

struct worker {
	struct worker *next;
	uint8_t session[WIRE_SESSION_ID];
	char session_text[2 * WIRE_SESSION_ID + 1];
	pid_t pid;
	struct channel *channel; /* NULL: is ending */
	struct child_log log;
	struct loop_timer
		grace; /* runs from the end of the channel until the process ends itself */
};

static void message(void *ctx, struct channel *channel, const struct wire_type *type,
		    const union wire_any *msg, int fd)
{
	struct worker *worker = ctx;

	/* messages.def has none from workers to the monitor, so the channel lets none through. */
	(void)channel;
	(void)msg;
	log_error("worker-message", "session=%s type=%s", worker->session_text, type->name);
	if (fd >= 0)
		close(fd);
}

static void closed(void *ctx, struct channel *channel, enum err why)
{
	struct worker *worker = ctx;

	(void)channel;
	worker->channel = NULL;
	if (why == ERR_PROTOCOL)
		kill(worker->pid, SIGKILL);
	else
		loop_timer_set(&worker->grace, WORKER_GRACE_US);
}

static void grace_over(struct loop_timer *timer)
{
	kill(container_of(timer, struct worker, grace)->pid, SIGKILL);
}

static const struct channel_ops worker_channel_ops = { message, closed };

/* A program for each protocol, so that a PC of the one never meets the libraries of the other. */
static const char *program_of(unsigned protocol)
{
	switch (protocol) {
	case PROTOCOL_RDP:
		return "worker-rdp";
	case PROTOCOL_VNC:
		return "worker-vnc";
	default:
		return NULL;
	}
}

enum err workers_init(struct workers *workers, struct processes *processes, size_t most)
{
	*workers = (struct workers){ .processes = processes, .most = most };
	enum err err = spawn_find_user(worker_name, &workers->user);
	if (!err)
		err = spawn_check(processes->place, program_of(PROTOCOL_RDP));
	if (!err)
		err = spawn_check(processes->place, program_of(PROTOCOL_VNC));
	return err;
}

void workers_finish(struct workers *workers)
{
	while (workers->first) {
		struct worker *worker = workers->first;
		workers->first = worker->next;
		loop_timer_cancel(&worker->grace);
		channel_free(worker->channel);
		child_log_close(&worker->log);
		free(worker);
	}
	workers->count = 0;
}

static struct worker *find(struct workers *workers, const uint8_t *session)
{
	for (struct worker *worker = workers->first; worker; worker = worker->next)
		if (memcmp(worker->session, session, WIRE_SESSION_ID) == 0)
			return worker;
	return NULL;
}

static void tell_broker(struct workers *workers, uint16_t id, const void *msg, int pass_fd)
{
	_cleanup_close_ int fd = pass_fd;
	struct process *broker = processes_find(workers->processes, WIRE_BROKER);

	if (broker)
		process_send(broker, id, msg, util_take_fd(&fd));
}

static void tell_exited(struct workers *workers, const uint8_t *session, uint32_t status)
{
	struct msg_worker_exited msg = { .status = status };

	memcpy(msg.session, session, WIRE_SESSION_ID);
	tell_broker(workers, MSG_worker_exited, &msg, -1);
}

/* A fresh channel between the worker and the broker that runs now. */
static enum err link_broker(struct workers *workers, struct worker *worker, bool adopted)
{
	struct msg_worker_started msg = { .pid = (uint32_t)worker->pid, .adopted = adopted };
	const struct msg_link link = { .peer = WIRE_BROKER };
	int fds[2];

	enum err err = ipc_pair(fds);
	if (err)
		return err;
	_cleanup_close_ int broker_end = fds[1];
	err = channel_send(worker->channel, MSG_link, &link, fds[0]);
	if (err)
		return err;
	memcpy(msg.session, worker->session, WIRE_SESSION_ID);
	tell_broker(workers, MSG_worker_started, &msg, util_take_fd(&broker_end));
	return OK;
}

static enum err spawn_logged(struct workers *workers, struct worker *worker, const char *program,
			     int channel_fd)
{
	struct processes *processes = workers->processes;
	_cleanup_close_ int log_fd = -1;

	enum err err = child_log_open(&worker->log, processes->loop, worker_name, &log_fd);
	if (err)
		return err;
	const struct spawn_gift gift = { channel_fd, log_fd, .first_to_go = true };
	err = spawn_process(processes->place, program, &workers->user, &gift, &worker->pid);
	if (err)
		child_log_close(&worker->log);
	else
		child_log_set_pid(&worker->log, worker->pid);
	return err;
}

static enum err launch(struct workers *workers, struct worker *worker, const char *program)
{
	struct processes *processes = workers->processes;
	int fds[2];

	enum err err = ipc_pair(fds);
	if (err)
		return err;
	_cleanup_close_ int ours = fds[0], theirs = fds[1];
	err = channel_new(processes->loop, util_take_fd(&ours), WIRE_MONITOR, WIRE_WORKER,
			  &worker_channel_ops, worker, &worker->channel);
	if (!err)
		err = spawn_logged(workers, worker, program, theirs);
	if (err)
		channel_free(worker->channel);
	return err;
}

static enum err spawn(struct workers *workers, const uint8_t *session, const char *program)
{
	if (!program)
		return ERR_INVALID;
	if (workers->stopping || workers->count >= workers->most)
		return ERR_FULL;
	_cleanup_free_ struct worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		return ERR_NOMEM;
	memcpy(worker->session, session, WIRE_SESSION_ID);
	util_hex(session, WIRE_SESSION_ID, worker->session_text);
	loop_timer_init(workers->processes->loop, &worker->grace, grace_over);
	enum err err = launch(workers, worker, program);
	if (err)
		return err;
	worker->next = workers->first;
	workers->first = worker;
	workers->count++;
	log_info("worker-started", "session=%s program=%s pid=%d workers=%zu", worker->session_text,
		 program, (int)worker->pid, workers->count);
	/* From here on its end is reported when it is reaped. */
	if (link_broker(workers, worker, false))
		kill(worker->pid, SIGKILL);
	util_take_ptr(worker);
	return OK;
}

static void spawn_asked(struct workers *workers, const struct msg_worker_spawn *msg)
{
	char text[2 * WIRE_SESSION_ID + 1];

	util_hex(msg->session, WIRE_SESSION_ID, text);
	if (find(workers, msg->session)) {
		log_error("worker-exists", "session=%s", text);
		return;
	}
	enum err err = spawn(workers, msg->session, program_of(msg->protocol));
	if (!err)
		return;
	log_error("worker-start-failed", "session=%s error=%s workers=%zu allowed=%zu", text,
		  err_code(err), workers->count, workers->most);
	tell_exited(workers, msg->session, WORKER_NOT_STARTED);
}

static void kill_asked(struct workers *workers, const uint8_t *session)
{
	struct worker *worker = find(workers, session);

	/* It may have ended by itself in the meantime. */
	if (worker)
		kill(worker->pid, SIGKILL);
}

void workers_message(struct workers *workers, const struct wire_type *type,
		     const union wire_any *msg)
{
	if (type->id == MSG_worker_spawn)
		spawn_asked(workers, &msg->worker_spawn);
	else if (type->id == MSG_worker_kill)
		kill_asked(workers, msg->worker_kill.session);
	else
		log_error("message-unexpected", "type=%s", type->name);
}

void workers_adopt(struct workers *workers)
{
	for (struct worker *worker = workers->first; worker; worker = worker->next)
		if (worker->channel && link_broker(workers, worker, true))
			kill(worker->pid, SIGKILL);
}

bool workers_reaped(struct workers *workers, pid_t pid, int status)
{
	struct worker **at = &workers->first;
	char how[96];

	while (*at && (*at)->pid != pid)
		at = &(*at)->next;
	struct worker *worker = *at;
	if (!worker)
		return false;
	*at = worker->next;
	workers->count--;
	process_describe_end(status, how, sizeof(how));
	child_log_close(&worker->log);
	enum log_level level =
		WIFSIGNALED(status) && !workers->stopping ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
	log_line(level, "worker-ended", "session=%s pid=%d how=\"%s\"", worker->session_text,
		 (int)pid, how);
	tell_exited(workers, worker->session, (uint32_t)status);
	loop_timer_cancel(&worker->grace);
	channel_free(worker->channel);
	free(worker);
	return true;
}

void workers_stop(struct workers *workers, int signal)
{
	workers->stopping = true;
	for (struct worker *worker = workers->first; worker; worker = worker->next)
		kill(worker->pid, signal);
}
