/*
 * The signer is the real one's audit key (certs/audit_key.h), behind the test's end of its channel.
 */
#include "unit/broker/office.h"

#include "broker/checkpoint.h"
#include "broker/quota.h"
#include "certs/audit_key.h"

static struct audit_key audit;

static int setup(void **state)
{
	struct office *office;

	assert_int_equal(office_setup(state), 0);
	office = *state;
	assert_ok(audit_key_open(&audit, office->folder, "gw.example.jp", NULL, true));
	return 0;
}

static int teardown(void **state)
{
	audit_key_finish(&audit);
	return office_teardown(state);
}

static void serve(struct office *office)
{
	const struct msg_sign_checkpoint *order = &office->received.msg.sign_checkpoint;
	struct msg_checkpoint_signed answer = { .request = order->request, .key = "" };
	char key[NOTE_KEY_TEXT];

	answer.error = (uint8_t)audit_key_sign(&audit, order, clock_mono_ms());
	if (audit.is_there) {
		assert_ok(note_key_format(&audit.key, key));
		answer.note = (struct bytes){ audit.note.data, audit.note.len };
		answer.key = key;
	}
	assert_ok(ipc_send(office->signer, MSG_checkpoint_signed, &answer, -1));
	ipc_received_finish(&office->received);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
}

/* The broker asks, and is answered. */
static void served(struct office *office)
{
	assert_true(office_receive(office, office->signer, WIRE_SIGNER, MSG_sign_checkpoint,
				   OFFICE_WAIT_MS));
	serve(office);
}

static bool asks_within(struct office *office, uint64_t ms)
{
	for (uint64_t passed = 0; passed < ms; passed += 5000) {
		office_pass(MIN(ms - passed, (uint64_t)5000));
		if (office_receive(office, office->signer, WIRE_SIGNER, MSG_sign_checkpoint, 10))
			return true;
	}
	return false;
}

static void say(struct office *office, int count)
{
	for (int i = 0; i < count; i++)
		assert_ok(broker_audit(office->broker,
				       &(const struct audit_entry){ .event = "something" }));
}

static uint64_t size_of(struct office *office)
{
	uint64_t size;

	assert_ok(audit_size(office->db, &size));
	return size;
}

static void assert_kept(struct office *office, uint64_t size)
{
	struct checkpoint checkpoint;
	struct audit_note note;

	assert_ok(audit_note_last(office->db, &note));
	assert_int_equal(note.size, size);
	assert_ok(checkpoint_open(note.note, strlen(note.note), &audit.key, &checkpoint));
	assert_int_equal(checkpoint.size, size);
}

static void asks_at_start_and_each_minute(void **state)
{
	struct office *office = *state;
	uint64_t size;

	say(office, 3);
	size = size_of(office);
	office_pass(CHECKPOINT_SOON_MS);
	/* First it learns what was signed before. */
	served(office);
	office_pass(CHECKPOINT_SOON_MS);
	if (audit.last.size != size)
		served(office);
	assert_kept(office, size);
	assert_true(checkpoint_key(office->broker->checkpoints)[0]);
	/* Nothing changed. */
	assert_false(asks_within(office, 3 * CHECKPOINT_S * 1000));
	say(office, 1);
	assert_true(asks_within(office, CHECKPOINT_S * 1000));
	serve(office);
	assert_kept(office, size + 1);
	say(office, 2);
	assert_false(asks_within(office, CHECKPOINT_S * 1000 / 2));
	assert_true(asks_within(office, CHECKPOINT_S * 1000));
	serve(office);
	assert_kept(office, size + 3);
}

static void caught_up(struct office *office)
{
	say(office, 1);
	checkpoint_soon(office->broker->checkpoints);
	while (audit.last.size != size_of(office)) {
		office_pass(CHECKPOINT_SOON_MS);
		served(office);
	}
}

static void asks_after_so_many(void **state)
{
	struct office *office = *state;

	caught_up(office);
	say(office, CHECKPOINT_ENTRIES - 1);
	assert_false(asks_within(office, 2 * CHECKPOINT_LOOK_S * 1000));
	say(office, 1);
	assert_true(asks_within(office, CHECKPOINT_LOOK_S * 1000));
	serve(office);
	assert_kept(office, size_of(office));
}

/* The signer had signed, and the broker died before it could keep it. */
static void learns_what_it_missed(void **state)
{
	struct office *office = *state;

	caught_up(office);
	say(office, 2);
	office_pass(CHECKPOINT_S * 1000);
	assert_true(asks_within(office, CHECKPOINT_LOOK_S * 1000));
	assert_ok(audit_key_sign(&audit, &office->received.msg.sign_checkpoint, clock_mono_ms()));
	ipc_received_finish(&office->received);
	office_restart(office);
	caught_up(office);
	assert_kept(office, size_of(office));
	assert_int_equal(office_audit_count(office, AUDIT_EVENT_ALARM), 0);
}

/* Somebody put an older database back. */
static void a_rolled_back_log_is_an_alarm(void **state)
{
	struct office *office = *state;

	say(office, 5);
	caught_up(office);
	assert_ok(db_exec(office->db,
			  "DROP TRIGGER audit_no_delete; DROP TRIGGER audit_node_no_delete;"
			  "DROP TRIGGER audit_checkpoint_no_delete;"
			  "DELETE FROM audit WHERE seq > 2;"
			  "DELETE FROM audit_node WHERE (idx + 1) << level > 2;"
			  "DELETE FROM audit_checkpoint"));
	office_restart(office);
	office_pass(CHECKPOINT_SOON_MS);
	served(office);
	assert_int_equal(office_audit_count(office, AUDIT_EVENT_ALARM), 1);
	/* Until it is as large again; then it is another. Nothing of it is signed. */
	say(office, 20);
	office_pass(CHECKPOINT_S * 1000);
	assert_true(asks_within(office, CHECKPOINT_S * 1000));
	serve(office);
	assert_int_equal(office_audit_count(office, AUDIT_EVENT_ALARM), 1);
	assert_int_equal(audit_note_last(office->db, &(struct audit_note){ 0 }), ERR_NOT_FOUND);
	office_restart(office);
	office_pass(CHECKPOINT_SOON_MS);
	served(office);
	/* The signer says so to the broker that started anew. */
	assert_int_equal(office_audit_count(office, AUDIT_EVENT_ALARM), 2);
}

/* A signer that lies, or another's. */
static void a_false_note_is_not_kept(void **state)
{
	struct office *office = *state;
	struct msg_checkpoint_signed answer = { .key = "" };
	char key[NOTE_KEY_TEXT];
	uint8_t note[NOTE_MAX];

	assert_ok(note_key_format(&audit.key, key));
	office_pass(CHECKPOINT_SOON_MS);
	assert_true(office_receive(office, office->signer, WIRE_SIGNER, MSG_sign_checkpoint,
				   OFFICE_WAIT_MS));
	memcpy(note, audit.note.data, audit.note.len);
	note[5] ^= 1;
	answer.request = office->received.msg.sign_checkpoint.request;
	answer.note = (struct bytes){ note, audit.note.len };
	answer.key = key;
	ipc_received_finish(&office->received);
	assert_ok(ipc_send(office->signer, MSG_checkpoint_signed, &answer, -1));
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
	assert_string_equal(checkpoint_key(office->broker->checkpoints), "");
	assert_int_equal(audit_note_last(office->db, &(struct audit_note){ 0 }), ERR_NOT_FOUND);
}

/* ---- browsers --------------------------------------------------------------------------- */

static void browsers_get_a_proof(void **state)
{
	struct office *office = *state;
	union wire_any msg = { .audit_checkpoint.old = 0 };
	_cleanup_answer_ struct answer none = office_ask(office, MSG_audit_checkpoint, &msg),
				       first = { .fd = -1 }, second = { .fd = -1 };
	struct checkpoint old, new;
	struct tree_proof proof = { .count = 0 };
	struct note_key key;
	json_t *list;

	assert_int_equal(none.status, 200);
	assert_string_equal(answer_text(none, "checkpoint"), "");
	say(office, 5);
	caught_up(office);
	first = office_ask(office, MSG_audit_checkpoint, &msg);
	assert_int_equal(first.status, 200);
	assert_ok(note_key_parse(answer_text(first, "key"), &key));
	assert_ok(checkpoint_open(answer_text(first, "checkpoint"),
				  strlen(answer_text(first, "checkpoint")), &key, &old));
	say(office, 9);
	caught_up(office);
	msg.audit_checkpoint.old = old.size;
	second = office_ask(office, MSG_audit_checkpoint, &msg);
	assert_ok(checkpoint_open(answer_text(second, "checkpoint"),
				  strlen(answer_text(second, "checkpoint")), &key, &new));
	list = json_object_get(second.body, "consistency");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		assert_ok(note_unbase64(text, strlen(text), proof.hash[proof.count++]));
	}
	assert_true(proof.count > 0);
	assert_true(tree_is_consistent(old.size, new.size, old.root, new.root, &proof));
	/* From beyond it there is none. */
	msg.audit_checkpoint.old = new.size + 1;
	answer_finish(&second);
	second = office_ask(office, MSG_audit_checkpoint, &msg);
	assert_int_equal(second.status, 200);
	assert_int_equal(json_array_size(json_object_get(second.body, "consistency")), 0);
}

static void browsers_raise_the_alarm(void **state)
{
	struct office *office = *state;
	union wire_any msg = { .audit_alarm = { .kind = "fork", .kept = 7, .shown = 9 } };
	_cleanup_answer_ struct answer good = office_ask(office, MSG_audit_alarm, &msg),
				       accepted = { .fd = -1 }, bad = { .fd = -1 };
	_cleanup_query_ struct query query = { 0 };
	struct audit_row row;
	bool more;

	assert_int_equal(good.status, 200);
	audit_row_alarms(&query, office->db, 10);
	assert_ok(audit_row_next(&query, &row, &more));
	assert_string_equal(row.event, AUDIT_EVENT_ALARM);
	assert_string_equal(row.detail, "{\"kept\":7,\"kind\":\"fork\",\"shown\":9}");
	assert_int_equal(row.device, office->device);
	msg.audit_alarm.kind = "accepted";
	accepted = office_ask(office, MSG_audit_alarm, &msg);
	assert_int_equal(office_audit_count(office, AUDIT_EVENT_ACCEPTED), 1);
	/* That is the broker's own to say; and what nobody says. */
	msg.audit_alarm.kind = "contradiction";
	bad = office_ask(office, MSG_audit_alarm, &msg);
	assert_error(bad, 400, "invalid");
	for (int i = 0; i < QUOTA_ALARMS_PER_MINUTE + 1; i++) {
		answer_finish(&bad);
		msg.audit_alarm.kind = "fork";
		bad = office_ask(office, MSG_audit_alarm, &msg);
	}
	assert_error(bad, 429, "throttled");
}

#define signed_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		signed_test(asks_at_start_and_each_minute),
		signed_test(asks_after_so_many),
		signed_test(learns_what_it_missed),
		signed_test(a_rolled_back_log_is_an_alarm),
		signed_test(a_false_note_is_not_kept),
		signed_test(browsers_get_a_proof),
		signed_test(browsers_raise_the_alarm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
