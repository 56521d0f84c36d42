/*
 * A log from before there was a tree is carried over: its chain can still be checked, and its
 * entries are the first leaves.
 */
#include "log.h"

#include <openssl/evp.h>
#include <sqlite3.h>

#include "store/migrate.h"

enum { ENTRIES = 21, OLD = 5 /* the last migration before the tree */ };

static void put_number(EVP_MD_CTX *sha, uint64_t value)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(value >> (56 - 8 * i));
	EVP_DigestUpdate(sha, bytes, sizeof(bytes));
}

static void put_text(EVP_MD_CTX *sha, const char *text)
{
	put_number(sha, strlen(text));
	EVP_DigestUpdate(sha, text, strlen(text));
}

/* As the program before did it. */
static void add_chained(sqlite3 *sqlite, int seq, uint8_t chain[32])
{
	sqlite3_stmt *stmt = NULL;
	uint8_t prev[32];
	EVP_MD_CTX *sha = EVP_MD_CTX_new();

	memcpy(prev, chain, sizeof(prev));
	EVP_DigestInit_ex(sha, EVP_sha256(), NULL);
	put_text(sha, "sekisho audit 1");
	put_number(sha, (uint64_t)seq);
	put_number(sha, (uint64_t)seq * 1000);
	put_number(sha, 3);
	put_number(sha, 0);
	put_text(sha, "login");
	put_text(sha, "sato");
	put_text(sha, "192.0.2.1");
	put_text(sha, "");
	put_text(sha, "{}");
	EVP_DigestUpdate(sha, prev, sizeof(prev));
	EVP_DigestFinal_ex(sha, chain, NULL);
	EVP_MD_CTX_free(sha);
	assert_int_equal(sqlite3_prepare_v2(sqlite,
					    "INSERT INTO audit VALUES (?, ?, 'login', 'sato', 3, "
					    "'192.0.2.1', 0, '', '{}', ?, ?)",
					    -1, &stmt, NULL),
			 SQLITE_OK);
	sqlite3_bind_int(stmt, 1, seq);
	sqlite3_bind_int(stmt, 2, seq * 1000);
	sqlite3_bind_blob(stmt, 3, prev, 32, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 4, chain, 32, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
}

static void make_old(const char *path)
{
	sqlite3 *sqlite = NULL;
	uint8_t chain[32] = { 0 };

	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	for (int64_t version = 1; version <= OLD; version++)
		assert_int_equal(sqlite3_exec(sqlite, migrate_sql(&migrations_gateway, version),
					      NULL, NULL, NULL),
				 SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(sqlite,
			     "CREATE TABLE migration (version INTEGER PRIMARY KEY, applied "
			     "INTEGER NOT NULL) STRICT; INSERT INTO migration VALUES (5, 0)",
			     NULL, NULL, NULL),
		SQLITE_OK);
	for (int seq = 1; seq <= ENTRIES; seq++)
		add_chained(sqlite, seq, chain);
	sqlite3_close(sqlite);
}

static void old_entries_are_carried_over(void **state)
{
	char folder[UNIT_FOLDER], path[128];
	struct log_verdict verdict;
	struct db *db = NULL;
	uint64_t size;

	(void)state;
	unit_folder(folder);
	snprintf(path, sizeof(path), "%s/old.db", folder);
	make_old(path);
	assert_ok(db_open(path, &db));
	/* Before the first start: the chain alone. */
	log_assert(db, VERIFY_NO_KEY);
	assert_ok(audit_catch_up(db));
	assert_ok(audit_catch_up(db));
	log_append(db, 4);
	assert_ok(audit_size(db, &size));
	assert_int_equal(size, ENTRIES + 4);
	assert_string_equal(log_row(db, 5).account, "sato");
	log_verify(db, NULL, &verdict);
	assert_int_equal(verdict.finding, VERIFY_NO_KEY);
	assert_int_equal(verdict.entries, ENTRIES + 4);
	log_tamper(db, "UPDATE audit SET account = 'suzuki' WHERE seq = 7");
	log_verify(db, NULL, &verdict);
	assert_int_equal(verdict.finding, VERIFY_PAYLOAD_CHANGED);
	assert_int_equal(verdict.first_bad, 7);
	db_close(db);
	unit_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(old_entries_are_carried_over) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
