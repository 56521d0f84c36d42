/*
 * host.h - which office PCs answer. The probe process asks them, at once when somebody first looks
 * or a session failed, and every 10 s while somebody goes on looking; the broker itself sends
 * nothing to a PC.
 */
#ifndef SEKISHO_BROKER_HOST_H
#define SEKISHO_BROKER_HOST_H

#include "broker/broker.h"
#include "store/hosts.h"

enum {
	HOST_FRESH_MS = 10 * 1000,   /* how long an answer counts */
	HOST_LOOKED_MS = 30 * 1000,  /* how long a look keeps the probe going */
	HOST_WAKING_MS = 120 * 1000, /* how long a PC may take to wake up */
	HOST_FIRST_MS = 300,         /* how long a list waits for first answers */
};

nodiscard enum err host_watch_new(struct broker *broker, struct host_watch **ret);
void host_watch_free(struct host_watch *watch);

/* Somebody looks at the host; asks the probe when its last answer is not fresh. */
void host_look(struct host_watch *watch, const struct host_row *host);

/* What is known of the host is not true any more; asks the probe at once. */
void host_doubt(struct host_watch *watch, int64_t host);

/* Whether an answer is on its way and there is none so far. */
bool host_undecided(const struct host_watch *watch, int64_t host);

/* "reachable", "asleep", "unreachable", "waking" or "unknown". */
const char *host_state(const struct host_watch *watch, const struct host_row *host);

/* Sends the magic packet. ERR_UNAVAILABLE without a probe process. ERR_WRONG_STATE: no address to
 * wake. */
nodiscard enum err host_wake(struct host_watch *watch, const struct host_row *host);

/* The answer of account's hosts, now or as soon as the first answers are there. */
void host_list_reply(struct broker *broker, const struct reply_to *to, int64_t account);

/* From the probe, and when it is gone. */
void host_probed(struct host_watch *watch, const struct msg_probed *msg);
void host_probe_lost(struct host_watch *watch);

/* The host was removed. */
void host_forget(struct host_watch *watch, int64_t host);

#endif
