#include "unit/broker/orders.h"
#include "unit/broker/signer.h"

#include "broker/cert.h"
#include "broker/enrol_code.h"
#include "store/invites.h"

/* Invitations to enrol a device and the queue of those that wait. */

struct desk {
	struct office *office;
	struct signer signer;
};

static int setup_with(void **state, const char *settings)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	void *office;

	assert_int_equal(office_setup_with(&office, settings), 0);
	desk->office = office;
	signer_init(&desk->signer);
	signer_starts(desk->office, &desk->signer);
	*state = desk;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, "name = gw.example\nenrol_listen = 127.0.0.1:8443\n"
				 "listen = 127.0.0.1:443\n");
}

static int teardown(void **state)
{
	struct desk *desk = *state;
	void *office = desk->office;

	signer_finish(&desk->signer);
	free(desk);
	return office_teardown(&office);
}

static struct invite invite_now(struct office *office, int64_t id)
{
	struct invite invite;

	assert_ok(invite_by_id(office->db, id, &invite));
	return invite;
}

/* An open one for sato; its number. */
static int64_t invited(struct office *office)
{
	_cleanup_answer_ struct answer answer =
		order(office, "device invite", "{\"user\": \"sato\", \"name\": \"ノートPC\"}");

	assert_int_equal(answer.status, 200);
	return answer_number(answer, "id");
}

/* The device asks: a request that waits. */
static int64_t pending(struct office *office)
{
	struct invite invite = { .id = invited(office),
				 .kind = INVITE_REQUEST,
				 .key_type = "EC P-256",
				 .key_place = KEY_TPM,
				 .asked_s = clock_wall_s(),
				 .asked_address = "192.0.2.9" };

	memset(invite.key, 7, sizeof(invite.key));
	assert_ok(invite_ask(office->db, &invite, (const uint8_t *)"csr", 3));
	return invite.id;
}

static void decided(struct office *office, const char *command, int64_t id, const char *more,
		    unsigned status)
{
	_cleanup_answer_ struct answer answer = { .fd = -1 };
	char arguments[256];

	snprintf(arguments, sizeof(arguments), "{\"id\": %lld%s}", (long long)id, more);
	answer = order(office, command, arguments);
	if (answer.status != status)
		fail_msg("%s %s: %u %s", command, arguments, answer.status,
			 answer_text(answer, "message"));
	if (status != 200)
		assert_string_equal(answer_text(answer, "field"), "id");
}

/* ---- invite ----------------------------------------------------------------------------- */

static void all_that_the_person_needs(void **state)
{
	struct desk *desk = *state;
	_cleanup_answer_ struct answer answer =
		order(desk->office, "device invite",
		      "{\"user\": \"sato\", \"name\": \"ノートPC\", \"pre-approved\": true}");
	char fingerprint[CERT_FINGERPRINT_TEXT], url[128] = "https://gw.example:8443/#code=";
	const char *code = answer_text(answer, "code");
	uint8_t hash[ENROL_CODE_HASH];
	struct invite invite;

	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_text(answer, "enrol"), "https://gw.example:8443/");
	assert_string_equal(answer_text(answer, "gateway"), "https://gw.example/");
	assert_string_equal(answer_text(answer, "account"), "sato");
	assert_string_equal(answer_text(answer, "person"), "sato 花子");
	assert_string_equal(answer_text(answer, "device"), "ノートPC");
	assert_string_equal(answer_text(answer, "office"), "試験事務所");
	assert_ok(cert_fingerprint(desk->signer.root.certificate, fingerprint));
	assert_string_equal(answer_text(answer, "fingerprint"), fingerprint);
	assert_int_equal(strlen(code), ENROL_CODE_GROUPED);
	for (const char *c = code; *c; c++)
		if (*c != '-')
			strncat(url, c, 1);
	assert_string_equal(answer_text(answer, "url"), url);
	invite = invite_now(desk->office, answer_number(answer, "id"));
	assert_ok(enrol_code_hash(code, hash));
	assert_memory_equal(invite.code, hash, sizeof(hash));
	assert_true(invite.preapproved);
	assert_int_equal(invite.expires_s - invite.created_s, 86400);
	assert_int_equal(answer_number(answer, "expires"), invite.expires_s);
}

static void the_qr_code_is_square(void **state)
{
	struct desk *desk = *state;
	_cleanup_answer_ struct answer answer = order(
		desk->office, "device invite", "{\"user\": \"sato\", \"name\": \"ノートPC\"}");
	const json_t *rows = json_object_get(answer.body, "qr");
	size_t size = json_array_size(rows), index;
	json_t *row;

	assert_in_range(size, 21, 177);
	json_array_foreach(rows, index, row)
	{
		assert_int_equal(strlen(json_string_value(row)), size);
		assert_int_equal(strspn(json_string_value(row), "01"), size);
	}
	/* The finder pattern in the corner, ISO/IEC 18004 §6.3.3. */
	assert_memory_equal(json_string_value(json_array_get(rows, 0)), "11111110", 8);
}

static void ports_from_outside(void **state)
{
	struct desk *desk;
	struct answer answer;
	void *own;

	(void)state;
	setup_with(&own, "name = 2001:db8::1\nenrol_listen = 127.0.0.1:8443\n"
			 "listen = 127.0.0.1:4443\nenrol_public_port = 443\npublic_port = 8080\n");
	desk = own;
	answer = order(desk->office, "device invite", "{\"user\": \"sato\", \"name\": \"PC\"}");
	assert_string_equal(answer_text(answer, "enrol"), "https://[2001:db8::1]/");
	assert_string_equal(answer_text(answer, "gateway"), "https://[2001:db8::1]:8080/");
	answer_finish(&answer);
	teardown(&own);
}

static void the_code_is_in_no_log(void **state)
{
	struct desk *desk = *state;
	_cleanup_answer_ struct answer answer = order(
		desk->office, "device invite", "{\"user\": \"sato\", \"name\": \"ノートPC\"}");
	struct audit_row row = office_audit_last(desk->office, "device-invite");
	char part[5] = "";

	memcpy(part, answer_text(answer, "code"), 4);
	assert_null(strstr(row.detail, part));
	assert_non_null(strstr(row.detail, "ノートPC"));
	assert_non_null(strstr(row.detail, "\"sato\""));
}

static void only_people_of_the_office(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;

	refused(office, "device invite", "{\"user\": \"nobody\", \"name\": \"PC\"}", "not-found",
		"user");
	refused(office, "device invite", "{\"user\": \"sato\", \"name\": \"\"}", "invalid", "name");
	refused(office, "device invite", "{\"user\": \"sato\", \"name\": \"a\\tb\"}", "invalid",
		"name");
	ordered(office, "user disable", "{\"name\": \"sato\"}");
	refused(office, "device invite", "{\"user\": \"sato\", \"name\": \"PC\"}", "state", "user");
	assert_int_equal(office_audit_count(office, "device-invite"), 0);
}

/* Without a CA there is no fingerprint for the paper, and no row either. */
static void no_invitation_without_a_ca(void **state)
{
	struct office *office = *state;
	_cleanup_query_ struct query query = { 0 };

	refused(office, "device invite", "{\"user\": \"sato\", \"name\": \"PC\"}", "unavailable",
		"");
	query_init(&query, office->db, "SELECT count(*) FROM invite");
	assert_ok(query_one(&query));
	assert_int_equal(query_col_i64(&query, 0), 0);
	assert_int_equal(office_audit_count(office, "device-invite"), 0);
}

static void what_cannot_be_recorded_invites_nobody(void **state)
{
	struct desk *desk = *state;
	_cleanup_query_ struct query query = { 0 };
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	office_break_audit(desk->office);
	answer = order(desk->office, "device invite", "{\"user\": \"sato\", \"name\": \"PC\"}");
	assert_true(answer.status >= 400);
	assert_null(answer_text(answer, "code"));
	query_init(&query, desk->office->db, "SELECT count(*) FROM invite");
	assert_ok(query_one(&query));
	assert_int_equal(query_col_i64(&query, 0), 0);
}

/* ---- list ------------------------------------------------------------------------------- */

static void the_queue_says_who_asks(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	pending(office);
	answer = order(office, "device invites", "{}");
	assert_string_equal(cell_text(&answer, "name", "ノートPC", "state"), "pending");
	assert_string_equal(cell_text(&answer, "name", "ノートPC", "kind"), "request");
	assert_string_equal(cell_text(&answer, "name", "ノートPC", "key"), "EC P-256");
	assert_string_equal(cell_text(&answer, "name", "ノートPC", "place"), "tpm");
	assert_string_equal(cell_text(&answer, "name", "ノートPC", "address"), "192.0.2.9");
	assert_string_equal(cell_text(&answer, "name", "ノートPC", "fingerprint"),
			    "0707070707070707070707070707070707070707070707070707070707070707");
	answer_finish(&answer);
	assert_ok(db_exec(office->db, "UPDATE invite SET expires = 1"));
	answer = order(office, "device invites", "{}");
	assert_string_equal(cell_text(&answer, "name", "ノートPC", "state"), "expired");
	answer_finish(&answer);
	assert_ok(db_exec(office->db, "UPDATE invite SET created = unixepoch() - 91 * 86400"));
	answer = order(office, "device invites", "{}");
	assert_int_equal(json_array_size(json_object_get(answer.body, "rows")), 0);
}

/* As many as an answer takes, the newest first. */
static void long_lists_fit(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;
	_cleanup_answer_ struct answer answer = { .fd = -1 };
	const json_t *rows;
	char sql[512];

	invited(office);
	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
		 "INSERT INTO invite (code, account, name, state, preapproved, invited_by, created,"
		 " expires, reason) SELECT randomblob(32), 1, 'PC ' || i, 4, 0, 'kanri',"
		 " unixepoch(), unixepoch(), printf('%%.*c', 200, 'x') FROM n");
	assert_ok(db_exec(office->db, sql));
	answer = order(office, "device invites", "{}");
	assert_int_equal(answer.status, 200);
	rows = json_object_get(answer.body, "rows");
	assert_in_range(json_array_size(rows), 100, 999);
	assert_string_equal(json_string_value(json_array_get(json_array_get(rows, 0), 2)),
			    "PC 1000");
}

/* ---- decisions -------------------------------------------------------------------------- */

static void approved_once(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;
	int64_t id = pending(office);

	decided(office, "device approve", id, "", 200);
	assert_int_equal(invite_now(office, id).state, ENROL_APPROVED);
	assert_true(invite_now(office, id).decided_s > 0);
	assert_non_null(
		strstr(office_audit_last(office, "device-approve").detail, "\"spki\":\"0707"));
	decided(office, "device approve", id, "", 409);
	decided(office, "device refuse", id, ", \"reason\": \"x\"", 409);
	assert_int_equal(office_audit_count(office, "device-approve"), 1);
	assert_int_equal(office_audit_count(office, "device-refuse"), 0);
}

static void refused_with_a_reason(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;
	int64_t id = pending(office);
	char arguments[64];

	snprintf(arguments, sizeof(arguments), "{\"id\": %lld}", (long long)id);
	refused(office, "device refuse", arguments, "invalid", "reason");
	snprintf(arguments, sizeof(arguments), "{\"id\": %lld, \"reason\": \"\"}", (long long)id);
	refused(office, "device refuse", arguments, "invalid", "reason");
	decided(office, "device refuse", id, ", \"reason\": \"私物です\"", 200);
	assert_int_equal(invite_now(office, id).state, ENROL_REFUSED);
	assert_string_equal(invite_now(office, id).reason, "私物です");
	assert_non_null(strstr(office_audit_last(office, "device-refuse").detail, "私物です"));
	decided(office, "device approve", id, "", 409);
}

static void nothing_to_decide(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;
	int64_t id = invited(office);

	decided(office, "device approve", id, "", 409);
	decided(office, "device refuse", id, ", \"reason\": \"x\"", 409);
	decided(office, "device approve", 99, "", 404);
	assert_int_equal(invite_now(office, id).state, ENROL_OPEN);
}

static void not_after_its_time(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;
	int64_t id = pending(office);

	assert_ok(db_exec(office->db, "UPDATE invite SET expires = unixepoch() - 1"));
	decided(office, "device approve", id, "", 410);
	assert_int_equal(invite_now(office, id).state, ENROL_PENDING);
	/* What is refused is refused, late or not. */
	decided(office, "device refuse", id, ", \"reason\": \"x\"", 200);
}

static void not_for_a_disabled_account(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;
	int64_t id = pending(office);

	ordered(office, "user disable", "{\"name\": \"sato\"}");
	decided(office, "device approve", id, "", 409);
	assert_int_equal(invite_now(office, id).state, ENROL_PENDING);
}

static void withdrawn_until_it_is_used(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;
	int64_t open = invited(office), waits = pending(office), used = pending(office);

	decided(office, "device withdraw", open, "", 200);
	assert_int_equal(invite_now(office, open).state, ENROL_WITHDRAWN);
	decided(office, "device withdraw", open, "", 409);
	decided(office, "device withdraw", waits, "", 200);
	decided(office, "device approve", waits, "", 409);
	decided(office, "device approve", used, "", 200);
	assert_ok(invite_issued(office->db, used, office->device));
	decided(office, "device withdraw", used, "", 409);
	assert_int_equal(office_audit_count(office, "device-withdraw"), 2);
}

static void decisions_are_recorded_or_not_made(void **state)
{
	struct desk *desk = *state;
	struct office *office = desk->office;
	int64_t id = pending(office);

	office_break_audit(office);
	for (int i = 0; i < 3; i++) {
		static const char *const decisions[] = { "device approve", "device refuse",
							 "device withdraw" };
		_cleanup_answer_ struct answer answer = { .fd = -1 };
		char arguments[64];

		snprintf(arguments, sizeof(arguments),
			 i == 1 ? "{\"id\": %lld, \"reason\": \"x\"}" : "{\"id\": %lld}",
			 (long long)id);
		answer = order(office, decisions[i], arguments);
		assert_true(answer.status >= 400);
		assert_int_equal(invite_now(office, id).state, ENROL_PENDING);
	}
}

#define desk_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		desk_test(all_that_the_person_needs),
		desk_test(the_qr_code_is_square),
		cmocka_unit_test(ports_from_outside),
		desk_test(the_code_is_in_no_log),
		desk_test(only_people_of_the_office),
		office_test(no_invitation_without_a_ca),
		desk_test(what_cannot_be_recorded_invites_nobody),
		desk_test(the_queue_says_who_asks),
		desk_test(long_lists_fit),
		desk_test(approved_once),
		desk_test(refused_with_a_reason),
		desk_test(nothing_to_decide),
		desk_test(not_after_its_time),
		desk_test(not_for_a_disabled_account),
		desk_test(withdrawn_until_it_is_used),
		desk_test(decisions_are_recorded_or_not_made),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
