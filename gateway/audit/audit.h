/*
 * audit.h - the record of what happened, written in the same transaction as what it records: either
 * both are on the disk before an answer leaves, or neither is and the request fails.
 *
 * The entries are the leaves of a Merkle tree (tlog/tree.h), so that whoever has seen its root
 * notices when an entry before was changed, taken out or put in between. An append costs O(log n).
 */
#ifndef SEKISHO_AUDIT_AUDIT_H
#define SEKISHO_AUDIT_AUDIT_H

#include <jansson.h>

#include "audit/tlog/tree.h"
#include "store/audit_rows.h"

struct audit_entry {
	const char *event;   /* a constant in kebab-case */
	const char *account; /* NULL: none */
	int64_t device;      /* 0: none */
	const char *address; /* NULL: none */
	int64_t host;        /* 0: none */
	const char *session; /* 32 hex digits; NULL: none */
	/* An object, taken over by audit_append also when it fails; NULL: {}. Never a secret. One
	 * that does not fit into AUDIT_DETAIL_MAX bytes is replaced by {"cut":true}. */
	json_t *detail;
};

/* Events that the log says of itself. The detail of a disposal is {"first", "last"}. */
#define AUDIT_EVENT_ALARM    "audit-alarm"
#define AUDIT_EVENT_ACCEPTED "audit-alarm-accepted"
#define AUDIT_EVENT_DISPOSED "audit-disposed"

/*
 * ERR_WRONG_STATE outside a transaction. Strings that are too long or no UTF-8, and an event with
 * control characters, are ERR_INVALID. Any error means that the caller must not go on.
 */
nodiscard enum err audit_append(struct db *db, const struct audit_entry *entry);

/*
 * Makes leaves of entries from before there was a tree. Opens a transaction of its own for some at
 * a time; to be called before anything is appended.
 */
nodiscard enum err audit_catch_up(struct db *db);

/*
 * Takes away what the entries first to last say of people, where it is still there, and appends
 * entry, whose event and detail are set here. In a transaction of the caller's. The tree stays as
 * it is. ERR_INVALID: there are no such entries.
 */
nodiscard enum err audit_dispose(struct db *db, int64_t first, int64_t last,
				 const struct audit_entry *entry);

/* The tree's nodes in the database, for proofs. */
struct tree_store audit_tree(struct db *db);

/* How many leaves the tree has. */
nodiscard enum err audit_size(struct db *db, uint64_t *ret_size);

#endif
