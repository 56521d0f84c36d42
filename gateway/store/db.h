/*
 * db.h - the database: opening, transactions, and statements with bound values. SQL is written in
 * this folder only. One connection belongs to one thread.
 *
 * Errors: ERR_EXISTS unique, ERR_NOT_FOUND foreign key, ERR_INVALID check, ERR_WRONG_STATE refused
 * by a trigger, ERR_UNAVAILABLE another connection holds the lock, ERR_FULL, ERR_NOMEM, ERR_IO.
 */
#ifndef SEKISHO_STORE_DB_H
#define SEKISHO_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/util.h"

struct db;

/* Creates the file (0600) when it is not there and brings its tables up to date. The caller closes.
 */
nodiscard enum err db_open(const char *path, struct db **ret);

struct migrations;

/* The same for a database of its own kind that one process alone uses: ERR_UNAVAILABLE while
 * another has it open. */
nodiscard enum err db_open_alone(const char *path, const struct migrations *set, struct db **ret);

/*
 * To read only, as of a copy: nothing is brought up to date. ERR_NOT_FOUND; ERR_WRONG_STATE: it is
 * older or newer than this program. The caller closes.
 */
nodiscard enum err db_open_read(const char *path, struct db **ret);

/* NULL is allowed. */
void db_close(struct db *db);
void db_closep(struct db **db);
#define _cleanup_db_ _cleanup_(db_closep)

/* Runs statements without values, for migrations. */
nodiscard enum err db_exec(struct db *db, const char *sql);

/* Moves all changes into the file itself, and leaves nothing of before beside it. Not within a
 * transaction. */
nodiscard enum err db_checkpoint(struct db *db);

/* The highest row id made by this connection. */
int64_t db_last_id(struct db *db);

bool db_in_transaction(struct db *db);

/* A write transaction that rolls back when its scope ends without db_tx_commit. Zero it first. */
struct db_tx {
	struct db *db;
};
nodiscard enum err db_tx_begin(struct db_tx *tx, struct db *db);
/* On failure everything is rolled back. */
nodiscard enum err db_tx_commit(struct db_tx *tx);
void db_tx_end(struct db_tx *tx);
#define _cleanup_tx_ _cleanup_(db_tx_end)

/*
 * One statement. The first error sticks and is returned by query_next, query_one, query_run and
 * query_err, so that binding and reading columns need no checks of their own.
 */
struct query {
	struct db *db;
	void *stmt;
	const char *sql;
	int bound;
	enum err err;
};

/* sql: one statement, a constant. Finish it in every case. */
void query_init(struct query *query, struct db *db, const char *sql);
void query_finish(struct query *query);
#define _cleanup_query_ _cleanup_(query_finish)

/* Values for the next "?". They are not copied: keep them until the query is finished. */
void query_i64(struct query *query, int64_t value);
void query_str(struct query *query, const char *value);
void query_blob(struct query *query, const void *data, size_t len);
void query_null(struct query *query);

nodiscard enum err query_next(struct query *query, bool *ret_row);
/* Moves to the first row; ERR_NOT_FOUND when there is none. */
nodiscard enum err query_one(struct query *query);
/* Runs to the end; ret_changes (NULL allowed): rows inserted, updated or deleted. */
nodiscard enum err query_run(struct query *query, int64_t *ret_changes);
/* As query_run; ERR_NOT_FOUND unless exactly one row changed. */
nodiscard enum err query_run_one(struct query *query);
enum err query_err(const struct query *query);

/* Columns of the row at hand. A value that does not fit sticks as ERR_INTERNAL. */
int64_t query_col_i64(struct query *query, int column);
bool query_col_null(struct query *query, int column);
void query_col_str(struct query *query, int column, char *ret_text, size_t size);
size_t query_col_blob(struct query *query, int column, void *ret_data, size_t max);

/* The bytes themselves, SQLite's until the next step; NULL when there are none. */
const uint8_t *query_col_bytes(struct query *query, int column, size_t *ret_len);

/* A column as it is: text as bytes. data is SQLite's until the next step. */
struct query_field {
	enum { QUERY_NULL, QUERY_I64, QUERY_BYTES } type;
	int64_t number;
	const void *data;
	size_t len;
};
/* All of the row at hand; how many there are. */
size_t query_fields(struct query *query, struct query_field *ret_fields, size_t max);

#endif
