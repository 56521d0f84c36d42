#include "unit/broker/orders.h"
#include "unit/broker/worker.h"

#include "broker/quota.h"

/* ---- no session without ----------------------------------------------------------------- */

static void refused_because(struct office *office, const char *why)
{
	union wire_any msg = open_request(office->host);
	_cleanup_answer_ struct answer answer = office_ask(office, MSG_session_open, &msg);

	assert_error(answer, 503, "recording");
	assert_non_null(strstr(office_audit_last(office, "session-refused").detail, why));
	assert_int_equal(session_count(office->broker, 0), 0);
}

static void says_recording(struct office *office, const char *wanted)
{
	_cleanup_answer_ struct answer answer = order(office, "status", "{}");

	assert_string_equal(cell_text(&answer, "part", "recording", "state"), wanted);
}

static void nobody_to_seal_to(void **state)
{
	struct office *office = *state;

	says_recording(office, "ready");
	ordered(office, "auditor revoke", "{\"id\": 1}");
	refused_because(office, "no-auditor");
	says_recording(office, "no-auditor");
	refused(office, "auditor revoke", "{\"id\": 1}", "not-found", "id");
	refused(office, "auditor revoke", "{\"id\": 2}", "not-found", "id");
	assert_int_equal(office_audit_count(office, "auditor-revoke"), 1);
}

static void a_certificate_that_has_run_out(void **state)
{
	struct office *office = *state;
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	assert_ok(db_exec(office->db, "UPDATE auditor SET not_after = unixepoch() - 1"));
	refused_because(office, "no-auditor");
	answer = order(office, "auditor list", "{}");
	assert_string_equal(cell_text(&answer, "name", "監査 太郎", "state"), "expired");
}

/* Before recordings are sealed to no person any more. */
static void the_last_auditor_who_ends_is_named(void **state)
{
	static const struct {
		const char *change, *state; /* NULL: nothing is said */
	} cases[] = {
		{ "UPDATE auditor SET not_after = unixepoch() + 31 * 86400", NULL },
		{ "UPDATE auditor SET not_after = unixepoch() + 29 * 86400", "ending" },
		{ "UPDATE auditor SET not_after = unixepoch() - 1", "expired" },
		/* The house key is not a person's, and renews itself. */
		{ "INSERT INTO auditor SELECT NULL, name, 2, certificate, randomblob(32),"
		  " unixepoch() + 99 * 86400, state, created, revoked FROM auditor",
		  "expired" },
		{ "UPDATE auditor SET kind = 1", NULL },
		{ "UPDATE auditor SET kind = 2", NULL },
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_ok(db_exec(office->db, cases[i].change));
		_cleanup_answer_ struct answer answer = order(office, "status", "{}");
		const char *wanted = cases[i].state ? cases[i].state : "";
		assert_string_equal(cell_text(&answer, "part", "auditors", "state"), wanted);
		assert_int_equal(!!recording_auditors_end(office->broker, clock_wall_s()),
				 cases[i].state != NULL);
	}
}

static void no_space(void **state)
{
	struct office *office = *state;

	office->broker->settings.recording_free_megabytes = INT64_MAX / 2;
	refused_because(office, "no-space");
	says_recording(office, "no-space");
}

static void no_folder(void **state)
{
	struct office *office = *state;

	snprintf(office->broker->settings.recording_dir,
		 sizeof(office->broker->settings.recording_dir), "%s/none", office->folder);
	refused_because(office, "no-folder");
	says_recording(office, "no-folder");
}

static void a_folder_that_cannot_be_written(void **state)
{
	struct office *office = *state;

	if (geteuid() == 0)
		skip(); /* root may */
	assert_int_equal(chmod(office->folder, 0500), 0);
	refused_because(office, "no-folder");
	says_recording(office, "no-folder");
	assert_int_equal(chmod(office->folder, 0700), 0);
}

/* Each refusal is an entry of the audit log, which nobody may fill. */
static void refused_so_often_and_no_more(void **state)
{
	struct office *office = *state;

	office_stop_time();
	office->broker->settings.recording_free_megabytes = INT64_MAX / 2;
	for (int i = 0; i < 2 * QUOTA_SESSIONS_PER_MINUTE; i++) {
		union wire_any msg = open_request(office->host);
		_cleanup_answer_ struct answer answer = office_ask(office, MSG_session_open, &msg);

		assert_int_equal(answer.status, i < QUOTA_SESSIONS_PER_MINUTE ? 503 : 429);
	}
	assert_int_equal(office_audit_count(office, "session-refused"), QUOTA_SESSIONS_PER_MINUTE);
}

/* The folder is there, but the file cannot be made: nothing of the session stays. */
static void no_file(void **state)
{
	struct office *office = *state;
	union wire_any msg = open_request(office->host);
	_cleanup_answer_ struct answer answer = { .fd = -1 };
	_cleanup_query_ struct query query;

	snprintf(office->broker->settings.recording_dir,
		 sizeof(office->broker->settings.recording_dir), "/proc/self");
	answer = office_ask(office, MSG_session_open, &msg);
	assert_error(answer, 503, "recording");
	query_init(&query, office->db, "SELECT count(*) FROM session");
	assert_ok(query_one(&query));
	assert_int_equal(query_col_i64(&query, 0), 0);
	assert_int_equal(office_audit_count(office, "recording-start"), 0);
}

/* ---- what the worker gets --------------------------------------------------------------- */

static void path_of(const struct office *office, const struct worker *worker, char ret[128])
{
	snprintf(ret, 128, "%s/%s.skr", office->folder, worker->id);
}

/* The worker's part up to session_record, which stays in office->received. */
static struct worker open_until_record(struct office *office)
{
	union wire_any msg = open_request(office->host);
	struct worker worker = { .fd = -1 };

	office_send(office, MSG_session_open, &msg, 1, office->token);
	monitor_spawns(office, &worker);
	assert_true(
		office_receive(office, worker.fd, WIRE_WORKER, MSG_session_record, OFFICE_WAIT_MS));
	return worker;
}

/* As when its disk is not there, and the folder below the mount point is. */
static void a_folder_without_the_recordings_that_there_are(void **state)
{
	struct office *office = *state;
	struct worker worker = open_until_record(office);
	char path[128];

	says_recording(office, "ready");
	assert_ok(db_exec(office->db, "UPDATE recording SET state = 2, ended_ms = 2"));
	says_recording(office, "ready");
	path_of(office, &worker, path);
	assert_int_equal(unlink(path), 0);
	says_recording(office, "no-files");
	/* A pipe is none, and nobody waits for it. */
	assert_int_equal(mkfifo(path, 0600), 0);
	says_recording(office, "no-files");
	ipc_received_finish(&office->received);
	close(worker.fd);
}

static void the_worker_gets_an_empty_file(void **state)
{
	struct office *office = *state;
	struct worker worker = open_until_record(office);
	const struct msg_session_record *record = &office->received.msg.session_record;
	json_t *meta = json_loadb((const char *)record->meta.data, record->meta.len, 0, NULL);
	char path[128];
	struct stat status, passed;

	path_of(office, &worker, path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(fstat(office->received.fd, &passed), 0);
	assert_int_equal(status.st_ino, passed.st_ino);
	assert_int_equal(status.st_size, 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(fcntl(office->received.fd, F_GETFL) & (O_ACCMODE | O_APPEND),
			 O_WRONLY | O_APPEND);
	assert_string_equal((const char *)record->recipients.data, "an auditor's certificate");
	assert_int_equal(record->keys, 0);
	assert_string_equal(json_string_value(json_object_get(meta, "session")), worker.id);
	assert_string_equal(json_string_value(json_object_get(meta, "account")), "sato");
	assert_string_equal(json_string_value(json_object_get(meta, "host_name")), "経理PC");
	assert_false(json_is_true(json_object_get(meta, "keys")));
	assert_string_equal(json_string_value(json_object_get(meta, "client")), "");
	json_decref(meta);
	ipc_received_finish(&office->received);
	assert_int_equal(office_audit_count(office, "recording-start"), 1);
	/* Before anything of the PC. */
	assert_true(
		office_receive(office, worker.fd, WIRE_WORKER, MSG_session_start, OFFICE_WAIT_MS));
	ipc_received_finish(&office->received);
	monitor_says_exited(office, &worker);
}

/* ---- how far it is ---------------------------------------------------------------------- */

static void fill(const struct office *office, const struct worker *worker, size_t bytes)
{
	char path[128];
	FILE *file;

	path_of(office, worker, path);
	file = fopen(path, "w");
	assert_non_null(file);
	for (size_t i = 0; i < bytes; i++)
		fputc('x', file);
	fclose(file);
}

static void mark(struct office *office, const struct worker *worker, uint64_t chunks, uint64_t size,
		 uint8_t last)
{
	const struct msg_record_mark msg = {
		.chunks = chunks, .size = size, .hash = { (uint8_t)chunks }, .last = last
	};

	assert_ok(ipc_send(worker->fd, MSG_record_mark, &msg, -1));
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
}

static struct recording_row row_of(struct office *office, const struct worker *worker)
{
	struct recording_row row;

	assert_ok(recording_row_get(office->db, worker->session, &row));
	return row;
}

static void a_recording_goes_on_and_ends(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	fill(office, &worker, 300);
	mark(office, &worker, 3, 200, 0);
	assert_int_equal(row_of(office, &worker).size, 200);
	assert_int_equal(row_of(office, &worker).state, RECORDING_OPEN);
	worker_says(office, &worker, SESSION_ENDED, END_PC_CLOSED, 0);
	mark(office, &worker, 4, 300, 1);
	monitor_says_exited(office, &worker);
	assert_int_equal(row_of(office, &worker).state, RECORDING_ENDED);
	assert_int_equal(row_of(office, &worker).hash[0], 4);
	assert_int_equal(office_audit_count(office, "recording-mark"), 2);
	assert_int_equal(office_audit_count(office, "recording-end"), 1);
	assert_non_null(strstr(office_audit_last(office, "recording-end").detail, "\"ended\""));
	answer = order(office, "recording list", "{}");
	assert_string_equal(cell_text(&answer, "session", worker.id, "recording"), "ended");
	assert_string_equal(cell_text(&answer, "session", worker.id, "user"), "sato");
	assert_null(json_object_get(answer.body, "next"));
}

static void marks_that_cannot_be(void **state)
{
	static const struct {
		uint64_t chunks, size;
		uint8_t last;
	} bad[] = {
		{ 2, 200, 0 },          /* fewer chunks */
		{ 3, 100, 0 },          /* shorter */
		{ 4, 301, 0 },          /* more than there is */
		{ UINT64_MAX, 200, 0 }, /* below zero as the database has it */
		{ 4, UINT64_MAX, 0 },   { 4, 300, 2 },
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct worker worker = open_session(office);

		fill(office, &worker, 300);
		mark(office, &worker, 3, 200, 0);
		mark(office, &worker, bad[i].chunks, bad[i].size, bad[i].last);
		shown(office, &worker, "ended", "crashed");
		assert_int_equal(row_of(office, &worker).size, 200);
		monitor_says_exited(office, &worker);
	}
}

static void too_many_marks(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	for (int i = 0; i < 3 * RECORDING_MARKS && session_count(office->broker, 0); i++)
		mark(office, &worker, 0, 0, 0);
	shown(office, &worker, "ended", "crashed");
	assert_in_range(office_audit_count(office, "recording-mark"), RECORDING_MARKS,
			RECORDING_MARKS + 3);
	monitor_says_exited(office, &worker);
}

/* What one session fills is what everybody's log-in needs. */
static void no_space_any_more(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	fill(office, &worker, 300);
	mark(office, &worker, 1, 100, 0);
	assert_int_equal(session_count(office->broker, 0), 1);
	office->broker->settings.recording_free_megabytes = INT64_MAX / 2;
	mark(office, &worker, 2, 200, 0);
	shown(office, &worker, "ended", "recording");
	/* So far it was recorded, and it may say what came then. */
	assert_int_equal(row_of(office, &worker).chunks, 2);
	mark(office, &worker, 3, 300, 1);
	assert_int_equal(row_of(office, &worker).state, RECORDING_ENDED);
	monitor_says_exited(office, &worker);
}

/* Half an hour of a session, then the wall clock is set back by one. */
static void marks_of_a_clock_that_steps_back(void **state)
{
	const struct msg_worker_pong pong = { .number = 1 };
	struct office *office = *state;
	struct worker worker = open_session(office);

	for (int i = 0; i < 62; i++) {
		for (int step = 0; step < 6; step++) {
			office_pass(5000);
			assert_ok(ipc_send(worker.fd, MSG_worker_pong, &pong, -1));
			assert_ok(loop_step(office->loop, 5));
		}
		if (i == 59)
			office_leap_ms -= 3600 * 1000;
		mark(office, &worker, 0, 0, 0);
	}
	office_leap_ms = 0;
	assert_int_equal(office_audit_count(office, "recording-mark"), 62);
	assert_int_equal(session_count(office->broker, 0), 1);
	monitor_says_exited(office, &worker);
}

static void nothing_after_the_last(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	mark(office, &worker, 0, 0, 1);
	mark(office, &worker, 1, 0, 0);
	shown(office, &worker, "ended", "crashed");
	assert_int_equal(row_of(office, &worker).state, RECORDING_ENDED);
	monitor_says_exited(office, &worker);
}

/* ---- crashes ---------------------------------------------------------------------------- */

static void a_worker_that_dies(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	fill(office, &worker, 300);
	mark(office, &worker, 3, 200, 0);
	monitor_says_exited(office, &worker);
	assert_int_equal(row_of(office, &worker).state, RECORDING_CUT);
	assert_int_equal(row_of(office, &worker).size, 300);
	assert_int_equal(row_of(office, &worker).chunks, 3);
	assert_true(row_of(office, &worker).ended_ms > 0);
	assert_non_null(strstr(office_audit_last(office, "recording-end").detail, "\"cut\""));
}

static void a_file_that_is_shorter_than_was_said(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	char path[128];

	fill(office, &worker, 300);
	mark(office, &worker, 3, 200, 0);
	fill(office, &worker, 199);
	monitor_says_exited(office, &worker);
	assert_int_equal(row_of(office, &worker).state, RECORDING_LOST);
	worker = open_session(office);
	path_of(office, &worker, path);
	assert_int_equal(unlink(path), 0);
	monitor_says_exited(office, &worker);
	assert_int_equal(row_of(office, &worker).state, RECORDING_LOST);
}

static void the_broker_dies(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);
	struct worker other;

	worker_says(office, &worker, SESSION_ENDED, END_PC_CLOSED, 0);
	other = open_session(office);
	/* Nobody hears that the first exited. */
	office_restart(office);
	assert_int_equal(row_of(office, &worker).state, RECORDING_CUT);
	assert_int_equal(row_of(office, &other).state, RECORDING_OPEN);
	/* The other's worker goes on. */
	close(other.fd);
	monitor_says_started(office, &other, true);
	const struct msg_worker_hello hello = { .state = SESSION_CONNECTING };
	struct msg_worker_hello greeting = hello;
	memcpy(greeting.session, other.session, sizeof(greeting.session));
	assert_ok(ipc_send(other.fd, MSG_worker_hello, &greeting, -1));
	fill(office, &other, 100);
	mark(office, &other, 1, 100, 1);
	assert_int_equal(row_of(office, &other).state, RECORDING_ENDED);
	monitor_says_exited(office, &other);
	close(worker.fd);
}

/* What cannot be written down does not go on. */
static void a_mark_that_cannot_be_kept(void **state)
{
	struct office *office = *state;
	struct worker worker = open_session(office);

	office_break_audit(office);
	mark(office, &worker, 0, 0, 0);
	stopped_with(office, &worker, END_RECORDING);
	office_mend_audit(office);
	monitor_says_exited(office, &worker);
	office_pass(SESSION_PING_S * 1000);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
	assert_int_equal(row_of(office, &worker).state, RECORDING_CUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(nobody_to_seal_to),
		office_test(a_certificate_that_has_run_out),
		office_test(no_space),
		office_test(no_folder),
		office_test(the_last_auditor_who_ends_is_named),
		office_test(a_folder_that_cannot_be_written),
		office_test(a_folder_without_the_recordings_that_there_are),
		office_test(refused_so_often_and_no_more),
		office_test(no_file),
		office_test(the_worker_gets_an_empty_file),
		office_test(a_recording_goes_on_and_ends),
		office_test(marks_that_cannot_be),
		office_test(too_many_marks),
		office_test(no_space_any_more),
		office_test(marks_of_a_clock_that_steps_back),
		office_test(nothing_after_the_last),
		office_test(a_worker_that_dies),
		office_test(a_file_that_is_shorter_than_was_said),
		office_test(the_broker_dies),
		office_test(a_mark_that_cannot_be_kept),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
