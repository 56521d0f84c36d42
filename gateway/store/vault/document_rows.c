#include "store/vault/document_rows.h"

enum err document_next_id(struct db *db, uint64_t *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'document'), 0)");
	enum err err = query_one(&query);
	if (!err)
		*ret = (uint64_t)query_col_i64(&query, 0) + 1;
	return err;
}

enum err document_insert(struct db *db, const struct document_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO document (id, record, version, versions, created, created_by,"
		   " removed, mac) VALUES (?, ?, ?, ?, ?, ?, ?, zeroblob(32))");
	query_i64(&query, (int64_t)row->id);
	query_i64(&query, (int64_t)row->record);
	query_i64(&query, row->version);
	query_i64(&query, row->versions);
	query_i64(&query, row->created);
	query_i64(&query, (int64_t)row->created_by);
	query_i64(&query, row->removed);
	return query_run_one(&query);
}

enum err document_update(struct db *db, const struct document_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE document SET version = ?, versions = ?, removed = ? WHERE id = ?");
	query_i64(&query, row->version);
	query_i64(&query, row->versions);
	query_i64(&query, row->removed);
	query_i64(&query, (int64_t)row->id);
	return query_run_one(&query);
}

/* ---- reading --------------------------------------------------------------------------------- */

#define COLUMNS "id, record, version, versions, created, created_by, removed"

static enum err load(struct query *query, struct document_row *ret)
{
	*ret = (struct document_row){
		.id = (uint64_t)query_col_i64(query, 0),
		.record = (uint64_t)query_col_i64(query, 1),
		.version = query_col_i64(query, 2),
		.versions = query_col_i64(query, 3),
		.created = query_col_i64(query, 4),
		.created_by = (uint64_t)query_col_i64(query, 5),
		.removed = query_col_i64(query, 6),
	};
	return query_err(query);
}

enum err document_by_id(struct db *db, uint64_t id, struct document_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "SELECT " COLUMNS " FROM document WHERE id = ?");
	query_i64(&query, (int64_t)id);
	enum err err = query_one(&query);
	return err ? err : load(&query, ret);
}

void document_select(struct query *query, struct db *db, uint64_t record, uint64_t after)
{
	query_init(query, db,
		   "SELECT " COLUMNS " FROM document WHERE record = ? AND id > ? ORDER BY id");
	query_i64(query, (int64_t)record);
	query_i64(query, (int64_t)after);
}

enum err document_next(struct query *query, struct document_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : load(query, ret);
}

/* ---- versions -------------------------------------------------------------------------------- */

#define VERSION_COLUMNS "document, version, made, made_by, size, data_key, sealed, quarantined"
#define VERSIONS        "SELECT " VERSION_COLUMNS " FROM document_version WHERE document = ?"

enum err document_version_insert(struct db *db, const struct document_version_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO document_version (" VERSION_COLUMNS
		   ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	query_i64(&query, (int64_t)row->document);
	query_i64(&query, row->version);
	query_i64(&query, row->made);
	query_i64(&query, (int64_t)row->made_by);
	query_i64(&query, (int64_t)row->size);
	query_blob(&query, row->data_key, sizeof(row->data_key));
	query_blob(&query, row->sealed, row->sealed_len);
	query_i64(&query, row->quarantined);
	return query_run_one(&query);
}

void document_version_select(struct query *query, struct db *db, uint64_t document, int64_t version)
{
	query_init(query, db,
		   version ? VERSIONS " AND version = ?" : VERSIONS " ORDER BY version DESC");
	query_i64(query, (int64_t)document);
	if (version)
		query_i64(query, version);
}

void document_version_quarantined(struct query *query, struct db *db)
{
	query_init(query, db,
		   "SELECT " VERSION_COLUMNS " FROM document_version"
		   " WHERE quarantined = 1 ORDER BY document, version");
}

enum err document_version_next(struct query *query, struct document_version_row *ret,
			       bool *ret_more)
{
	enum err err = query_next(query, ret_more);
	struct document_version_row row;

	if (err || !*ret_more)
		return err;
	row = (struct document_version_row){
		.document = (uint64_t)query_col_i64(query, 0),
		.version = query_col_i64(query, 1),
		.made = query_col_i64(query, 2),
		.made_by = (uint64_t)query_col_i64(query, 3),
		.size = (uint64_t)query_col_i64(query, 4),
		.quarantined = query_col_i64(query, 7) != 0,
	};
	query_col_blob(query, 5, row.data_key, sizeof(row.data_key));
	row.sealed = query_col_bytes(query, 6, &row.sealed_len);
	if (query_err(query))
		return query_err(query);
	*ret = row;
	return OK;
}

enum err document_version_delete(struct db *db, uint64_t document, int64_t version)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM document_version WHERE document = ? AND version = ?");
	query_i64(&query, (int64_t)document);
	query_i64(&query, version);
	return query_run_one(&query);
}

enum err document_version_exists(struct db *db, uint64_t document, int64_t version, bool *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "SELECT 1 FROM document_version WHERE document = ? AND version = ?");
	query_i64(&query, (int64_t)document);
	query_i64(&query, version);
	return query_next(&query, ret);
}
