/*
 * log.h - a log in a database of the test's own, a key that signs it, and somebody who can write
 * the file.
 */
#ifndef SEKISHO_TESTS_AUDIT_LOG_H
#define SEKISHO_TESTS_AUDIT_LOG_H

#include "unit/store/fixture.h"

#include "audit/audit.h"
#include "audit/entry.h"
#include "audit/verify.h"

static inline enum err log_try(struct db *db, const struct audit_entry *entry)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum err err = db_tx_begin(&tx, db);

	if (!err)
		err = audit_append(db, entry);
	return err ? err : db_tx_commit(&tx);
}

static inline void log_append_one(struct db *db, const char *event, json_t *detail)
{
	const struct audit_entry entry = { .event = event,
					   .account = "sato",
					   .device = 1,
					   .address = "192.0.2.1",
					   .detail = detail };

	assert_ok(log_try(db, &entry));
}

static inline void log_append(struct db *db, int count)
{
	for (int i = 0; i < count; i++)
		log_append_one(db, "entry", json_pack("{s:i}", "n", i));
}

static inline struct audit_row log_row(struct db *db, int64_t seq)
{
	_cleanup_query_ struct query query = { 0 };
	struct audit_row row;
	bool more;

	audit_row_list(&query, db, seq);
	assert_ok(audit_row_next(&query, &row, &more));
	assert_true(more);
	assert_int_equal(row.seq, seq);
	return row;
}

/* wish NULL: without a key. */
static inline void log_verify(struct db *db, const struct verify_wish *wish,
			      struct log_verdict *ret)
{
	const struct verify_wish none = { .key_count = 0 };
	struct verify_db reader = { .db = NULL };
	const struct verify_source source = verify_db_source(&reader, db);

	assert_ok(verify_log(&source, wish ? wish : &none, ret));
	verify_db_finish(&reader);
}

static inline void log_assert(struct db *db, enum verify_finding finding)
{
	struct log_verdict verdict;

	log_verify(db, NULL, &verdict);
	assert_string_equal(verify_code(verdict.finding), verify_code(finding));
}

/* Who can write the file drops the triggers first. */
static inline void log_tamper(struct db *db, const char *sql)
{
	assert_ok(db_exec(db, "DROP TRIGGER IF EXISTS audit_no_delete;"
			      "DROP TRIGGER IF EXISTS audit_in_order;"
			      "DROP TRIGGER IF EXISTS audit_only_disposal;"
			      "DROP TRIGGER IF EXISTS audit_node_no_update;"
			      "DROP TRIGGER IF EXISTS audit_node_no_delete;"
			      "DROP TRIGGER IF EXISTS audit_node_in_order;"
			      "DROP TRIGGER IF EXISTS audit_checkpoint_no_update;"
			      "DROP TRIGGER IF EXISTS audit_checkpoint_no_delete;"
			      "DROP TRIGGER IF EXISTS audit_checkpoint_in_order;"
			      "PRAGMA ignore_check_constraints = ON"));
	assert_ok(db_exec(db, sql));
}

/* ---- the signer's part ------------------------------------------------------------------ */

struct log_signer {
	EVP_PKEY *private;
	struct note_key key;
};

static inline void log_signer_init(struct log_signer *signer)
{
	signer->private = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_ok(note_key_of("gw.example.jp/sekisho-audit", signer->private, &signer->key));
}

static inline void log_signer_finish(struct log_signer *signer)
{
	EVP_PKEY_free(signer->private);
}

/* A note over the tree's first size leaves. */
static inline struct audit_note log_note(struct db *db, const struct log_signer *signer,
					 uint64_t size)
{
	const struct tree_store tree = audit_tree(db);
	struct checkpoint checkpoint = { .size = size };
	struct audit_note note = { .size = (int64_t)size };
	_cleanup_buf_ struct buf buf;

	buf_init(&buf, NOTE_MAX);
	assert_ok(tree_root(&tree, size, checkpoint.root));
	assert_ok(checkpoint_sign(&checkpoint, &signer->key, signer->private, &buf));
	memcpy(note.note, buf.data, buf.len);
	return note;
}

static inline void log_sign(struct db *db, const struct log_signer *signer, uint64_t size)
{
	const struct audit_note note = log_note(db, signer, size);

	assert_ok(audit_note_add(db, &note));
}

#endif
