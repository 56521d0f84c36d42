#include "store/audit_rows.h"

#include <string.h>

#define AUDIT_COLUMNS                                                                              \
	"seq, time_ms, event, account, device, address, host, session, detail, prev, hash"

enum err audit_row_add(struct db *db, const struct audit_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO audit (" AUDIT_COLUMNS
		   ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	query_i64(&query, row->seq);
	query_i64(&query, row->time_ms);
	query_str(&query, row->event);
	query_str(&query, row->account);
	query_i64(&query, row->device);
	query_str(&query, row->address);
	query_i64(&query, row->host);
	query_str(&query, row->session);
	query_str(&query, row->detail);
	query_blob(&query, row->prev, sizeof(row->prev));
	query_blob(&query, row->hash, sizeof(row->hash));
	return query_run_one(&query);
}

enum err audit_row_last(struct db *db, int64_t *ret_seq, uint8_t ret_hash[AUDIT_HASH])
{
	_cleanup_query_ struct query query;
	uint8_t hash[AUDIT_HASH] = { 0 };
	int64_t seq = 0;
	bool row;
	enum err err;

	query_init(&query, db, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1");
	err = query_next(&query, &row);
	if (err)
		return err;
	if (row) {
		seq = query_col_i64(&query, 0);
		query_col_blob(&query, 1, hash, sizeof(hash));
	}
	if (query_err(&query))
		return query_err(&query);
	*ret_seq = seq;
	memcpy(ret_hash, hash, sizeof(hash));
	return OK;
}

void audit_row_list(struct query *query, struct db *db, int64_t seq)
{
	query_init(query, db, "SELECT " AUDIT_COLUMNS " FROM audit WHERE seq >= ? ORDER BY seq");
	query_i64(query, seq);
}

static enum err audit_row_load(struct query *query, struct audit_row *ret)
{
	ret->seq = query_col_i64(query, 0);
	ret->time_ms = query_col_i64(query, 1);
	query_col_str(query, 2, ret->event, sizeof(ret->event));
	query_col_str(query, 3, ret->account, sizeof(ret->account));
	ret->device = query_col_i64(query, 4);
	query_col_str(query, 5, ret->address, sizeof(ret->address));
	ret->host = query_col_i64(query, 6);
	query_col_str(query, 7, ret->session, sizeof(ret->session));
	query_col_str(query, 8, ret->detail, sizeof(ret->detail));
	query_col_blob(query, 9, ret->prev, sizeof(ret->prev));
	query_col_blob(query, 10, ret->hash, sizeof(ret->hash));
	return query_err(query);
}

enum err audit_row_next(struct query *query, struct audit_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : audit_row_load(query, ret);
}
