/*
 * verify.h - whether a log is what it was: every entry against its commitment, its leaf and the
 * tree's nodes, and the tree against what the signer signed (docs/audit.md). It needs no running
 * gateway; where the log comes from is behind struct verify_source.
 */
#ifndef SEKISHO_AUDIT_VERIFY_H
#define SEKISHO_AUDIT_VERIFY_H

#include "audit/tlog/note.h"
#include "store/audit_rows.h"

/* GREEN: proved. AMBER: nothing speaks against it, but not all is proved. RED: it was changed. */
enum verify_color { VERIFY_GREEN = 1, VERIFY_AMBER, VERIFY_RED };

/* The first thing that was found; more than one row of the table is rarely of use to anybody. */
#define VERIFY_TABLE(X)                                                                            \
	X(VERIFY_SOUND, VERIFY_GREEN, "sound")                                                     \
	/* No checkpoint, or more after the last one than may wait for the next. */                \
	X(VERIFY_UNANCHORED, VERIFY_AMBER, "unanchored")                                           \
	X(VERIFY_NO_KEY, VERIFY_AMBER, "no-key")                                                   \
	/* A checkpoint covers entries that are not there any more. */                             \
	X(VERIFY_TAIL_CUT, VERIFY_AMBER, "tail-cut")                                               \
	X(VERIFY_UNREADABLE, VERIFY_RED, "unreadable")                                             \
	X(VERIFY_ENTRY_MISSING, VERIFY_RED, "entry-missing")                                       \
	/* Its number, time, event or commitment. */                                               \
	X(VERIFY_ENTRY_CHANGED, VERIFY_RED, "entry-changed")                                       \
	/* What it says of people is not what was committed to. */                                 \
	X(VERIFY_PAYLOAD_CHANGED, VERIFY_RED, "payload-changed")                                   \
	/* It is gone, and no entry says that it was disposed of. */                               \
	X(VERIFY_PAYLOAD_MISSING, VERIFY_RED, "payload-missing")                                   \
	/* An inner node, or one too many. */                                                      \
	X(VERIFY_TREE_CHANGED, VERIFY_RED, "tree-changed")                                         \
	/* It is not signed by the key, or says something else than its row. */                    \
	X(VERIFY_CHECKPOINT_FALSE, VERIFY_RED, "checkpoint-false")                                 \
	/* All entries agree with each other, and not with what was signed. */                     \
	X(VERIFY_HISTORY_REWRITTEN, VERIFY_RED, "history-rewritten")                               \
	/* The signer signed two different logs of the same size. */                               \
	X(VERIFY_FORK, VERIFY_RED, "fork")

enum verify_finding {
#define X(name, color, code) name,
	VERIFY_TABLE(X)
#undef X
		VERIFY_COUNT
};

enum verify_color verify_color(enum verify_finding finding);
const char *verify_code(enum verify_finding finding);
const char *verify_color_code(enum verify_color color);

/* So many entries, that came so soon after each other, wait for the next checkpoint. */
enum { VERIFY_YOUNG_MS = 180000, VERIFY_YOUNG_ENTRIES = 1024 };

/*
 * A log. Each call gives the next row until *ret_more is false; any error is a damaged file, but
 * ERR_NOMEM. Rows stay the source's until the next call.
 */
struct verify_source {
	enum err (*entry)(void *ctx, struct audit_row *ret, bool *ret_more);
	enum err (*note)(void *ctx, struct audit_note *ret, bool *ret_more);
	/* ERR_NOT_FOUND: it should be there and is not. OK with *ret_kept false: of this level
	 * nothing is kept. */
	enum err (*node)(void *ctx, unsigned level, uint64_t index, uint8_t ret_hash[TREE_HASH],
			 bool *ret_kept);
	/* How many leaves and nodes are kept, to find those that are too many. */
	enum err (*count)(void *ctx, uint64_t *ret_leaves, uint64_t *ret_nodes);
	void *ctx;
};

struct verify_wish {
	/* Each checkpoint has to be signed by one of them; several when a new key had to be made.
	 * key_count 0: none is known. */
	const struct note_key *keys;
	size_t key_count;
	/* Notes that were kept elsewhere, as by the signer or a browser: the log has to agree with
	 * them too. */
	const struct audit_note *anchors;
	size_t anchor_count;
};

struct log_verdict {
	enum verify_finding finding;
	uint64_t entries;     /* that there are, as far as they were read */
	uint64_t checkpoints; /* signed, and in agreement */
	uint64_t anchored;    /* entries that the newest of them covers */
	uint64_t disposed;    /* entries whose payload is gone, as another entry says */
	uint8_t root[TREE_HASH];
	/* What is not right, entries counted from 1, 0 when all is; and between what times it
	 * happened, by the log's own clock, ms since 1970, 0 when there is no such entry. */
	uint64_t first_bad, last_bad;
	int64_t from_ms, to_ms;
};

/* Errors only for want of memory. */
nodiscard enum err verify_log(const struct verify_source *source, const struct verify_wish *wish,
			      struct log_verdict *ret);

/* A database as the source; notes and entries are read once. */
struct verify_db {
	struct db *db;
	struct query entries, notes;
};
struct verify_source verify_db_source(struct verify_db *reader, struct db *db);
void verify_db_finish(struct verify_db *reader);

#endif
