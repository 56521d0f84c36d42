/*
 * dial.h - the TCP connection to the PC and the watchdog that bounds everything a client library
 * does while it blocks: its handshakes have no timeouts of their own.
 */
#ifndef SEKISHO_WORKER_REMOTE_DIAL_H
#define SEKISHO_WORKER_REMOTE_DIAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * A connected TCP socket with keep-alive, the caller closes it. address is numeric or a host name,
 * nothing else; timeout_ms bounds looking it up and connecting together. ERR_INVALID, ERR_NOT_FOUND
 * (name), ERR_CLOSED (refused, no route), ERR_TIMEOUT, ERR_IO, ERR_NOMEM. After ERR_TIMEOUT a
 * thread may still wait for the name server: it touches nothing of the caller's.
 */
nodiscard enum err remote_dial(const char *address, uint16_t port, unsigned timeout_ms,
			       int *ret_fd);

/* Round trip of a TCP connection in microseconds, smoothed (tcp(7), TCP_INFO); 0: not known. */
uint32_t remote_rtt_us(int fd);

/*
 * A thread that shuts the socket down when time is over. It touches nothing but the descriptor and
 * what expired(ctx) does, which must be safe from another thread.
 */
struct remote_watchdog {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint64_t due_us;
	uint64_t left_us; /* while paused */
	int fd;           /* a duplicate of the socket, -1: none */
	bool running, paused, stop, fired;
	void (*expired)(void *ctx);
	void *ctx;
};

/* ERR_NOMEM when no thread can be made. */
nodiscard enum err remote_watchdog_start(struct remote_watchdog *dog, uint64_t after_us,
					 void (*expired)(void *ctx), void *ctx);
/* The socket to shut down, still the caller's. ERR_TIMEOUT when time is over already, ERR_IO. */
nodiscard enum err remote_watchdog_guard(struct remote_watchdog *dog, int fd);
/* Lets go of it. */
void remote_watchdog_unguard(struct remote_watchdog *dog);
/* Time does not count while somebody else is waited for. */
void remote_watchdog_pause(struct remote_watchdog *dog, bool paused);
/* What is left, 0 when over. */
uint64_t remote_watchdog_left_us(struct remote_watchdog *dog);
/* Joins the thread; true when it had fired. Harmless when not started. */
bool remote_watchdog_stop(struct remote_watchdog *dog);

#endif
