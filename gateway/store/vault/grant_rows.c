#include "store/vault/grant_rows.h"

void grant_select_account(struct query *query, struct db *db, uint64_t account)
{
	query_init(query, db,
		   "SELECT subject_kind, subject, object_kind, object, level, number, document"
		   " FROM grant_row WHERE subject_kind = 1 AND subject = ?"
		   " ORDER BY object_kind, object");
	query_i64(query, (int64_t)account);
}

enum err grant_next(struct query *query, struct grant_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	*ret = (struct grant_row){
		.subject_kind = (uint8_t)query_col_i64(query, 0),
		.subject = (uint64_t)query_col_i64(query, 1),
		.object_kind = (uint8_t)query_col_i64(query, 2),
		.object = (uint64_t)query_col_i64(query, 3),
		.rights = { .level = (uint8_t)query_col_i64(query, 4),
			    .number = query_col_i64(query, 5) != 0,
			    .document = (uint8_t)query_col_i64(query, 6) },
	};
	return query_err(query);
}
