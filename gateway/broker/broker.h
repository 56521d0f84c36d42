/*
 * broker.h - what the broker process holds, and its links to the other processes. It has no network
 * socket and decides everything.
 */
#ifndef SEKISHO_BROKER_BROKER_H
#define SEKISHO_BROKER_BROKER_H

#include "audit/audit.h"
#include "auth/login.h"
#include "auth/throttle.h"
#include "base/bucket.h"
#include "base/loop.h"
#include "base/secret.h"
#include "broker/hasher.h"
#include "broker/reply.h"
#include "store/db.h"
#include "wire/channel.h"
#include "wire/settings.h"

struct admin;
struct checkpoints;
struct documents;
struct enrol;
struct exporting;
struct glass;
struct host_watch;
struct pki;
struct playback;
struct quota;
struct record_ask;
struct session;
struct siem_link;
struct vault_link;
struct watch;

/* Of retention.h: the clock as it was looked at last. */
struct retention_clock {
	int64_t wall_ms;
	uint64_t mono_ms; /* 0: not yet */
};

enum { BROKER_NOTICES = 4 };

struct broker {
	struct loop *loop;
	struct settings settings;
	struct login_policy policy;
	struct db *db;
	struct secret *key; /* of sealed.h */
	struct hasher *hasher;
	struct throttle *addresses; /* tries per network address */
	/* NULL while there is none. */
	struct channel *monitor, *edge, *signer, *probe, *vault, *siem;
	uint32_t edge_generation; /* counts the edges; answers for an earlier one are dropped */
	struct session *sessions;
	struct host_watch *hosts;
	struct pki *pki;
	struct vault_link *house;
	struct siem_link *collector;
	struct playback *playbacks;
	uint32_t playback_number;              /* of the last */
	struct record_ask *asks;               /* of the vault's records */
	uint32_t ask_number;                   /* of the last */
	struct glass *glasses;                 /* break-glass */
	struct bucket notices[BROKER_NOTICES]; /* of the vault, one for each event */
	struct exporting *exports;
	struct documents *documents;
	struct watch *watches;
	uint32_t watch_number; /* of the last */
	struct enrol *enrol;
	struct quota *quotas;
	struct admin *admin;
	struct checkpoints *checkpoints;
	int64_t auditors_warned_s; /* when it was last said that the auditors' certificates end */
	struct retention_clock retention;
	struct loop_timer tick, purge, stopping;
};

/*
 * Opens the database and the sealing key in state_dir and takes up the sessions that lived before.
 * Errors are logged. The caller then sets broker->monitor to a channel with broker_monitor_ops and
 * the broker as its context.
 */
nodiscard enum err broker_open(struct loop *loop, const struct settings *settings,
			       const char *state_dir, struct broker **ret);
void broker_close(struct broker *broker);

/* Stops the loop, at once or when the collector has what is on its way to it, after 2 s at most. */
void broker_stop(struct broker *broker);

extern const struct channel_ops broker_monitor_ops;

/* Sends to the monitor, ERR_UNAVAILABLE when it is gone. */
nodiscard enum err broker_tell_monitor(struct broker *broker, uint16_t id, const void *msg);

/* Writes one audit entry in a transaction of its own. */
nodiscard enum err broker_audit(struct broker *broker, const struct audit_entry *entry);

#endif
