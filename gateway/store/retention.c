#include "store/retention.h"

#include "store/audit_rows.h"
#include "store/notes.h"

/* RECORDING_OPEN and RECORDING_DISPOSED of wire/enums.def, which the store does not see. */
#define OPEN_NUMBER     "1"
#define DISPOSED_NUMBER "5"
#define IS_OVER         "ended_ms + keep_days * 86400000"

enum err retention_set(struct db *db, const char *name, int64_t days)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO retention (name, days) VALUES (?, ?)"
		   " ON CONFLICT (name) DO UPDATE SET days = excluded.days");
	query_str(&query, name);
	query_i64(&query, days);
	return query_run_one(&query);
}

enum err retention_exists(struct db *db, const char *name, bool *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "SELECT 1 FROM retention WHERE name = ?");
	query_str(&query, name);
	return query_next(&query, ret);
}

void retention_list(struct query *query, struct db *db)
{
	query_init(query, db,
		   "SELECT name, days,"
		   " (SELECT count(*) FROM host WHERE host.retention = retention.name),"
		   " (SELECT count(*) FROM recording WHERE recording.retention = retention.name"
		   " AND state != " DISPOSED_NUMBER "),"
		   " (SELECT count(*) FROM recording WHERE recording.retention = retention.name"
		   " AND hold = 1) FROM retention ORDER BY name");
}

enum err retention_next(struct query *query, struct retention_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	query_col_str(query, 0, ret->name, sizeof(ret->name));
	ret->days = query_col_i64(query, 1);
	ret->hosts = query_col_i64(query, 2);
	ret->recordings = query_col_i64(query, 3);
	ret->held = query_col_i64(query, 4);
	return query_err(query);
}

enum err retention_due(struct db *db, int64_t now_ms, struct recording_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   RECORDING_SELECT " INDEXED BY recording_due WHERE state NOT IN (" OPEN_NUMBER
				    ", " DISPOSED_NUMBER ") AND hold = 0 AND " IS_OVER
				    " <= ? ORDER BY " IS_OVER " LIMIT 1");
	query_i64(&query, now_ms);
	return recording_row_one(&query, ret);
}

enum err retention_unremoved(struct db *db, struct recording_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   RECORDING_SELECT " INDEXED BY recording_unremoved WHERE state = " DISPOSED_NUMBER
				    " AND removed = 0 ORDER BY id LIMIT 1");
	return recording_row_one(&query, ret);
}

enum err retention_dispose(struct db *db, int64_t recording, int64_t now_ms, int64_t audit_seq)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE recording SET state = " DISPOSED_NUMBER
		   ", disposed_ms = ?, disposed_seq = ? WHERE id = ?");
	query_i64(&query, now_ms);
	query_i64(&query, audit_seq);
	query_i64(&query, recording);
	enum err err = query_run_one(&query);
	return err ? err : note_dispose(db, recording);
}

enum err retention_removed(struct db *db, int64_t recording)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE recording SET removed = 1 WHERE id = ?");
	query_i64(&query, recording);
	return query_run_one(&query);
}

enum err retention_hold(struct db *db, int64_t recording, bool hold, const char *reason)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE recording SET hold = ?, hold_reason = ? WHERE id = ? AND hold != ?1"
		   " AND state != " DISPOSED_NUMBER);
	query_i64(&query, hold);
	query_str(&query, reason);
	query_i64(&query, recording);
	return query_run_one(&query);
}

#define LOG_IS_DUE                                                                                 \
	" disposed = 0 AND time_ms < ?1 AND event != 'audit-disposed' AND session NOT IN"          \
	" (SELECT lower(hex(recording.session)) FROM recording WHERE state != " DISPOSED_NUMBER    \
	") "

static enum err first_due(struct db *db, int64_t before_ms, int64_t *ret_first)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, "SELECT min(seq) FROM audit INDEXED BY audit_due WHERE" LOG_IS_DUE);
	query_i64(&query, before_ms);
	err = query_one(&query);
	if (!err && query_col_null(&query, 0))
		err = ERR_NOT_FOUND;
	*ret_first = err ? 0 : query_col_i64(&query, 0);
	return err;
}

/* The last before the first that stays, of at most so many. */
static enum err last_due(struct db *db, int64_t before_ms, int64_t most, int64_t first,
			 int64_t *ret_last)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db,
		   "SELECT coalesce(min(seq) - 1, ?2) FROM audit WHERE seq > ?3 AND seq <= ?2"
		   " AND NOT (" LOG_IS_DUE ")");
	query_i64(&query, before_ms);
	query_i64(&query, first + most - 1);
	query_i64(&query, first);
	err = query_one(&query);
	*ret_last = err ? 0 : query_col_i64(&query, 0);
	return err;
}

enum err retention_log_due(struct db *db, int64_t before_ms, int64_t most, int64_t *ret_first,
			   int64_t *ret_last)
{
	int64_t newest;
	enum err err = first_due(db, before_ms, ret_first);

	if (!err)
		err = audit_row_last(db, &newest);
	return err ? err
		   : last_due(db, before_ms, MIN(most, newest - *ret_first + 1), *ret_first,
			      ret_last);
}

enum err retention_forget_sessions(struct db *db, int64_t before_ms)
{
	_cleanup_query_ struct query query;
	int64_t changes;

	query_init(
		&query, db,
		"UPDATE session SET client = '', ended_by = '', ended_words = ''"
		" WHERE ended > 0 AND ended < ? / 1000 AND client || ended_by || ended_words != ''"
		" AND id NOT IN (SELECT recording.session FROM recording WHERE state "
		"!= " DISPOSED_NUMBER ")");
	query_i64(&query, before_ms);
	return query_run(&query, &changes);
}

enum err retention_witness(struct db *db, int64_t from_ms, int64_t to_ms)
{
	_cleanup_query_ struct query query;

	/* No entry is disposed of so young. */
	query_init(&query, db,
		   "SELECT 1 FROM audit INDEXED BY audit_due WHERE disposed = 0"
		   " AND event != 'audit-disposed' AND time_ms BETWEEN ? AND ? LIMIT 1");
	query_i64(&query, from_ms);
	query_i64(&query, to_ms);
	return query_one(&query);
}
