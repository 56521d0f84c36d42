#include "unit/store/fixture.h"

#include "store/console.h"
#include "store/recordings.h"
#include "store/saved_filters.h"
#include "wire/enums.h"

static const struct console_filter any = { .person = "", .pc = "", .client = "", .event = "" };

/* Session number n begins at 1000 + n and lasts n seconds. */
static void add_session(struct fixture *fixture, int64_t n, int64_t account, const char *pc,
			const char *client)
{
	struct session_row row = {
		.account = account,
		.device = fixture->device,
		.host = fixture->host,
		.state = SESSION_ACTIVE,
		.started_s = 1000 + n,
		.until_s = 9000,
	};

	memcpy(row.id, &n, sizeof(n));
	snprintf(row.host_name, sizeof(row.host_name), "%s", pc);
	snprintf(row.client, sizeof(row.client), "%s", client);
	assert_ok(session_row_add(fixture->db, &row));
	assert_ok(session_row_end(fixture->db, row.id, END_LOGOUT, 1000 + 2 * n));
}

/* Numbers of what fits, over all pages, as "7 5 4"; how many pages that were. */
static size_t sessions_of(struct db *db, const struct console_filter *filter, char *ret,
			  size_t size)
{
	struct console_place place = { 0 }, end;
	size_t pages = 0, len = 0;

	*ret = '\0';
	do {
		_cleanup_query_ struct query query = { 0 };
		struct console_session session;
		size_t rows = 0;
		bool more;

		assert_ok(console_session_window(db, filter, place, &end));
		console_session_list(&query, db, filter, place, end, 100000);
		for (;;) {
			assert_ok(console_session_next(&query, &session, &more));
			if (!more)
				break;
			len += (size_t)snprintf(ret + len, size - len, "%s%lld", len ? " " : "",
						(long long)session.row.started_s - 1000);
			assert_true(len < size);
			if (++rows == CONSOLE_PAGE)
				end = session.place;
		}
		place = end;
		pages++;
	} while (place.time || place.number);
	return pages;
}

static void assert_sessions(struct db *db, const struct console_filter *filter,
			    const char *expected)
{
	char found[4096];

	sessions_of(db, filter, found, sizeof(found));
	assert_string_equal(found, expected);
}

/* An entry without its leaf in the tree, which the lists do not look at. */
static int64_t add_entry(struct db *db, const char *event, const char *account, const char *session,
			 const char *detail)
{
	struct audit_row row = { .version = AUDIT_SALTED, .device = 1 };

	assert_ok(audit_row_last(db, &row.seq));
	row.seq++;
	row.time_ms = row.seq * 1000;
	snprintf(row.event, sizeof(row.event), "%s", event);
	snprintf(row.account, sizeof(row.account), "%s", account);
	snprintf(row.session, sizeof(row.session), "%s", session);
	snprintf(row.address, sizeof(row.address), "192.0.2.1");
	snprintf(row.detail, sizeof(row.detail), "%s", detail);
	assert_ok(audit_row_add(db, &row));
	return row.seq;
}

static void every_filter_leaves_what_fits(void **state)
{
	struct fixture *fixture = *state;
	int64_t suzuki = fixture_account(fixture->db, "suzuki");
	struct console_filter filter = any;
	char session[33];

	add_session(fixture, 1, fixture->account, "経理PC", "山田商店　記帳");
	add_session(fixture, 2, suzuki, "経理PC", "");
	add_session(fixture, 3, fixture->account, "受付PC", "Yamada LLC");
	add_session(fixture, 4, suzuki, "受付PC", "鈴木工務店");
	assert_sessions(fixture->db, &any, "4 3 2 1");
	filter.person = "suzuki";
	assert_sessions(fixture->db, &filter, "4 2");
	filter.pc = "受付PC";
	assert_sessions(fixture->db, &filter, "4");
	filter.person = "nobody";
	assert_sessions(fixture->db, &filter, "");
	filter = any;
	filter.pc = "経理PC";
	assert_sessions(fixture->db, &filter, "2 1");
	filter = any;
	filter.client = "山田";
	assert_sessions(fixture->db, &filter, "1");
	filter.client = "yamada";
	assert_sessions(fixture->db, &filter, "3");
	filter.client = "%";
	assert_sessions(fixture->db, &filter, "");
	filter = any;
	filter.device = fixture->device;
	assert_sessions(fixture->db, &filter, "4 3 2 1");
	filter.device = 99;
	assert_sessions(fixture->db, &filter, "");
	filter = any;
	filter.from_ms = 1002000;
	filter.to_ms = 1004000;
	assert_sessions(fixture->db, &filter, "3 2");
	filter = any;
	filter.shortest_s = 2;
	filter.longest_s = 3;
	assert_sessions(fixture->db, &filter, "3 2");
	filter = any;
	util_hex((const uint8_t *)(const int64_t[]){ 3, 0 }, 16, session);
	add_entry(fixture->db, "worker-event", "sato", session,
		  "{\"event\":\"channel-refused\",\"detail\":{}}");
	add_entry(fixture->db, "session-locked", "sato", session, "{}");
	filter.event = "channel-refused";
	assert_sessions(fixture->db, &filter, "3");
	filter.event = "session-locked";
	assert_sessions(fixture->db, &filter, "3");
	/* A worker's word is no entry of the broker's. */
	add_entry(fixture->db, "worker-event", "sato", session,
		  "{\"event\":\"recording-open\",\"detail\":{}}");
	filter.event = "recording-open";
	assert_sessions(fixture->db, &filter, "");
}

static void pages_go_on_where_the_last_one_ended(void **state)
{
	struct fixture *fixture = *state;
	struct console_filter filter = any;
	char found[8192], expected[8192] = "";
	_cleanup_tx_ struct db_tx tx = { 0 };
	size_t len = 0;

	assert_ok(db_tx_begin(&tx, fixture->db));
	for (int64_t n = 1; n <= 2 * CONSOLE_WINDOW + 5; n++)
		add_session(fixture, n, fixture->account, "経理PC", n == 3 ? "稀" : "");
	/* Behind two windows in which nothing fits. */
	filter.client = "稀";
	assert_int_equal(sessions_of(fixture->db, &filter, found, sizeof(found)), 3);
	assert_string_equal(found, "3");
	filter = any;
	filter.to_ms = (1000 + 2 * CONSOLE_PAGE + 51) * 1000;
	assert_int_equal(sessions_of(fixture->db, &filter, found, sizeof(found)), 3);
	for (int n = 2 * CONSOLE_PAGE + 50; n; n--)
		len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%s%d",
					len ? " " : "", n);
	assert_string_equal(found, expected);
}

static void who_is_there_is_listed_apart(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_query_ struct query query = { 0 };
	struct session_row row = { .id = { 9 },
				   .account = fixture->account,
				   .device = fixture->device,
				   .host = fixture->host,
				   .host_name = "経理PC",
				   .state = SESSION_ACTIVE,
				   .started_s = 500 };
	struct console_session session;
	bool more;

	add_session(fixture, 1, fixture->account, "経理PC", "");
	assert_ok(session_row_add(fixture->db, &row));
	assert_sessions(fixture->db, &any, "1");
	console_live_list(&query, fixture->db, &any, (struct console_place){ 0 }, 600);
	assert_ok(console_session_next(&query, &session, &more));
	assert_true(more);
	assert_int_equal(session.row.started_s, 500);
	assert_string_equal(session.row.account_name, "sato");
	assert_string_equal(session.full_name, "佐藤 花子");
	assert_string_equal(session.device, "laptop");
	assert_int_equal(session.recording, 0);
	assert_ok(console_session_next(&query, &session, &more));
	assert_false(more);
}

static void what_happened_is_counted(void **state)
{
	static const char session[] = "01000000000000000000000000000000";
	struct fixture *fixture = *state;
	_cleanup_query_ struct query query = { 0 };
	struct console_event event;
	bool more;

	add_entry(fixture->db, "recording-mark", "", session, "{}");
	add_entry(fixture->db, "recording-open", "kansa", session, "{}");
	add_entry(fixture->db, "worker-event", "sato", session, "{\"event\":\"channel-refused\"}");
	add_entry(fixture->db, "worker-event", "sato", session, "{\"event\":\"channel-refused\"}");
	add_entry(fixture->db, "worker-event", "sato", session, "{\"cut\":true}");
	add_entry(fixture->db, "worker-event", "sato", session, "{\"event\":\"session-watch\"}");
	console_event_list(&query, fixture->db, session);
	assert_ok(console_event_next(&query, &event, &more));
	assert_string_equal(event.event, "channel-refused");
	assert_int_equal(event.count, 2);
	assert_ok(console_event_next(&query, &event, &more));
	assert_string_equal(event.event, "recording-open");
	assert_string_equal(event.account, "kansa");
	assert_ok(console_event_next(&query, &event, &more));
	/* Under a name of the broker's it would say that somebody had looked on. */
	assert_string_equal(event.event, "worker-event");
	assert_int_equal(event.count, 2);
	assert_ok(console_event_next(&query, &event, &more));
	assert_false(more);
}

static void assert_entries(struct db *db, enum console_list list,
			   const struct console_filter *filter, const char *expected)
{
	_cleanup_query_ struct query query = { 0 };
	struct console_place end;
	struct console_entry entry;
	char found[512] = "";
	size_t len = 0;
	bool more;

	assert_ok(console_entry_window(db, list, filter, (struct console_place){ 0 }, &end));
	console_entry_list(&query, db, list, filter, (struct console_place){ 0 }, end);
	for (;;) {
		assert_ok(console_entry_next(&query, &entry, &more));
		if (!more)
			break;
		len += (size_t)snprintf(found + len, sizeof(found) - len, "%s%s", len ? " " : "",
					entry.row.event);
	}
	assert_string_equal(found, expected);
}

static void the_log_has_four_lists(void **state)
{
	struct fixture *fixture = *state;
	struct console_filter filter = any;
	struct db *db = fixture->db;
	enum console_list list;

	assert_err(console_list_parse("all", &list), ERR_INVALID);
	assert_ok(console_list_parse("watching", &list));
	assert_int_equal(list, CONSOLE_WATCHING);
	add_entry(db, "login", "sato", "", "{}");
	add_entry(db, "login-failed", "suzuki", "", "{}");
	add_entry(db, "session-open", "sato", "", "{}");
	add_entry(db, "recording-mark", "", "", "{}");
	add_entry(db, "recording-open", "kansa", "", "{}");
	add_entry(db, "recording-end", "sato", "", "{\"state\":\"ended\"}");
	add_entry(db, "recording-end", "sato", "", "{\"state\":\"cut\"}");
	add_entry(db, "document-quarantined", "", "", "{}");
	add_entry(db, "account-add", "kanri", "", "{}");
	add_entry(db, "something-new", "kanri", "", "{}");
	assert_entries(db, CONSOLE_LOGINS, &any, "login-failed login");
	assert_entries(db, CONSOLE_ACTS, &any, "something-new account-add document-quarantined");
	assert_entries(db, CONSOLE_WATCHING, &any, "recording-open");
	assert_entries(db, CONSOLE_ALARMS, &any, "document-quarantined recording-end");
	filter.person = "suzuki";
	assert_entries(db, CONSOLE_LOGINS, &filter, "login-failed");
	filter = any;
	filter.event = "login";
	assert_entries(db, CONSOLE_LOGINS, &filter, "login");
	filter = any;
	filter.from_ms = 2000;
	assert_entries(db, CONSOLE_LOGINS, &filter, "login-failed");
	filter = any;
	filter.to_ms = 2000;
	assert_entries(db, CONSOLE_LOGINS, &filter, "login");
}

static struct console_entry newest_login(struct db *db)
{
	_cleanup_query_ struct query query = { 0 };
	struct console_entry entry = { 0 };
	bool more;

	console_entry_list(&query, db, CONSOLE_LOGINS, &any, (struct console_place){ 0 },
			   (struct console_place){ 0 });
	assert_ok(console_entry_next(&query, &entry, &more));
	assert_true(more);
	return entry;
}

static void what_is_new_of_a_person_shows(void **state)
{
	struct fixture *fixture = *state;
	int64_t seq;

	add_entry(fixture->db, "login", "sato", "", "{}");
	assert_true(newest_login(fixture->db).first_device);
	assert_true(newest_login(fixture->db).first_address);
	seq = add_entry(fixture->db, "login", "sato", "", "{}");
	assert_false(newest_login(fixture->db).first_device);
	assert_false(newest_login(fixture->db).first_address);
	assert_ok(audit_row_dispose(fixture->db, seq));
	assert_true(newest_login(fixture->db).row.disposed);
	assert_string_equal(newest_login(fixture->db).full_name, "");
}

static void there_is_a_choice(void **state)
{
	struct fixture *fixture = *state;
	struct console_choice choice;
	bool more;

	for (int64_t n = 1; n < 40; n++)
		add_session(fixture, n, fixture->account, n % 2 ? "経理PC" : "受付PC", "");
	for (int i = 0; i < 3; i++) {
		_cleanup_query_ struct query query = { 0 };
		static const char *const names[] = { "受付PC", "経理PC", "sato", "laptop" };

		(i == 0   ? console_pcs
		 : i == 1 ? console_people
			  : console_devices)(&query, fixture->db);
		for (int at = i ? i + 1 : 0; at < i + 2; at++) {
			assert_ok(console_choice_next(&query, &choice, &more));
			assert_true(more);
			assert_string_equal(choice.name, names[at]);
		}
		assert_ok(console_choice_next(&query, &choice, &more));
		assert_false(more);
	}
}

static void a_filter_is_its_persons(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_query_ struct query query = { 0 };
	struct saved_filter filter;
	int64_t id, same;
	char name[16];
	bool more;

	assert_ok(saved_filter_put(fixture->db, fixture->account, "夜間", "list=sessions", &id));
	assert_ok(saved_filter_put(fixture->db, fixture->account, "夜間", "list=logins", &same));
	assert_int_equal(id, same);
	saved_filter_list(&query, fixture->db, fixture->account);
	assert_ok(saved_filter_next(&query, &filter, &more));
	assert_true(more);
	assert_string_equal(filter.query, "list=logins");
	assert_ok(saved_filter_next(&query, &filter, &more));
	assert_false(more);
	assert_err(saved_filter_remove(fixture->db, fixture->account + 1, id), ERR_NOT_FOUND);
	assert_ok(saved_filter_remove(fixture->db, fixture->account, id));
	for (int i = 0; i < SAVED_FILTERS; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_ok(saved_filter_put(fixture->db, fixture->account, name, "x", &id));
	}
	assert_err(saved_filter_put(fixture->db, fixture->account, "one more", "x", &id), ERR_FULL);
	assert_ok(saved_filter_put(fixture->db, fixture->account, "0", "y", &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(every_filter_leaves_what_fits),
		fixture_test(pages_go_on_where_the_last_one_ended),
		fixture_test(who_is_there_is_listed_apart),
		fixture_test(what_happened_is_counted),
		fixture_test(the_log_has_four_lists),
		fixture_test(what_is_new_of_a_person_shows),
		fixture_test(there_is_a_choice),
		fixture_test(a_filter_is_its_persons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
