#include "store/vault/staging_rows.h"

#include "store/vault/record_rows.h"

enum err staging_get(struct db *db, struct staging_row *ret)
{
	_cleanup_query_ struct query query;
	bool there = false;

	query_init(&query, db, "SELECT first, last FROM staging ORDER BY first");
	enum err err = query_next(&query, &there);
	*ret = (struct staging_row){ 0 };
	if (!err && there)
		*ret = (struct staging_row){ (uint64_t)query_col_i64(&query, 0),
					     (uint64_t)query_col_i64(&query, 1) };
	return err ? err : query_err(&query);
}

/* The database has no row for the table before its first record. */
static enum err take_numbers(struct db *db, uint64_t last)
{
	_cleanup_query_ struct query update, insert;
	int64_t changed = 0;

	query_init(&update, db, "UPDATE sqlite_sequence SET seq = ? WHERE name = 'record'");
	query_i64(&update, (int64_t)last);
	enum err err = query_run(&update, &changed);
	query_init(&insert, db, "INSERT INTO sqlite_sequence (name, seq) VALUES ('record', ?)");
	query_i64(&insert, (int64_t)last);
	return err || changed ? err : query_run_one(&insert);
}

enum err staging_add(struct db *db, uint64_t count, struct staging_row *ret)
{
	_cleanup_query_ struct query query = { 0 };
	struct staging_row row;
	enum err err = record_next_id(db, &row.first);

	if (err)
		return err;
	row.last = row.first + count - 1;
	err = take_numbers(db, row.last);
	query_init(&query, db,
		   "INSERT INTO staging (first, last, mac) VALUES (?, ?, zeroblob(32))");
	query_i64(&query, (int64_t)row.first);
	query_i64(&query, (int64_t)row.last);
	if (!err)
		err = query_run_one(&query);
	if (!err)
		*ret = row;
	return err;
}

enum err staging_drop(struct db *db, uint64_t first)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM staging WHERE first = ?");
	query_i64(&query, (int64_t)first);
	return query_run_one(&query);
}
