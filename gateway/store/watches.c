#include "store/watches.h"

enum err watch_row_add(struct db *db, const uint8_t session[SESSION_ROW_ID], int64_t account,
		       int64_t device, int64_t begun_s, int64_t *ret_id)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db,
		   "INSERT INTO watch (session, account, device, begun) VALUES (?, ?, ?, ?)");
	query_blob(&query, session, SESSION_ROW_ID);
	query_i64(&query, account);
	query_i64(&query, device);
	query_i64(&query, begun_s);
	err = query_run_one(&query);
	if (err)
		return err;
	*ret_id = db_last_id(db);
	return OK;
}

enum err watch_row_delete(struct db *db, int64_t id)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM watch WHERE id = ?");
	query_i64(&query, id);
	return query_run(&query, NULL);
}

enum err watch_row_after(struct db *db, int64_t after, struct watch_row *ret)
{
	_cleanup_query_ struct query query;
	struct watch_row row = { 0 };
	enum err err;

	query_init(&query, db,
		   "SELECT watch.id, session, device, begun, name FROM watch"
		   " JOIN account ON account.id = watch.account WHERE watch.id > ?"
		   " ORDER BY watch.id LIMIT 1");
	query_i64(&query, after);
	err = query_one(&query);
	if (err)
		return err;
	row.id = query_col_i64(&query, 0);
	query_col_blob(&query, 1, row.session, sizeof(row.session));
	row.device = query_col_i64(&query, 2);
	row.begun_s = query_col_i64(&query, 3);
	query_col_str(&query, 4, row.account_name, sizeof(row.account_name));
	if (query_err(&query))
		return query_err(&query);
	*ret = row;
	return OK;
}
