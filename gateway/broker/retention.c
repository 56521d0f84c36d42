#include "broker/retention.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/exporting.h"
#include "broker/playback.h"
#include "broker/recording.h"
#include "store/retention.h"

#define DAY_MS (86400LL * 1000)

/* ---- the date --------------------------------------------------------------------------- */

/*
 * A clock that has leapt goes on steadily, and one may be wrong from the start. So the log itself
 * must know the date for a week, in which somebody notices a wrong one. ERR_NOT_FOUND: it does not.
 */
static enum err check_date(struct broker *broker, int64_t now_ms)
{
	enum err err = retention_witness(broker->db, now_ms - RETENTION_WITNESS_OLD * DAY_MS,
					 now_ms - RETENTION_WITNESS_YOUNG * DAY_MS);

	if (err == ERR_NOT_FOUND)
		log_warn("retention-waits", "reason=\"nothing happened a week before this date\"");
	return err;
}

/* ---- recordings ------------------------------------------------------------------------- */

static json_t *disposal(const struct recording_row *row)
{
	char hash[2 * RECORDING_HASH + 1];

	util_hex(row->hash, sizeof(row->hash), hash);
	return json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "recording",
			 (json_int_t)row->id, "class", row->retention, "days",
			 (json_int_t)row->keep_days, "started_ms", (json_int_t)row->started_ms,
			 "ended_ms", (json_int_t)row->ended_ms, "size", (json_int_t)row->size,
			 "chunks", (json_int_t)row->chunks, "hash", hash);
}

static enum err dispose(struct broker *broker, const struct recording_row *row, int64_t now_ms)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	char session[2 * SESSION_ROW_ID + 1];
	const struct audit_entry entry = { .event = "recording-disposed",
					   .session = session,
					   .detail = disposal(row) };
	int64_t seq = 0;
	enum err err = db_tx_begin(&tx, broker->db);

	util_hex(row->session, sizeof(row->session), session);
	if (err) {
		json_decref(entry.detail);
		return err;
	}
	err = audit_append(broker->db, &entry);
	if (!err)
		err = audit_row_last(broker->db, &seq);
	if (!err)
		err = retention_dispose(broker->db, row->id, now_ms, seq);
	return err ? err : db_tx_commit(&tx);
}

/* Also those whose file an earlier try has left. */
static enum err remove_files(struct broker *broker)
{
	struct recording_row row;
	enum err err;

	while (!(err = retention_unremoved(broker->db, &row))) {
		playback_dispose(broker, row.session);
		exporting_dispose(broker, row.session);
		err = recording_remove(broker, row.session);
		if (!err)
			err = retention_removed(broker->db, row.id);
		if (err)
			return err;
		log_info("recording-disposed", "recording=%lld", (long long)row.id);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err end_recordings(struct broker *broker, int64_t now_ms)
{
	struct recording_row row;
	enum err err = retention_due(broker->db, now_ms, &row);

	if (!err)
		err = check_date(broker, now_ms);
	for (int i = 0; i < RETENTION_RECORDINGS && !err; i++) {
		err = dispose(broker, &row, now_ms);
		if (!err)
			err = retention_due(broker->db, now_ms, &row);
	}
	return err && err != ERR_NOT_FOUND ? err : remove_files(broker);
}

/* ---- the audit log ---------------------------------------------------------------------- */

static enum err end_entries(struct broker *broker, int64_t now_ms)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	const struct audit_entry entry = { 0 };
	int64_t before_ms = now_ms - broker->settings.retention_log_days * DAY_MS, first, last;
	enum err err = retention_log_due(broker->db, before_ms, RETENTION_ENTRIES, &first, &last);

	if (!err)
		err = check_date(broker, now_ms);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	err = db_tx_begin(&tx, broker->db);
	if (!err)
		err = audit_dispose(broker->db, first, last, &entry);
	if (!err)
		err = retention_forget_sessions(broker->db, before_ms);
	return err ? err : db_tx_commit(&tx);
}

/* ---- when ------------------------------------------------------------------------------- */

/* What was ended cannot be brought back, so a clock that was set wrong must not end it. */
static bool clock_is_steady(struct retention_clock *clock, int64_t now_ms)
{
	uint64_t mono_ms = clock_mono_ms();
	int64_t leapt = now_ms - clock->wall_ms - (int64_t)(mono_ms - clock->mono_ms);
	bool first = clock->mono_ms == 0;

	*clock = (struct retention_clock){ now_ms, mono_ms };
	if (!first && llabs(leapt) > RETENTION_LEAP_MS)
		log_warn("clock-leapt", "seconds=%lld", (long long)(leapt / 1000));
	return !first && llabs(leapt) <= RETENTION_LEAP_MS;
}

void retention_tick(struct broker *broker)
{
	int64_t now_ms = clock_wall_ms();
	enum err err;

	if (!clock_is_steady(&broker->retention, now_ms))
		return;
	err = end_recordings(broker, now_ms);
	if (!err)
		err = end_entries(broker, now_ms);
	if (err)
		log_error("retention", "error=%s", err_code(err));
}
