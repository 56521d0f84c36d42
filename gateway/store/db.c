#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <string.h>

#include "base/log.h"
#include "store/migrate.h"

enum {
	DB_BUSY_MS = 1000,
	DB_VALUE_MAX = 1024 * 1024,
	DB_SQL_MAX = 64 * 1024,
	DB_KEPT = 64,
};

struct db {
	sqlite3 *sqlite;
	sqlite3_stmt *kept[DB_KEPT]; /* compiled and not in use, by where their text is */
};

static enum err constraint_err(int code)
{
	switch (code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return ERR_EXISTS;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return ERR_NOT_FOUND;
	case SQLITE_CONSTRAINT_TRIGGER:
		return ERR_WRONG_STATE;
	default:
		return ERR_INVALID;
	}
}

static enum err sqlite_err(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return OK;
	case SQLITE_CONSTRAINT:
		return constraint_err(code);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_UNAVAILABLE;
	case SQLITE_FULL:
		return ERR_FULL;
	case SQLITE_NOMEM:
		return ERR_NOMEM;
	case SQLITE_TOOBIG:
		return ERR_TOO_BIG;
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
	case SQLITE_ERROR:
	case SQLITE_MISMATCH:
		return ERR_INTERNAL;
	default:
		return ERR_IO;
	}
}

/* The message may quote SQL but never a bound value. Constraints are the caller's to report. */
static enum err db_failed(struct db *db, int code)
{
	enum err err = sqlite_err(code);

	if (err == ERR_INTERNAL || err == ERR_IO || err == ERR_FULL)
		log_error("store-failed", "code=%d message=\"%s\"", code,
			  sqlite3_errmsg(db->sqlite));
	return err;
}

enum err db_exec(struct db *db, const char *sql)
{
	int code = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? OK : db_failed(db, code);
}

/* The file is made here because SQLite would take the umask's mode; its -wal and -shm follow it. */
static enum err db_make_file(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		log_error("store-open-failed", "path=\"%s\" error=\"%m\"", path);
		return ERR_IO;
	}
	return OK;
}

static enum err db_configure(struct db *db)
{
	sqlite3_extended_result_codes(db->sqlite, 1);
	sqlite3_busy_timeout(db->sqlite, DB_BUSY_MS);
	sqlite3_limit(db->sqlite, SQLITE_LIMIT_LENGTH, DB_VALUE_MAX);
	sqlite3_limit(db->sqlite, SQLITE_LIMIT_SQL_LENGTH, DB_SQL_MAX);
	sqlite3_limit(db->sqlite, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* FULL in WAL mode: a commit is on the disk before the answer leaves. secure_delete: a
	 * credential that was forgotten is overwritten. */
	return db_exec(db, "PRAGMA journal_mode=WAL;"
			   "PRAGMA synchronous=FULL;"
			   "PRAGMA foreign_keys=ON;"
			   "PRAGMA secure_delete=ON;"
			   "PRAGMA cell_size_check=ON;"
			   "PRAGMA temp_store=MEMORY;"
			   "PRAGMA mmap_size=0;");
}

static enum err db_open_set(const char *path, const struct migrations *set, bool alone,
			    struct db **ret)
{
	_cleanup_db_ struct db *db = calloc(1, sizeof(*db));
	enum err err;
	int code;

	if (!db)
		return ERR_NOMEM;
	err = db_make_file(path);
	if (err)
		return err;
	code = sqlite3_open_v2(path, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW,
			       NULL);
	if (code != SQLITE_OK) {
		log_error("store-open-failed", "path=\"%s\" error=\"%s\"", path,
			  sqlite3_errstr(code));
		return sqlite_err(code);
	}
	/* Then it shares no memory with others (-shm). */
	err = alone ? db_exec(db, "PRAGMA locking_mode=EXCLUSIVE") : OK;
	if (!err)
		err = db_configure(db);
	if (!err)
		err = migrate_run(db, set);
	if (err)
		return err;
	*ret = util_take_ptr(db);
	return OK;
}

enum err db_open(const char *path, struct db **ret)
{
	return db_open_set(path, &migrations_gateway, false, ret);
}

enum err db_open_alone(const char *path, const struct migrations *set, struct db **ret)
{
	return db_open_set(path, set, true, ret);
}

static enum err configure_read(struct db *db)
{
	sqlite3_extended_result_codes(db->sqlite, 1);
	sqlite3_busy_timeout(db->sqlite, DB_BUSY_MS);
	sqlite3_limit(db->sqlite, SQLITE_LIMIT_LENGTH, DB_VALUE_MAX);
	sqlite3_limit(db->sqlite, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* One state of the file for everything that is read. */
	return db_exec(db, "PRAGMA cell_size_check=ON;"
			   "PRAGMA temp_store=MEMORY;"
			   "PRAGMA mmap_size=0;"
			   "BEGIN");
}

/* Of a folder that may not be written either: there is no room for SQLite's own files then, and
 * without a log of writes beside it none is needed. */
static int open_immutable(const char *path, sqlite3 **ret)
{
	char uri[3 * PATH_MAX + 32] = "file:", log[PATH_MAX];
	size_t at = strlen(uri);

	if ((size_t)snprintf(log, sizeof(log), "%s-wal", path) >= sizeof(log) ||
	    access(log, F_OK) == 0)
		return SQLITE_CANTOPEN;
	for (; *path; path++)
		at += (size_t)snprintf(uri + at, sizeof(uri) - at,
				       strchr("?#%", *path) ? "%%%02X" : "%c",
				       (unsigned char)*path);
	snprintf(uri + at, sizeof(uri) - at, "?immutable=1");
	return sqlite3_open_v2(uri, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
}

static enum err check_version(struct db *db)
{
	_cleanup_query_ struct query query = { 0 };
	enum err err;

	query_init(&query, db, "SELECT coalesce(max(version), 0) FROM migration");
	err = query_one(&query);
	if (!err && query_col_i64(&query, 0) != migrate_latest(&migrations_gateway))
		err = ERR_WRONG_STATE;
	return err;
}

enum err db_open_read(const char *path, struct db **ret)
{
	_cleanup_db_ struct db *db = calloc(1, sizeof(*db));
	enum err err;

	if (!db)
		return ERR_NOMEM;
	if (access(path, R_OK) < 0)
		return err_from_errno(errno);
	if (sqlite3_open_v2(path, &db->sqlite, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
		return ERR_IO;
	err = configure_read(db);
	if (!err && sqlite3_exec(db->sqlite, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL,
				 NULL) == SQLITE_CANTOPEN) {
		sqlite3_close_v2(db->sqlite);
		db->sqlite = NULL;
		err = open_immutable(path, &db->sqlite) == SQLITE_OK ? configure_read(db) : ERR_IO;
	}
	if (!err)
		err = check_version(db);
	if (err)
		return err;
	*ret = util_take_ptr(db);
	return OK;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < DB_KEPT; i++)
		sqlite3_finalize(db->kept[i]);
	sqlite3_close_v2(db->sqlite);
	free(db);
}

void db_closep(struct db **db)
{
	db_close(*db);
}

enum err db_checkpoint(struct db *db)
{
	return sqlite_err(sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE,
						    NULL, NULL));
}

int64_t db_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->sqlite);
}

bool db_in_transaction(struct db *db)
{
	return !sqlite3_get_autocommit(db->sqlite);
}

enum err db_tx_begin(struct db_tx *tx, struct db *db)
{
	enum err err;

	assert(!tx->db && !db_in_transaction(db));
	/* IMMEDIATE: the write lock is taken now, so that nothing read inside can be stale when it
	 * is acted upon. */
	err = db_exec(db, "BEGIN IMMEDIATE");
	if (!err)
		tx->db = db;
	return err;
}

enum err db_tx_commit(struct db_tx *tx)
{
	enum err err = db_exec(tx->db, "COMMIT");

	if (err)
		return err; /* db_tx_end rolls back */
	tx->db = NULL;
	return OK;
}

void db_tx_end(struct db_tx *tx)
{
	if (!tx->db)
		return;
	/* Some errors, a full disk among them, have rolled back already. */
	if (db_in_transaction(tx->db))
		sqlite3_exec(tx->db->sqlite, "ROLLBACK", NULL, NULL, NULL);
	tx->db = NULL;
}

static sqlite3_stmt **place_of(struct db *db, const char *sql)
{
	return &db->kept[(uintptr_t)sql / 16 % DB_KEPT];
}

/* Compiling is most of what a small statement costs. */
void query_init(struct query *query, struct db *db, const char *sql)
{
	sqlite3_stmt **kept = place_of(db, sql), *stmt = NULL;
	int code = SQLITE_OK;

	if (*kept && strcmp(sqlite3_sql(*kept), sql) == 0)
		stmt = util_take_ptr(*kept);
	else
		code = sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt,
					  NULL);
	*query = (struct query){ .db = db, .stmt = stmt, .sql = sql };
	if (code != SQLITE_OK)
		query->err = db_failed(db, code);
}

/* What was bound is the caller's, and not looked at again. */
void query_finish(struct query *query)
{
	sqlite3_stmt *stmt = query->stmt, **kept;

	if (!stmt)
		return;
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	kept = place_of(query->db, query->sql);
	sqlite3_finalize(*kept);
	*kept = stmt;
	query->stmt = NULL;
}

static void query_bound(struct query *query, int code)
{
	if (!query->err && code != SQLITE_OK)
		query->err = db_failed(query->db, code);
}

void query_i64(struct query *query, int64_t value)
{
	if (!query->err)
		query_bound(query, sqlite3_bind_int64(query->stmt, ++query->bound, value));
}

void query_str(struct query *query, const char *value)
{
	if (!query->err)
		query_bound(query, sqlite3_bind_text(query->stmt, ++query->bound, value, -1,
						     SQLITE_STATIC));
}

void query_blob(struct query *query, const void *data, size_t len)
{
	/* A NULL pointer would bind NULL, not an empty value. */
	if (!query->err)
		query_bound(query, sqlite3_bind_blob64(query->stmt, ++query->bound,
						       data ? data : "", len, SQLITE_STATIC));
}

void query_null(struct query *query)
{
	if (!query->err)
		query_bound(query, sqlite3_bind_null(query->stmt, ++query->bound));
}

enum err query_next(struct query *query, bool *ret_row)
{
	int code;

	if (query->err)
		return query->err;
	/* An unbound value would silently be NULL. */
	assert(query->bound == sqlite3_bind_parameter_count(query->stmt));
	code = sqlite3_step(query->stmt);
	if (code != SQLITE_ROW && code != SQLITE_DONE) {
		query->err = db_failed(query->db, code);
		return query->err;
	}
	*ret_row = code == SQLITE_ROW;
	return OK;
}

enum err query_one(struct query *query)
{
	bool row = false;
	enum err err = query_next(query, &row);

	if (err)
		return err;
	return row ? OK : ERR_NOT_FOUND;
}

enum err query_run(struct query *query, int64_t *ret_changes)
{
	bool row = false;
	enum err err;

	do {
		err = query_next(query, &row);
		if (err)
			return err;
	} while (row);
	if (ret_changes)
		*ret_changes = sqlite3_changes64(query->db->sqlite);
	return OK;
}

enum err query_run_one(struct query *query)
{
	int64_t changes;
	enum err err = query_run(query, &changes);

	if (err)
		return err;
	return changes == 1 ? OK : ERR_NOT_FOUND;
}

enum err query_err(const struct query *query)
{
	return query->err;
}

int64_t query_col_i64(struct query *query, int column)
{
	return sqlite3_column_int64(query->stmt, column);
}

bool query_col_null(struct query *query, int column)
{
	return sqlite3_column_type(query->stmt, column) == SQLITE_NULL;
}

void query_col_str(struct query *query, int column, char *ret_text, size_t size)
{
	const unsigned char *text = sqlite3_column_text(query->stmt, column);
	size_t len = (size_t)sqlite3_column_bytes(query->stmt, column);

	ret_text[0] = '\0';
	if (!text)
		len = 0;
	if (len >= size || (text && memchr(text, '\0', len))) {
		query->err = ERR_INTERNAL;
		return;
	}
	if (text)
		memcpy(ret_text, text, len);
	ret_text[len] = '\0';
}

const uint8_t *query_col_bytes(struct query *query, int column, size_t *ret_len)
{
	const void *data = sqlite3_column_blob(query->stmt, column);

	*ret_len = (size_t)sqlite3_column_bytes(query->stmt, column);
	return data;
}

size_t query_fields(struct query *query, struct query_field *ret_fields, size_t max)
{
	size_t count = (size_t)sqlite3_column_count(query->stmt);

	if (count > max) {
		query->err = ERR_INTERNAL;
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		struct query_field *field = &ret_fields[i];
		int column = (int)i;

		*field = (struct query_field){ .type = QUERY_NULL };
		if (sqlite3_column_type(query->stmt, column) == SQLITE_INTEGER) {
			field->type = QUERY_I64;
			field->number = sqlite3_column_int64(query->stmt, column);
		} else if (sqlite3_column_type(query->stmt, column) != SQLITE_NULL) {
			field->type = QUERY_BYTES;
			field->data = sqlite3_column_blob(query->stmt, column);
			field->len = (size_t)sqlite3_column_bytes(query->stmt, column);
		}
	}
	return count;
}

size_t query_col_blob(struct query *query, int column, void *ret_data, size_t max)
{
	const void *data = sqlite3_column_blob(query->stmt, column);
	size_t len = (size_t)sqlite3_column_bytes(query->stmt, column);

	if (len > max) {
		query->err = ERR_INTERNAL;
		return 0;
	}
	if (len)
		memcpy(ret_data, data, len);
	return len;
}
