#include "store/console.h"

#include <assert.h>
#include <string.h>

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)
#define WINDOW          2000
#define PAGE            100
static_assert(WINDOW == CONSOLE_WINDOW && PAGE == CONSOLE_PAGE, "SQL is written with them");

/* SESSION_ENDED of wire/enums.def, which the store does not see. */
#define STATE_ENDED "6"

/* What workers tell of (session_event in gateway/worker). Other names they could only borrow from
 * entries of the broker's, so nobody takes them for those. */
#define WORKER_EVENTS "('channel-refused', 'clipboard-blocked', 'viewer-protocol')"

/* ---- sessions --------------------------------------------------------------------------- */

/* By which index a list goes, the narrowest that the filter allows. */
enum way { WAY_ALL, WAY_PERSON, WAY_PC, WAY_DEVICE, WAYS };

static enum way way_of(const struct console_filter *filter)
{
	if (filter->device)
		return WAY_DEVICE;
	if (filter->person[0])
		return WAY_PERSON;
	return filter->pc[0] ? WAY_PC : WAY_ALL;
}

/* ?1 person, ?2 pc, ?3 device */
#define BY_ALL    " session INDEXED BY session_started"
#define BY_PERSON " session INDEXED BY session_account"
#define BY_PC     " session INDEXED BY session_pc"
#define BY_DEVICE " session INDEXED BY session_device"
#define IS_ANY    " 1"
#define IS_PERSON " session.account = (SELECT id FROM account WHERE name = ?1)"
#define IS_PC     " session.host_name = ?2"
#define IS_DEVICE " session.device = ?3"

/* ?4 and ?5 seconds from and to, ?6 and ?7 the place before the first one. */
#define BEHIND                                                                                     \
	" AND session.started >= ?4 AND session.started < ?5"                                      \
	" AND (session.started, session.rowid) < (?6, ?7)"
#define NEWEST_FIRST " ORDER BY session.started DESC, session.rowid DESC"

#define WINDOW_SQL(from, is)                                                                       \
	"SELECT session.started, session.rowid FROM" from " WHERE" is                              \
	" AND ?1 = ?1 AND ?2 = ?2 AND ?3 = ?3" BEHIND NEWEST_FIRST                                 \
	" LIMIT 1 OFFSET " TEXT(WINDOW) " - 1"

/* ?8 and ?9 the place behind the last one, ?10 client, ?11 and ?12 seconds of length, ?13 now, ?14
 * event. What a worker tells of has its name in the detail. */
#define FITS                                                                                       \
	" AND (session.started, session.rowid) >= (?8, ?9)"                                        \
	" AND (?1 = '' OR account.name = ?1) AND (?2 = '' OR session.host_name = ?2)"              \
	" AND (?3 = 0 OR session.device = ?3)"                                                     \
	" AND (?10 = '' OR instr(lower(session.client), lower(?10)) > 0)"                          \
	" AND iif(session.ended = 0, ?13, session.ended) - session.started BETWEEN ?11 AND ?12"    \
	" AND (?14 = '' OR EXISTS (SELECT 1 FROM audit WHERE audit.session <> ''"                  \
	" AND audit.session = lower(hex(session.id)) AND audit.event IN (?14, 'worker-event')"     \
	" AND (audit.event = ?14 OR (?14 IN " WORKER_EVENTS                                        \
	" AND instr(audit.detail, '\"event\":\"' || ?14 || '\"') > 0))))"

#define SESSIONS(from, is)                                                                         \
	"SELECT session.started, session.rowid, session.id, account.name, account.full_name,"      \
	" session.host_name, session.device, device.name, session.state, session.reason,"          \
	" session.ended, session.client, session.view_only, coalesce(recording.state, 0),"         \
	" coalesce(recording.size, 0), coalesce(recording.hold, 0),"                               \
	" coalesce((SELECT address FROM audit WHERE audit.session <> ''"                           \
	" AND audit.session = lower(hex(session.id)) AND audit.event = 'session-open'"             \
	" ORDER BY seq LIMIT 1), '') FROM" from                                                    \
	" CROSS JOIN account ON account.id = session.account"                                      \
	" CROSS JOIN device ON device.id = session.device"                                         \
	" LEFT JOIN recording ON recording.session = session.id WHERE" is BEHIND FITS

#define ENDED(from, is)                                                                            \
	SESSIONS(from, is) " AND +session.state = " STATE_ENDED NEWEST_FIRST " LIMIT " TEXT(PAGE)

static const char *const window_sql[WAYS] = {
	[WAY_ALL] = WINDOW_SQL(BY_ALL, IS_ANY),
	[WAY_PERSON] = WINDOW_SQL(BY_PERSON, IS_PERSON),
	[WAY_PC] = WINDOW_SQL(BY_PC, IS_PC),
	[WAY_DEVICE] = WINDOW_SQL(BY_DEVICE, IS_DEVICE),
};

static const char *const ended_sql[WAYS] = {
	[WAY_ALL] = ENDED(BY_ALL, IS_ANY),
	[WAY_PERSON] = ENDED(BY_PERSON, IS_PERSON),
	[WAY_PC] = ENDED(BY_PC, IS_PC),
	[WAY_DEVICE] = ENDED(BY_DEVICE, IS_DEVICE),
};

static const char live_sql[] =
	SESSIONS(" session INDEXED BY session_state", " session.state < " STATE_ENDED) NEWEST_FIRST
	" LIMIT " TEXT(PAGE);

static struct console_place first_place(struct console_place after)
{
	return after.time || after.number ? after : (struct console_place){ INT64_MAX, INT64_MAX };
}

/* The values ?1 to ?7. */
static void bind_session_window(struct query *query, const struct console_filter *filter,
				struct console_place after)
{
	struct console_place place = first_place(after);

	query_str(query, filter->person);
	query_str(query, filter->pc);
	query_i64(query, filter->device);
	query_i64(query, filter->from_ms / 1000);
	query_i64(query, filter->to_ms ? filter->to_ms / 1000 : INT64_MAX);
	query_i64(query, place.time);
	query_i64(query, place.number);
}

static void bind_session_fits(struct query *query, const struct console_filter *filter,
			      struct console_place end, int64_t now_s)
{
	query_i64(query, end.time);
	query_i64(query, end.number);
	query_str(query, filter->client);
	query_i64(query, filter->shortest_s);
	query_i64(query, filter->longest_s ? filter->longest_s : INT64_MAX);
	query_i64(query, now_s);
	query_str(query, filter->event);
}

static enum err window_end(struct query *query, struct console_place *ret_end)
{
	enum err err = query_one(query);

	*ret_end = (struct console_place){ 0 };
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	*ret_end = (struct console_place){ query_col_i64(query, 0), query_col_i64(query, 1) };
	return query_err(query);
}

enum err console_session_window(struct db *db, const struct console_filter *filter,
				struct console_place after, struct console_place *ret_end)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, window_sql[way_of(filter)]);
	bind_session_window(&query, filter, after);
	return window_end(&query, ret_end);
}

void console_session_list(struct query *query, struct db *db, const struct console_filter *filter,
			  struct console_place after, struct console_place end, int64_t now_s)
{
	query_init(query, db, ended_sql[way_of(filter)]);
	bind_session_window(query, filter, after);
	bind_session_fits(query, filter, end, now_s);
}

void console_live_list(struct query *query, struct db *db, const struct console_filter *filter,
		       struct console_place after, int64_t now_s)
{
	query_init(query, db, live_sql);
	bind_session_window(query, filter, after);
	bind_session_fits(query, filter, (struct console_place){ 0 }, now_s);
}

enum err console_session_next(struct query *query, struct console_session *ret, bool *ret_more)
{
	struct console_session session = { 0 };
	struct session_row *row = &session.row;
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	session.place.time = row->started_s = query_col_i64(query, 0);
	session.place.number = query_col_i64(query, 1);
	query_col_blob(query, 2, row->id, sizeof(row->id));
	query_col_str(query, 3, row->account_name, sizeof(row->account_name));
	query_col_str(query, 4, session.full_name, sizeof(session.full_name));
	query_col_str(query, 5, row->host_name, sizeof(row->host_name));
	row->device = query_col_i64(query, 6);
	query_col_str(query, 7, session.device, sizeof(session.device));
	row->state = query_col_i64(query, 8);
	row->reason = query_col_i64(query, 9);
	row->ended_s = query_col_i64(query, 10);
	query_col_str(query, 11, row->client, sizeof(row->client));
	row->view_only = query_col_i64(query, 12) != 0;
	session.recording = query_col_i64(query, 13);
	session.size = query_col_i64(query, 14);
	session.hold = query_col_i64(query, 15) != 0;
	query_col_str(query, 16, session.address, sizeof(session.address));
	if (query_err(query))
		return query_err(query);
	*ret = session;
	return OK;
}

/* Of no interest: what every session has. */
void console_event_list(struct query *query, struct db *db, const char *session)
{
	query_init(query, db,
		   "SELECT CASE WHEN event = 'worker-event' AND json_valid(detail)"
		   " AND json_extract(detail, '$.event') IN " WORKER_EVENTS
		   " THEN json_extract(detail, '$.event') ELSE event END AS what,"
		   " account, count(*) FROM audit WHERE session <> '' AND session = ?"
		   " AND event NOT IN ('recording-mark', 'recording-start', 'recording-end',"
		   " 'session-open', 'session-attach', 'session-active', 'session-end')"
		   " GROUP BY what, account ORDER BY what, account LIMIT 40");
	query_str(query, session);
}

enum err console_event_next(struct query *query, struct console_event *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	query_col_str(query, 0, ret->event, sizeof(ret->event));
	query_col_str(query, 1, ret->account, sizeof(ret->account));
	ret->count = query_col_i64(query, 2);
	return query_err(query);
}

/* ---- the audit log ---------------------------------------------------------------------- */

/* ?1 and ?2 milliseconds from and to, ?3 and ?4 the place before the first one. */
#define ENTRY_WINDOW                                                                               \
	" WHERE audit.time_ms >= ?1 AND audit.time_ms < ?2 AND (audit.time_ms, audit.seq) < (?3, " \
	"?4)"
#define ENTRIES_NEWEST_FIRST " ORDER BY audit.time_ms DESC, audit.seq DESC"
#define ENTRY_WINDOW_SQL(list)                                                                     \
	"SELECT audit.time_ms, audit.seq FROM audit_list_" list                                    \
	" AS audit" ENTRY_WINDOW ENTRIES_NEWEST_FIRST " LIMIT 1 OFFSET " TEXT(WINDOW) " - 1"

#define NEVER_BEFORE(column)                                                                       \
	"audit.event = 'login' AND NOT EXISTS (SELECT 1 FROM audit AS before"                      \
	" WHERE before.event = 'login' AND before.account = audit.account AND before." column      \
	" = audit." column " AND before.seq < audit.seq)"
#define ENTRY_COLUMNS                                                                              \
	"SELECT audit.seq, audit.time_ms, audit.event, audit.account, audit.device, "              \
	"audit.address,"                                                                           \
	" audit.host, audit.session, audit.detail, audit.disposed,"                                \
	" coalesce(account.full_name, ''), coalesce(device.name, ''), coalesce(host.name, ''),"    \
	" " NEVER_BEFORE("device") ", " NEVER_BEFORE("address") " FROM "
#define ENTRY_JOINS                                                                                \
	" LEFT JOIN account ON account.name = audit.account"                                       \
	" LEFT JOIN device ON device.id = audit.device LEFT JOIN host ON host.id = audit.host"

/* ?5 and ?6 the place behind the last one, ?7 person, ?8 event. */
#define ENTRIES_SQL(list)                                                                          \
	ENTRY_COLUMNS "audit_list_" list " AS audit" ENTRY_JOINS ENTRY_WINDOW                      \
		      " AND (audit.time_ms, audit.seq) >= (?5, ?6)"                                \
		      " AND (?7 = '' OR audit.account = ?7) AND (?8 = '' OR audit.event = "        \
		      "?8)" ENTRIES_NEWEST_FIRST " LIMIT " TEXT(PAGE)

static const struct {
	const char *name, *window, *entries;
} lists[CONSOLE_LISTS] = {
	[CONSOLE_LOGINS] = { "logins", ENTRY_WINDOW_SQL("logins"), ENTRIES_SQL("logins") },
	[CONSOLE_ACTS] = { "acts", ENTRY_WINDOW_SQL("acts"), ENTRIES_SQL("acts") },
	[CONSOLE_WATCHING] = { "watching", ENTRY_WINDOW_SQL("watching"), ENTRIES_SQL("watching") },
	[CONSOLE_ALARMS] = { "alarms", ENTRY_WINDOW_SQL("alarms"), ENTRIES_SQL("alarms") },
};

enum err console_list_parse(const char *name, enum console_list *ret)
{
	for (size_t i = 0; i < CONSOLE_LISTS; i++)
		if (util_streq(lists[i].name, name)) {
			*ret = (enum console_list)i;
			return OK;
		}
	return ERR_INVALID;
}

static void bind_entry_window(struct query *query, const struct console_filter *filter,
			      struct console_place after)
{
	struct console_place place = first_place(after);

	query_i64(query, filter->from_ms);
	query_i64(query, filter->to_ms ? filter->to_ms : INT64_MAX);
	query_i64(query, place.time);
	query_i64(query, place.number);
}

enum err console_entry_window(struct db *db, enum console_list list,
			      const struct console_filter *filter, struct console_place after,
			      struct console_place *ret_end)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, lists[list].window);
	bind_entry_window(&query, filter, after);
	return window_end(&query, ret_end);
}

void console_entry_list(struct query *query, struct db *db, enum console_list list,
			const struct console_filter *filter, struct console_place after,
			struct console_place end)
{
	query_init(query, db, lists[list].entries);
	bind_entry_window(query, filter, after);
	query_i64(query, end.time);
	query_i64(query, end.number);
	query_str(query, filter->person);
	query_str(query, filter->event);
}

void console_entry_session(struct query *query, struct db *db, const char *session)
{
	query_init(query, db,
		   ENTRY_COLUMNS
		   "audit" ENTRY_JOINS " WHERE audit.session <> '' AND audit.session = ? AND"
		   " audit.event <> 'recording-mark' ORDER BY audit.seq LIMIT " TEXT(WINDOW));
	query_str(query, session);
}

enum err console_entry_next(struct query *query, struct console_entry *ret, bool *ret_more)
{
	struct console_entry entry = { 0 };
	struct audit_row *row = &entry.row;
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	row->seq = query_col_i64(query, 0);
	row->time_ms = query_col_i64(query, 1);
	query_col_str(query, 2, row->event, sizeof(row->event));
	query_col_str(query, 3, row->account, sizeof(row->account));
	row->device = query_col_i64(query, 4);
	query_col_str(query, 5, row->address, sizeof(row->address));
	row->host = query_col_i64(query, 6);
	query_col_str(query, 7, row->session, sizeof(row->session));
	query_col_str(query, 8, row->detail, sizeof(row->detail));
	row->disposed = query_col_i64(query, 9) != 0;
	query_col_str(query, 10, entry.full_name, sizeof(entry.full_name));
	query_col_str(query, 11, entry.device, sizeof(entry.device));
	query_col_str(query, 12, entry.host, sizeof(entry.host));
	entry.first_device = query_col_i64(query, 13) != 0;
	entry.first_address = query_col_i64(query, 14) != 0;
	if (query_err(query))
		return query_err(query);
	*ret = entry;
	return OK;
}

/* ---- what there is to choose from ------------------------------------------------------- */

void console_people(struct query *query, struct db *db)
{
	query_init(query, db, "SELECT id, name, full_name FROM account ORDER BY name");
}

/* From one name to the next by the index, however many sessions each has. */
void console_pcs(struct query *query, struct db *db)
{
	query_init(query, db,
		   "WITH RECURSIVE pc (name) AS (SELECT min(host_name) FROM session UNION ALL"
		   " SELECT (SELECT min(host_name) FROM session WHERE host_name > pc.name) FROM pc"
		   " WHERE pc.name IS NOT NULL)"
		   " SELECT 0, name, '' FROM pc WHERE name IS NOT NULL LIMIT 1000");
}

void console_devices(struct query *query, struct db *db)
{
	query_init(query, db,
		   "SELECT device.id, device.name, account.name FROM device"
		   " JOIN account ON account.id = device.owner ORDER BY account.name, device.id");
}

enum err console_choice_next(struct query *query, struct console_choice *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	if (err || !*ret_more)
		return err;
	ret->number = query_col_i64(query, 0);
	query_col_str(query, 1, ret->name, sizeof(ret->name));
	query_col_str(query, 2, ret->more, sizeof(ret->more));
	return query_err(query);
}
