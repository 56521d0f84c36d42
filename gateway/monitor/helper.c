#include "monitor/helper.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/util.h"

const struct helper_kind helper_export = { "export", WIRE_BROKER, MSG_export_exited, 2, 10 };
const struct helper_kind helper_preview = { "preview", WIRE_VAULT, MSG_preview_exited, 8, 5 };
_Static_assert(offsetof(struct msg_export_exited, number) ==
			       offsetof(struct msg_preview_exited, number) &&
		       offsetof(struct msg_export_exited, status) ==
			       offsetof(struct msg_preview_exited, status),
	       "both are filled alike");

/* What SIGKILL means where none of us has sent it. */
#define LIMITED ": its processor time was over, or the machine's memory"

struct helper {
	struct helper *next;
	uint32_t number; /* the owner's; another owner counts anew */
	bool forgotten;  /* its owner is gone: nobody is told of its end */
	bool killed;     /* on order, or with its owner */
	pid_t pid;
	struct child_log log;
};

enum err helpers_init(struct helpers *helpers, const struct helper_kind *kind,
		      struct processes *processes)
{
	*helpers = (struct helpers){ .kind = kind, .processes = processes };
	enum err err = spawn_find_user(kind->name, &helpers->user);

	return err ? err : spawn_check(processes->place, kind->name);
}

void helpers_finish(struct helpers *helpers)
{
	while (helpers->first) {
		struct helper *helper = helpers->first;

		helpers->first = helper->next;
		child_log_close(&helper->log);
		free(helper);
	}
	helpers->count = 0;
}

static struct helper *find(struct helpers *helpers, uint32_t number)
{
	struct helper *helper = helpers->first;

	while (helper && (helper->forgotten || helper->number != number))
		helper = helper->next;
	return helper;
}

static void tell_exited(struct helpers *helpers, uint32_t number, uint32_t status)
{
	const struct msg_export_exited msg = { .number = number, .status = status };
	struct process *owner = processes_find(helpers->processes, helpers->kind->owner);

	if (owner)
		process_send(owner, helpers->kind->exited, &msg, -1);
}

static enum err spawn_logged(struct helpers *helpers, struct helper *helper, int channel_fd)
{
	struct processes *processes = helpers->processes;
	const char *name = helpers->kind->name;
	_cleanup_close_ int log_fd = -1;

	enum err err = child_log_open(&helper->log, processes->loop, name, &log_fd);
	if (err)
		return err;
	const struct spawn_gift gift = { channel_fd, log_fd, .first_to_go = true,
					 .nice = helpers->kind->nice };
	err = spawn_process(processes->place, name, &helpers->user, &gift, &helper->pid);
	if (err)
		child_log_close(&helper->log);
	else
		child_log_set_pid(&helper->log, helper->pid);
	return err;
}

static enum err spawn(struct helpers *helpers, uint32_t number, int channel_fd)
{
	if (helpers->stopping || helpers->count >= helpers->kind->most)
		return ERR_FULL;
	if (find(helpers, number))
		return ERR_EXISTS;
	_cleanup_free_ struct helper *helper = calloc(1, sizeof(*helper));
	if (!helper)
		return ERR_NOMEM;
	helper->number = number;
	enum err err = spawn_logged(helpers, helper, channel_fd);
	if (err)
		return err;
	helper->next = helpers->first;
	helpers->first = helper;
	helpers->count++;
	log_info("helper-started", "kind=%s number=%u pid=%d helpers=%zu", helpers->kind->name,
		 number, (int)helper->pid, helpers->count);
	util_take_ptr(helper);
	return OK;
}

void helpers_spawn(struct helpers *helpers, uint32_t number, int fd)
{
	_cleanup_close_ int channel_fd = fd;
	enum err err = spawn(helpers, number, channel_fd);

	if (!err)
		return;
	log_error("helper-start-failed", "kind=%s number=%u error=%s helpers=%zu allowed=%zu",
		  helpers->kind->name, number, err_code(err), helpers->count, helpers->kind->most);
	tell_exited(helpers, number, HELPER_NOT_STARTED);
}

void helpers_kill(struct helpers *helpers, uint32_t number)
{
	struct helper *helper = find(helpers, number);

	/* It may have ended by itself in the meantime. */
	if (!helper)
		return;
	helper->killed = true;
	kill(helper->pid, SIGKILL);
}

void helpers_end_all(struct helpers *helpers)
{
	for (struct helper *at = helpers->first; at; at = at->next) {
		at->forgotten = at->killed = true;
		kill(at->pid, SIGKILL);
	}
}

bool helpers_reaped(struct helpers *helpers, pid_t pid, int status)
{
	struct helper **at = &helpers->first;
	char how[96];

	while (*at && (*at)->pid != pid)
		at = &(*at)->next;
	struct helper *helper = *at;
	if (!helper)
		return false;
	*at = helper->next;
	helpers->count--;
	process_describe_end(status, how, sizeof(how));
	child_log_close(&helper->log);
	/* People are told that it was too much; here is what it was. */
	const bool crashed = WIFSIGNALED(status) && !helper->killed && !helpers->stopping;
	log_line(crashed ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "helper-ended",
		 "kind=%s number=%u pid=%d how=\"%s%s\"", helpers->kind->name, helper->number,
		 (int)pid, how, crashed && WTERMSIG(status) == SIGKILL ? LIMITED : "");
	if (!helper->forgotten)
		tell_exited(helpers, helper->number, (uint32_t)status);
	free(helper);
	return true;
}

void helpers_stop(struct helpers *helpers, int signal)
{
	helpers->stopping = true;
	for (struct helper *helper = helpers->first; helper; helper = helper->next)
		kill(helper->pid, signal);
}
