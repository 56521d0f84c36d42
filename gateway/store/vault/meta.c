#include "store/vault/meta.h"

enum err meta_get(struct db *db, struct meta_row *ret)
{
	_cleanup_query_ struct query query;
	struct meta_row meta = { 0 };

	query_init(&query, db, "SELECT counter, seq, mac FROM meta WHERE id = 1");
	enum err err = query_one(&query);
	if (err)
		return err;
	meta.counter = (uint64_t)query_col_i64(&query, 0);
	meta.seq = (uint64_t)query_col_i64(&query, 1);
	meta.has_mac = query_col_blob(&query, 2, meta.mac, sizeof(meta.mac)) == sizeof(meta.mac);
	if (query_err(&query))
		return query_err(&query);
	*ret = meta;
	return OK;
}

enum err meta_put(struct db *db, const struct meta_row *meta)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE meta SET counter = ?, seq = ?, mac = ? WHERE id = 1");
	query_i64(&query, (int64_t)meta->counter);
	query_i64(&query, (int64_t)meta->seq);
	query_blob(&query, meta->mac, sizeof(meta->mac));
	return query_run_one(&query);
}
