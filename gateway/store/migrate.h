/*
 * migrate.h - brings a database's tables to the version this program knows.
 */
#ifndef SEKISHO_STORE_MIGRATE_H
#define SEKISHO_STORE_MIGRATE_H

#include "store/db.h"

/*
 * Runs each missing step of migrations/ in a transaction of its own. ERR_WRONG_STATE (logged) when
 * the database was made by a newer program: an older one must not guess.
 */
nodiscard enum err migrate_run(struct db *db);

/* The version after all steps. */
int64_t migrate_latest(void);

/* What one step does, for tests; NULL: there is no such step. */
const char *migrate_sql(int64_t version);

#endif
