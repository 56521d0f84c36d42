#include "unit/broker/office.h"
#include "wire/record_ops.h"

/* What a person can be when a request comes. */
enum who {
	STRANGER,     /* a device that nobody enrolled */
	NOBODY,       /* no cookie */
	RUBBISH,      /* a cookie that was never given */
	WAITING,      /* the password was right */
	FULL,         /* logged in */
	ADMIN,        /* logged in as an administrator */
	AUDITOR,      /* logged in as an auditor */
	OTHER_DEVICE, /* with the cookie of a login on another device of the same person */
	BORROWED,     /* with the cookie of somebody else's login */
	EXPIRED_LOGIN,
	IDLE_LOGIN,
	REVOKED_DEVICE,
	EXPIRED_DEVICE,
	LOCKED_DEVICE,
	DISABLED_ACCOUNT,
	GIVEN_AWAY, /* the device now belongs to somebody else */
	WHO_COUNT,
};

#define IS(who)   (1U << (who))
#define ANYONE    (~0U)
#define ANYBODY   (~IS(STRANGER) & ~IS(REVOKED_DEVICE) & ~IS(EXPIRED_DEVICE))
#define PC_USERS  (IS(FULL) | IS(ADMIN))
#define LOGGED_IN (PC_USERS | IS(AUDITOR))

/* Written down once more, so that a slip in the product's table shows. */
static const struct {
	uint16_t id;
	unsigned may;
} rights[] = {
	{ MSG_login_password, ANYBODY },
	{ MSG_login_totp, IS(WAITING) },
	{ MSG_logout, IS(WAITING) | LOGGED_IN },
	{ MSG_me, LOGGED_IN },
	{ MSG_host_list, PC_USERS },
	{ MSG_host_wake, PC_USERS },
	{ MSG_session_list, PC_USERS },
	{ MSG_session_open, PC_USERS },
	{ MSG_session_show, PC_USERS },
	{ MSG_session_end, PC_USERS },
	{ MSG_session_unlock, PC_USERS },
	{ MSG_session_attach, PC_USERS },
	{ MSG_unlock, LOGGED_IN },
	{ MSG_enrol_look, ANYONE },
	{ MSG_enrol_request, ANYONE },
	{ MSG_enrol_file, ANYONE },
	{ MSG_est_cacerts, ANYONE },
	{ MSG_est_csrattrs, ANYONE },
	{ MSG_est_simpleenroll, ANYONE },
	{ MSG_ocsp, ANYONE },
	{ MSG_est_simplereenroll, ANYBODY },
	{ MSG_device_renew, LOGGED_IN },
	{ MSG_audit_checkpoint, LOGGED_IN },
	{ MSG_audit_alarm, LOGGED_IN },
	{ MSG_audit_choices, IS(AUDITOR) },
	{ MSG_audit_sessions, IS(AUDITOR) },
	{ MSG_audit_live, IS(AUDITOR) },
	{ MSG_audit_entries, IS(AUDITOR) },
	{ MSG_audit_session, IS(AUDITOR) },
	{ MSG_audit_filter_save, IS(AUDITOR) },
	{ MSG_audit_filter_remove, IS(AUDITOR) },
	{ MSG_audit_report, IS(AUDITOR) },
	{ MSG_recording_list, IS(AUDITOR) },
	{ MSG_recording_open, IS(AUDITOR) },
	{ MSG_recording_attach, IS(AUDITOR) },
	{ MSG_auditor_list, IS(AUDITOR) },
	{ MSG_recording_export, IS(AUDITOR) },
	{ MSG_recording_export_attach, IS(AUDITOR) },
	{ MSG_note_list, IS(AUDITOR) },
	{ MSG_note_add, IS(AUDITOR) },
	{ MSG_note_withdraw, IS(AUDITOR) },
	{ MSG_live_list, IS(ADMIN) | IS(AUDITOR) },
	/* Nobody here may look on: see test_watch.c. */
	{ MSG_live_watch, 0 },
	{ MSG_live_attach, 0 },
	{ MSG_live_end, IS(ADMIN) },
	{ MSG_record_attach, IS(FULL) },
	{ MSG_admin_look, IS(ADMIN) },
	{ MSG_admin_order, IS(ADMIN) },
	/* Nobody here has a duty with records: see test_records.c. */
	{ MSG_record_ask, 0 },
};

static void set_one(struct office *office, const char *sql)
{
	assert_ok(db_exec(office->db, sql));
}

/* Who there is beside office.h's person with device 1. */
struct others {
	int64_t admin, admin_device;
	int64_t auditor, auditor_device;
};

static struct others others_add(struct office *office)
{
	struct others others = { .admin = office_add_account(office, "kanri", ACCOUNT_ADMIN) };

	others.admin_device = office_add_device(office, others.admin, 2);
	office_add_device(office, office->account, 3);
	others.auditor = office_add_account(office, "kansa", ACCOUNT_AUDITOR);
	others.auditor_device = office_add_device(office, others.auditor, 4);
	return others;
}

/* A fresh login, as it is before the first request. */
static void log_in(struct office *office, char token[LOGIN_TOKEN_TEXT + 1])
{
	set_one(office, "DELETE FROM login");
	office_token(office, office->account, office->device, LOGIN_FULL, token);
}

/* Puts the office into the state, whatever the last request left, and says with which device and
 * cookie. */
static void become(struct office *office, const struct others *others, enum who who,
		   uint8_t *ret_key, char token[LOGIN_TOKEN_TEXT + 1])
{
	*ret_key = 1;
	log_in(office, token);
	switch (who) {
	case STRANGER:
		*ret_key = 99;
		break;
	case NOBODY:
		token[0] = '\0';
		break;
	case RUBBISH:
		memset(token, 'a', LOGIN_TOKEN_TEXT);
		break;
	case WAITING:
		office_token(office, office->account, office->device, LOGIN_PASSWORD, token);
		break;
	case ADMIN:
		*ret_key = 2;
		office_token(office, others->admin, others->admin_device, LOGIN_FULL, token);
		break;
	case AUDITOR:
		*ret_key = 4;
		office_token(office, others->auditor, others->auditor_device, LOGIN_FULL, token);
		break;
	case OTHER_DEVICE:
		*ret_key = 3;
		break;
	case BORROWED:
		*ret_key = 2;
		break;
	case EXPIRED_LOGIN:
		set_one(office, "UPDATE login SET expires = 1");
		break;
	case IDLE_LOGIN:
		set_one(office, "UPDATE login SET used = 1");
		break;
	case REVOKED_DEVICE:
		set_one(office, "UPDATE device SET state = 2");
		break;
	case EXPIRED_DEVICE:
		set_one(office, "UPDATE certificate SET not_after = 1");
		break;
	case LOCKED_DEVICE:
		set_one(office, "UPDATE device SET state = 3");
		break;
	case DISABLED_ACCOUNT:
		set_one(office, "UPDATE account SET disabled = 1");
		break;
	case GIVEN_AWAY:
		set_one(office, "UPDATE device_owner SET account = 2 WHERE account = 1");
		break;
	case FULL:
	case WHO_COUNT:
		break;
	}
}

static union wire_any request_of(uint16_t id)
{
	union wire_any msg = { 0 };

	if (id == MSG_login_password)
		msg.login_password.account = "nobody";
	if (id == MSG_record_ask)
		msg.record_ask.op = OP_people_list;
	return msg;
}

static void check(struct office *office, const struct others *others, uint16_t id, enum who who,
		  bool may)
{
	char token[LOGIN_TOKEN_TEXT + 1];
	union wire_any msg = request_of(id);
	struct answer answer;
	const char *code;
	uint8_t key;

	become(office, others, who, &key, token);
	answer = office_ask_as(office, id, &msg, key, token);
	code = answer_text(answer, "error");
	if (may == (code && (strcmp(code, "auth") == 0 || strcmp(code, "denied") == 0)))
		fail_msg("%s in state %d: %u %s", wire_type(id)->name, (int)who, answer.status,
			 code ? code : "");
	answer_finish(&answer);
}

/* The signer is gone, so that what would wait for it is answered at once. */
static void without_signer(struct office *office)
{
	util_closep(&office->signer);
	office->signer = -1;
	for (int i = 0; i < 1000 && office->broker->signer; i++)
		assert_ok(loop_step(office->loop, 10));
	assert_null(office->broker->signer);
}

/* One office for each state: to set one up takes longer than all its requests. */
static void every_request_in_every_state(void **state)
{
	(void)state;
	for (enum who who = 0; who < WHO_COUNT; who++) {
		void *fresh;

		office_setup(&fresh);
		without_signer(fresh);
		struct others others = others_add(fresh);
		for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
			check(fresh, &others, rights[i].id, who, rights[i].may & IS(who));
		office_teardown(&fresh);
	}
}

/* What a login that needs its password again may still ask. */
static void a_locked_login_may_look_and_leave(void **state)
{
	static const uint16_t may[] = { MSG_logout,           MSG_me,           MSG_host_list,
					MSG_session_list,     MSG_session_show, MSG_session_unlock,
					MSG_audit_checkpoint, MSG_audit_alarm,  MSG_unlock };

	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rights); i++) {
		bool allowed = !(rights[i].may & IS(FULL)) || (rights[i].may & IS(NOBODY));
		union wire_any msg = request_of(rights[i].id);
		struct answer answer;
		const char *code;

		if (allowed)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(may); k++)
			allowed |= may[k] == rights[i].id;
		log_in(office, office->token);
		set_one(office, "UPDATE login SET locked = 1");
		answer = office_ask(office, rights[i].id, &msg);
		code = answer_text(answer, "error");
		if (allowed == (code && strcmp(code, "locked") == 0))
			fail_msg("%s: %u", wire_type(rights[i].id)->name, answer.status);
		answer_finish(&answer);
	}
}

/* Pages ask by themselves: that must not keep a login alive for which nobody is there. */
static void only_use_keeps_a_login(void **state)
{
	static const struct {
		uint16_t id;
		bool use;
	} asked[] = {
		{ MSG_me, false },
		{ MSG_host_list, false },
		{ MSG_session_list, false },
		{ MSG_session_show, false },
		{ MSG_session_unlock, false },
		{ MSG_unlock, false },
		{ MSG_host_wake, true },
		{ MSG_session_open, true },
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		union wire_any msg = request_of(asked[i].id);
		_cleanup_answer_ struct answer answer = { .fd = -1 };
		_cleanup_query_ struct query query = { 0 };

		set_one(office, "UPDATE login SET used = used - 1000");
		answer = office_ask(office, asked[i].id, &msg);
		query_init(&query, office->db, "SELECT used FROM login");
		assert_ok(query_one(&query));
		assert_int_equal(query_col_i64(&query, 0) >= clock_wall_s() - 500, asked[i].use);
		set_one(office, "UPDATE login SET used = unixepoch()");
	}
}

static void find_type(const struct wire_type *type, void *ctx)
{
	size_t *count = ctx;
	bool listed = false, tested = false;

	if (type->from != WIRE_EDGE || type->to != WIRE_BROKER || type->id == MSG_edge_start ||
	    type->id == MSG_record_ask_gone)
		return;
	for (size_t i = 0; i < request_type_count; i++)
		listed |= request_types[i].id == type->id;
	for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
		tested |= rights[i].id == type->id;
	assert_true(listed && tested);
	(*count)++;
}

static void every_message_of_the_edge_is_in_the_table(void **state)
{
	size_t count = 0;

	(void)state;
	wire_each(find_type, &count);
	assert_int_equal(count, request_type_count);
}

/* A message that is not in the table gets an answer and does nothing. */
static void what_is_not_in_the_table_is_refused(void **state)
{
	struct office *office = *state;
	union wire_any msg = { 0 };
	struct wire_type other = *wire_type(MSG_me);
	struct answer answer;

	other.id = 0x03ff;
	msg.me.request = ++office->request;
	device_key(1, msg.me.device);
	msg.me.address = "";
	msg.me.token = office->token;
	dispatch_request(office->broker, &other, &msg);
	answer = office_answer(office);
	assert_error(answer, 405, "method");
	answer_finish(&answer);
}

static void an_edge_that_breaks_the_protocol_is_dropped(void **state)
{
	struct office *office = *state;
	const struct msg_session_stop wrong_way = { 0 };

	assert_ok(ipc_send(office->edge, MSG_session_stop, &wrong_way, -1));
	assert_true(office_gone(office, office->edge, WIRE_EDGE));
	assert_null(office->broker->edge);
}

/* An answer for an edge that was replaced meanwhile goes nowhere. */
static void answers_do_not_reach_another_edge(void **state)
{
	struct office *office = *state;
	union wire_any msg = { .login_password = { .account = "sato",
						   .password = OFFICE_PASSWORD } };

	office_send(office, MSG_login_password, &msg, 1, "");
	assert_ok(loop_step(office->loop, 100));
	office_link(office, WIRE_EDGE, &office->edge);
	assert_false(office_receive(office, office->edge, WIRE_EDGE, MSG_reply, 2000));
}

static void seen_is_noted(void **state)
{
	struct office *office = *state;
	union wire_any msg = { 0 };
	struct answer answer = office_ask(office, MSG_me, &msg);
	struct device device;

	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	assert_ok(device_by_id(office->db, office->device, &device));
	assert_string_equal(device.seen_address, "192.0.2.7");
	assert_in_range(device.seen_s, clock_wall_s() - 10, clock_wall_s());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_in_every_state),
		office_test(a_locked_login_may_look_and_leave),
		office_test(only_use_keeps_a_login),
		cmocka_unit_test(every_message_of_the_edge_is_in_the_table),
		office_test(what_is_not_in_the_table_is_refused),
		office_test(an_edge_that_breaks_the_protocol_is_dropped),
		office_test(answers_do_not_reach_another_edge),
		office_test(seen_is_noted),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
