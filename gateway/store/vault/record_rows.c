#include "store/vault/record_rows.h"

#include <string.h>

uint64_t record_purpose(const struct record_row *row, size_t at)
{
	uint64_t id = 0;

	for (size_t i = 0; i < RECORD_PURPOSE; i++)
		id = id << 8 | row->purposes[at * RECORD_PURPOSE + i];
	return id;
}

void record_set_purposes(struct record_row *row, const uint64_t *ids, size_t count)
{
	row->purpose_count = count;
	for (size_t i = 0; i < count * RECORD_PURPOSE; i++)
		row->purposes[i] =
			(uint8_t)(ids[i / RECORD_PURPOSE] >> (56 - 8 * (i % RECORD_PURPOSE)));
}

enum err record_next_id(struct db *db, uint64_t *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'record'), 0)");
	enum err err = query_one(&query);
	if (!err)
		*ret = (uint64_t)query_col_i64(&query, 0) + 1;
	return err;
}

static void bind_or_null(struct query *query, bool there, int64_t value)
{
	if (there)
		query_i64(query, value);
	else
		query_null(query);
}

enum err record_insert(struct db *db, const struct record_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO record (id, kind, state, client, parent, class, purposes, key,"
		   " version, number_version, created, created_by, started, due, removed, disposed,"
		   " hold, mac)"
		   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, zeroblob(32))");
	query_i64(&query, (int64_t)row->id);
	query_i64(&query, row->kind);
	query_i64(&query, row->state);
	query_i64(&query, (int64_t)row->client);
	bind_or_null(&query, row->parent != 0, (int64_t)row->parent);
	query_i64(&query, (int64_t)row->class);
	query_blob(&query, row->purposes, row->purpose_count * RECORD_PURPOSE);
	query_i64(&query, (int64_t)row->key);
	query_i64(&query, row->version);
	query_i64(&query, row->number_version);
	query_i64(&query, row->created);
	query_i64(&query, (int64_t)row->created_by);
	bind_or_null(&query, row->has_started, row->started);
	bind_or_null(&query, row->has_due, row->due);
	query_i64(&query, row->removed);
	query_i64(&query, row->disposed);
	query_i64(&query, row->hold);
	return query_run_one(&query);
}

enum err record_update(struct db *db, const struct record_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE record SET state = ?, class = ?, key = ?, version = ?,"
		   " number_version = ?, started = ?, due = ?, removed = ?, disposed = ?,"
		   " hold = ? WHERE id = ?");
	query_i64(&query, row->state);
	query_i64(&query, (int64_t)row->class);
	query_i64(&query, (int64_t)row->key);
	query_i64(&query, row->version);
	query_i64(&query, row->number_version);
	bind_or_null(&query, row->has_started, row->started);
	bind_or_null(&query, row->has_due, row->due);
	query_i64(&query, row->removed);
	query_i64(&query, row->disposed);
	query_i64(&query, row->hold);
	query_i64(&query, (int64_t)row->id);
	return query_run_one(&query);
}

enum err record_delete(struct db *db, uint64_t id)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM record WHERE id = ?");
	query_i64(&query, (int64_t)id);
	return query_run_one(&query);
}

static enum err load(struct query *query, struct record_row *ret)
{
	struct record_row row = {
		.id = (uint64_t)query_col_i64(query, 0),
		.kind = query_col_i64(query, 1),
		.state = query_col_i64(query, 2),
		.client = (uint64_t)query_col_i64(query, 3),
		.parent = (uint64_t)query_col_i64(query, 4), /* NULL reads as 0 */
		.class = (uint64_t)query_col_i64(query, 5),
		.key = (uint64_t)query_col_i64(query, 7),
		.version = query_col_i64(query, 8),
		.number_version = query_col_i64(query, 9),
		.created = query_col_i64(query, 10),
		.created_by = (uint64_t)query_col_i64(query, 11),
		.has_started = !query_col_null(query, 12),
		.started = query_col_i64(query, 12),
		.has_due = !query_col_null(query, 13),
		.due = query_col_i64(query, 13),
		.removed = query_col_i64(query, 14),
		.disposed = query_col_i64(query, 15),
		.hold = query_col_i64(query, 16) != 0,
	};

	row.purpose_count = query_col_blob(query, 6, row.purposes, sizeof(row.purposes)) /
			    (size_t)RECORD_PURPOSE;
	if (query_err(query))
		return query_err(query);
	*ret = row;
	return OK;
}

enum err record_by_id(struct db *db, uint64_t id, struct record_row *ret)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "SELECT " RECORD_COLUMNS " FROM record WHERE id = ?");
	query_i64(&query, (int64_t)id);
	enum err err = query_one(&query);
	return err ? err : load(&query, ret);
}

void record_select(struct query *query, struct db *db, uint64_t client, uint64_t after)
{
	query_init(query, db,
		   client ? "SELECT " RECORD_COLUMNS
			    " FROM record WHERE id > ? AND client = ? ORDER BY id"
			  : "SELECT " RECORD_COLUMNS " FROM record WHERE id > ? ORDER BY id");
	query_i64(query, (int64_t)after);
	if (client)
		query_i64(query, (int64_t)client);
}

void record_select_key(struct query *query, struct db *db, uint64_t key)
{
	query_init(query, db, "SELECT " RECORD_COLUMNS " FROM record WHERE key = ? ORDER BY id");
	query_i64(query, (int64_t)key);
}

enum err record_next(struct query *query, struct record_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : load(query, ret);
}

/* ---- what is sealed --------------------------------------------------------------------- */

static void bind_sealed(struct query *query, const struct record_sealed *sealed)
{
	query_i64(query, (int64_t)sealed->record);
	query_i64(query, sealed->version);
	query_i64(query, sealed->made);
	query_i64(query, (int64_t)sealed->made_by);
	query_blob(query, sealed->data_key, sizeof(sealed->data_key));
	query_blob(query, sealed->sealed, sealed->sealed_len);
}

static enum err next_sealed(struct query *query, struct record_sealed *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);
	struct record_sealed sealed;

	if (err || !*ret_more)
		return err;
	sealed = (struct record_sealed){
		.record = (uint64_t)query_col_i64(query, 0),
		.version = query_col_i64(query, 1),
		.made = query_col_i64(query, 2),
		.made_by = (uint64_t)query_col_i64(query, 3),
	};
	query_col_blob(query, 4, sealed.data_key, sizeof(sealed.data_key));
	sealed.sealed = query_col_bytes(query, 5, &sealed.sealed_len);
	if (query_err(query))
		return query_err(query);
	*ret = sealed;
	return OK;
}

static void select_sealed(struct query *query, struct db *db, const char *one, const char *all,
			  uint64_t record, int64_t version)
{
	query_init(query, db, version ? one : all);
	query_i64(query, (int64_t)record);
	if (version)
		query_i64(query, version);
}

enum err record_version_insert(struct db *db, const struct record_sealed *version)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO record_version (record, version, made, made_by, data_key, sealed)"
		   " VALUES (?, ?, ?, ?, ?, ?)");
	bind_sealed(&query, version);
	return query_run_one(&query);
}

#define VERSIONS                                                                                   \
	"SELECT record, version, made, made_by, data_key, sealed FROM record_version"              \
	" WHERE record = ?"

void record_version_select(struct query *query, struct db *db, uint64_t record, int64_t version)
{
	select_sealed(query, db, VERSIONS " AND version = ?", VERSIONS " ORDER BY version DESC",
		      record, version);
}

enum err record_version_next(struct query *query, struct record_sealed *ret, bool *ret_more)
{
	return next_sealed(query, ret, ret_more);
}

enum err record_number_insert(struct db *db, const struct record_sealed *number,
			      const uint8_t found[RECORD_FOUND])
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO record_number (record, version, entered, entered_by, data_key,"
		   " sealed, found) VALUES (?, ?, ?, ?, ?, ?, ?)");
	bind_sealed(&query, number);
	query_blob(&query, found, RECORD_FOUND);
	return query_run_one(&query);
}

#define NUMBERS                                                                                    \
	"SELECT record, version, entered, entered_by, data_key, sealed FROM record_number"         \
	" WHERE record = ?"

void record_number_select(struct query *query, struct db *db, uint64_t record, int64_t version)
{
	select_sealed(query, db, NUMBERS " AND version = ?", NUMBERS " ORDER BY version DESC",
		      record, version);
}

enum err record_number_next(struct query *query, struct record_sealed *ret, bool *ret_more)
{
	return next_sealed(query, ret, ret_more);
}

enum err record_number_delete(struct db *db, uint64_t record, int64_t version)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM record_number WHERE record = ? AND version = ?");
	query_i64(&query, (int64_t)record);
	query_i64(&query, version);
	return query_run_one(&query);
}

void record_number_find(struct query *query, struct db *db, const uint8_t found[RECORD_FOUND])
{
	query_init(query, db,
		   "SELECT record.id FROM record_number JOIN record ON record.id = record"
		   " AND record.number_version = record_number.version"
		   " WHERE found = ? ORDER BY record.id");
	query_blob(query, found, RECORD_FOUND);
}

static enum err set_key(struct db *db, const char *sql, uint64_t record, int64_t version,
			const uint8_t data_key[RECORD_DATA_KEY])
{
	_cleanup_query_ struct query query;

	query_init(&query, db, sql);
	query_blob(&query, data_key, RECORD_DATA_KEY);
	query_i64(&query, (int64_t)record);
	query_i64(&query, version);
	return query_run_one(&query);
}

enum err record_version_set_key(struct db *db, uint64_t record, int64_t version,
				const uint8_t data_key[RECORD_DATA_KEY])
{
	return set_key(db,
		       "UPDATE record_version SET data_key = ? WHERE record = ? AND version = ?",
		       record, version, data_key);
}

enum err record_number_set_key(struct db *db, uint64_t record, int64_t version,
			       const uint8_t data_key[RECORD_DATA_KEY])
{
	return set_key(db, "UPDATE record_number SET data_key = ? WHERE record = ? AND version = ?",
		       record, version, data_key);
}

static enum err delete_of(struct db *db, const char *sql, uint64_t record, int64_t *ret_count)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, sql);
	query_i64(&query, (int64_t)record);
	return query_run(&query, ret_count);
}

enum err record_sealed_delete(struct db *db, uint64_t record, int64_t *ret_versions)
{
	int64_t versions = 0;
	enum err err = delete_of(db, "DELETE FROM record_number WHERE record = ?", record, NULL);

	if (!err)
		err = delete_of(db, "DELETE FROM record_version WHERE record = ?", record,
				&versions);
	if (!err)
		*ret_versions = versions;
	return err;
}
