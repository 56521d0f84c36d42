#include "store/migrate.h"

#include "base/clock.h"
#include "base/log.h"

MIGRATION(migration_0001, "0001_base.sql");
MIGRATION(migration_0002, "0002_lock.sql");
MIGRATION(migration_0003, "0003_enrol.sql");
MIGRATION(migration_0004, "0004_audio.sql");
MIGRATION(migration_0005, "0005_video.sql");
MIGRATION(migration_0006, "0006_audit_tree.sql");
MIGRATION(migration_0007, "0007_recording.sql");
MIGRATION(migration_0008, "0008_auditor.sql");
MIGRATION(migration_0009, "0009_session_log.sql");
MIGRATION(migration_0010, "0010_retention.sql");
MIGRATION(migration_0011, "0011_console.sql");
MIGRATION(migration_0012, "0012_siem.sql");
MIGRATION(migration_0013, "0013_note.sql");
MIGRATION(migration_0014, "0014_watch.sql");
MIGRATION(migration_0015, "0015_audit_due.sql");
MIGRATION(migration_0016, "0016_recording_due.sql");
MIGRATION(migration_0017, "0017_duty.sql");
MIGRATION(migration_0018, "0018_vault.sql");
MIGRATION(migration_0019, "0019_glass.sql");

static const char *const gateway[] = {
	migration_0001, migration_0002, migration_0003, migration_0004, migration_0005,
	migration_0006, migration_0007, migration_0008, migration_0009, migration_0010,
	migration_0011, migration_0012, migration_0013, migration_0014, migration_0015,
	migration_0016, migration_0017, migration_0018, migration_0019,
};

const struct migrations migrations_gateway = { gateway, ARRAY_SIZE(gateway) };

int64_t migrate_latest(const struct migrations *set)
{
	return (int64_t)set->count;
}

const char *migrate_sql(const struct migrations *set, int64_t version)
{
	return version >= 1 && version <= migrate_latest(set) ? set->sql[version - 1] : NULL;
}

static enum err migrate_version(struct db *db, int64_t *ret)
{
	_cleanup_query_ struct query query = { 0 };
	enum err err;

	err = db_exec(db, "CREATE TABLE IF NOT EXISTS migration ("
			  "version INTEGER PRIMARY KEY, applied INTEGER NOT NULL) STRICT");
	if (err)
		return err;
	query_init(&query, db, "SELECT coalesce(max(version), 0) FROM migration");
	err = query_one(&query);
	if (err)
		return err;
	*ret = query_col_i64(&query, 0);
	return OK;
}

static enum err migrate_step(struct db *db, const struct migrations *set, int64_t version)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	_cleanup_query_ struct query query = { 0 };
	enum err err;

	err = db_tx_begin(&tx, db);
	if (err)
		return err;
	err = db_exec(db, migrate_sql(set, version));
	if (err)
		return err;
	query_init(&query, db, "INSERT INTO migration (version, applied) VALUES (?, ?)");
	query_i64(&query, version);
	query_i64(&query, clock_wall_s());
	err = query_run(&query, NULL);
	if (err)
		return err;
	return db_tx_commit(&tx);
}

enum err migrate_run(struct db *db, const struct migrations *set)
{
	int64_t version;
	enum err err = migrate_version(db, &version);

	if (err)
		return err;
	if (version > migrate_latest(set)) {
		log_error("store-newer",
			  "found=%lld known=%lld hint=\"run the program that made it\"",
			  (long long)version, (long long)migrate_latest(set));
		return ERR_WRONG_STATE;
	}
	while (version < migrate_latest(set)) {
		err = migrate_step(db, set, ++version);
		if (err) {
			log_error("store-migration-failed", "version=%lld error=%s",
				  (long long)version, err_code(err));
			return err;
		}
		log_info("store-migrated", "version=%lld", (long long)version);
	}
	return OK;
}
