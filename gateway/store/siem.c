#include "store/siem.h"

enum err siem_cursor_get(struct db *db, int64_t *ret_seq, int64_t *ret_ms)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, "SELECT delivered, delivered_ms FROM siem");
	err = query_one(&query);
	if (err)
		return err;
	*ret_seq = query_col_i64(&query, 0);
	*ret_ms = query_col_i64(&query, 1);
	return OK;
}

enum err siem_cursor_set(struct db *db, int64_t seq, int64_t now_ms)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db,
		   "UPDATE siem SET delivered = ?1, delivered_ms = ?2 WHERE delivered < ?1");
	query_i64(&query, seq);
	query_i64(&query, now_ms);
	err = query_run_one(&query);
	return err == ERR_NOT_FOUND ? ERR_WRONG_STATE : err;
}
