/*
 * migrate.h - brings a database's tables to the version this program knows.
 */
#ifndef SEKISHO_STORE_MIGRATE_H
#define SEKISHO_STORE_MIGRATE_H

#include "store/db.h"

/* The SQL files lie in the program itself, so that an upgrade cannot meet the wrong ones. The path
 * is relative to the directory that CMakeLists.txt gives the assembler for the file. */
#define MIGRATION(symbol, file)                                                                    \
	extern const char symbol[];                                                                \
	__asm__(".pushsection .rodata\n" #symbol ":\n.incbin \"migrations/" file                   \
		"\"\n.byte 0\n.popsection\n")

/* The steps of one kind of database, in their order. */
struct migrations {
	const char *const *sql;
	size_t count;
};

/* The broker's database. */
extern const struct migrations migrations_gateway;

/*
 * Runs each missing step in a transaction of its own. ERR_WRONG_STATE (logged) when the database
 * was made by a newer program: an older one must not guess.
 */
nodiscard enum err migrate_run(struct db *db, const struct migrations *set);

/* The version after all steps. */
int64_t migrate_latest(const struct migrations *set);

/* What one step does, for tests; NULL: there is no such step. */
const char *migrate_sql(const struct migrations *set, int64_t version);

#endif
