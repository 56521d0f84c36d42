#include "unit/broker/office.h"

#include <liboath/oath.h>

static struct answer try_password(struct office *office, const char *account, const char *password,
				  uint8_t key)
{
	union wire_any msg = { .login_password = { .account = account, .password = password } };

	return office_ask_as(office, MSG_login_password, &msg, key, "");
}

static struct answer try_code(struct office *office, const char *code, const char *token)
{
	union wire_any msg = { .login_totp = { .code = code } };

	return office_ask_as(office, MSG_login_totp, &msg, 1, token);
}

static void code_now(struct office *office, char ret[TOTP_DIGITS + 1])
{
	assert_int_equal(oath_totp_generate(secret_text(office->totp), secret_len(office->totp),
					    clock_wall_s(), TOTP_STEP_S, 0, TOTP_DIGITS, ret),
			 OATH_OK);
}

/* Nobody has to wait any more. */
static void forgive(struct office *office)
{
	assert_ok(db_exec(office->db,
			  "UPDATE account SET next_try_ms = 0; UPDATE device SET next_try_ms = 0"));
}

static void both_steps(void **state)
{
	struct office *office = *state;
	char code[TOTP_DIGITS + 1], token[65];
	union wire_any msg = { 0 };
	struct answer answer = try_password(office, "sato", OFFICE_PASSWORD, 1);

	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_text(answer, "next"), "totp");
	assert_int_equal(strlen(answer.cookie), LOGIN_TOKEN_TEXT);
	snprintf(token, sizeof(token), "%s", answer.cookie);
	answer_finish(&answer);
	code_now(office, code);
	answer = try_code(office, code, token);
	assert_int_equal(answer.status, 200);
	assert_string_not_equal(answer.cookie, token);
	assert_string_equal(answer_text(answer, "account"), "sato");
	assert_string_equal(answer_text(answer, "full_name"), "sato 花子");
	assert_string_equal(answer_text(answer, "role"), "staff");
	assert_string_equal(answer_text(answer, "device"), "laptop");
	assert_string_equal(answer_text(answer, "office"), "試験事務所");
	assert_string_equal(answer_text(answer, "zone"), "Asia/Tokyo");
	assert_in_range(answer_number(answer, "login_until"), clock_wall_s() + 12 * 3600 - 5,
			clock_wall_s() + 12 * 3600);
	snprintf(token, sizeof(token), "%s", answer.cookie);
	answer_finish(&answer);
	answer = office_ask_as(office, MSG_me, &msg, 1, token);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_int_equal(office_audit_count(office, "login-password"), 1);
	assert_int_equal(office_audit_count(office, "login"), 1);
	/* And out again. */
	answer = office_ask_as(office, MSG_logout, &msg, 1, token);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.cookie, "-");
	answer_finish(&answer);
	answer = office_ask_as(office, MSG_me, &msg, 1, token);
	assert_error(answer, 401, "auth");
	answer_finish(&answer);
	assert_int_equal(office_audit_count(office, "logout"), 1);
}

static void errors_look_the_same(void **state)
{
	struct office *office = *state;
	int64_t other = office_add_account(office, "suzuki", ACCOUNT_STAFF);
	int64_t gone = office_add_account(office, "gone", ACCOUNT_STAFF),
		bare = office_add_account(office, "bare", ACCOUNT_STAFF);
	struct answer answers[6];
	_cleanup_query_ struct query query = { 0 };

	office_add_device(office, other, 2);
	office_add_device(office, gone, 3);
	office_add_device(office, bare, 4);
	assert_ok(account_set_disabled(office->db, gone, true));
	/* Fail closed: an account without a secret cannot skip the second step. */
	query_init(&query, office->db, "UPDATE account SET totp = NULL WHERE name = 'bare'");
	assert_ok(query_run_one(&query));
	answers[0] = try_password(office, "sato", "wrong", 1);
	answers[1] = try_password(office, "nobody", "wrong", 1);
	answers[2] = try_password(office, "NOT A NAME", "wrong", 1);
	forgive(office);
	answers[3] = try_password(office, "sato", OFFICE_PASSWORD, 2);
	answers[4] = try_password(office, "gone", OFFICE_PASSWORD, 3);
	answers[5] = try_password(office, "bare", OFFICE_PASSWORD, 4);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		assert_error(answers[i], 401, "login");
		assert_int_equal(json_object_size(answers[i].body), 1);
		assert_string_equal(answers[i].cookie, "");
		answer_finish(&answers[i]);
	}
	assert_int_equal(office_audit_count(office, "login-failed"), 6);
}

/* The work is the same, so that the time does not tell who has an account. */
static void unknown_people_take_as_long(void **state)
{
	struct office *office = *state;
	uint64_t begin_us, known_us = UINT64_MAX, unknown_us = UINT64_MAX;

	office_set_hash(office, office->account);
	for (int i = 0; i < 3; i++) {
		struct answer answer;

		begin_us = clock_mono_us();
		answer = try_password(office, "sato", "wrong", 1);
		known_us = MIN(known_us, clock_mono_us() - begin_us);
		answer_finish(&answer);
		forgive(office);
		begin_us = clock_mono_us();
		answer = try_password(office, "nobody", "wrong", 1);
		unknown_us = MIN(unknown_us, clock_mono_us() - begin_us);
		answer_finish(&answer);
		forgive(office);
	}
	/* A missing hash would be off by a factor of a hundred. */
	assert_true(known_us < 3 * unknown_us && unknown_us < 3 * known_us);
}

static void a_code_is_good_once(void **state)
{
	struct office *office = *state;
	char code[TOTP_DIGITS + 1], token[LOGIN_TOKEN_TEXT + 1], again[LOGIN_TOKEN_TEXT + 1];
	struct answer answer;

	office_token(office, office->account, office->device, LOGIN_PASSWORD, token);
	code_now(office, code);
	answer = try_code(office, code, token);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	office_token(office, office->account, office->device, LOGIN_PASSWORD, again);
	answer = try_code(office, code, again);
	assert_error(answer, 401, "login");
	answer_finish(&answer);
	/* The first step's cookie is used up. */
	answer = try_code(office, "123456", token);
	assert_error(answer, 401, "auth");
	answer_finish(&answer);
}

static void codes_that_are_none(void **state)
{
	static const char *const codes[] = { "", "12345", "1234567", "12345a", " 12345", "１２３" };
	struct office *office = *state;
	char token[LOGIN_TOKEN_TEXT + 1];

	office_token(office, office->account, office->device, LOGIN_PASSWORD, token);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct answer answer;

		forgive(office);
		answer = try_code(office, codes[i], token);
		assert_error(answer, 401, "login");
		answer_finish(&answer);
	}
}

/* A broken or foreign sealing key: closed, not skipped. */
static void a_secret_that_does_not_open_lets_nobody_in(void **state)
{
	struct office *office = *state;
	char code[TOTP_DIGITS + 1], token[LOGIN_TOKEN_TEXT + 1];
	struct answer answer;

	assert_ok(db_exec(office->db, "UPDATE account SET totp = x'0102'"));
	office_token(office, office->account, office->device, LOGIN_PASSWORD, token);
	code_now(office, code);
	answer = try_code(office, code, token);
	assert_error(answer, 500, "crypto");
	answer_finish(&answer);
}

static void tries_slow_down(void **state)
{
	struct office *office = *state;
	struct answer answer;

	for (int i = 0; i < 3; i++) {
		answer = try_password(office, "sato", "wrong", 1);
		assert_error(answer, 401, "login");
		answer_finish(&answer);
	}
	/* A minute more, so that a busy machine is not waited out. */
	assert_ok(db_exec(
		office->db,
		"UPDATE account SET next_try_ms = next_try_ms + 60000 WHERE next_try_ms > 0"));
	answer = try_password(office, "sato", OFFICE_PASSWORD, 1);
	assert_error(answer, 429, "throttled");
	assert_in_range(answer_number(answer, "retry_s"), 1, 61);
	answer_finish(&answer);
	/* Not even after a restart. */
	office_restart(office);
	answer = try_password(office, "sato", OFFICE_PASSWORD, 1);
	assert_error(answer, 429, "throttled");
	answer_finish(&answer);
}

static int setup_three(void **state)
{
	return office_setup_with(state, "[login]\nfailures = 3\n");
}

static void locked_until_an_administrator(void **state)
{
	struct office *office = *state;
	int64_t phone = office_add_device(office, office->account, 2);
	struct answer answer;

	for (int i = 0; i < 3; i++) {
		forgive(office);
		answer = try_password(office, "sato", "wrong", 1);
		assert_error(answer, 401, "login");
		answer_finish(&answer);
	}
	assert_int_equal(office_audit_count(office, "login-locked"), 1);
	forgive(office);
	/* Right or wrong: the answer does not depend on the password. */
	answer = try_password(office, "sato", OFFICE_PASSWORD, 1);
	assert_error(answer, 423, "locked");
	answer_finish(&answer);
	answer = try_password(office, "sato", "wrong", 1);
	assert_error(answer, 423, "locked");
	answer_finish(&answer);
	answer = try_password(office, "sato", OFFICE_PASSWORD, 2);
	assert_error(answer, 423, "locked");
	answer_finish(&answer);
	answer = office_order(office, "user unlock", json_pack("{s:s}", "name", "sato"));
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	answer = try_password(office, "sato", OFFICE_PASSWORD, 2);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	answer = try_password(office, "sato", OFFICE_PASSWORD, 1);
	assert_error(answer, 423, "locked");
	answer_finish(&answer);
	answer = office_order(office, "device unlock",
			      json_pack("{s:I}", "id", (json_int_t)office->device));
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	answer = try_password(office, "sato", OFFICE_PASSWORD, 1);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	(void)phone;
}

static void a_colleague_cannot_lock_me_out(void **state)
{
	struct office *office = *state;
	int64_t other = office_add_account(office, "suzuki", ACCOUNT_STAFF);
	struct account account;
	struct answer answer;

	office_add_device(office, other, 2);
	for (int i = 0; i < 3; i++) {
		forgive(office);
		answer = try_password(office, "sato", "wrong", 2);
		assert_error(answer, 401, "login");
		answer_finish(&answer);
	}
	forgive(office);
	answer = try_password(office, "sato", "wrong", 2);
	assert_error(answer, 423, "locked");
	answer_finish(&answer);
	assert_ok(account_by_id(office->db, office->account, &account));
	assert_int_equal(account.failures, 0);
	answer = try_password(office, "sato", OFFICE_PASSWORD, 1);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

/* A person and their device, which has that key. */
static void add_person(struct office *office, uint8_t key, char ret_name[16])
{
	snprintf(ret_name, 16, "person%u", key);
	office_add_device(office, office_add_account(office, ret_name, ACCOUNT_STAFF), key);
}

/* Many people with their devices behind one address, each of them fresh. */
static void an_address_slows_down(void **state)
{
	struct office *office = *state;
	char names[THROTTLE_ADDRESS_FREE + 1][16];
	int throttled = 0;

	for (uint8_t i = 0; i < ARRAY_SIZE(names); i++)
		add_person(office, (uint8_t)(100 + i), names[i]);
	for (uint8_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct answer answer = try_password(office, names[i], "wrong", (uint8_t)(100 + i));

		throttled += answer.status == 429;
		answer_finish(&answer);
	}
	assert_int_equal(throttled, 1);
}

/* Who knows the password cannot use it to get more tries at the code. */
static void wrong_codes_lock_although_the_password_is_right(void **state)
{
	struct office *office = *state;
	struct answer answer;
	char token[65];

	for (int i = 0; i < 3; i++) {
		forgive(office);
		answer = try_password(office, "sato", OFFICE_PASSWORD, 1);
		assert_int_equal(answer.status, 200);
		snprintf(token, sizeof(token), "%s", answer.cookie);
		answer_finish(&answer);
		answer = try_code(office, "abcdef", token);
		assert_error(answer, 401, "login");
		answer_finish(&answer);
	}
	forgive(office);
	answer = try_password(office, "sato", OFFICE_PASSWORD, 1);
	assert_error(answer, 423, "locked");
	answer_finish(&answer);
}

/* What cannot be recorded does not happen. */
static void no_audit_no_login(void **state)
{
	struct office *office = *state;
	char code[TOTP_DIGITS + 1], token[LOGIN_TOKEN_TEXT + 1];
	struct answer answer;
	int64_t count;

	office_token(office, office->account, office->device, LOGIN_PASSWORD, token);
	office_break_audit(office);
	answer = try_password(office, "sato", OFFICE_PASSWORD, 1);
	assert_int_not_equal(answer.status, 200);
	assert_string_equal(answer.cookie, "");
	answer_finish(&answer);
	forgive(office);
	code_now(office, code);
	answer = try_code(office, code, token);
	assert_int_not_equal(answer.status, 200);
	assert_string_equal(answer.cookie, "");
	answer_finish(&answer);
	assert_ok(login_row_count(office->db, &count));
	assert_int_equal(count, 1);
	/* The code was not used up by the try that was rolled back. */
	office_mend_audit(office);
	forgive(office);
	answer = try_code(office, code, token);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

/* Disabled or revoked while the hash was computed. */
static void rights_are_looked_at_again(void **state)
{
	static const char *const changes[] = {
		"UPDATE account SET disabled = 1",
		"UPDATE device SET state = 2",
		"UPDATE certificate SET not_after = 1",
		"UPDATE account SET locked = 1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		union wire_any msg = { .login_password = { .account = "sato",
							   .password = OFFICE_PASSWORD } };
		struct office *office;
		struct answer answer;
		void *fresh;

		office_setup(&fresh);
		office = fresh;
		office_send(office, MSG_login_password, &msg, 1, "");
		assert_ok(loop_step(office->loop, 100));
		assert_ok(db_exec(office->db, changes[i]));
		answer = office_answer(office);
		assert_error(answer, 401, "login");
		answer_finish(&answer);
		office_teardown(&fresh);
	}
}

static void too_many_at_once_are_refused(void **state)
{
	struct office *office = *state;
	union wire_any msg = { .login_password = { .account = "nobody", .password = "x" } };
	const int sent = HASHER_QUEUE_MAX + HASHER_THREADS + 6;
	int refused = 0;

	for (int i = 0; i < sent; i++) {
		char name[16];

		add_person(office, (uint8_t)(100 + i), name);
	}
	for (int i = 0; i < sent; i++) {
		office_send(office, MSG_login_password, &msg, (uint8_t)(100 + i), "");
		throttle_forget(office->broker->addresses, "192.0.2.7");
	}
	for (int i = 0; i < sent; i++) {
		assert_true(
			office_receive(office, office->edge, WIRE_EDGE, MSG_reply, OFFICE_WAIT_MS));
		refused += office->received.msg.reply.status == 503;
		ipc_received_finish(&office->received);
	}
	assert_in_range(refused, 1, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(both_steps),
		office_test(errors_look_the_same),
		office_test(unknown_people_take_as_long),
		office_test(a_code_is_good_once),
		office_test(codes_that_are_none),
		office_test(a_secret_that_does_not_open_lets_nobody_in),
		office_test(tries_slow_down),
		cmocka_unit_test_setup_teardown(locked_until_an_administrator, setup_three,
						office_teardown),
		cmocka_unit_test_setup_teardown(a_colleague_cannot_lock_me_out, setup_three,
						office_teardown),
		cmocka_unit_test_setup_teardown(wrong_codes_lock_although_the_password_is_right,
						setup_three, office_teardown),
		office_test(an_address_slows_down),
		office_test(no_audit_no_login),
		cmocka_unit_test(rights_are_looked_at_again),
		office_test(too_many_at_once_are_refused),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
