#include "store/records.h"

enum err record_floor_get(struct db *db, uint64_t *ret_counter)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, "SELECT counter FROM record_floor");
	err = query_one(&query);
	if (!err)
		*ret_counter = (uint64_t)query_col_i64(&query, 0);
	return err;
}

enum err record_floor_set(struct db *db, uint64_t counter)
{
	_cleanup_query_ struct query query = { 0 };
	enum err err;

	if (counter > INT64_MAX)
		return ERR_INVALID;
	query_init(&query, db, "UPDATE record_floor SET counter = ?1 WHERE counter < ?1");
	query_i64(&query, (int64_t)counter);
	err = query_run_one(&query);
	return err == ERR_NOT_FOUND ? ERR_WRONG_STATE : err;
}

enum err vault_floor_get(struct db *db, uint64_t *ret_generation)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, "SELECT generation FROM vault_floor");
	err = query_one(&query);
	if (!err)
		*ret_generation = (uint64_t)query_col_i64(&query, 0);
	return err;
}

enum err vault_floor_raise(struct db *db, uint64_t generation)
{
	_cleanup_query_ struct query query = { 0 };

	if (generation > VAULT_GENERATION_MAX)
		return ERR_INVALID;
	query_init(&query, db, "UPDATE vault_floor SET generation = ?1 WHERE generation < ?1");
	query_i64(&query, (int64_t)generation);
	return query_run(&query, NULL);
}

enum err record_disposed_add(struct db *db, uint64_t record, int64_t seq)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO record_disposed (record, seq) VALUES (?, ?)"
		   " ON CONFLICT (record) DO NOTHING");
	query_i64(&query, (int64_t)record);
	query_i64(&query, seq);
	return query_run(&query, NULL);
}

enum err record_disposed_drop(struct db *db, int64_t seq)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM record_disposed WHERE seq = ?");
	query_i64(&query, seq);
	return query_run(&query, NULL);
}

void record_disposed_list(struct query *query, struct db *db)
{
	query_init(query, db, "SELECT record FROM record_disposed ORDER BY record");
}

enum err record_disposed_next(struct query *query, uint64_t *ret_record, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	if (!err && *ret_more)
		*ret_record = (uint64_t)query_col_i64(query, 0);
	return err ? err : query_err(query);
}

enum err record_entry_add(struct db *db, uint64_t record, int64_t seq)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO record_entry (record, seq) VALUES (?, ?)"
		   " ON CONFLICT (record, seq) DO NOTHING");
	query_i64(&query, (int64_t)record);
	query_i64(&query, seq);
	return query_run(&query, NULL);
}
