#include "store/vault/group_rows.h"

enum err group_insert(struct db *db, enum grant_group_kind kind, const char *name, uint64_t *ret_id)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO grant_group (kind, name, mac) VALUES (?, ?, zeroblob(32))");
	query_i64(&query, kind);
	query_str(&query, name);
	enum err err = query_run_one(&query);
	if (!err)
		*ret_id = (uint64_t)db_last_id(db);
	return err;
}

enum err group_rename(struct db *db, uint64_t id, const char *name)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE grant_group SET name = ? WHERE id = ?");
	query_str(&query, name);
	query_i64(&query, (int64_t)id);
	return query_run_one(&query);
}

enum err group_delete(struct db *db, uint64_t id)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM grant_group WHERE id = ?");
	query_i64(&query, (int64_t)id);
	return query_run_one(&query);
}

#define COLUMNS                                                                                    \
	"SELECT id, kind, name, (SELECT count(*) FROM grant_member WHERE grp = id)"                \
	" FROM grant_group WHERE "

static enum err read_group(struct query *query, struct group_row *ret)
{
	ret->id = (uint64_t)query_col_i64(query, 0);
	ret->kind = (enum grant_group_kind)query_col_i64(query, 1);
	query_col_str(query, 2, ret->name, sizeof(ret->name));
	ret->members = query_col_i64(query, 3);
	return query_err(query);
}

enum err group_by_id(struct db *db, uint64_t id, struct group_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, COLUMNS "id = ?");
	query_i64(&query, (int64_t)id);
	enum err err = query_one(&query);
	return err ? err : read_group(&query, ret);
}

void group_select(struct query *query, struct db *db, enum grant_group_kind kind)
{
	query_init(query, db, COLUMNS "kind = ? ORDER BY name, id");
	query_i64(query, kind);
}

enum err group_next(struct query *query, struct group_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : read_group(query, ret);
}

enum err group_count(struct db *db, enum grant_group_kind kind, int64_t *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "SELECT count(*) FROM grant_group WHERE kind = ?");
	query_i64(&query, kind);
	enum err err = query_one(&query);
	if (!err)
		*ret = query_col_i64(&query, 0);
	return err;
}

static enum err run_member(struct db *db, const char *sql, const struct grant_member *member)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, sql);
	query_i64(&query, (int64_t)member->group);
	query_i64(&query, (int64_t)member->member);
	return query_run_one(&query);
}

enum err group_member_insert(struct db *db, const struct grant_member *member)
{
	return run_member(db,
			  "INSERT INTO grant_member (grp, member, mac) VALUES (?, ?, zeroblob(32))",
			  member);
}

enum err group_member_delete(struct db *db, const struct grant_member *member)
{
	return run_member(db, "DELETE FROM grant_member WHERE grp = ? AND member = ?", member);
}

void group_member_select(struct query *query, struct db *db, uint64_t group, uint64_t after)
{
	query_init(query, db,
		   "SELECT grp, member FROM grant_member WHERE grp = ? AND member > ?"
		   " ORDER BY member");
	query_i64(query, (int64_t)group);
	query_i64(query, (int64_t)after);
}

void group_member_select_of(struct query *query, struct db *db, enum grant_group_kind kind,
			    uint64_t member)
{
	query_init(query, db,
		   "SELECT grp, member FROM grant_member JOIN grant_group ON id = grp"
		   " WHERE member = ? AND kind = ? ORDER BY grp");
	query_i64(query, (int64_t)member);
	query_i64(query, kind);
}

enum err group_member_next(struct query *query, struct grant_member *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	*ret = (struct grant_member){ (uint64_t)query_col_i64(query, 0),
				      (uint64_t)query_col_i64(query, 1) };
	return query_err(query);
}
