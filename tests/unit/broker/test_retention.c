/*
 * What has been kept for long enough goes, with an entry in the audit log first; what is on hold,
 * goes on or was promised a longer time stays.
 */
#include "unit/broker/orders.h"
#include "unit/broker/worker.h"

#include <sys/stat.h>

#include "audit/verify.h"
#include "broker/recording.h"
#include "broker/retention.h"
#include "store/retention.h"

#define DAY_MS (86400LL * 1000)

static void path_of(const struct office *office, const struct worker *worker, char ret[128])
{
	snprintf(ret, 128, "%s/%s.skr", office->folder, worker->id);
}

static bool has_file(const struct office *office, const struct worker *worker)
{
	char path[128];
	struct stat status;

	path_of(office, worker, path);
	return stat(path, &status) == 0;
}

/* A recording that has ended; its number is what counts the recordings of this test. */
static struct worker recorded(struct office *office)
{
	const struct msg_record_mark last = { .last = 1 };
	struct worker worker = open_session(office);

	worker_says(office, &worker, SESSION_ENDED, END_PC_CLOSED, 0);
	assert_ok(ipc_send(worker.fd, MSG_record_mark, &last, -1));
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
	monitor_says_exited(office, &worker);
	return worker;
}

static int64_t state_of(struct office *office, const struct worker *worker)
{
	struct recording_row row;

	assert_ok(recording_row_get(office->db, worker->session, &row));
	return row.state;
}

/* Days go by, on both clocks; on each something happens, and it is looked after. */
static void days(struct office *office, int64_t count)
{
	const struct audit_entry entry = { .event = "day" };

	for (int64_t day = 0; day < count; day++) {
		retention_tick(office->broker);
		office_leap_ms += DAY_MS;
		office_pass(DAY_MS);
		if (broker_audit(office->broker, &entry))
			log_debug("no-entry", "day=%lld", (long long)day);
		retention_tick(office->broker);
	}
}

/* It is looked after again and again, at one time. */
static void looks(struct office *office)
{
	for (int i = 0; i < 5; i++) {
		office_pass(600 * 1000);
		office_leap_ms += 600 * 1000;
		retention_tick(office->broker);
	}
}

static int setup(void **state)
{
	int failed = office_setup(state);

	office_leap_ms = 0;
	if (!failed)
		ordered(*state, "retention set", "{\"class\": \"standard\", \"days\": 10}");
	return failed;
}

/* ---- recordings ------------------------------------------------------------------------- */

static void goes_when_its_time_is_over(void **state)
{
	struct office *office = *state;
	struct worker worker = recorded(office);
	_cleanup_answer_ struct answer answer = { .fd = -1 };
	const char *text;

	days(office, 9);
	assert_int_equal(state_of(office, &worker), RECORDING_ENDED);
	assert_true(has_file(office, &worker));
	refused(office, "recording certificate", "{\"id\": 1}", "not-found", "id");
	days(office, 2);
	assert_int_equal(state_of(office, &worker), RECORDING_DISPOSED);
	assert_false(has_file(office, &worker));
	assert_int_equal(office_audit_count(office, "recording-disposed"), 1);
	assert_string_equal(office_audit_last(office, "recording-disposed").session, worker.id);
	answer = order(office, "recording certificate", "{\"id\": 1}");
	text = answer_text(answer, "certificate");
	assert_non_null(strstr(text, worker.id));
	assert_non_null(strstr(text, "sato"));
	assert_non_null(strstr(text, "経理PC"));
	/* As the office's clock shows it. */
	assert_non_null(strstr(text, " +0900\n"));
	/* Once. */
	days(office, 20);
	assert_int_equal(office_audit_count(office, "recording-disposed"), 1);
}

static void what_is_on_hold_stays(void **state)
{
	struct office *office = *state;
	struct worker worker = recorded(office);

	ordered(office, "recording hold", "{\"id\": 1, \"reason\": \"労基署の調査\"}");
	refused(office, "recording hold", "{\"id\": 1, \"reason\": \"again\"}", "not-found", "id");
	refused(office, "recording hold", "{\"id\": 7, \"reason\": \"x\"}", "not-found", "id");
	refused(office, "recording hold", "{\"id\": 1, \"reason\": \"\"}", "invalid", "reason");
	days(office, 30);
	assert_int_equal(state_of(office, &worker), RECORDING_ENDED);
	assert_true(has_file(office, &worker));
	/* Nor by a mistake in the program. */
	assert_err(db_exec(office->db, "UPDATE recording SET state = 5, disposed_seq = 1"),
		   ERR_WRONG_STATE);
	assert_err(db_exec(office->db, "DELETE FROM recording"), ERR_WRONG_STATE);
	ordered(office, "recording release", "{\"id\": 1, \"reason\": \"調査終了\"}");
	days(office, 1);
	assert_int_equal(state_of(office, &worker), RECORDING_DISPOSED);
	assert_int_equal(office_audit_count(office, "recording-hold"), 1);
	assert_int_equal(office_audit_count(office, "recording-release"), 1);
	refused(office, "recording hold", "{\"id\": 1, \"reason\": \"x\"}", "not-found", "id");
}

static void one_that_goes_on_stays(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	days(office, 30);
	assert_int_equal(state_of(office, &worker), RECORDING_OPEN);
	assert_err(db_exec(office->db, "UPDATE recording SET state = 5, disposed_seq = 1"),
		   ERR_WRONG_STATE);
	monitor_says_exited(office, &worker);
}

/* Who wants to be rid of a recording cannot make it due. */
static void a_shorter_time_is_for_later_ones(void **state)
{
	struct office *office = *state;
	struct worker worker = recorded(office), later;
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	ordered(office, "retention set", "{\"class\": \"standard\", \"days\": 1}");
	ordered(office, "retention set", "{\"class\": \"長期\", \"days\": 100}");
	ordered(office, "host set", "{\"name\": \"経理PC\", \"retention\": \"長期\"}");
	refused(office, "host set", "{\"name\": \"経理PC\", \"retention\": \"none\"}", "not-found",
		"retention");
	refused(office, "retention set", "{\"class\": \"x\", \"days\": 0}", "invalid", "days");
	later = recorded(office);
	days(office, 5);
	assert_int_equal(state_of(office, &worker), RECORDING_ENDED);
	assert_err(db_exec(office->db, "UPDATE recording SET keep_days = 1"), ERR_WRONG_STATE);
	days(office, 6);
	assert_int_equal(state_of(office, &worker), RECORDING_DISPOSED);
	assert_int_equal(state_of(office, &later), RECORDING_ENDED);
	answer = order(office, "retention list", "{}");
	assert_int_equal(json_integer_value(cell(&answer, "name", "長期", "recordings")), 1);
	assert_int_equal(json_integer_value(cell(&answer, "name", "長期", "hosts")), 1);
	assert_int_equal(json_integer_value(cell(&answer, "name", "standard", "recordings")), 0);
}

static void a_clock_that_leaps_ends_nothing(void **state)
{
	struct office *office = *state;
	struct worker worker = recorded(office);

	retention_tick(office->broker);
	office->broker->settings.retention_log_days = 365;
	office_leap_ms += 400 * DAY_MS;
	looks(office);
	assert_int_equal(state_of(office, &worker), RECORDING_ENDED);
	office_leap_ms -= 400 * DAY_MS;
	looks(office);
	assert_int_equal(state_of(office, &worker), RECORDING_ENDED);
	/* Nor does one that nobody has watched yet. */
	office_leap_ms += 400 * DAY_MS;
	office_restart(office);
	looks(office);
	days(office, 6);
	assert_true(has_file(office, &worker));
	assert_int_equal(office_audit_count(office, AUDIT_EVENT_DISPOSED), 0);
	/* For a week nobody has minded. */
	days(office, 2);
	assert_false(has_file(office, &worker));
}

/* One that the log does not refute, as something happened on each of the days before. */
static void a_short_leap_ends_nothing_at_once(void **state)
{
	struct office *office = *state;
	struct worker worker = recorded(office);

	days(office, 8);
	office_leap_ms += 5 * DAY_MS;
	retention_tick(office->broker);
	assert_int_equal(state_of(office, &worker), RECORDING_ENDED);
	assert_true(has_file(office, &worker));
}

/* ---- faults ----------------------------------------------------------------------------- */

/* What cannot be written down is not done. */
static void no_disposal_without_an_entry(void **state)
{
	struct office *office = *state;
	struct worker worker = recorded(office);

	days(office, 9);
	office_break_audit(office);
	days(office, 2);
	assert_true(has_file(office, &worker));
	assert_int_equal(state_of(office, &worker), RECORDING_ENDED);
	office_mend_audit(office);
	days(office, 1);
	assert_false(has_file(office, &worker));
}

/* A file that could not be removed, or a crash before it was, has its turn again. */
static void a_file_that_was_left(void **state)
{
	struct office *office = *state;
	struct worker worker = recorded(office);
	char path[128];

	path_of(office, &worker, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	days(office, 11);
	assert_int_equal(state_of(office, &worker), RECORDING_DISPOSED);
	assert_int_equal(rmdir(path), 0);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	days(office, 1);
	assert_false(has_file(office, &worker));
	assert_int_equal(office_audit_count(office, "recording-disposed"), 1);
}

/* ---- the audit log ---------------------------------------------------------------------- */

static void log_holds(struct office *office)
{
	const struct verify_wish wish = { .key_count = 0 };
	struct verify_db reader = { .db = NULL };
	const struct verify_source source = verify_db_source(&reader, office->db);
	struct log_verdict verdict;

	assert_ok(verify_log(&source, &wish, &verdict));
	verify_db_finish(&reader);
	assert_int_not_equal(verify_color(verdict.finding), VERIFY_RED);
}

static int64_t named(struct office *office)
{
	_cleanup_query_ struct query query;

	query_init(&query, office->db, "SELECT count(*) FROM audit WHERE account = 'sato'");
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

/* That say for which client. */
static int64_t clients(struct office *office)
{
	_cleanup_query_ struct query query;

	query_init(&query, office->db, "SELECT count(*) FROM session WHERE client != ''");
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

static void old_entries_forget_people(void **state)
{
	struct office *office = *state;
	int64_t before;

	ordered(office, "retention set", "{\"class\": \"standard\", \"days\": 500}");
	ordered(office, "user unlock", "{\"name\": \"sato\"}");
	(void)recorded(office);
	assert_ok(db_exec(office->db, "UPDATE session SET client = '山田商店の年末調整'"));
	before = named(office);
	assert_true(before >= 3);
	office->broker->settings.retention_log_days = 400;
	days(office, 399);
	assert_int_equal(named(office), before);
	assert_int_equal(office_audit_count(office, AUDIT_EVENT_DISPOSED), 0);
	/* The recording is still there, and with it what is needed to check it. */
	days(office, 2);
	assert_true(office_audit_count(office, AUDIT_EVENT_DISPOSED) > 0);
	assert_true(named(office) > 0);
	assert_int_equal(clients(office), 1);
	log_holds(office);
	days(office, 100);
	assert_int_equal(office_audit_count(office, "recording-disposed"), 1);
	days(office, 1);
	assert_int_equal(named(office), 0);
	assert_int_equal(clients(office), 0);
	log_holds(office);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, office_teardown)

int main(void)
{
	setenv("TZ", "JST-9", 1);
	tzset();
	const struct CMUnitTest tests[] = {
		test(goes_when_its_time_is_over),      test(what_is_on_hold_stays),
		test(one_that_goes_on_stays),          test(a_shorter_time_is_for_later_ones),
		test(a_clock_that_leaps_ends_nothing), test(a_short_leap_ends_nothing_at_once),
		test(no_disposal_without_an_entry),    test(a_file_that_was_left),
		test(old_entries_forget_people),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
