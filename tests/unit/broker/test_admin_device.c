#include "unit/broker/orders.h"

#include "store/certificates.h"

/* The inventory of devices: who may use one, how it ends, and the file for spreadsheets. */

static struct device device_now(struct office *office, int64_t id)
{
	struct device device;

	assert_ok(device_by_id(office->db, id, &device));
	return device;
}

static struct certificate certificate_now(struct office *office, int64_t device)
{
	struct certificate certificate;

	assert_ok(certificate_newest(office->db, device, &certificate));
	return certificate;
}

static void the_list_says_what_is_known(void **state)
{
	struct office *office = *state;
	_cleanup_answer_ struct answer answer = { .fd = -1 };
	int64_t now_s = clock_wall_s();

	office_add_account(office, "abe", ACCOUNT_STAFF);
	ordered(office, "device share", "{\"id\": 1, \"user\": \"abe\"}");
	answer = order(office, "device list", "{}");
	assert_string_equal(cell_text(&answer, "user", "sato", "owners"), "abe, sato");
	assert_string_equal(cell_text(&answer, "user", "sato", "name"), "laptop");
	assert_string_equal(cell_text(&answer, "user", "sato", "state"), "active");
	assert_string_equal(cell_text(&answer, "user", "sato", "key"), "EC P-256");
	assert_string_equal(cell_text(&answer, "user", "sato", "place"), "unknown");
	assert_string_equal(cell_text(&answer, "user", "sato", "serial"),
			    "00000000000000000000000000000001");
	assert_string_equal(cell_text(&answer, "user", "sato", "disposal"), "");
	assert_in_range(json_integer_value(cell(&answer, "user", "sato", "issued")), now_s - 60,
			now_s);
	assert_in_range(json_integer_value(cell(&answer, "user", "sato", "until")), now_s + 3500,
			now_s + 3600);
}

static void expect_state(struct office *office, const char *sql, const char *wanted)
{
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	assert_ok(db_exec(office->db, sql));
	answer = order(office, "device list", "{}");
	assert_string_equal(cell_text(&answer, "user", "sato", "state"), wanted);
}

static void states(void **state)
{
	struct office *office = *state;

	expect_state(office, "UPDATE device SET failures = 10", "locked");
	expect_state(office, "UPDATE device SET failures = 0, state = 3", "locked");
	expect_state(office, "UPDATE certificate SET not_after = 1", "expired");
	expect_state(office, "UPDATE device SET state = 2", "revoked");
	expect_state(office, "UPDATE device SET retired = 1, disposal = 1", "retired");
}

/* ---- revoke ----------------------------------------------------------------------------- */

static void revoking_takes_the_certificates_along(void **state)
{
	struct office *office = *state;

	ordered(office, "device revoke", "{\"id\": 1, \"reason\": \"退職\"}");
	assert_int_equal(device_now(office, 1).state, DEVICE_REVOKED);
	assert_string_equal(device_now(office, 1).revoked_why, "退職");
	assert_int_equal(certificate_now(office, 1).state, CERTIFICATE_REVOKED);
	assert_int_equal(certificate_now(office, 1).reason, CRL_CESSATION);
	assert_non_null(strstr(office_audit_last(office, "device-revoke").detail, "退職"));
}

/* RFC 5280 §5.3.1: whoever reads the CRL shall know that the key is in the wrong hands. */
static void a_lost_device_is_a_compromised_key(void **state)
{
	struct office *office = *state;

	ordered(office, "device revoke", "{\"id\": 1, \"lost\": true}");
	assert_int_equal(device_now(office, 1).state, DEVICE_REVOKED);
	assert_int_equal(certificate_now(office, 1).reason, CRL_KEY_COMPROMISE);
}

static void reasons_have_a_length(void **state)
{
	struct office *office = *state;
	char text[1024] = "{\"id\": 1, \"reason\": \"";

	for (int i = 0; i < 201; i++)
		strncat(text, "理", sizeof(text) - strlen(text) - 1);
	strncat(text, "\"}", sizeof(text) - strlen(text) - 1);
	refused(office, "device revoke", text, "invalid", "reason");
	refused(office, "device revoke", "{\"id\": 1, \"reason\": \"a\\nb\"}", "invalid", "reason");
	assert_int_equal(device_now(office, 1).state, DEVICE_ACTIVE);
}

/* ---- retire ----------------------------------------------------------------------------- */

static void retiring_revokes_and_is_recorded(void **state)
{
	struct office *office = *state;
	struct device device;
	char by[32];

	snprintf(by, sizeof(by), "uid %u", (unsigned)geteuid());
	ordered(office, "device retire",
		"{\"id\": 1, \"disposal\": \"destroyed\", \"remark\": \"証明書 12 号\"}");
	device = device_now(office, 1);
	assert_int_equal(device.state, DEVICE_REVOKED);
	assert_int_equal(device.disposal, DISPOSAL_DESTROYED);
	assert_string_equal(device.remark, "証明書 12 号");
	assert_string_equal(device.retired_by, by);
	assert_in_range(device.retired_s, clock_wall_s() - 60, clock_wall_s());
	assert_int_equal(office_audit_count(office, "device-revoke"), 1);
	assert_int_equal(office_audit_count(office, "device-retire"), 1);
	assert_int_equal(certificate_now(office, 1).reason, CRL_CESSATION);
	refused(office, "device retire", "{\"id\": 1, \"disposal\": \"wiped\"}", "state", "id");
}

static void a_revoked_device_is_only_retired(void **state)
{
	struct office *office = *state;

	ordered(office, "device revoke", "{\"id\": 1, \"lost\": true}");
	ordered(office, "device retire", "{\"id\": 1, \"disposal\": \"lost\"}");
	assert_int_equal(office_audit_count(office, "device-revoke"), 1);
	assert_int_equal(device_now(office, 1).disposal, DISPOSAL_LOST);
}

static void a_device_that_is_retired_as_lost(void **state)
{
	struct office *office = *state;

	refused(office, "device retire", "{\"id\": 1, \"disposal\": \"\"}", "invalid", "disposal");
	refused(office, "device retire", "{\"id\": 1}", "invalid", "disposal");
	ordered(office, "device retire", "{\"id\": 1, \"disposal\": \"lost\"}");
	assert_int_equal(certificate_now(office, 1).reason, CRL_KEY_COMPROMISE);
}

/* ---- share ------------------------------------------------------------------------------ */

static void a_device_is_shared_and_taken_back(void **state)
{
	struct office *office = *state;
	union wire_any msg = { 0 };
	struct answer answer;
	char token[LOGIN_TOKEN_TEXT + 1];
	int64_t abe = office_add_account(office, "abe", ACCOUNT_STAFF);

	ordered(office, "device share", "{\"id\": 1, \"user\": \"abe\"}");
	refused(office, "device share", "{\"id\": 1, \"user\": \"abe\"}", "exists", "user");
	office_token(office, abe, 1, LOGIN_FULL, token);
	answer = office_ask_as(office, MSG_me, &msg, 1, token);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
	ordered(office, "device unshare", "{\"id\": 1, \"user\": \"abe\"}");
	answer = office_ask_as(office, MSG_me, &msg, 1, token);
	assert_error(answer, 401, "auth");
	answer_finish(&answer);
	refused(office, "device unshare", "{\"id\": 1, \"user\": \"abe\"}", "not-found", "user");
	assert_int_equal(office_audit_count(office, "device-share"), 1);
	assert_int_equal(office_audit_count(office, "device-unshare"), 1);
}

static void somebody_must_stay(void **state)
{
	struct office *office = *state;

	refused(office, "device unshare", "{\"id\": 1, \"user\": \"sato\"}", "state", "user");
	ordered(office, "user add", "{\"name\": \"abe\", \"password\": \"kaki-no-ki-42-yama\"}");
	ordered(office, "user disable", "{\"name\": \"abe\"}");
	refused(office, "device share", "{\"id\": 1, \"user\": \"abe\"}", "state", "user");
	ordered(office, "user enable", "{\"name\": \"abe\"}");
	ordered(office, "device revoke", "{\"id\": 1}");
	refused(office, "device share", "{\"id\": 1, \"user\": \"abe\"}", "state", "id");
}

/* ---- export ----------------------------------------------------------------------------- */

static char *csv_of(struct office *office)
{
	_cleanup_answer_ struct answer answer = order(office, "device export", "{}");
	char *csv;

	assert_int_equal(answer.status, 200);
	csv = strdup(answer_text(answer, "csv"));
	assert_memory_equal(csv, "\xef\xbb\xbf", 3);
	assert_int_equal(office_audit_count(office, "device-export") > 0, 1);
	return csv;
}

static void lines_end_in_crlf(void **state)
{
	struct office *office = *state;
	_cleanup_free_ char *csv = csv_of(office);
	size_t lines = 0;

	for (const char *c = csv; *c; c++) {
		if (*c == '\n') {
			assert_int_equal(c[-1], '\r');
			lines++;
		}
	}
	assert_int_equal(lines, 2);
}

static void cells_are_quoted_and_never_a_formula(void **state)
{
	static const struct {
		const char *name, *cell;
	} names[] = {
		{ "laptop", ",laptop," },
		{ "a,b", ",\"a,b\"," },
		{ "a\"b", ",\"a\"\"b\"," },
		{ "=1+1", ",'=1+1," },
		{ "+1", ",'+1," },
		{ "-1", ",'-1," },
		{ "@SUM(A1)", ",'@SUM(A1)," },
		{ "=HYPERLINK(\"http://x\",\"y\")",
		  ",\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"," },
		{ "＝1", ",'＝1," },
		{ "a=1", ",a=1," },
	};
	struct office *office = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_query_ struct query query = { 0 };
		_cleanup_free_ char *csv = NULL;

		query_init(&query, office->db, "UPDATE device SET name = ?");
		query_str(&query, names[i].name);
		assert_ok(query_run(&query, NULL));
		csv = csv_of(office);
		if (!strstr(csv, names[i].cell))
			fail_msg("%s is not in %s", names[i].cell, csv);
	}
}

/* 32 digits with one e would be a number to a spreadsheet. */
static void serials_stay_texts(void **state)
{
	struct office *office = *state;
	_cleanup_free_ char *csv = csv_of(office);

	assert_non_null(strstr(csv, ",00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:01,"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(the_list_says_what_is_known),
		office_test(states),
		office_test(revoking_takes_the_certificates_along),
		office_test(a_lost_device_is_a_compromised_key),
		office_test(reasons_have_a_length),
		office_test(retiring_revokes_and_is_recorded),
		office_test(a_revoked_device_is_only_retired),
		office_test(a_device_that_is_retired_as_lost),
		office_test(a_device_is_shared_and_taken_back),
		office_test(somebody_must_stay),
		office_test(lines_end_in_crlf),
		office_test(cells_are_quoted_and_never_a_formula),
		office_test(serials_stay_texts),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
