#include "store/logins.h"

#include "base/clock.h"

#define LOGIN_SELECT "SELECT id, token, account, device, state, expires, used, locked FROM login "

static enum err login_row_load(struct query *query, struct login_row *ret)
{
	struct login_row row = {
		.id = query_col_i64(query, 0),
		.account = query_col_i64(query, 2),
		.device = query_col_i64(query, 3),
		.state = query_col_i64(query, 4),
		.expires_s = query_col_i64(query, 5),
		.used_s = query_col_i64(query, 6),
		.locked = query_col_i64(query, 7) != 0,
	};

	query_col_blob(query, 1, row.token, sizeof(row.token));
	if (query_err(query))
		return query_err(query);
	*ret = row;
	return OK;
}

enum err login_row_by_token(struct db *db, const uint8_t token[LOGIN_TOKEN_HASH],
			    struct login_row *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, LOGIN_SELECT "WHERE token = ?");
	query_blob(&query, token, LOGIN_TOKEN_HASH);
	err = query_one(&query);
	return err ? err : login_row_load(&query, ret);
}

enum err login_row_by_id(struct db *db, int64_t id, struct login_row *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, LOGIN_SELECT "WHERE id = ?");
	query_i64(&query, id);
	err = query_one(&query);
	return err ? err : login_row_load(&query, ret);
}

enum err login_row_add(struct db *db, const struct login_row *row, int64_t *ret_id)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db,
		   "INSERT INTO login (token, account, device, state, created, expires, used)"
		   " VALUES (?, ?, ?, ?, ?, ?, ?)");
	query_blob(&query, row->token, sizeof(row->token));
	query_i64(&query, row->account);
	query_i64(&query, row->device);
	query_i64(&query, row->state);
	query_i64(&query, clock_wall_s());
	query_i64(&query, row->expires_s);
	query_i64(&query, row->used_s);
	err = query_run_one(&query);
	if (err)
		return err;
	*ret_id = db_last_id(db);
	return OK;
}

enum err login_row_touch(struct db *db, int64_t id, int64_t used_s)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE login SET used = ? WHERE id = ?");
	query_i64(&query, used_s);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err login_row_set_locked(struct db *db, int64_t id, bool locked)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE login SET locked = ? WHERE id = ?");
	query_i64(&query, locked);
	query_i64(&query, id);
	return query_run_one(&query);
}

static enum err login_row_delete_where(struct db *db, const char *sql, int64_t value)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, sql);
	query_i64(&query, value);
	return query_run(&query, NULL);
}

enum err login_row_delete(struct db *db, int64_t id)
{
	return login_row_delete_where(db, "DELETE FROM login WHERE id = ?", id);
}

enum err login_row_delete_account(struct db *db, int64_t account)
{
	return login_row_delete_where(db, "DELETE FROM login WHERE account = ?", account);
}

enum err login_row_delete_device(struct db *db, int64_t device)
{
	return login_row_delete_where(db, "DELETE FROM login WHERE device = ?", device);
}

enum err login_row_delete_waiting(struct db *db, int64_t device)
{
	return login_row_delete_where(db, "DELETE FROM login WHERE state = 1 AND device = ?",
				      device);
}

enum err login_row_purge(struct db *db, int64_t now_s, int64_t idle_s)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM login WHERE expires <= ? OR (state = 2 AND used <= ?)");
	query_i64(&query, now_s);
	query_i64(&query, idle_s);
	return query_run(&query, NULL);
}

enum err login_row_count(struct db *db, int64_t *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, "SELECT count(*) FROM login WHERE state = 2");
	err = query_one(&query);
	if (err)
		return err;
	*ret = query_col_i64(&query, 0);
	return OK;
}
