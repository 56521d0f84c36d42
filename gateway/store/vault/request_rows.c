#include "store/vault/request_rows.h"

#include <string.h>

#define COLUMNS                                                                                    \
	"SELECT id, kind, record, version, asked, asked_by, state, ready, decided, decided_by,"    \
	" data_key, sealed FROM request"

enum err request_next_id(struct db *db, uint64_t *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'request'), 0)");
	enum err err = query_one(&query);
	if (!err)
		*ret = (uint64_t)query_col_i64(&query, 0) + 1;
	return err;
}

static void bind_words(struct query *query, const struct request_row *row)
{
	if (row->has_words) {
		query_blob(query, row->data_key, sizeof(row->data_key));
		query_blob(query, row->sealed, row->sealed_len);
	} else {
		query_null(query);
		query_null(query);
	}
}

enum err request_insert(struct db *db, const struct request_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO request (id, kind, record, version, asked, asked_by, state, ready,"
		   " decided, decided_by, data_key, sealed, mac)"
		   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, zeroblob(32))");
	query_i64(&query, (int64_t)row->id);
	query_i64(&query, row->kind);
	query_i64(&query, (int64_t)row->record);
	query_i64(&query, row->version);
	query_i64(&query, row->asked);
	query_i64(&query, (int64_t)row->asked_by);
	query_i64(&query, row->state);
	query_i64(&query, row->ready);
	query_i64(&query, row->decided);
	query_i64(&query, (int64_t)row->decided_by);
	bind_words(&query, row);
	return query_run_one(&query);
}

enum err request_update(struct db *db, const struct request_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE request SET version = ?, state = ?, ready = ?, decided = ?,"
		   " decided_by = ?, data_key = ?, sealed = ? WHERE id = ?");
	query_i64(&query, row->version);
	query_i64(&query, row->state);
	query_i64(&query, row->ready);
	query_i64(&query, row->decided);
	query_i64(&query, (int64_t)row->decided_by);
	bind_words(&query, row);
	query_i64(&query, (int64_t)row->id);
	return query_run_one(&query);
}

static enum err load(struct query *query, struct request_row *ret)
{
	*ret = (struct request_row){
		.id = (uint64_t)query_col_i64(query, 0),
		.kind = query_col_i64(query, 1),
		.record = (uint64_t)query_col_i64(query, 2),
		.version = query_col_i64(query, 3),
		.asked = query_col_i64(query, 4),
		.asked_by = (uint64_t)query_col_i64(query, 5),
		.state = query_col_i64(query, 6),
		.ready = query_col_i64(query, 7) != 0,
		.decided = query_col_i64(query, 8),
		.decided_by = (uint64_t)query_col_i64(query, 9),
		.has_words = !query_col_null(query, 10),
	};
	query_col_blob(query, 10, ret->data_key, sizeof(ret->data_key));
	ret->sealed_len = query_col_blob(query, 11, ret->sealed, sizeof(ret->sealed));
	return query_err(query);
}

enum err request_by_id(struct db *db, uint64_t id, struct request_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, COLUMNS " WHERE id = ?");
	query_i64(&query, (int64_t)id);
	enum err err = query_one(&query);
	return err ? err : load(&query, ret);
}

enum err request_open_of(struct db *db, uint64_t record, struct request_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, COLUMNS " WHERE record = ? AND state = 1");
	query_i64(&query, (int64_t)record);
	enum err err = query_one(&query);
	return err ? err : load(&query, ret);
}

void request_select_state(struct query *query, struct db *db, int64_t state)
{
	query_init(query, db, COLUMNS " WHERE state = ? ORDER BY id DESC");
	query_i64(query, state);
}

void request_select_record(struct query *query, struct db *db, uint64_t record, uint64_t after)
{
	query_init(query, db, COLUMNS " WHERE record = ? AND id > ? ORDER BY id");
	query_i64(query, (int64_t)record);
	query_i64(query, (int64_t)after);
}

enum err request_next(struct query *query, struct request_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : load(query, ret);
}
