#include "store/vault/grant_rows.h"

#define COLUMNS                                                                                    \
	"SELECT subject_kind, subject, object_kind, object, level, number, document, given,"       \
	" given_by FROM grant_row WHERE "
#define OF_PERSON                                                                                  \
	"((subject_kind = 1 AND subject = ?) OR (subject_kind = 2 AND subject IN"                  \
	" (SELECT grp FROM grant_member JOIN grant_group ON id = grp"                              \
	" WHERE member = ? AND kind = 1)))"

void grant_select_subject(struct query *query, struct db *db, enum grant_subject kind,
			  uint64_t subject)
{
	query_init(query, db,
		   COLUMNS "subject_kind = ? AND subject = ? ORDER BY object_kind, object");
	query_i64(query, kind);
	query_i64(query, (int64_t)subject);
}

void grant_select_person(struct query *query, struct db *db, uint64_t account)
{
	query_init(query, db,
		   COLUMNS OF_PERSON " ORDER BY subject_kind, subject, object_kind, object");
	query_i64(query, (int64_t)account);
	query_i64(query, (int64_t)account);
}

void grant_select_object(struct query *query, struct db *db, enum grant_object kind,
			 uint64_t object)
{
	query_init(query, db,
		   COLUMNS "object_kind = ? AND object = ? ORDER BY subject_kind, subject");
	query_i64(query, kind);
	query_i64(query, (int64_t)object);
}

static enum err read_row(struct query *query, struct grant_given *ret)
{
	*ret = (struct grant_given){
		.row = { .subject_kind = (uint8_t)query_col_i64(query, 0),
			 .subject = (uint64_t)query_col_i64(query, 1),
			 .object_kind = (uint8_t)query_col_i64(query, 2),
			 .object = (uint64_t)query_col_i64(query, 3),
			 .rights = { .level = (uint8_t)query_col_i64(query, 4),
				     .number = query_col_i64(query, 5) != 0,
				     .document = (uint8_t)query_col_i64(query, 6) } },
		.given = query_col_i64(query, 7),
		.given_by = (uint64_t)query_col_i64(query, 8),
	};
	return query_err(query);
}

enum err grant_next(struct query *query, struct grant_given *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : read_row(query, ret);
}

static void bind_key(struct query *query, const struct grant_row *row)
{
	query_i64(query, row->subject_kind);
	query_i64(query, (int64_t)row->subject);
	query_i64(query, row->object_kind);
	query_i64(query, (int64_t)row->object);
}

static void bind_rights(struct query *query, const struct grant_given *given)
{
	query_i64(query, given->row.rights.level);
	query_i64(query, given->row.rights.number);
	query_i64(query, given->row.rights.document);
	query_i64(query, given->given);
	query_i64(query, (int64_t)given->given_by);
}

enum err grant_by_key(struct db *db, const struct grant_row *row, struct grant_given *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   COLUMNS "subject_kind = ? AND subject = ? AND object_kind = ? AND object = ?");
	bind_key(&query, row);
	enum err err = query_one(&query);
	return err ? err : read_row(&query, ret);
}

enum err grant_insert(struct db *db, const struct grant_given *given)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO grant_row (subject_kind, subject, object_kind, object, level,"
		   " number, document, given, given_by, mac)"
		   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, zeroblob(32))");
	bind_key(&query, &given->row);
	bind_rights(&query, given);
	return query_run_one(&query);
}

enum err grant_update(struct db *db, const struct grant_given *given)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE grant_row SET level = ?, number = ?, document = ?, given = ?,"
		   " given_by = ? WHERE subject_kind = ? AND subject = ? AND object_kind = ?"
		   " AND object = ?");
	bind_rights(&query, given);
	bind_key(&query, &given->row);
	return query_run_one(&query);
}

enum err grant_delete(struct db *db, const struct grant_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "DELETE FROM grant_row WHERE subject_kind = ? AND subject = ?"
		   " AND object_kind = ? AND object = ?");
	bind_key(&query, row);
	return query_run_one(&query);
}

void grant_select_clients(struct query *query, struct db *db, uint64_t account)
{
	query_init(query, db,
		   "SELECT grp, member FROM grant_member WHERE grp IN (SELECT object FROM grant_row"
		   " WHERE object_kind = 3 AND " OF_PERSON ")");
	query_i64(query, (int64_t)account);
	query_i64(query, (int64_t)account);
}
