/*
 * loop.h - an epoll event loop: descriptors, timers, signals. One thread runs it; only loop_post
 * may be called from others.
 */
#ifndef SEKISHO_BASE_LOOP_H
#define SEKISHO_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/err.h"

struct loop;

nodiscard enum err loop_new(struct loop **ret);
void loop_free(struct loop *loop);

/* Runs until loop_stop; returns the code given there. */
int loop_run(struct loop *loop);
/* One turn that waits at most timeout_ms (-1: until something happens). */
nodiscard enum err loop_step(struct loop *loop, int timeout_ms);
void loop_stop(struct loop *loop, int code);

/*
 * Readable when a descriptor of the loop is ready: for a program whose own loop is a library's,
 * which then calls loop_step(loop, 0). Timers do not show there. Stays the loop's.
 */
int loop_fd(const struct loop *loop);

/* A watched descriptor, embedded in its owner, who keeps owning the descriptor. */
struct loop_io {
	struct loop *loop;
	int fd;
	uint32_t events;
	void (*ready)(struct loop_io *io, uint32_t events);
};

/* events: EPOLLIN, EPOLLOUT or 0. The callback may finish any io, its own included. */
nodiscard enum err loop_io_init(struct loop *loop, struct loop_io *io, int fd, uint32_t events,
				void (*ready)(struct loop_io *io, uint32_t events));
nodiscard enum err loop_io_set(struct loop_io *io, uint32_t events);
/* Harmless on a zeroed or finished io. Does not close the descriptor. */
void loop_io_finish(struct loop_io *io);

/* A one-shot timer, embedded in its owner. */
struct loop_timer {
	struct loop *loop;
	uint64_t due_us; /* monotonic; 0 while not running */
	void (*due)(struct loop_timer *timer);
	struct loop_timer *next;
};

void loop_timer_init(struct loop *loop, struct loop_timer *timer,
		     void (*due)(struct loop_timer *timer));
/* Starts or restarts. */
void loop_timer_set(struct loop_timer *timer, uint64_t after_us);
void loop_timer_cancel(struct loop_timer *timer);
bool loop_timer_running(const struct loop_timer *timer);

/* Calls handler(ctx, signal) from the loop, through signalfd; the signal is blocked from here on.
 */
nodiscard enum err loop_signal(struct loop *loop, int signal,
			       void (*handler)(void *ctx, int signal), void *ctx);

/* Any thread: calls func(ctx) from the loop's thread soon. ERR_NOMEM. */
nodiscard enum err loop_post(struct loop *loop, void (*func)(void *ctx), void *ctx);

#endif
