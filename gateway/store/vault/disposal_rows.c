#include "store/vault/disposal_rows.h"

enum err disposal_insert(struct db *db, const struct disposal_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO disposal (record, disposed, asked_by, approved_by, early, versions,"
		   " numbers, documents, key_destroyed, counter, seq, mac)"
		   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, zeroblob(32))");
	query_i64(&query, (int64_t)row->record);
	query_i64(&query, row->disposed);
	query_i64(&query, (int64_t)row->asked_by);
	query_i64(&query, (int64_t)row->approved_by);
	query_i64(&query, row->early);
	query_i64(&query, row->versions);
	query_i64(&query, row->numbers);
	query_i64(&query, row->documents);
	query_i64(&query, (int64_t)row->key_destroyed);
	query_i64(&query, (int64_t)row->counter);
	query_i64(&query, (int64_t)row->seq);
	return query_run_one(&query);
}

enum err disposal_by_record(struct db *db, uint64_t record, struct disposal_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "SELECT record, disposed, asked_by, approved_by, early, versions, numbers,"
		   " documents, key_destroyed, counter, seq FROM disposal WHERE record = ?");
	query_i64(&query, (int64_t)record);
	enum err err = query_one(&query);
	if (err)
		return err;
	*ret = (struct disposal_row){
		.record = (uint64_t)query_col_i64(&query, 0),
		.disposed = query_col_i64(&query, 1),
		.asked_by = (uint64_t)query_col_i64(&query, 2),
		.approved_by = (uint64_t)query_col_i64(&query, 3),
		.early = query_col_i64(&query, 4) != 0,
		.versions = query_col_i64(&query, 5),
		.numbers = query_col_i64(&query, 6),
		.documents = query_col_i64(&query, 7),
		.key_destroyed = (uint64_t)query_col_i64(&query, 8),
		.counter = (uint64_t)query_col_i64(&query, 9),
		.seq = (uint64_t)query_col_i64(&query, 10),
	};
	return query_err(&query);
}

void disposal_select_due(struct query *query, struct db *db, int64_t day, int64_t removed_s)
{
	query_init(query, db,
		   "SELECT id FROM record WHERE disposed = 0"
		   " AND ((state = 4 AND due <= ?) OR (removed > 0 AND removed <= ?))"
		   " ORDER BY CASE WHEN state = 4 AND removed = 0 THEN due ELSE 9223372036854775807"
		   " END, id");
	query_i64(query, day);
	query_i64(query, removed_s);
}

void disposal_select_below(struct query *query, struct db *db, uint64_t record)
{
	query_init(query, db,
		   "SELECT id FROM record WHERE client = ? AND id <> client AND state NOT IN (5, 6)"
		   " UNION SELECT id FROM record WHERE parent = ? AND state NOT IN (5, 6)");
	query_i64(query, (int64_t)record);
	query_i64(query, (int64_t)record);
}

enum err disposal_next_below(struct db *db, uint64_t parent, uint64_t after, uint64_t *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "SELECT id FROM record WHERE parent = ? AND id > ? ORDER BY id LIMIT 1");
	query_i64(&query, (int64_t)parent);
	query_i64(&query, (int64_t)after);
	enum err err = query_one(&query);
	if (!err)
		*ret = (uint64_t)query_col_i64(&query, 0);
	return err;
}

enum err disposal_key_used(struct db *db, uint64_t key, bool *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "SELECT EXISTS (SELECT 1 FROM record WHERE key = ? AND disposed = 0)");
	query_i64(&query, (int64_t)key);
	enum err err = query_one(&query);
	if (!err)
		*ret = query_col_i64(&query, 0) != 0;
	return err;
}

enum err disposal_numbers(struct db *db, uint64_t record, int64_t *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "SELECT count(*) FROM record_number WHERE record = ?");
	query_i64(&query, (int64_t)record);
	enum err err = query_one(&query);
	if (!err)
		*ret = query_col_i64(&query, 0);
	return err;
}

/* ---- documents ---------------------------------------------------------------------------------
 */

void document_key_select(struct query *query, struct db *db, uint64_t record)
{
	query_init(query, db,
		   "SELECT document, document_version.version, data_key FROM document_version"
		   " JOIN document ON document.id = document WHERE record = ?"
		   " ORDER BY document, document_version.version");
	query_i64(query, (int64_t)record);
}

enum err document_key_next(struct query *query, struct document_key_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);
	struct document_key_row row;

	if (err || !*ret_more)
		return err;
	row.document = (uint64_t)query_col_i64(query, 0);
	row.version = query_col_i64(query, 1);
	query_col_blob(query, 2, row.data_key, sizeof(row.data_key));
	if (!query_err(query))
		*ret = row;
	return query_err(query);
}

enum err document_key_set(struct db *db, const struct document_key_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE document_version SET data_key = ? WHERE document = ? AND version = ?");
	query_blob(&query, row->data_key, sizeof(row->data_key));
	query_i64(&query, (int64_t)row->document);
	query_i64(&query, row->version);
	return query_run_one(&query);
}

enum err document_first(struct db *db, uint64_t record, uint64_t *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "SELECT id FROM document WHERE record = ? ORDER BY id LIMIT 1");
	query_i64(&query, (int64_t)record);
	enum err err = query_one(&query);
	if (!err)
		*ret = (uint64_t)query_col_i64(&query, 0);
	return err;
}

static enum err delete_of(struct db *db, const char *sql, uint64_t document)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, sql);
	query_i64(&query, (int64_t)document);
	return query_run(&query, NULL);
}

enum err document_delete(struct db *db, uint64_t document)
{
	enum err err = delete_of(db, "DELETE FROM document_version WHERE document = ?", document);

	return err ? err : delete_of(db, "DELETE FROM document WHERE id = ?", document);
}
