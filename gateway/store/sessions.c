#include "store/sessions.h"

#define SESSION_SELECT                                                                             \
	"SELECT session.id, account, name, device, host, host_name, view_only, state, reason,"     \
	" started, until, ended, login, client, ended_by, ended_words FROM session"                \
	" JOIN account ON account.id = session.account "

/* SESSION_ENDED of wire/enums.def, which the store does not see. */
#define STATE_ENDED "6"

static enum err session_row_load(struct query *query, struct session_row *ret)
{
	struct session_row row = {
		.account = query_col_i64(query, 1),
		.device = query_col_i64(query, 3),
		.host = query_col_i64(query, 4),
		.view_only = query_col_i64(query, 6) != 0,
		.state = query_col_i64(query, 7),
		.reason = query_col_i64(query, 8),
		.started_s = query_col_i64(query, 9),
		.until_s = query_col_i64(query, 10),
		.ended_s = query_col_i64(query, 11),
		.login = query_col_i64(query, 12),
	};

	query_col_blob(query, 0, row.id, sizeof(row.id));
	query_col_str(query, 2, row.account_name, sizeof(row.account_name));
	query_col_str(query, 5, row.host_name, sizeof(row.host_name));
	query_col_str(query, 13, row.client, sizeof(row.client));
	query_col_str(query, 14, row.ended_by, sizeof(row.ended_by));
	query_col_str(query, 15, row.ended_words, sizeof(row.ended_words));
	if (query_err(query))
		return query_err(query);
	*ret = row;
	return OK;
}

enum err session_row_add(struct db *db, const struct session_row *row)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO session (id, account, device, host, host_name, view_only, state,"
		   " reason, started, until, login, client) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
		   "?, ?)");
	query_blob(&query, row->id, sizeof(row->id));
	query_i64(&query, row->account);
	query_i64(&query, row->device);
	query_i64(&query, row->host);
	query_str(&query, row->host_name);
	query_i64(&query, row->view_only);
	query_i64(&query, row->state);
	query_i64(&query, row->reason);
	query_i64(&query, row->started_s);
	query_i64(&query, row->until_s);
	query_i64(&query, row->login);
	query_str(&query, row->client);
	return query_run_one(&query);
}

enum err session_row_get(struct db *db, const uint8_t id[SESSION_ROW_ID], struct session_row *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, SESSION_SELECT "WHERE session.id = ?");
	query_blob(&query, id, SESSION_ROW_ID);
	err = query_one(&query);
	return err ? err : session_row_load(&query, ret);
}

void session_row_list_live(struct query *query, struct db *db)
{
	query_init(query, db, SESSION_SELECT "WHERE state <> " STATE_ENDED " ORDER BY started");
}

enum err session_row_next(struct query *query, struct session_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : session_row_load(query, ret);
}

enum err session_row_set_state(struct db *db, const uint8_t id[SESSION_ROW_ID], int64_t state)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE session SET state = ? WHERE id = ? AND state <> " STATE_ENDED);
	query_i64(&query, state);
	query_blob(&query, id, SESSION_ROW_ID);
	return query_run_one(&query);
}

enum err session_row_set_viewer(struct db *db, const uint8_t id[SESSION_ROW_ID], int64_t device,
				int64_t login)
{
	_cleanup_query_ struct query query;

	query_init(
		&query, db,
		"UPDATE session SET device = ?, login = ? WHERE id = ? AND state <> " STATE_ENDED);
	query_i64(&query, device);
	query_i64(&query, login);
	query_blob(&query, id, SESSION_ROW_ID);
	return query_run_one(&query);
}

enum err session_row_set_words(struct db *db, const uint8_t id[SESSION_ROW_ID], const char *by,
			       const char *words)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE session SET ended_by = ?, ended_words = ?"
		   " WHERE id = ? AND state <> " STATE_ENDED);
	query_str(&query, by);
	query_str(&query, words);
	query_blob(&query, id, SESSION_ROW_ID);
	return query_run_one(&query);
}

enum err session_row_end(struct db *db, const uint8_t id[SESSION_ROW_ID], int64_t reason,
			 int64_t ended_s)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE session SET state = " STATE_ENDED ", reason = ?, ended = ?"
		   " WHERE id = ? AND state <> " STATE_ENDED);
	query_i64(&query, reason);
	query_i64(&query, ended_s);
	query_blob(&query, id, SESSION_ROW_ID);
	return query_run_one(&query);
}
