#include "store/playbacks.h"

void playback_shown_list(struct query *query, struct db *db, int64_t before)
{
	query_init(query, db,
		   "SELECT recording.id, recording.session, recording.state, keys, started_ms,"
		   " ended_ms, size, chunks, hold, account.name, account.full_name, host_name,"
		   " device.name, coalesce((SELECT address FROM audit WHERE audit.session <> ''"
		   " AND audit.session = lower(hex(recording.session)) AND event = 'session-open'"
		   " ORDER BY seq LIMIT 1), '')"
		   " FROM recording JOIN session ON session.id = recording.session"
		   " JOIN account ON account.id = session.account"
		   " JOIN device ON device.id = session.device"
		   " WHERE ?1 = 0 OR recording.id < ?1 ORDER BY recording.id DESC");
	query_i64(query, before);
}

enum err playback_shown_next(struct query *query, struct playback_shown *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	struct playback_shown shown = {
		.row = {
			.id = query_col_i64(query, 0),
			.state = query_col_i64(query, 2),
			.keys = query_col_i64(query, 3) != 0,
			.started_ms = query_col_i64(query, 4),
			.ended_ms = query_col_i64(query, 5),
			.size = query_col_i64(query, 6),
			.chunks = query_col_i64(query, 7),
			.hold = query_col_i64(query, 8) != 0,
		},
	};
	query_col_blob(query, 1, shown.row.session, sizeof(shown.row.session));
	query_col_str(query, 9, shown.account, sizeof(shown.account));
	query_col_str(query, 10, shown.full_name, sizeof(shown.full_name));
	query_col_str(query, 11, shown.host, sizeof(shown.host));
	query_col_str(query, 12, shown.device, sizeof(shown.device));
	query_col_str(query, 13, shown.address, sizeof(shown.address));
	if (query_err(query))
		return query_err(query);
	*ret = shown;
	return OK;
}

void playback_mark_list(struct query *query, struct db *db, const char *session)
{
	query_init(query, db,
		   "SELECT detail FROM audit WHERE session <> '' AND session = ? AND"
		   " event = 'recording-mark' ORDER BY seq");
	query_str(query, session);
}

enum err playback_mark_next(struct query *query, char ret_detail[AUDIT_DETAIL_MAX + 1],
			    bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	query_col_str(query, 0, ret_detail, AUDIT_DETAIL_MAX + 1);
	return query_err(query);
}
