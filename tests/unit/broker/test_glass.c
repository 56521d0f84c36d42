#include "unit/broker/vault.h"

#include "broker/documents.h"
#include "broker/glass.h"
#include "broker/quota.h"
#include "broker/records.h"

/* Everybody's device has the key of their place here. */
enum person { NOBODY, SATO, TANAKA, KATO, MORI, KANSA, KANRI, PEOPLE };

static const struct {
	const char *name, *records;
	enum account_role role;
} told[PEOPLE] = {
	[TANAKA] = { "tanaka", "manage", ACCOUNT_STAFF },
	[KATO] = { "kato", "manage", ACCOUNT_STAFF },
	[MORI] = { "mori", "use", ACCOUNT_STAFF },
	[KANSA] = { "kansa", NULL, ACCOUNT_AUDITOR },
	[KANRI] = { "kanri", NULL, ACCOUNT_ADMIN },
};

static struct world {
	struct vault vault;
	int64_t account[PEOPLE];
	char token[PEOPLE][LOGIN_TOKEN_TEXT + 1];
} world;

static void link_vault(struct office *office)
{
	vault_link(office, &world.vault);
	vault_says(office, &world.vault, VAULT_OPEN);
	vault_hears(office, &world.vault, MSG_record_floor);
}

/* sato and mori use records, tanaka and kato manage them, kansa audits, kanri runs the gateway. */
static int setup(void **state)
{
	struct office *office;
	char arguments[100];

	office_setup(state);
	office = *state;
	memset(&world, 0, sizeof(world));
	world.vault.fd = -1;
	world.account[SATO] = office->account;
	memcpy(world.token[SATO], office->token, sizeof(office->token));
	ordered(office, "user duty", "{\"name\":\"sato\",\"duty\":\"use\"}");
	for (int i = TANAKA; i < PEOPLE; i++) {
		world.account[i] = office_add_account(office, told[i].name, told[i].role);
		office_token(office, world.account[i],
			     office_add_device(office, world.account[i], (uint8_t)i), LOGIN_FULL,
			     world.token[i]);
		snprintf(arguments, sizeof(arguments), "{\"name\":\"%s\",\"duty\":\"%s\"}",
			 told[i].name, told[i].records ? told[i].records : "");
		if (told[i].records)
			ordered(office, "user duty", arguments);
	}
	link_vault(office);
	return 0;
}

static int teardown(void **state)
{
	util_closep(&world.vault.fd);
	world.vault.fd = -1;
	return office_teardown(state);
}

#define glass_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void send(struct office *office, enum person who, unsigned op, const char *body)
{
	union wire_any msg = {
		.record_ask = { .op = (uint16_t)op,
				.body = { (const uint8_t *)body, strlen(body) } },
	};

	office_send(office, MSG_record_ask, &msg, (uint8_t)who, world.token[who]);
}

/* CODE in a body stands for a code that was not used yet. */
printf_like(4, 5) static struct answer
	ask(struct office *office, enum person who, unsigned op, const char *format, ...)
{
	char body[1024], code[8];
	va_list values;
	char *at;

	va_start(values, format);
	vsnprintf(body, sizeof(body), format, values);
	va_end(values);
	at = strstr(body, "CODE12");
	if (at) {
		assert_ok(db_exec(office->db, "UPDATE account SET totp_last = 0"));
		assert_int_equal(
			oath_totp_generate(secret_text(office->totp), secret_len(office->totp),
					   (time_t)clock_wall_s(), TOTP_STEP_S,
					   OATH_TOTP_DEFAULT_START_TIME, TOTP_DIGITS, code),
			OATH_OK);
		memcpy(at, code, 6);
	}
	send(office, who, op, body);
	return office_answer(office);
}

#define expect(wanted, code, ...)                                                                  \
	do {                                                                                       \
		_cleanup_answer_ struct answer expected = ask(__VA_ARGS__);                        \
		const char *got = answer_text(expected, "error");                                  \
		assert_string_equal(got ? got : "", code);                                         \
		assert_int_equal(expected.status, wanted);                                         \
	} while (0)

static int64_t asks_for(struct office *office, enum person by, enum person person)
{
	_cleanup_answer_ struct answer answer =
		ask(office, by, OP_glass_ask,
		    "{\"account\":%lld,\"reason\":\"担当者の急病のため\",\"code\":\"CODE12\"}",
		    (long long)world.account[person]);

	assert_int_equal(answer.status, 200);
	return answer_number(answer, "glass");
}

#define CONFIRM "{\"glass\":%lld,\"code\":\"CODE12\"}"

/* tanaka asks for sato, kato agrees. */
static int64_t opened(struct office *office)
{
	int64_t glass = asks_for(office, TANAKA, SATO);

	expect(200, "", office, KATO, OP_glass_confirm, CONFIRM, (long long)glass);
	return glass;
}

/* With which duties the vault hears of it, and then says that something is written wrong. */
static unsigned duty_in_order(struct office *office, enum person who, unsigned op)
{
	send(office, who, op, "{\"code\":\"000000\"}");
	vault_hears(office, &world.vault, MSG_record_order);
	const struct msg_record_order order = office->received.msg.record_order;
	const struct msg_record_answer msg = { .request = order.request,
					       .error = ERR_INVALID,
					       .field = "" };
	assert_ok(ipc_send(world.vault.fd, MSG_record_answer, &msg, -1));
	_cleanup_answer_ struct answer answer = office_answer(office);
	assert_int_equal(answer.status, 400);
	return order.duty;
}

static bool looks(struct office *office, enum person who)
{
	return duty_in_order(office, who, OP_record_list) & DUTY_GLASS;
}

static size_t listed(struct office *office, enum person who)
{
	_cleanup_answer_ struct answer answer = ask(office, who, OP_glass_list, "{}");

	assert_int_equal(answer.status, 200);
	return json_array_size(json_object_get(answer.body, "rows"));
}

static void assert_why(struct office *office, const char *event, const char *why)
{
	struct audit_row row = office_audit_last(office, event);
	char text[64];

	snprintf(text, sizeof(text), "\"why\":\"%s\"", why);
	assert_non_null(strstr(row.detail, text));
}

/* ---- two people ------------------------------------------------------------------------- */

static void it_takes_two_and_a_code_of_each(void **state)
{
	struct office *office = *state;
	int64_t glass;

	expect(403, "denied", office, SATO, OP_glass_ask,
	       "{\"reason\":\"見たいから\",\"code\":\"CODE12\"}");
	expect(401, "login", office, TANAKA, OP_glass_ask,
	       "{\"reason\":\"担当者の急病\",\"code\":\"000000\"}");
	assert_int_equal(listed(office, TANAKA), 0);
	glass = asks_for(office, TANAKA, SATO);
	assert_false(looks(office, SATO));
	/* Not who asked, and nobody whose duty it is not. */
	expect(403, "denied", office, TANAKA, OP_glass_confirm, CONFIRM, (long long)glass);
	expect(403, "denied", office, MORI, OP_glass_confirm, CONFIRM, (long long)glass);
	expect(403, "denied", office, KANSA, OP_glass_confirm, CONFIRM, (long long)glass);
	expect(403, "denied", office, KANRI, OP_glass_confirm, CONFIRM, (long long)glass);
	expect(401, "login", office, KATO, OP_glass_confirm, "{\"glass\":%lld,\"code\":\"000000\"}",
	       (long long)glass);
	expect(400, "invalid", office, KATO, OP_glass_confirm, "{\"glass\":%lld}",
	       (long long)glass);
	assert_false(looks(office, SATO));
	expect(200, "", office, KATO, OP_glass_confirm, CONFIRM, (long long)glass);
	assert_true(looks(office, SATO));
	assert_false(looks(office, MORI));
	expect(409, "state", office, KATO, OP_glass_confirm, CONFIRM, (long long)glass);
	/* All that was refused is said, with who it was. */
	assert_int_equal(office_audit_count(office, "record-refused"), 8);
	struct audit_row row = office_audit_last(office, "glass-ask");
	assert_int_equal(row.seq, glass);
	assert_string_equal(row.account, "tanaka");
	assert_non_null(strstr(row.detail, "\"person\":\"sato\""));
	assert_non_null(strstr(row.detail, "\"reason\":\"担当者の急病のため\""));
	row = office_audit_last(office, "glass-confirm");
	assert_string_equal(row.account, "kato");
	assert_non_null(strstr(row.detail, "\"person\":\"sato\""));
	assert_non_null(strstr(row.detail, "\"asked_by\":\"tanaka\""));
	assert_non_null(strstr(row.detail, "\"agreed_by\":\"kato\""));
}

static void nobody_agrees_to_what_he_gains(void **state)
{
	struct office *office = *state;
	int64_t glass = asks_for(office, TANAKA, KATO);

	expect(403, "denied", office, KATO, OP_glass_confirm, CONFIRM, (long long)glass);
	expect(200, "", office, KATO, OP_glass_end, "{\"glass\":%lld}", (long long)glass);
	assert_why(office, "glass-refuse", "person");
	/* For himself: nobody named. */
	_cleanup_answer_ struct answer answer =
		ask(office, TANAKA, OP_glass_ask,
		    "{\"reason\":\"税務調査のため\",\"code\":\"CODE12\"}");
	glass = answer_number(answer, "glass");
	expect(200, "", office, KATO, OP_glass_confirm, CONFIRM, (long long)glass);
	assert_true(looks(office, TANAKA));
}

static void what_is_asked_has_to_be_said(void **state)
{
	struct office *office = *state;
	static const char *const bad[] = {
		"{\"code\":\"CODE12\"}",
		"{\"reason\":\"急\",\"code\":\"CODE12\"}",
		"{\"reason\":\"     \",\"code\":\"CODE12\"}",
		"{\"reason\":7,\"code\":\"CODE12\"}",
		"{\"reason\":\"急病のため\"}",
		"{\"reason\":\"急病のため\",\"code\":\"CODE12\",\"account\":999}",
		"{\"reason\":\"急病のため\",\"code\":\"CODE12\",\"account\":\"sato\"}",
		"{\"reason\":\"急病のため\",\"code\":\"CODE12\",\"hours\":9}",
	};
	char reason[300];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect(400, "invalid", office, TANAKA, OP_glass_ask, "%s", bad[i]);
	memset(reason, 'x', sizeof(reason));
	reason[257] = '\0';
	expect(400, "invalid", office, TANAKA, OP_glass_ask,
	       "{\"reason\":\"%s\",\"code\":\"CODE12\"}", reason);
	/* Those who audit or run the gateway get no look by it. */
	for (int who = KANSA; who <= KANRI; who++)
		expect(400, "invalid", office, TANAKA, OP_glass_ask,
		       "{\"reason\":\"急病のため\",\"code\":\"CODE12\",\"account\":%lld}",
		       (long long)world.account[who]);
	assert_int_equal(listed(office, TANAKA), 0);
}

static void so_many_at_once(void **state)
{
	struct office *office = *state;

	office_stop_time();
	asks_for(office, TANAKA, SATO);
	expect(409, "state", office, KATO, OP_glass_ask,
	       "{\"reason\":\"急病のため\",\"code\":\"CODE12\",\"account\":%lld}",
	       (long long)world.account[SATO]);
	asks_for(office, TANAKA, MORI);
	expect(507, "full", office, TANAKA, OP_glass_ask,
	       "{\"reason\":\"急病のため\",\"code\":\"CODE12\"}");
	for (int i = 0; i < QUOTA_GLASSES_PER_MINUTE; i++) {
		int64_t glass = asks_for(office, KATO, KATO);

		expect(200, "", office, KATO, OP_glass_end, "{\"glass\":%lld}", (long long)glass);
	}
	expect(429, "throttled", office, KATO, OP_glass_ask,
	       "{\"reason\":\"急病のため\",\"code\":\"CODE12\"}");
}

static void without_an_entry_it_does_not_begin(void **state)
{
	struct office *office = *state;
	int64_t glass = asks_for(office, TANAKA, SATO);

	office_break_audit(office);
	_cleanup_answer_ struct answer confirmed =
		ask(office, KATO, OP_glass_confirm, CONFIRM, (long long)glass);
	_cleanup_answer_ struct answer asked =
		ask(office, KATO, OP_glass_ask, "{\"reason\":\"急病のため\",\"code\":\"CODE12\"}");
	assert_true(confirmed.status >= 400 && asked.status >= 400);
	office_mend_audit(office);
	assert_false(looks(office, SATO));
	assert_int_equal(listed(office, TANAKA), 1);
	/* But its end does not wait for one. */
	expect(200, "", office, KATO, OP_glass_confirm, CONFIRM, (long long)glass);
	office_break_audit(office);
	_cleanup_answer_ struct answer ended =
		ask(office, KATO, OP_glass_end, "{\"glass\":%lld}", (long long)glass);
	assert_true(ended.status >= 400);
	office_mend_audit(office);
	assert_false(looks(office, SATO));
}

static void not_while_the_vault_is_closed(void **state)
{
	struct office *office = *state;

	vault_says(office, &world.vault, VAULT_SEALED);
	expect(423, "locked", office, TANAKA, OP_glass_ask,
	       "{\"reason\":\"急病のため\",\"code\":\"CODE12\"}");
	assert_int_equal(office_audit_count(office, "glass-ask"), 0);
}

/* ---- what it is for --------------------------------------------------------------------- */

static void it_counts_for_looking_alone(void **state)
{
	struct office *office = *state;
	int64_t glass;

	expect(403, "denied", office, TANAKA, OP_record_reveal, "{\"code\":\"000000\"}");
	opened(office);
	glass = asks_for(office, TANAKA, TANAKA);
	expect(200, "", office, KATO, OP_glass_confirm, CONFIRM, (long long)glass);
	for (size_t i = 0; i < record_op_count; i++) {
		const struct record_op *op = &record_ops[i];
		unsigned duty;

		if (op->flags & OP_LOCAL || !(op->duties & DUTY_USE))
			continue;
		duty = duty_in_order(office, SATO, op->number);
		assert_int_equal(duty, op->flags & OP_GLASS ? DUTY_USE | DUTY_GLASS : DUTY_USE);
	}
	/* Whoever manages reveals numbers by it, as nobody else of them does. */
	assert_int_equal(duty_in_order(office, TANAKA, OP_record_reveal), DUTY_MANAGE | DUTY_GLASS);
	expect(403, "denied", office, KATO, OP_record_reveal, "{\"code\":\"000000\"}");
	expect(403, "denied", office, SATO, OP_request_approve, "{}");
}

static uint32_t in_vault(struct office *office, unsigned op)
{
	send(office, SATO, op, "{}");
	vault_hears(office, &world.vault, MSG_record_order);
	return office->received.msg.record_order.request;
}

static void hold(uint32_t request)
{
	const struct msg_record_hold msg = { .request = request,
					     .record = 7,
					     .detail = { (const uint8_t *)"{}", 2 } };

	assert_ok(ipc_send(world.vault.fd, MSG_record_hold, &msg, -1));
}

static void answer_it(uint32_t request, enum err error, uint64_t record)
{
	const struct msg_record_answer msg = { .request = request,
					       .error = (uint8_t)error,
					       .field = "",
					       .record = record,
					       .body = { (const uint8_t *)"{\"x\":1}", 7 } };

	assert_ok(ipc_send(world.vault.fd, MSG_record_answer, &msg, -1));
}

static void assert_marked(struct office *office, const char *event, int64_t glass)
{
	struct audit_row row = office_audit_last(office, event);
	char text[40];

	snprintf(text, sizeof(text), "\"glass\":%lld", (long long)glass);
	assert_non_null(strstr(row.detail, text));
	assert_string_equal(row.account, "sato");
}

static void all_that_is_seen_is_marked(void **state)
{
	struct office *office = *state;
	int64_t glass = opened(office);
	uint32_t request = in_vault(office, OP_record_show);

	hold(request);
	vault_hears(office, &world.vault, MSG_record_go);
	answer_it(request, OK, 7);
	_cleanup_answer_ struct answer shown = office_answer(office);
	assert_int_equal(shown.status, 200);
	assert_marked(office, "record-show", glass);
	/* What has no entry else has one by it, before it is seen. */
	answer_it(in_vault(office, OP_document_list), OK, 7);
	_cleanup_answer_ struct answer seen = office_answer(office);
	assert_int_equal(seen.status, 200);
	assert_marked(office, "glass-look", glass);
	request = in_vault(office, OP_record_list);
	office_break_audit(office);
	answer_it(request, OK, 0);
	_cleanup_answer_ struct answer unseen = office_answer(office);
	assert_true(unseen.status >= 400);
	office_mend_audit(office);
	/* And so has what was refused. */
	answer_it(in_vault(office, OP_record_show), ERR_NOT_FOUND, 7);
	_cleanup_answer_ struct answer refused_one = office_answer(office);
	assert_int_equal(refused_one.status, 404);
	assert_marked(office, "record-refused", glass);
	/* Whoever may see the record sees it in its history. */
	answer_it(in_vault(office, OP_record_history), OK, 7);
	_cleanup_answer_ struct answer history = office_answer(office);
	const json_t *rows = json_object_get(history.body, "rows");
	assert_int_equal(json_array_size(rows), 4);
	for (size_t i = 0; i < json_array_size(rows); i++)
		assert_true(json_is_true(json_object_get(json_array_get(rows, i), "glass")));
}

/* ---- who hears of it -------------------------------------------------------------------- */

static void everybody_hears_of_it(void **state)
{
	struct office *office = *state;

	opened(office);
	assert_int_equal(listed(office, SATO), 1);
	assert_int_equal(listed(office, MORI), 0);
	for (int who = TANAKA; who < PEOPLE; who++)
		if (who != MORI)
			assert_int_equal(listed(office, (enum person)who), 1);
	_cleanup_answer_ struct answer answer = ask(office, KANRI, OP_glass_list, "{}");
	const json_t *row = json_array_get(json_object_get(answer.body, "rows"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "person")), "sato");
	assert_string_equal(json_string_value(json_object_get(row, "by")), "tanaka");
	assert_string_equal(json_string_value(json_object_get(row, "with")), "kato");
	assert_true(json_is_false(json_object_get(row, "end")));
}

/* ---- how it ends ------------------------------------------------------------------------ */

static void it_ends_by_time(void **state)
{
	struct office *office = *state;

	asks_for(office, TANAKA, SATO);
	office_pass(GLASS_WAIT_S * 1000 - 5000);
	assert_int_equal(listed(office, TANAKA), 1);
	office_pass(6000);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 2));
	assert_why(office, "glass-refuse", "time");
	assert_int_equal(listed(office, TANAKA), 0);
	opened(office);
	office_pass((uint64_t)(GLASS_OPEN_S - 60) * 1000);
	assert_true(looks(office, SATO));
	office_pass(61000);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 2));
	assert_why(office, "glass-end", "time");
	assert_false(looks(office, SATO));
}

/* Whichever of the clocks says so first: the machine may have slept. */
static void it_ends_by_the_wall_clock(void **state)
{
	struct office *office = *state;
	int64_t glass = opened(office);
	struct account sato;

	assert_ok(account_by_id(office->db, world.account[SATO], &sato));
	office_leap_ms += (GLASS_OPEN_S - 60) * 1000;
	assert_int_equal(glass_of(office->broker, &sato), glass);
	office_leap_ms += 61 * 1000;
	assert_int_equal(glass_of(office->broker, &sato), 0);
	office_leap_ms = 0;
}

static void it_is_ended_by_these(void **state)
{
	static const enum person may[] = { SATO, TANAKA, KATO, KANSA };
	struct office *office = *state;
	int64_t glass;

	for (size_t i = 0; i < ARRAY_SIZE(may); i++) {
		glass = opened(office);
		expect(404, "not-found", office, MORI, OP_glass_end, "{\"glass\":%lld}",
		       (long long)glass);
		expect(403, "denied", office, KANRI, OP_glass_end, "{\"glass\":%lld}",
		       (long long)glass);
		expect(404, "not-found", office, KATO, OP_glass_end, "{\"glass\":1}");
		assert_true(looks(office, SATO));
		expect(200, "", office, may[i], OP_glass_end, "{\"glass\":%lld}", (long long)glass);
		assert_why(office, "glass-end", "person");
		assert_false(looks(office, SATO));
	}
}

/* Of whoever has a part in it. */
static void it_ends_with_a_duty(void **state)
{
	static const char *const orders[][2] = {
		{ "user duty", "{\"name\":\"tanaka\",\"duty\":\"use\"}" },
		{ "user duty", "{\"name\":\"tanaka\",\"duty\":\"manage\"}" },
		{ "user duty", "{\"name\":\"kato\",\"duty\":\"none\"}" },
		{ "user duty", "{\"name\":\"kato\",\"duty\":\"manage\"}" },
		{ "user duty", "{\"name\":\"sato\",\"duty\":\"none\"}" },
		{ "user duty", "{\"name\":\"sato\",\"duty\":\"use\"}" },
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(orders); i += 2) {
		opened(office);
		ordered(office, orders[i][0], orders[i][1]);
		assert_int_equal(office_audit_count(office, "glass-end"), i / 2 + 1);
		assert_why(office, "glass-end", "rights");
		ordered(office, orders[i + 1][0], orders[i + 1][1]);
		assert_false(looks(office, SATO));
	}
	/* One that only waits, too. */
	asks_for(office, TANAKA, SATO);
	ordered(office, "user disable", "{\"name\":\"tanaka\"}");
	assert_why(office, "glass-refuse", "rights");
}

/* Without a word to this part of the broker: nothing is seen by it from then on, and soon it ends.
 */
static void it_ends_with_an_account(void **state)
{
	static const char *const ways[] = {
		"UPDATE account SET locked = 1 WHERE name = 'kato'",
		"UPDATE account SET disabled = 1 WHERE name = 'tanaka'",
		"UPDATE account SET duty = 0 WHERE name = 'kato'",
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		opened(office);
		assert_ok(db_exec(office->db, ways[i]));
		assert_false(looks(office, SATO));
		office_pass(SESSION_PING_S * 1000 + 100);
		for (int k = 0; k < 5; k++)
			assert_ok(loop_step(office->loop, 2));
		assert_int_equal(office_audit_count(office, "glass-end"), i + 1);
		assert_ok(db_exec(office->db, "UPDATE account SET locked = 0, disabled = 0, duty = "
					      "2 WHERE name IN ('tanaka', 'kato')"));
		assert_false(looks(office, SATO));
	}
	opened(office);
	assert_ok(db_exec(office->db, "UPDATE account SET locked = 1 WHERE name = 'sato'"));
	assert_false(looks(office, SATO));
}

static void it_ends_with_the_seal(void **state)
{
	struct office *office = *state;

	opened(office);
	vault_says(office, &world.vault, VAULT_SEALED);
	assert_why(office, "glass-end", "sealed");
	vault_says(office, &world.vault, VAULT_OPEN);
	vault_hears(office, &world.vault, MSG_record_floor);
	assert_false(looks(office, SATO));
	office_pass(60000);
	opened(office);
	util_closep(&world.vault.fd);
	world.vault.fd = -1;
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 2));
	assert_int_equal(office_audit_count(office, "glass-end"), 2);
	link_vault(office);
	assert_false(looks(office, SATO));
}

static void it_does_not_outlive_the_broker(void **state)
{
	struct office *office = *state;
	int64_t glass = opened(office);

	asks_for(office, KATO, MORI);
	for (int i = 0; i < 2; i++) {
		util_closep(&world.vault.fd);
		world.vault.fd = -1;
		office_restart(office);
		link_vault(office);
		assert_false(looks(office, SATO));
		assert_int_equal(listed(office, TANAKA), 0);
		/* Said once. */
		assert_int_equal(office_audit_count(office, "glass-end"), 1);
		assert_int_equal(office_audit_count(office, "glass-refuse"), 1);
	}
	assert_why(office, "glass-end", "restart");
	assert_why(office, "glass-refuse", "restart");
	char text[40];
	snprintf(text, sizeof(text), "\"glass\":%lld", (long long)glass);
	assert_non_null(strstr(office_audit_last(office, "glass-end").detail, text));
}

/* With its end ends what is on its way. */
static void what_is_on_its_way_is_not_seen(void **state)
{
	struct office *office = *state;
	int64_t glass = opened(office);
	uint32_t request = in_vault(office, OP_record_show);
	char body[40];

	hold(request);
	vault_hears(office, &world.vault, MSG_record_go);
	snprintf(body, sizeof(body), "{\"glass\":%lld}", (long long)glass);
	uint32_t asked = office->request;
	send(office, KATO, OP_glass_end, body);
	_cleanup_answer_ struct answer first = office_answer_any(office);
	_cleanup_answer_ struct answer second = office_answer_any(office);
	assert_int_equal(first.request, asked);
	assert_int_equal(first.status, 403);
	assert_int_equal(second.status, 200);
	/* The vault's answer comes to nobody. */
	answer_it(request, OK, 7);
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 2));
	assert_null(office->broker->asks);
	/* A list for which there is no more of it, though nobody has said so. */
	office_pass(60000);
	opened(office);
	request = in_vault(office, OP_record_list);
	assert_ok(db_exec(office->db, "UPDATE account SET duty = 0 WHERE name = 'kato'"));
	answer_it(request, OK, 0);
	_cleanup_answer_ struct answer third = office_answer(office);
	assert_int_equal(third.status, 403);
}

/* And so does a preview that goes on. */
static void a_stream_ends_with_it(void **state)
{
	struct office *office = *state;
	int64_t glass = opened(office);
	uint32_t request = in_vault(office, OP_document_preview);
	const struct msg_record_answer msg = { .request = request, .field = "", .stream = 5 };

	hold(request);
	vault_hears(office, &world.vault, MSG_record_go);
	assert_ok(ipc_send(world.vault.fd, MSG_record_answer, &msg, -1));
	_cleanup_answer_ struct answer answer = office_answer(office);
	assert_int_equal(answer.status, 200);
	expect(200, "", office, KATO, OP_glass_end, "{\"glass\":%lld}", (long long)glass);
	/* Long before nobody has opened it in time. */
	assert_true(office_receive(office, world.vault.fd, WIRE_VAULT, MSG_record_stream_close,
				   DOCUMENTS_ATTACH_S * 1000 / 3));
	assert_int_equal(office->received.msg.record_stream_close.stream, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		glass_test(it_takes_two_and_a_code_of_each),
		glass_test(nobody_agrees_to_what_he_gains),
		glass_test(what_is_asked_has_to_be_said),
		glass_test(so_many_at_once),
		glass_test(without_an_entry_it_does_not_begin),
		glass_test(not_while_the_vault_is_closed),
		glass_test(it_counts_for_looking_alone),
		glass_test(all_that_is_seen_is_marked),
		glass_test(everybody_hears_of_it),
		glass_test(it_ends_by_time),
		glass_test(it_ends_by_the_wall_clock),
		glass_test(it_is_ended_by_these),
		glass_test(it_ends_with_a_duty),
		glass_test(it_ends_with_an_account),
		glass_test(it_ends_with_the_seal),
		glass_test(it_does_not_outlive_the_broker),
		glass_test(what_is_on_its_way_is_not_seen),
		glass_test(a_stream_ends_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
