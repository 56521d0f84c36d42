#include "store/gateway_key.h"

#include "base/clock.h"

enum err gateway_key_get(struct db *db, uint8_t ret[GATEWAY_KEY])
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, "SELECT spki FROM gateway_key");
	err = query_one(&query);
	if (err)
		return err;
	query_col_blob(&query, 0, ret, GATEWAY_KEY);
	return query_err(&query);
}

enum err gateway_key_add(struct db *db, const uint8_t key[GATEWAY_KEY])
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "INSERT INTO gateway_key (id, spki, created) VALUES (1, ?, ?)");
	query_blob(&query, key, GATEWAY_KEY);
	query_i64(&query, clock_wall_s());
	return query_run_one(&query);
}

enum err gateway_key_forget(struct db *db)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM gateway_key");
	return query_run(&query, NULL);
}
