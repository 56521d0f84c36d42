#include "store/playbacks.h"

void playback_shown_list(struct query *query, struct db *db, int64_t before)
{
	query_init(query, db,
		   "SELECT " RECORDING_COLUMNS ", account.name, account.full_name, host_name,"
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
	enum { ACCOUNT = RECORDING_COLUMN_COUNT, FULL_NAME, HOST, DEVICE, ADDRESS };
	struct playback_shown shown = { 0 };
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	err = recording_load(query, &shown.row);
	query_col_str(query, ACCOUNT, shown.account, sizeof(shown.account));
	query_col_str(query, FULL_NAME, shown.full_name, sizeof(shown.full_name));
	query_col_str(query, HOST, shown.host, sizeof(shown.host));
	query_col_str(query, DEVICE, shown.device, sizeof(shown.device));
	query_col_str(query, ADDRESS, shown.address, sizeof(shown.address));
	if (err || query_err(query))
		return err ? err : query_err(query);
	*ret = shown;
	return OK;
}
