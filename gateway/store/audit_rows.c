#include "store/audit_rows.h"

#include <string.h>

#define AUDIT_COLUMNS                                                                              \
	"seq, version, time_ms, event, account, device, address, host, session, detail, "          \
	"commitment, disposed, salt"

enum err audit_row_add(struct db *db, const struct audit_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO audit (" AUDIT_COLUMNS
		   ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)");
	query_i64(&query, row->seq);
	query_i64(&query, row->version);
	query_i64(&query, row->time_ms);
	query_str(&query, row->event);
	query_str(&query, row->account);
	query_i64(&query, row->device);
	query_str(&query, row->address);
	query_i64(&query, row->host);
	query_str(&query, row->session);
	query_str(&query, row->detail);
	query_blob(&query, row->commitment, sizeof(row->commitment));
	query_blob(&query, row->salt, sizeof(row->salt));
	return query_run_one(&query);
}

enum err audit_row_last(struct db *db, int64_t *ret_seq)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, "SELECT coalesce(max(seq), 0) FROM audit");
	err = query_one(&query);
	if (!err)
		*ret_seq = query_col_i64(&query, 0);
	return err;
}

enum err audit_row_dispose(struct db *db, int64_t seq)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE audit SET account = '', device = 0, address = '', host = 0, "
		   "session = '', detail = '{}', salt = NULL, disposed = 1 WHERE seq = ?");
	query_i64(&query, seq);
	return query_run_one(&query);
}

void audit_row_list(struct query *query, struct db *db, int64_t seq)
{
	query_init(query, db, "SELECT " AUDIT_COLUMNS " FROM audit WHERE seq >= ? ORDER BY seq");
	query_i64(query, seq);
}

void audit_row_alarms(struct query *query, struct db *db, int64_t limit)
{
	query_init(query, db,
		   "SELECT " AUDIT_COLUMNS " FROM audit WHERE event IN ('audit-alarm', "
		   "'audit-alarm-accepted') ORDER BY seq DESC LIMIT ?");
	query_i64(query, limit);
}

void audit_row_glass(struct query *query, struct db *db, int64_t limit)
{
	query_init(query, db,
		   "SELECT " AUDIT_COLUMNS " FROM audit WHERE event IN ('glass-ask', "
		   "'glass-confirm', 'glass-refuse', 'glass-end') ORDER BY seq DESC LIMIT ?");
	query_i64(query, limit);
}

void audit_row_marks(struct query *query, struct db *db, const char *session)
{
	query_init(query, db,
		   "SELECT " AUDIT_COLUMNS " FROM audit WHERE session <> '' AND session = ? AND"
		   " event = 'recording-mark' ORDER BY seq");
	query_str(query, session);
}

enum err audit_row_vault(struct db *db, const char *event, int64_t *ret_seq, int64_t *ret_time_ms)
{
	_cleanup_query_ struct query query;
	bool more = false;

	/* The condition of the index once more, or SQLite does not use it. */
	query_init(
		&query, db,
		"SELECT seq, time_ms FROM audit INDEXED BY audit_vault WHERE event = ? AND event IN"
		" ('vault-unsealed', 'vault-rolled-back', 'vault-damaged', 'vault-disposed-again',"
		" 'document-quarantined') ORDER BY seq DESC LIMIT 1");
	query_str(&query, event);
	enum err err = query_next(&query, &more);
	if (err)
		return err;
	*ret_seq = more ? query_col_i64(&query, 0) : 0;
	*ret_time_ms = more ? query_col_i64(&query, 1) : 0;
	return OK;
}

void audit_row_record(struct query *query, struct db *db, uint64_t record, int64_t before)
{
	query_init(query, db,
		   "SELECT " AUDIT_COLUMNS " FROM audit WHERE disposed = 0 AND seq IN"
		   " (SELECT seq FROM record_entry WHERE record = ?1 AND (?2 = 0 OR seq < ?2))"
		   " ORDER BY seq DESC");
	query_i64(query, (int64_t)record);
	query_i64(query, before);
}

static enum err audit_row_load(struct query *query, struct audit_row *ret)
{
	*ret = (struct audit_row){ .seq = query_col_i64(query, 0) };
	ret->version = query_col_i64(query, 1);
	ret->time_ms = query_col_i64(query, 2);
	query_col_str(query, 3, ret->event, sizeof(ret->event));
	query_col_str(query, 4, ret->account, sizeof(ret->account));
	ret->device = query_col_i64(query, 5);
	query_col_str(query, 6, ret->address, sizeof(ret->address));
	ret->host = query_col_i64(query, 7);
	query_col_str(query, 8, ret->session, sizeof(ret->session));
	query_col_str(query, 9, ret->detail, sizeof(ret->detail));
	query_col_blob(query, 10, ret->commitment, sizeof(ret->commitment));
	ret->disposed = query_col_i64(query, 11) != 0;
	query_col_blob(query, 12, ret->salt, sizeof(ret->salt));
	return query_err(query);
}

enum err audit_row_next(struct query *query, struct audit_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : audit_row_load(query, ret);
}

/* ---- the tree --------------------------------------------------------------------------- */

enum err audit_node_add(struct db *db, unsigned level, uint64_t index,
			const uint8_t hash[AUDIT_HASH])
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "INSERT INTO audit_node (level, idx, hash) VALUES (?, ?, ?)");
	query_i64(&query, level);
	query_i64(&query, (int64_t)index);
	query_blob(&query, hash, AUDIT_HASH);
	return query_run_one(&query);
}

enum err audit_node_read(struct db *db, unsigned level, uint64_t index,
			 uint8_t ret_hash[AUDIT_HASH])
{
	_cleanup_query_ struct query query;
	uint8_t hash[AUDIT_HASH];
	enum err err;

	query_init(&query, db, "SELECT hash FROM audit_node WHERE level = ? AND idx = ?");
	query_i64(&query, level);
	query_i64(&query, (int64_t)index);
	err = query_one(&query);
	if (err)
		return err;
	if (query_col_blob(&query, 0, hash, sizeof(hash)) != sizeof(hash))
		return ERR_INTERNAL;
	memcpy(ret_hash, hash, sizeof(hash));
	return OK;
}

static enum err count_of(struct db *db, const char *sql, uint64_t *ret_count)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, sql);
	err = query_one(&query);
	if (!err)
		*ret_count = (uint64_t)query_col_i64(&query, 0);
	return err;
}

enum err audit_node_leaves(struct db *db, uint64_t *ret_count)
{
	return count_of(db, "SELECT coalesce(max(idx), -1) + 1 FROM audit_node WHERE level = 0",
			ret_count);
}

enum err audit_node_count(struct db *db, uint64_t *ret_count)
{
	return count_of(db, "SELECT count(*) FROM audit_node", ret_count);
}

/* ---- checkpoints ------------------------------------------------------------------------ */

enum err audit_note_add(struct db *db, const struct audit_note *note)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO audit_checkpoint (size, note, time_ms) VALUES (?, ?, ?)");
	query_i64(&query, note->size);
	query_str(&query, note->note);
	query_i64(&query, note->time_ms);
	return query_run_one(&query);
}

static void note_load(struct query *query, struct audit_note *ret)
{
	ret->size = query_col_i64(query, 0);
	query_col_str(query, 1, ret->note, sizeof(ret->note));
	ret->time_ms = query_col_i64(query, 2);
}

enum err audit_note_last(struct db *db, struct audit_note *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db,
		   "SELECT size, note, time_ms FROM audit_checkpoint ORDER BY size DESC LIMIT 1");
	err = query_one(&query);
	if (err)
		return err;
	note_load(&query, ret);
	return query_err(&query);
}

void audit_note_list(struct query *query, struct db *db)
{
	query_init(query, db, "SELECT size, note, time_ms FROM audit_checkpoint ORDER BY size");
}

enum err audit_note_next(struct query *query, struct audit_note *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	note_load(query, ret);
	return query_err(query);
}
