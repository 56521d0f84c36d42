#include "store/vault/copy_rows.h"

#define COLUMNS                                                                                    \
	"SELECT id, asked, asked_by, kind, replaces, groups, source, targets, digest"              \
	" FROM grant_copy "

enum err copy_insert(struct db *db, const struct copy_row *row, uint64_t *ret_id)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO grant_copy (asked, asked_by, kind, replaces, groups, source,"
		   " targets, digest, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?, zeroblob(32))");
	query_i64(&query, row->asked);
	query_i64(&query, (int64_t)row->asked_by);
	query_i64(&query, row->kind);
	query_i64(&query, row->replace);
	query_i64(&query, row->groups);
	query_i64(&query, (int64_t)row->source);
	query_blob(&query, row->targets, row->target_count * 8);
	query_blob(&query, row->digest, COPY_DIGEST);
	enum err err = query_run_one(&query);
	if (!err)
		*ret_id = (uint64_t)db_last_id(db);
	return err;
}

enum err copy_delete(struct db *db, uint64_t id)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM grant_copy WHERE id = ?");
	query_i64(&query, (int64_t)id);
	return query_run_one(&query);
}

static enum err read_row(struct query *query, struct copy_row *ret)
{
	*ret = (struct copy_row){
		.id = (uint64_t)query_col_i64(query, 0),
		.asked = query_col_i64(query, 1),
		.asked_by = (uint64_t)query_col_i64(query, 2),
		.kind = query_col_i64(query, 3),
		.replace = query_col_i64(query, 4) != 0,
		.groups = query_col_i64(query, 5) != 0,
		.source = (uint64_t)query_col_i64(query, 6),
	};
	ret->target_count = query_col_blob(query, 7, ret->targets, sizeof(ret->targets)) / 8;
	query_col_blob(query, 8, ret->digest, COPY_DIGEST);
	return query_err(query);
}

enum err copy_by_id(struct db *db, uint64_t id, struct copy_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, COLUMNS "WHERE id = ?");
	query_i64(&query, (int64_t)id);
	enum err err = query_one(&query);
	return err ? err : read_row(&query, ret);
}

void copy_select(struct query *query, struct db *db)
{
	query_init(query, db, COLUMNS "ORDER BY id");
}

enum err copy_next(struct query *query, struct copy_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : read_row(query, ret);
}
