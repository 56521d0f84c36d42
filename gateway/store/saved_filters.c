#include "store/saved_filters.h"

static enum err count(struct db *db, int64_t account, const char *name, int64_t *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, "SELECT count(*) FROM saved_filter WHERE account = ? AND name <> ?");
	query_i64(&query, account);
	query_str(&query, name);
	err = query_one(&query);
	if (!err)
		*ret = query_col_i64(&query, 0);
	return err;
}

enum err saved_filter_put(struct db *db, int64_t account, const char *name, const char *text,
			  int64_t *ret_id)
{
	_cleanup_query_ struct query query = { 0 };
	int64_t others;
	enum err err = count(db, account, name, &others);

	if (!err && others >= SAVED_FILTERS)
		err = ERR_FULL;
	if (err)
		return err;
	query_init(
		&query, db,
		"INSERT INTO saved_filter (account, name, query) VALUES (?, ?, ?)"
		" ON CONFLICT (account, name) DO UPDATE SET query = excluded.query RETURNING id");
	query_i64(&query, account);
	query_str(&query, name);
	query_str(&query, text);
	err = query_one(&query);
	if (!err)
		*ret_id = query_col_i64(&query, 0);
	/* It is not written before the statement has ended. */
	return err ? err : query_run(&query, NULL);
}

enum err saved_filter_remove(struct db *db, int64_t account, int64_t id)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM saved_filter WHERE account = ? AND id = ?");
	query_i64(&query, account);
	query_i64(&query, id);
	return query_run_one(&query);
}

void saved_filter_list(struct query *query, struct db *db, int64_t account)
{
	query_init(query, db,
		   "SELECT id, name, query FROM saved_filter WHERE account = ? ORDER BY name");
	query_i64(query, account);
}

enum err saved_filter_next(struct query *query, struct saved_filter *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	ret->id = query_col_i64(query, 0);
	query_col_str(query, 1, ret->name, sizeof(ret->name));
	query_col_str(query, 2, ret->query, sizeof(ret->query));
	return query_err(query);
}
