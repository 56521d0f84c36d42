#include "store/recordings.h"

/* SESSION_ENDED and RECORDING_OPEN of wire/enums.def, which the store does not see. */
#define SESSION_ENDED_NUMBER  "6"
#define RECORDING_OPEN_NUMBER "1"

enum err recording_load(struct query *query, struct recording_row *ret)
{
	struct recording_row row = {
		.id = query_col_i64(query, 0),
		.state = query_col_i64(query, 2),
		.keys = query_col_i64(query, 3) != 0,
		.started_ms = query_col_i64(query, 4),
		.ended_ms = query_col_i64(query, 5),
		.size = query_col_i64(query, 6),
		.chunks = query_col_i64(query, 7),
		.hold = query_col_i64(query, 9) != 0,
		.keep_days = query_col_i64(query, 11),
		.disposed_ms = query_col_i64(query, 12),
		.disposed_seq = query_col_i64(query, 13),
	};

	query_col_blob(query, 1, row.session, sizeof(row.session));
	query_col_blob(query, 8, row.hash, sizeof(row.hash));
	query_col_str(query, 10, row.retention, sizeof(row.retention));
	if (query_err(query))
		return query_err(query);
	*ret = row;
	return OK;
}

enum err recording_row_one(struct query *query, struct recording_row *ret)
{
	enum err err = query_one(query);

	return err ? err : recording_load(query, ret);
}

enum err recording_row_add(struct db *db, const struct recording_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO recording (session, state, keys, started_ms, hash, retention,"
		   " keep_days) SELECT session.id, " RECORDING_OPEN_NUMBER
		   ", ?2, ?3, zeroblob(32), retention.name, days FROM session"
		   " LEFT JOIN host ON host.id = session.host"
		   " JOIN retention ON retention.name = coalesce(host.retention, 'standard')"
		   " WHERE session.id = ?1");
	query_blob(&query, row->session, sizeof(row->session));
	query_i64(&query, row->keys);
	query_i64(&query, row->started_ms);
	return query_run_one(&query);
}

enum err recording_row_get(struct db *db, const uint8_t session[SESSION_ROW_ID],
			   struct recording_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, RECORDING_SELECT " WHERE session = ?");
	query_blob(&query, session, SESSION_ROW_ID);
	return recording_row_one(&query, ret);
}

enum err recording_row_newest(struct db *db, struct recording_row *ret)
{
	_cleanup_query_ struct query query;

	/* RECORDING_ENDED and RECORDING_CUT of wire/enums.def. */
	query_init(&query, db,
		   RECORDING_SELECT " WHERE state IN (2, 3) ORDER BY recording.id DESC LIMIT 1");
	return recording_row_one(&query, ret);
}

enum err recording_row_by_id(struct db *db, int64_t id, struct recording_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, RECORDING_SELECT " WHERE recording.id = ?");
	query_i64(&query, id);
	return recording_row_one(&query, ret);
}

enum err recording_row_update(struct db *db, const struct recording_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE recording SET state = ?, ended_ms = ?, size = ?, chunks = ?, hash = ?"
		   " WHERE session = ? AND state = " RECORDING_OPEN_NUMBER);
	query_i64(&query, row->state);
	query_i64(&query, row->ended_ms);
	query_i64(&query, row->size);
	query_i64(&query, row->chunks);
	query_blob(&query, row->hash, sizeof(row->hash));
	query_blob(&query, row->session, sizeof(row->session));
	return query_run_one(&query);
}

void recording_row_list_left(struct query *query, struct db *db)
{
	query_init(query, db,
		   "SELECT " RECORDING_COLUMNS
		   " FROM recording JOIN session ON session.id = recording.session"
		   " WHERE recording.state = " RECORDING_OPEN_NUMBER
		   " AND session.state = " SESSION_ENDED_NUMBER);
}

enum err recording_row_next(struct query *query, struct recording_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : recording_load(query, ret);
}

void recording_list(struct query *query, struct db *db, int64_t before)
{
	query_init(query, db,
		   "SELECT " RECORDING_COLUMNS ", account.name, host_name"
		   " FROM recording JOIN session ON session.id = recording.session"
		   " JOIN account ON account.id = session.account"
		   " WHERE ?1 = 0 OR recording.id < ?1 ORDER BY recording.id DESC");
	query_i64(query, before);
}

enum err recording_next(struct query *query, struct recording_shown *ret, bool *ret_more)
{
	struct recording_shown shown;
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	err = recording_load(query, &shown.row);
	query_col_str(query, RECORDING_COLUMN_COUNT, shown.account, sizeof(shown.account));
	query_col_str(query, RECORDING_COLUMN_COUNT + 1, shown.host, sizeof(shown.host));
	if (err || query_err(query))
		return err ? err : query_err(query);
	*ret = shown;
	return OK;
}
