#include "store/vault/key_rows.h"

#include <string.h>

#define GROUP_COLUMNS "SELECT id, generation, client, class, year, wrapped, made FROM group_key "

enum err group_key_take_id(struct db *db, uint64_t *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE last_key SET number = number + 1 WHERE id = 1 RETURNING number");
	enum err err = query_one(&query);
	if (err)
		return err;
	uint64_t id = (uint64_t)query_col_i64(&query, 0);
	err = query_run(&query, NULL);
	if (!err)
		*ret = id;
	return err;
}

enum err group_key_insert(struct db *db, const struct group_key_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO group_key (id, generation, client, class, year, wrapped, made)"
		   " VALUES (?, ?, ?, ?, ?, ?, ?)");
	query_i64(&query, (int64_t)row->id);
	query_i64(&query, row->generation);
	query_i64(&query, (int64_t)row->client);
	query_i64(&query, (int64_t)row->class);
	query_i64(&query, row->year);
	query_blob(&query, row->wrapped, sizeof(row->wrapped));
	query_i64(&query, row->made);
	return query_run_one(&query);
}

static enum err load_group(struct query *query, struct group_key_row *ret)
{
	struct group_key_row row = {
		.id = (uint64_t)query_col_i64(query, 0),
		.generation = query_col_i64(query, 1),
		.client = (uint64_t)query_col_i64(query, 2),
		.class = (uint64_t)query_col_i64(query, 3),
		.year = query_col_i64(query, 4),
		.made = query_col_i64(query, 6),
	};

	query_col_blob(query, 5, row.wrapped, sizeof(row.wrapped));
	if (query_err(query))
		return query_err(query);
	*ret = row;
	return OK;
}

enum err group_key_by_id(struct db *db, uint64_t id, int64_t generation, struct group_key_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, GROUP_COLUMNS "WHERE id = ? AND generation = ?");
	query_i64(&query, (int64_t)id);
	query_i64(&query, generation);
	enum err err = query_one(&query);
	return err ? err : load_group(&query, ret);
}

enum err group_key_of(struct db *db, uint64_t client, uint64_t class, int64_t year,
		      int64_t generation, struct group_key_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   GROUP_COLUMNS "WHERE client = ? AND class = ? AND year = ? AND generation = ?"
				 " ORDER BY id DESC LIMIT 1");
	query_i64(&query, (int64_t)client);
	query_i64(&query, (int64_t) class);
	query_i64(&query, year);
	query_i64(&query, generation);
	enum err err = query_one(&query);
	return err ? err : load_group(&query, ret);
}

void group_key_select(struct query *query, struct db *db, int64_t generation)
{
	query_init(query, db, GROUP_COLUMNS "WHERE generation = ? ORDER BY id");
	query_i64(query, generation);
}

enum err group_key_next(struct query *query, struct group_key_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : load_group(query, ret);
}

enum err group_key_delete(struct db *db, uint64_t id)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM group_key WHERE id = ?");
	query_i64(&query, (int64_t)id);
	return query_run(&query, NULL);
}

/* ---- own keys --------------------------------------------------------------------------- */

enum err own_key_insert(struct db *db, const struct own_key_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "INSERT INTO own_key (name, generation, wrapped) VALUES (?, ?, ?)");
	query_str(&query, row->name);
	query_i64(&query, row->generation);
	query_blob(&query, row->wrapped, sizeof(row->wrapped));
	return query_run_one(&query);
}

static enum err load_own(struct query *query, struct own_key_row *ret)
{
	struct own_key_row row = { .generation = query_col_i64(query, 1) };

	query_col_str(query, 0, row.name, sizeof(row.name));
	query_col_blob(query, 2, row.wrapped, sizeof(row.wrapped));
	if (query_err(query))
		return query_err(query);
	*ret = row;
	return OK;
}

enum err own_key_by_name(struct db *db, const char *name, int64_t generation,
			 struct own_key_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "SELECT name, generation, wrapped FROM own_key"
		   " WHERE name = ? AND generation = ?");
	query_str(&query, name);
	query_i64(&query, generation);
	enum err err = query_one(&query);
	return err ? err : load_own(&query, ret);
}

void own_key_select(struct query *query, struct db *db, int64_t generation)
{
	query_init(query, db,
		   "SELECT name, generation, wrapped FROM own_key WHERE generation = ?"
		   " ORDER BY name");
	query_i64(query, generation);
}

enum err own_key_next(struct query *query, struct own_key_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : load_own(query, ret);
}

enum err keys_generations(struct db *db, int64_t generation, bool *ret_these, bool *ret_others)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "SELECT count(*) FILTER (WHERE generation = ?),"
		   " count(*) FILTER (WHERE generation <> ?)"
		   " FROM (SELECT generation FROM own_key UNION ALL"
		   " SELECT generation FROM group_key)");
	query_i64(&query, generation);
	query_i64(&query, generation);
	enum err err = query_one(&query);
	if (err)
		return err;
	*ret_these = query_col_i64(&query, 0) > 0;
	*ret_others = query_col_i64(&query, 1) > 0;
	return OK;
}

enum err keys_lowest(struct db *db, int64_t *ret_generation)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "SELECT coalesce(min(generation), 0) FROM own_key");
	enum err err = query_one(&query);
	if (!err)
		*ret_generation = query_col_i64(&query, 0);
	return err;
}

static enum err delete_others(struct db *db, const char *sql, int64_t generation)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, sql);
	query_i64(&query, generation);
	return query_run(&query, NULL);
}

enum err keys_keep(struct db *db, int64_t generation)
{
	enum err err = delete_others(db, "DELETE FROM own_key WHERE generation <> ?", generation);

	return err ? err
		   : delete_others(db, "DELETE FROM group_key WHERE generation <> ?", generation);
}
