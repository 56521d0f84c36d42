#include "store/vault/rule_rows.h"

#include <stdio.h>

static enum err room_left(struct db *db, const char *sql)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, sql);
	enum err err = query_one(&query);
	if (!err && query_col_i64(&query, 0) >= RULES_MAX)
		err = ERR_FULL;
	return err;
}

/* ---- purposes ----------------------------------------------------------------------------------
 */

enum err purpose_insert(struct db *db, const char *name, const char *name_en, uint64_t *ret)
{
	_cleanup_query_ struct query query = { 0 };
	enum err err = room_left(db, "SELECT count(*) FROM purpose");

	if (err)
		return err;
	query_init(&query, db, "INSERT INTO purpose (name, name_en) VALUES (?, ?)");
	query_str(&query, name);
	query_str(&query, name_en);
	err = query_run_one(&query);
	if (!err)
		*ret = (uint64_t)db_last_id(db);
	return err;
}

enum err purpose_set_retired(struct db *db, uint64_t id, bool retired)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE purpose SET retired = ? WHERE id = ?");
	query_i64(&query, retired);
	query_i64(&query, (int64_t)id);
	return query_run_one(&query);
}

static enum err load_purpose(struct query *query, struct purpose_row *ret)
{
	ret->id = (uint64_t)query_col_i64(query, 0);
	query_col_str(query, 1, ret->name, sizeof(ret->name));
	query_col_str(query, 2, ret->name_en, sizeof(ret->name_en));
	ret->retired = query_col_i64(query, 3) != 0;
	ret->records = query_col_i64(query, 4);
	return query_err(query);
}

enum err purpose_by_id(struct db *db, uint64_t id, struct purpose_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "SELECT id, name, name_en, retired, 0 FROM purpose WHERE id = ?");
	query_i64(&query, (int64_t)id);
	enum err err = query_one(&query);
	return err ? err : load_purpose(&query, ret);
}

/* Records have few different sets of purposes: each is taken apart once. */
void purpose_select(struct query *query, struct db *db)
{
	query_init(query, db,
		   "WITH sets AS MATERIALIZED (SELECT purposes, count(*) AS many FROM record"
		   " WHERE disposed = 0 GROUP BY purposes),"
		   " split (id, many, rest) AS (SELECT substr(purposes, 1, 8), many,"
		   " substr(purposes, 9) FROM sets UNION ALL SELECT substr(rest, 1, 8), many,"
		   " substr(rest, 9) FROM split WHERE length(rest) >= 8),"
		   " used AS MATERIALIZED (SELECT id, sum(many) AS many FROM split GROUP BY id)"
		   " SELECT purpose.id, name, name_en, retired, coalesce((SELECT many FROM used"
		   " WHERE hex(used.id) = printf('%016X', purpose.id)), 0)"
		   " FROM purpose ORDER BY purpose.id");
}

enum err purpose_next(struct query *query, struct purpose_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : load_purpose(query, ret);
}

/* ---- classes -----------------------------------------------------------------------------------
 */

static void bind_class(struct query *query, const struct class_row *row)
{
	query_str(query, row->name);
	query_str(query, row->name_en);
	query_str(query, row->start);
	query_str(query, row->start_en);
}

enum err class_insert(struct db *db, const struct class_row *row, uint64_t *ret)
{
	_cleanup_query_ struct query query = { 0 };
	enum err err = room_left(db, "SELECT count(*) FROM class");

	if (err)
		return err;
	query_init(&query, db,
		   "INSERT INTO class (name, name_en, start, start_en, years)"
		   " VALUES (?, ?, ?, ?, ?)");
	bind_class(&query, row);
	query_i64(&query, row->years);
	err = query_run_one(&query);
	if (!err)
		*ret = (uint64_t)db_last_id(db);
	return err;
}

enum err class_update(struct db *db, const struct class_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE class SET name = ?, name_en = ?, start = ?, start_en = ?, retired = ?"
		   " WHERE id = ?");
	bind_class(&query, row);
	query_i64(&query, row->retired);
	query_i64(&query, (int64_t)row->id);
	return query_run_one(&query);
}

#define CLASSES "SELECT id, name, name_en, start, start_en, years, retired FROM class"

static enum err load_class(struct query *query, struct class_row *ret)
{
	ret->id = (uint64_t)query_col_i64(query, 0);
	query_col_str(query, 1, ret->name, sizeof(ret->name));
	query_col_str(query, 2, ret->name_en, sizeof(ret->name_en));
	query_col_str(query, 3, ret->start, sizeof(ret->start));
	query_col_str(query, 4, ret->start_en, sizeof(ret->start_en));
	ret->years = query_col_i64(query, 5);
	ret->retired = query_col_i64(query, 6) != 0;
	return query_err(query);
}

enum err class_by_id(struct db *db, uint64_t id, struct class_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, CLASSES " WHERE id = ?");
	query_i64(&query, (int64_t)id);
	enum err err = query_one(&query);
	return err ? err : load_class(&query, ret);
}

void class_select(struct query *query, struct db *db)
{
	query_init(query, db, CLASSES " ORDER BY id");
}

enum err class_next(struct query *query, struct class_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : load_class(query, ret);
}

/* ---- templates ---------------------------------------------------------------------------------
 */

enum err template_put(struct db *db, int64_t kind, const char *fields)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO template (kind, fields) VALUES (?, ?)"
		   " ON CONFLICT (kind) DO UPDATE SET fields = excluded.fields");
	query_i64(&query, kind);
	query_str(&query, fields);
	return query_run_one(&query);
}

enum err template_get(struct db *db, int64_t kind, char *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "SELECT fields FROM template WHERE kind = ?");
	query_i64(&query, kind);
	enum err err = query_one(&query);
	if (!err)
		query_col_str(&query, 0, ret, TEMPLATE_BYTES + 1);
	else if (err == ERR_NOT_FOUND)
		snprintf(ret, TEMPLATE_BYTES + 1, "[]");
	return err == ERR_NOT_FOUND ? OK : err ? err : query_err(&query);
}
