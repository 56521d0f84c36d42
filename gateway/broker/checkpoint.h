/*
 * checkpoint.h - has the signer sign the audit log's tree: at start, each minute when something
 * changed, after CHECKPOINT_ENTRIES entries, at the end of a session. What it signed is kept in the
 * database. When the signer remembers another log than this one, that is an alarm.
 */
#ifndef SEKISHO_BROKER_CHECKPOINT_H
#define SEKISHO_BROKER_CHECKPOINT_H

#include "audit/audit.h"
#include "audit/tlog/note.h"
#include "broker/broker.h"

enum {
	CHECKPOINT_ENTRIES = 256,
	CHECKPOINT_S = 60,
	CHECKPOINT_LOOK_S = 5,   /* how often it looks whether there are so many */
	CHECKPOINT_SOON_MS = 200 /* several that end at once make one */
};

struct checkpoints;

/* Reads what was signed last. */
nodiscard enum err checkpoint_new(struct broker *broker, struct checkpoints **ret);
void checkpoint_free(struct checkpoints *checkpoints);

/* There is something worth a checkpoint, or a new signer. */
void checkpoint_soon(struct checkpoints *checkpoints);

/* The signer's verifier key, "" while it is not known. */
const char *checkpoint_key(const struct checkpoints *checkpoints);

#endif
