#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"

enum { LOOP_BATCH = 32 };

struct loop_posted {
	void (*func)(void *ctx);
	void *ctx;
	struct loop_posted *next;
};

struct loop_signal_watch {
	struct loop_io io;
	void (*handler)(void *ctx, int signal);
	void *ctx;
	struct loop_signal_watch *next;
};

struct loop {
	int epoll_fd;
	bool stopped;
	int code;
	struct loop_timer *timers; /* sorted by due_us */
	struct loop_signal_watch *signals;
	/* Events of this turn that were not delivered yet: a finished io is struck out here. */
	struct epoll_event batch[LOOP_BATCH];
	int batch_at, batch_len;
	struct loop_io wake;
	pthread_mutex_t mutex; /* guards posted */
	struct loop_posted *posted, **posted_end;
};

static void run_posted(struct loop_io *io, uint32_t events)
{
	struct loop *loop = io->loop;
	struct loop_posted *posted, *next;
	uint64_t count;

	(void)events;
	if (read(io->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	pthread_mutex_lock(&loop->mutex);
	posted = loop->posted;
	loop->posted = NULL;
	loop->posted_end = &loop->posted;
	pthread_mutex_unlock(&loop->mutex);
	for (; posted; posted = next) {
		next = posted->next;
		posted->func(posted->ctx);
		free(posted);
	}
}

enum err loop_new(struct loop **ret)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int wake_fd;
	enum err err;

	if (!loop)
		return ERR_NOMEM;
	pthread_mutex_init(&loop->mutex, NULL);
	loop->posted_end = &loop->posted;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	loop->wake.fd = wake_fd;
	if (loop->epoll_fd < 0 || wake_fd < 0) {
		err = err_from_errno(errno);
		loop_free(loop);
		return err;
	}
	err = loop_io_init(loop, &loop->wake, wake_fd, EPOLLIN, run_posted);
	if (err) {
		loop_free(loop);
		return err;
	}
	*ret = loop;
	return OK;
}

int loop_fd(const struct loop *loop)
{
	return loop->epoll_fd;
}

void loop_free(struct loop *loop)
{
	struct loop_signal_watch *watch, *next_watch;
	struct loop_posted *posted, *next_posted;

	if (!loop)
		return;
	for (watch = loop->signals; watch; watch = next_watch) {
		next_watch = watch->next;
		close(watch->io.fd);
		free(watch);
	}
	for (posted = loop->posted; posted; posted = next_posted) {
		next_posted = posted->next;
		free(posted);
	}
	if (loop->wake.fd >= 0)
		close(loop->wake.fd);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	pthread_mutex_destroy(&loop->mutex);
	free(loop);
}

static void run_timers(struct loop *loop)
{
	uint64_t now = clock_mono_us();

	while (loop->timers && loop->timers->due_us <= now) {
		struct loop_timer *timer = loop->timers;

		loop->timers = timer->next;
		timer->due_us = 0;
		timer->next = NULL;
		timer->due(timer);
	}
}

/* How long to wait: until the first timer, but not past timeout_ms. Finer than epoll_wait's
 * milliseconds, because frames are coalesced for less than one. */
static const struct timespec *wait_time(const struct loop *loop, int timeout_ms,
					struct timespec *ts)
{
	uint64_t wait_us = timeout_ms < 0 ? UINT64_MAX : (uint64_t)timeout_ms * 1000;

	if (loop->timers) {
		uint64_t now = clock_mono_us(), due = loop->timers->due_us;

		wait_us = MIN(wait_us, due > now ? due - now : 0);
	}
	if (wait_us == UINT64_MAX)
		return NULL;
	*ts = (struct timespec){ .tv_sec = (time_t)(wait_us / 1000000),
				 .tv_nsec = (long)(wait_us % 1000000) * 1000 };
	return ts;
}

static int wait_batch(struct loop *loop, const struct timespec *ts)
{
	int count = epoll_pwait2(loop->epoll_fd, loop->batch, LOOP_BATCH, ts, NULL);

	/* valgrind and kernels before 5.11 do not have it */
	if (count < 0 && errno == ENOSYS)
		count = epoll_wait(
			loop->epoll_fd, loop->batch, LOOP_BATCH,
			ts ? (int)MIN(ts->tv_sec * 1000 + (ts->tv_nsec + 999999) / 1000000, INT_MAX)
			   : -1);
	return count;
}

enum err loop_step(struct loop *loop, int timeout_ms)
{
	struct timespec ts;
	int count = wait_batch(loop, wait_time(loop, timeout_ms, &ts));

	if (count < 0 && errno != EINTR)
		return err_from_errno(errno);
	loop->batch_len = MAX(count, 0);
	for (loop->batch_at = 0; loop->batch_at < loop->batch_len; loop->batch_at++) {
		struct epoll_event *event = &loop->batch[loop->batch_at];
		struct loop_io *io = event->data.ptr;

		if (io)
			io->ready(io, event->events);
	}
	loop->batch_len = 0;
	run_timers(loop);
	return OK;
}

int loop_run(struct loop *loop)
{
	loop->stopped = false;
	while (!loop->stopped)
		if (loop_step(loop, -1) != OK)
			return 1;
	return loop->code;
}

void loop_stop(struct loop *loop, int code)
{
	loop->stopped = true;
	loop->code = code;
}

enum err loop_io_init(struct loop *loop, struct loop_io *io, int fd, uint32_t events,
		      void (*ready)(struct loop_io *io, uint32_t events))
{
	struct epoll_event event = { .events = events, .data.ptr = io };

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return err_from_errno(errno);
	*io = (struct loop_io){ .loop = loop, .fd = fd, .events = events, .ready = ready };
	return OK;
}

enum err loop_io_set(struct loop_io *io, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = io };

	if (events == io->events)
		return OK;
	if (epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_MOD, io->fd, &event) < 0)
		return err_from_errno(errno);
	io->events = events;
	return OK;
}

void loop_io_finish(struct loop_io *io)
{
	struct loop *loop = io->loop;

	if (!loop)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	for (int i = loop->batch_at + 1; i < loop->batch_len; i++)
		if (loop->batch[i].data.ptr == io)
			loop->batch[i].data.ptr = NULL;
	io->loop = NULL;
}

void loop_timer_init(struct loop *loop, struct loop_timer *timer,
		     void (*due)(struct loop_timer *timer))
{
	*timer = (struct loop_timer){ .loop = loop, .due = due };
}

void loop_timer_set(struct loop_timer *timer, uint64_t after_us)
{
	struct loop_timer **at = &timer->loop->timers;

	loop_timer_cancel(timer);
	if (add_overflows(clock_mono_us(), after_us, &timer->due_us))
		timer->due_us = UINT64_MAX;
	while (*at && (*at)->due_us <= timer->due_us)
		at = &(*at)->next;
	timer->next = *at;
	*at = timer;
}

void loop_timer_cancel(struct loop_timer *timer)
{
	if (!timer->due_us)
		return;
	for (struct loop_timer **at = &timer->loop->timers; *at; at = &(*at)->next) {
		if (*at == timer) {
			*at = timer->next;
			break;
		}
	}
	timer->next = NULL;
	timer->due_us = 0;
}

bool loop_timer_running(const struct loop_timer *timer)
{
	return timer->due_us != 0;
}

static void read_signal(struct loop_io *io, uint32_t events)
{
	struct loop_signal_watch *watch = container_of(io, struct loop_signal_watch, io);
	struct signalfd_siginfo info;

	(void)events;
	while (read(io->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		watch->handler(watch->ctx, (int)info.ssi_signo);
}

enum err loop_signal(struct loop *loop, int signal, void (*handler)(void *ctx, int signal),
		     void *ctx)
{
	_cleanup_close_ int fd = -1;
	struct loop_signal_watch *watch;
	sigset_t set;
	enum err err;

	sigemptyset(&set);
	sigaddset(&set, signal);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return ERR_INTERNAL;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_from_errno(errno);
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return ERR_NOMEM;
	err = loop_io_init(loop, &watch->io, fd, EPOLLIN, read_signal);
	if (err) {
		free(watch);
		return err;
	}
	watch->handler = handler;
	watch->ctx = ctx;
	watch->next = loop->signals;
	loop->signals = watch;
	util_take_fd(&fd);
	return OK;
}

enum err loop_post(struct loop *loop, void (*func)(void *ctx), void *ctx)
{
	struct loop_posted *posted = malloc(sizeof(*posted));
	uint64_t one = 1;

	if (!posted)
		return ERR_NOMEM;
	*posted = (struct loop_posted){ .func = func, .ctx = ctx };
	pthread_mutex_lock(&loop->mutex);
	*loop->posted_end = posted;
	loop->posted_end = &posted->next;
	pthread_mutex_unlock(&loop->mutex);
	/* Fails only when the counter is full, and then the loop is about to wake anyway. */
	if (write(loop->wake.fd, &one, sizeof(one)) < 0)
		return OK;
	return OK;
}
