#include "monitor/child_log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"

enum {
	SECOND_US = 1000 * 1000,
	LINE_US = SECOND_US / CHILD_LOG_PER_SECOND, /* credit that a line costs */
	READ_MAX = 16 * 1024,
	CLOSE_READS = 64 /* as much as the pipe holds, also if the child made it larger */
};

/* ---- rate ------------------------------------------------------------------------------- */

static bool may_write(struct child_log *log)
{
	const uint64_t most = (uint64_t)CHILD_LOG_BURST * LINE_US;
	uint64_t now = clock_mono_us();

	log->credit_us = MIN(log->credit_us + (now - log->filled_us), most);
	log->filled_us = now;
	if (log->credit_us < LINE_US)
		return false;
	log->credit_us -= LINE_US;
	return true;
}

static void report_dropped(struct child_log *log)
{
	if (log->dropped)
		log_warn("child-log-dropped", "child=%s child_pid=%d lines=%lu", log->role,
			 (int)log->pid, log->dropped);
	log->dropped = 0;
}

static void report_due(struct loop_timer *timer)
{
	report_dropped(container_of(timer, struct child_log, report));
}

static void drop(struct child_log *log)
{
	log->dropped++;
	if (!loop_timer_running(&log->report))
		loop_timer_set(&log->report, SECOND_US);
}

/* ---- lines ------------------------------------------------------------------------------ */

static void end_line(struct child_log *log)
{
	log->line[log->len] = 0;
	if (may_write(log))
		log_relay(log->role, (int)log->pid, log->line);
	else
		drop(log);
	log->len = 0;
}

static void take(struct child_log *log, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n') {
			if (!log->skipping)
				end_line(log);
			log->skipping = false;
		} else if (!log->skipping) {
			/* A NUL would hide what follows it. */
			log->line[log->len++] = (char)(data[i] ? data[i] : '?');
			log->skipping = log->len == CHILD_LOG_LINE;
			if (log->skipping)
				end_line(log);
		}
	}
}

/* Whether there may be more. */
static bool read_some(struct child_log *log)
{
	char data[READ_MAX];
	ssize_t len = read(log->io.fd, data, sizeof(data));

	if (len > 0)
		take(log, data, (size_t)len);
	else if (len == 0 || (errno != EAGAIN && errno != EINTR))
		loop_io_finish(&log->io); /* a closed end would be ready forever */
	return len > 0;
}

static void ready(struct loop_io *io, uint32_t events)
{
	(void)events;
	read_some(container_of(io, struct child_log, io));
}

/* ---- life ------------------------------------------------------------------------------- */

enum err child_log_open(struct child_log *log, struct loop *loop, const char *role,
			int *ret_write_end)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_from_errno(errno);
	_cleanup_close_ int ours = fds[0], theirs = fds[1];
	/* Ours only: to wait is the child's part. */
	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return err_from_errno(errno);
	enum err err = loop_io_init(loop, &log->io, ours, EPOLLIN, ready);
	if (err)
		return err;
	loop_timer_init(loop, &log->report, report_due);
	log->role = role;
	log->pid = 0;
	log->open = true;
	log->skipping = false;
	log->len = 0;
	log->io.fd = util_take_fd(&ours);
	*ret_write_end = util_take_fd(&theirs);
	return OK;
}

void child_log_set_pid(struct child_log *log, pid_t pid)
{
	log->pid = pid;
}

void child_log_close(struct child_log *log)
{
	if (!log->open)
		return;
	for (int i = 0; i < CLOSE_READS && read_some(log); i++)
		;
	if (log->len)
		end_line(log);
	report_dropped(log);
	loop_timer_cancel(&log->report);
	int fd = log->io.fd;
	loop_io_finish(&log->io);
	close(fd);
	log->open = false;
}
