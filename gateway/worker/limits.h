/*
 * limits.h - when a session warns, locks and ends by time: idle, length, waiting for its viewer,
 * broker gone. Pure logic, the caller brings the monotonic time and acts.
 */
#ifndef SEKISHO_WORKER_LIMITS_H
#define SEKISHO_WORKER_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	LIMITS_LENGTH_WARN_S = 300,
	LIMITS_BROKER_S = 60,       /* without a broker nobody can end the session */
	LIMITS_FIRST_VIEWER_S = 60, /* at least, for the viewer that the session was opened for */
};

/* Seconds; 0 = at once. */
struct limits_config {
	uint32_t idle_warn_s, idle_lock_s, idle_logoff_s, resume_s, length_s;
};

enum limits_event {
	LIMITS_NOTHING,
	LIMITS_WARN_IDLE,
	LIMITS_WARN_LENGTH,
	LIMITS_LOCK,
	LIMITS_END_IDLE,
	LIMITS_END_LENGTH,
	LIMITS_END_RESUME,
	LIMITS_END_BROKER,
};

struct limits {
	struct limits_config config;
	uint64_t started_us, input_us;
	uint64_t alone_us;  /* since when the session waits for a viewer */
	uint64_t broker_us; /* since when the broker is gone */
	bool alone, brokerless;
	bool seen; /* a viewer was there once */
	bool warned_idle, warned_length, locked;
};

/* A session without a viewer starts. */
void limits_init(struct limits *limits, const struct limits_config *config, uint64_t now_us);

/* The person did something. True: the idle warning is over. */
bool limits_input(struct limits *limits, uint64_t now_us);

void limits_viewer_came(struct limits *limits);
/* Not for the viewer that a lock cuts off: the lock has its own end. */
void limits_viewer_left(struct limits *limits, uint64_t now_us);
void limits_unlocked(struct limits *limits, uint64_t now_us);
void limits_broker_left(struct limits *limits, uint64_t now_us);
void limits_broker_came(struct limits *limits);

/*
 * What is due, once each; call again until LIMITS_NOTHING, then ret_wait_us is the time until the
 * next one. Ends are reported before warnings.
 */
enum limits_event limits_next(struct limits *limits, uint64_t now_us, uint64_t *ret_wait_us);

/* Seconds until the lock or the log-off that the idle warning speaks of, and until the end by
 * length. */
uint32_t limits_idle_left(const struct limits *limits, uint64_t now_us);
uint32_t limits_length_left(const struct limits *limits, uint64_t now_us);

#endif
