#include "monitor/exporter.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/util.h"

static const char exporter_name[] = "export"; /* its program, its user and its log */

struct exporter {
	struct exporter *next;
	uint32_t number; /* the broker's; another broker counts anew */
	bool forgotten;  /* its broker is gone: nobody is told of its end */
	pid_t pid;
	struct child_log log;
};

enum err exporters_init(struct exporters *exporters, struct processes *processes)
{
	*exporters = (struct exporters){ .processes = processes };
	enum err err = spawn_find_user(exporter_name, &exporters->user);

	return err ? err : spawn_check(processes->place, exporter_name);
}

void exporters_finish(struct exporters *exporters)
{
	while (exporters->first) {
		struct exporter *exporter = exporters->first;

		exporters->first = exporter->next;
		child_log_close(&exporter->log);
		free(exporter);
	}
	exporters->count = 0;
}

static struct exporter *find(struct exporters *exporters, uint32_t number)
{
	struct exporter *exporter = exporters->first;

	while (exporter && (exporter->forgotten || exporter->number != number))
		exporter = exporter->next;
	return exporter;
}

static void tell_exited(struct exporters *exporters, uint32_t number, uint32_t status)
{
	const struct msg_export_exited msg = { .number = number, .status = status };
	struct process *broker = processes_find(exporters->processes, WIRE_BROKER);

	if (broker)
		process_send(broker, MSG_export_exited, &msg, -1);
}

static enum err spawn_logged(struct exporters *exporters, struct exporter *exporter, int channel_fd)
{
	struct processes *processes = exporters->processes;
	_cleanup_close_ int log_fd = -1;

	enum err err = child_log_open(&exporter->log, processes->loop, exporter_name, &log_fd);
	if (err)
		return err;
	const struct spawn_gift gift = { channel_fd, log_fd, .first_to_go = true,
					 .nice = EXPORTER_NICE };
	err = spawn_process(processes->place, exporter_name, &exporters->user, &gift,
			    &exporter->pid);
	if (err)
		child_log_close(&exporter->log);
	else
		child_log_set_pid(&exporter->log, exporter->pid);
	return err;
}

static enum err spawn(struct exporters *exporters, uint32_t number, int channel_fd)
{
	if (exporters->stopping || exporters->count >= EXPORTERS_MOST)
		return ERR_FULL;
	if (find(exporters, number))
		return ERR_EXISTS;
	_cleanup_free_ struct exporter *exporter = calloc(1, sizeof(*exporter));
	if (!exporter)
		return ERR_NOMEM;
	exporter->number = number;
	enum err err = spawn_logged(exporters, exporter, channel_fd);
	if (err)
		return err;
	exporter->next = exporters->first;
	exporters->first = exporter;
	exporters->count++;
	log_info("exporter-started", "export=%u pid=%d exporters=%zu", number, (int)exporter->pid,
		 exporters->count);
	util_take_ptr(exporter);
	return OK;
}

void exporters_spawn(struct exporters *exporters, uint32_t number, int fd)
{
	_cleanup_close_ int channel_fd = fd;
	enum err err = spawn(exporters, number, channel_fd);

	if (!err)
		return;
	log_error("exporter-start-failed", "export=%u error=%s exporters=%zu allowed=%d", number,
		  err_code(err), exporters->count, EXPORTERS_MOST);
	tell_exited(exporters, number, EXPORTER_NOT_STARTED);
}

void exporters_kill(struct exporters *exporters, uint32_t number)
{
	struct exporter *exporter = find(exporters, number);

	/* It may have ended by itself in the meantime. */
	if (exporter)
		kill(exporter->pid, SIGKILL);
}

void exporters_end_all(struct exporters *exporters)
{
	for (struct exporter *at = exporters->first; at; at = at->next) {
		at->forgotten = true;
		kill(at->pid, SIGKILL);
	}
}

bool exporters_reaped(struct exporters *exporters, pid_t pid, int status)
{
	struct exporter **at = &exporters->first;
	char how[96];

	while (*at && (*at)->pid != pid)
		at = &(*at)->next;
	struct exporter *exporter = *at;
	if (!exporter)
		return false;
	*at = exporter->next;
	exporters->count--;
	process_describe_end(status, how, sizeof(how));
	child_log_close(&exporter->log);
	log_info("exporter-ended", "export=%u pid=%d how=\"%s\"", exporter->number, (int)pid, how);
	if (!exporter->forgotten)
		tell_exited(exporters, exporter->number, (uint32_t)status);
	free(exporter);
	return true;
}

void exporters_stop(struct exporters *exporters, int signal)
{
	exporters->stopping = true;
	for (struct exporter *exporter = exporters->first; exporter; exporter = exporter->next)
		kill(exporter->pid, signal);
}
