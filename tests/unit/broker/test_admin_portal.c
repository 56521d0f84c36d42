#include "unit/broker/orders.h"

/* Orders of administrators in the portal: which are open, to whom, and what is written about them.
 */

static void asked(struct office *office, struct answer answer, unsigned status, const char *code)
{
	(void)office;
	assert_int_equal(answer.status, status);
	if (code)
		assert_string_equal(answer_text(answer, "error"), code);
	answer_finish(&answer);
}

static void only_administrators_order(void **state)
{
	struct office *office = *state;
	union wire_any look = { .admin_look = { .command = "device list" } };
	union wire_any order_msg = { .admin_order = {
					     .command = "device revoke",
					     .arguments = { (const uint8_t *)"{\"id\":1}", 8 } } };
	char token[LOGIN_TOKEN_TEXT + 1];

	asked(office, office_ask(office, MSG_admin_look, &look), 403, "denied");
	asked(office, office_ask(office, MSG_admin_order, &order_msg), 403, "denied");
	assert_int_equal(office_audit_count(office, "device-revoke"), 0);
	office_add_admin(office, token);
	asked(office, portal_look(office, token, "device list"), 200, NULL);
	asked(office, portal_look(office, "", "device list"), 401, "auth");
}

static void a_locked_login_orders_nothing(void **state)
{
	struct office *office = *state;
	char token[LOGIN_TOKEN_TEXT + 1];

	office_add_admin(office, token);
	assert_ok(db_exec(office->db, "UPDATE login SET locked = 1"));
	asked(office, portal_look(office, token, "device list"), 423, "locked");
	asked(office, portal_order(office, token, "device revoke", "{\"id\":1}"), 423, "locked");
}

/* A page that shows the queue must not keep its login alive by asking. */
static void looking_is_no_use_of_the_login(void **state)
{
	struct office *office = *state;
	_cleanup_query_ struct query query = { 0 };
	char token[LOGIN_TOKEN_TEXT + 1];

	office_add_admin(office, token);
	assert_ok(db_exec(office->db, "UPDATE login SET used = used - 1000"));
	asked(office, portal_look(office, token, "device invites"), 200, NULL);
	query_init(&query, office->db, "SELECT max(used) FROM login");
	assert_ok(query_one(&query));
	assert_true(query_col_i64(&query, 0) < clock_wall_s() - 500);
	asked(office, portal_order(office, token, "device unlock", "{\"id\":1}"), 200, NULL);
	query_finish(&query);
	query_init(&query, office->db, "SELECT max(used) FROM login");
	assert_ok(query_one(&query));
	assert_true(query_col_i64(&query, 0) > clock_wall_s() - 500);
}

/* The whole table: what is not open is not there, and the two ways do not mix. */
static void the_table_says_what_is_open(void **state)
{
	struct office *office = *state;
	char token[LOGIN_TOKEN_TEXT + 1];
	size_t open = 0;

	office_add_admin(office, token);
	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = &commands[i];
		_cleanup_answer_ struct answer look = portal_look(office, token, command->name);
		_cleanup_answer_ struct answer order_answer =
			portal_order(office, token, command->name, "{\"no-such\":1}");

		switch (command->web) {
		case COMMAND_WEB_NO:
			assert_error(look, 404, "not-found");
			assert_error(order_answer, 404, "not-found");
			break;
		case COMMAND_WEB_LOOK:
			/* No vault runs in the test's office. */
			if (look.status != (util_streq(command->name, "vault status") ? 503 : 200))
				fail_msg("%s: %u", command->name, look.status);
			assert_error(order_answer, 405, "method");
			open++;
			break;
		case COMMAND_WEB_ORDER:
			assert_error(look, 405, "method");
			assert_error(order_answer, 400, "invalid");
			assert_string_equal(answer_text(order_answer, "field"), "no-such");
			open++;
			break;
		}
	}
	assert_true(open >= 12);
	asked(office, portal_look(office, token, "no such command"), 404, "not-found");
	asked(office, portal_order(office, token, "", "{}"), 404, "not-found");
}

/* Nothing that makes accounts, hands out secrets or changes the CA can be clicked. */
static void some_things_stay_with_the_cli(void **state)
{
	static const char *const never[] = { "user add",     "user totp",        "user password",
					     "device enrol", "host credentials", "gateway rekey" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		assert_int_equal(command_find(never[i])->web, COMMAND_WEB_NO);
}

static void errors_come_in_both_languages(void **state)
{
	static const struct {
		const char *command, *arguments, *field;
	} wrong[] = {
		{ "device revoke", "{\"id\":\"1\"}", "id" },
		{ "device revoke", "{\"id\":99}", "id" },
		{ "device revoke", "{}", "id" },
		{ "device revoke", "{\"id\":1,\"out\":\"/etc/passwd\"}", "out" },
		{ "device revoke", "[1]", "arguments" },
		{ "device revoke", "{\"id\":1,\"id\":2}", "arguments" },
		{ "device revoke", "", "arguments" },
		{ "device retire", "{\"id\":1,\"disposal\":\"sold\"}", "disposal" },
		{ "device refuse", "{\"id\":1}", "reason" },
		{ "device invite", "{\"user\":\"nobody\",\"name\":\"PC\"}", "user" },
		{ "device invite", "{\"user\":\"sato\",\"name\":\"\"}", "name" },
		{ "device invite", "{\"user\":\"sato\",\"name\":\"PC\",\"out\":\"/tmp/x\"}",
		  "out" },
		{ "device share", "{\"id\":1,\"user\":\"nobody\"}", "user" },
	};
	struct office *office = *state;
	char token[LOGIN_TOKEN_TEXT + 1];

	office_add_admin(office, token);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_answer_ struct answer answer =
			portal_order(office, token, wrong[i].command, wrong[i].arguments);

		assert_true(answer.status == 400 || answer.status == 404);
		assert_string_equal(answer_text(answer, "field"), wrong[i].field);
		assert_non_null(answer_text(answer, "message"));
		assert_non_null(answer_text(answer, "message_ja"));
	}
}

static void the_log_says_who_it_was(void **state)
{
	struct office *office = *state;
	char token[LOGIN_TOKEN_TEXT + 1];
	struct audit_row row;

	office_add_admin(office, token);
	asked(office, portal_order(office, token, "device unlock", "{\"id\":1}"), 200, NULL);
	row = office_audit_last(office, "device-unlock");
	assert_string_equal(row.account, "kanri");
	assert_int_equal(row.device, 2);
	assert_string_equal(row.address, "192.0.2.7");
	assert_null(strstr(row.detail, "uid"));
	ordered(office, "device unlock", "{\"id\": 1}");
	row = office_audit_last(office, "device-unlock");
	assert_string_equal(row.account, "");
	assert_non_null(strstr(row.detail, "\"uid\""));
}

static void what_cannot_be_recorded_is_not_done(void **state)
{
	struct office *office = *state;
	char token[LOGIN_TOKEN_TEXT + 1];
	struct device device;

	office_add_admin(office, token);
	office_break_audit(office);
	asked(office, portal_order(office, token, "device revoke", "{\"id\":1}"), 409, NULL);
	office_mend_audit(office);
	assert_ok(device_by_id(office->db, 1, &device));
	assert_int_equal(device.state, DEVICE_ACTIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(only_administrators_order),
		office_test(a_locked_login_orders_nothing),
		office_test(looking_is_no_use_of_the_login),
		office_test(the_table_says_what_is_open),
		cmocka_unit_test(some_things_stay_with_the_cli),
		office_test(errors_come_in_both_languages),
		office_test(the_log_says_who_it_was),
		office_test(what_cannot_be_recorded_is_not_done),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
