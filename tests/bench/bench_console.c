/*
 * bench_console.c - how long an auditor's lists take with 100,000 sessions and 1,000,000 entries of
 * the audit log: pages of every filter, and all that a report of a month reads. The time is the
 * processor's, which is what the broker is kept busy with, on a machine that does other things too.
 * Not a test: ninja bench-console, then tests/bench-console [FOLDER], which keeps the database
 * there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/console.h"

enum { SESSIONS = 100000, YEARS = 5, TAKES_MAX = 4096 };

#define START "1600000000" /* of the oldest session, seconds */
#define SPAN  "157680000"  /* five years */
#define NONE                                                                                       \
	(struct console_place)                                                                     \
	{                                                                                          \
		0                                                                                  \
	}

/* 200 people, 100 PCs. Of each session some nine entries beside a login, refusals and acts. */
static const char fill[] =
	"PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; DROP TRIGGER audit_in_order; BEGIN;"
	"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
	" INSERT INTO account (name, full_name, role, password, created)"
	" SELECT printf('user%03d', i), printf('佐藤 %d', i), 1, '$', 0 FROM n;"
	"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
	" INSERT INTO device (device_key, name, owner, state, created)"
	" SELECT CAST(printf('%032d', i) AS BLOB), printf('PC %d', i), i, 1, 0 FROM n;"
	"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
	" INSERT INTO session (id, account, device, host, host_name, view_only, state, reason, "
	"started,"
	" until, ended, login, client)"
	" SELECT CAST(printf('%016d', i) AS BLOB), 1 + i % 200, 1 + i % 200, 1 + i % 100,"
	" printf('PC%03d', i % 100), 0, 6, 1, " START " + i * (" SPAN " / 100000), 0, " START
	" + i * (" SPAN
	" / 100000) + i % 7200, 0, iif(i % 3, printf('お客様%d　記帳', i % 300), '') FROM n;"
	"INSERT INTO recording (session, state, keys, started_ms, ended_ms, size, hash)"
	" SELECT id, 2, 0, started * 1000, ended * 1000, 1000000, zeroblob(32) FROM session;"
	"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999)"
	" INSERT INTO audit (seq, version, time_ms, event, account, device, address, host, session,"
	" detail, salt, commitment) SELECT i + 1, 2, " START "000 + i * (" SPAN "000 / 1000000),"
	" CASE i % 10 WHEN 0 THEN 'login' WHEN 1 THEN 'session-open' WHEN 2 THEN 'session-active'"
	" WHEN 3 THEN iif(i % 7, 'login-failed', 'account-add') WHEN 4 THEN 'worker-event'"
	" WHEN 5 THEN iif(i % 50 = 5, 'recording-open', 'session-attach') WHEN 9 THEN 'session-end'"
	" ELSE 'recording-mark' END, printf('user%03d', 1 + i / 10 % 200), 1 + i / 10 % 200,"
	" printf('192.0.2.%d', i / 1000 % 250), 1 + i / 10 % 100, iif(i % 10 IN (0, 3), '',"
	" lower(hex(printf('%016d', 1 + i / 10)))),"
	" CASE i % 10 WHEN 4 THEN printf('{\"event\":\"%s\",\"detail\":{}}',"
	" iif(i % 4000 = 4, 'channel-refused', 'resize')) WHEN 9 THEN '{\"reason\":\"logout\"}'"
	" ELSE '{\"host\":\"PC\"}' END, zeroblob(32), zeroblob(32) FROM n;"
	"COMMIT;";

static void must(enum err err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s\n", what, err_code(err));
	exit(1);
}

static double busy_ms(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1000 + (double)ts.tv_nsec / 1000000;
}

static double took[TAKES_MAX];
static size_t takes;

static int by_size(const void *left, const void *right)
{
	double difference = *(const double *)left - *(const double *)right;

	return (difference > 0) - (difference < 0);
}

static void say(const char *what, size_t rows)
{
	double all = 0;

	qsort(took, takes, sizeof(*took), by_size);
	for (size_t i = 0; i < takes; i++)
		all += took[i];
	printf("%-34s %5zu pages, %6zu rows: p95 %6.2f ms, longest %6.2f ms, all %7.1f ms\n", what,
	       takes, rows, took[takes * 95 / 100], took[takes - 1], all);
	takes = 0;
}

static void summary(struct db *db, const uint8_t id[SESSION_ROW_ID])
{
	_cleanup_query_ struct query query = { 0 };
	struct console_event event;
	char hex[2 * SESSION_ROW_ID + 1];
	bool more;

	util_hex(id, SESSION_ROW_ID, hex);
	console_event_list(&query, db, hex);
	do {
		must(console_event_next(&query, &event, &more), "events");
	} while (more);
}

/* As the broker does it; the next place, zero at the end. */
static struct console_place session_page(struct db *db, const struct console_filter *filter,
					 struct console_place after, size_t *rows)
{
	_cleanup_query_ struct query query = { 0 };
	struct console_session session;
	double start = busy_ms();
	struct console_place end;
	size_t count = 0;
	bool more;

	must(console_session_window(db, filter, after, &end), "window");
	console_session_list(&query, db, filter, after, end, clock_wall_s());
	for (;;) {
		must(console_session_next(&query, &session, &more), "sessions");
		if (!more)
			break;
		summary(db, session.row.id);
		if (++count == CONSOLE_PAGE)
			end = session.place;
	}
	*rows += count;
	took[takes++] = busy_ms() - start;
	return end;
}

static struct console_place entry_page(struct db *db, enum console_list list,
				       const struct console_filter *filter,
				       struct console_place after, size_t *rows)
{
	_cleanup_query_ struct query query = { 0 };
	struct console_entry entry;
	double start = busy_ms();
	struct console_place end;
	size_t count = 0;
	bool more;

	must(console_entry_window(db, list, filter, after, &end), "window");
	console_entry_list(&query, db, list, filter, after, end);
	for (;;) {
		must(console_entry_next(&query, &entry, &more), "entries");
		if (!more)
			break;
		if (++count == CONSOLE_PAGE)
			end = (struct console_place){ entry.row.time_ms, entry.row.seq };
	}
	*rows += count;
	took[takes++] = busy_ms() - start;
	return end;
}

static size_t sessions(struct db *db, const struct console_filter *filter, size_t pages)
{
	struct console_place place = NONE;
	size_t rows = 0;

	do {
		place = session_page(db, filter, place, &rows);
	} while ((place.time || place.number) && --pages);
	return rows;
}

static size_t entries(struct db *db, enum console_list list, const struct console_filter *filter,
		      size_t pages)
{
	struct console_place place = NONE;
	size_t rows = 0;

	do {
		place = entry_page(db, list, filter, place, &rows);
	} while ((place.time || place.number) && --pages);
	return rows;
}

static const struct console_filter any = { .person = "", .pc = "", .client = "", .event = "" };

static void lists_of_sessions(struct db *db)
{
	struct console_filter filter = any;

	say("sessions", sessions(db, &any, 100));
	filter.person = "user042";
	say("of a person", sessions(db, &filter, 1000));
	filter = any;
	filter.pc = "PC042";
	say("on a PC", sessions(db, &filter, 1000));
	filter = any;
	filter.device = 42;
	say("from a device", sessions(db, &filter, 1000));
	filter = any;
	filter.client = "お客様299";
	say("for a client", sessions(db, &filter, 1000));
	filter.client = "なし";
	say("for a client that there is not", sessions(db, &filter, 1000));
	filter = any;
	filter.event = "channel-refused";
	say("with something refused", sessions(db, &filter, 1000));
	filter = any;
	filter.shortest_s = 7195;
	say("of two hours", sessions(db, &filter, 1000));
}

static void lists_of_entries(struct db *db)
{
	static const char *const names[] = { "logins", "acts", "watching", "alarms" };
	struct console_filter filter = any;

	for (size_t i = 0; i < CONSOLE_LISTS; i++)
		say(names[i], entries(db, (enum console_list)i, &any, 50));
	filter.person = "user042";
	say("logins of a person", entries(db, CONSOLE_LOGINS, &filter, 1000));
}

static void report_of_a_month(struct db *db)
{
	struct console_filter filter = any;
	size_t rows = 0;

	filter.from_ms = 1700000000000;
	filter.to_ms = filter.from_ms + (int64_t)31 * 24 * 3600 * 1000;
	rows += sessions(db, &filter, 1000);
	for (size_t i = 0; i < CONSOLE_LISTS; i++)
		rows += entries(db, (enum console_list)i, &filter, 1000);
	say("all that a month's report reads", rows);
}

int main(int argc, char **argv)
{
	char folder[256] = "/tmp/sekisho-bench-XXXXXX", path[300];
	_cleanup_db_ struct db *db = NULL;
	uint64_t start = clock_mono_us();
	bool is_new;

	if (argc > 1)
		snprintf(folder, sizeof(folder), "%s", argv[1]);
	else if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/sekisho.db", folder);
	is_new = access(path, F_OK) != 0;
	must(db_open(path, &db), path);
	if (is_new) {
		must(db_exec(db, fill), "filling");
		printf("%s made in %.1f s\n", path, (double)(clock_mono_us() - start) / 1e6);
	}
	lists_of_sessions(db);
	lists_of_entries(db);
	report_of_a_month(db);
	if (argc > 1)
		return 0;
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/sekisho.db%s", folder,
			 &"\0-wal\0-shm"[i ? 5 * i - 4 : 0]);
		unlink(path);
	}
	return rmdir(folder) == 0 ? 0 : 1;
}
