#include "unit/broker/orders.h"

#include <time.h>

#include "store/invites.h"

/* Lists of any length: every row once, in pages that fit an answer. */

enum { MANY = 3000, ANSWER_MAX = 96 * 1024 };

/* MANY devices of sato besides the first; every third is retired. */
static void add_many(struct office *office)
{
	_cleanup_tx_ struct db_tx tx = { 0 };

	assert_ok(db_tx_begin(&tx, office->db));
	for (int i = 0; i < MANY; i++) {
		struct device device = { .owner = office->account };
		struct certificate row = { .issuer = 1, .key_type = "EC P-256", .key_place = 4 };
		int64_t id;

		snprintf(device.name, sizeof(device.name), "営業部ノート %04d", i);
		util_random(device.key, sizeof(device.key));
		memcpy(row.key, device.key, sizeof(row.key));
		util_random(row.serial, sizeof(row.serial));
		row.issued_s = row.not_before_s = clock_wall_s();
		row.not_after_s = row.issued_s + 3600;
		assert_ok(device_add(office->db, &device, &row.device));
		assert_ok(certificate_add(office->db, &row, &id));
		if (i % 3 == 0) {
			assert_ok(device_revoke(office->db, row.device, "retired", row.issued_s));
			assert_ok(device_retire(office->db, row.device, DISPOSAL_WIPED, "uid 0",
						"証明書 12 号", row.issued_s));
		}
	}
	assert_ok(db_tx_commit(&tx));
}

static size_t bytes_of(const struct answer *answer)
{
	return json_dumpb(answer->body, NULL, 0, JSON_COMPACT);
}

/* Where the next page begins; 0: there is none. */
static int64_t next_of(const struct answer *answer)
{
	assert_int_equal(answer->status, 200);
	assert_true(bytes_of(answer) <= ANSWER_MAX);
	return json_integer_value(json_object_get(answer->body, "next"));
}

/* Adds the numbers of a page's rows to seen; they go up, or down. */
static void take_rows(const struct answer *answer, json_t *seen, int direction)
{
	size_t index;
	json_t *row;

	json_array_foreach(json_object_get(answer->body, "rows"), index, row)
	{
		size_t count = json_array_size(seen);
		json_int_t id = json_integer_value(json_array_get(row, 0));

		if (count)
			assert_true(direction * (id - json_integer_value(
							      json_array_get(seen, count - 1))) >
				    0);
		json_array_append_new(seen, json_integer(id));
	}
}

static json_t *all_rows(struct office *office, const char *command, int direction, int *ret_pages)
{
	json_t *seen = json_array();
	int64_t after = 0;

	*ret_pages = 0;
	do {
		_cleanup_answer_ struct answer answer = office_order(
			office, command,
			after ? json_pack("{s:I}", "after", (json_int_t)after) : json_object());

		after = next_of(&answer);
		take_rows(&answer, seen, direction);
		++*ret_pages;
	} while (after);
	return seen;
}

static void thousands_of_devices_are_listed(void **state)
{
	struct office *office = *state;
	int pages;
	json_t *seen;

	add_many(office);
	seen = all_rows(office, "device list", 1, &pages);
	assert_int_equal(json_array_size(seen), MANY + 1);
	assert_true(pages > 3 && pages < 20);
	json_decref(seen);
}

static void the_portal_gets_the_same(void **state)
{
	struct office *office = *state;
	json_t *seen = json_array();
	char token[LOGIN_TOKEN_TEXT + 1];
	int64_t after = 0;

	add_many(office);
	office_add_admin(office, token);
	do {
		union wire_any msg = { .admin_look = { .command = "device list",
						       .after = (uint64_t)after } };
		_cleanup_answer_ struct answer answer =
			office_ask_as(office, MSG_admin_look, &msg, 2, token);

		after = next_of(&answer);
		take_rows(&answer, seen, 1);
	} while (after);
	assert_int_equal(json_array_size(seen), MANY + 2);
	json_decref(seen);
}

static void a_number_that_is_none_is_refused(void **state)
{
	struct office *office = *state;
	union wire_any msg = { .admin_look = { .command = "device list", .after = UINT64_MAX } };
	struct answer answer;
	char token[LOGIN_TOKEN_TEXT + 1];

	office_add_admin(office, token);
	answer = office_ask_as(office, MSG_admin_look, &msg, 2, token);
	assert_error(answer, 400, "invalid");
	answer_finish(&answer);
	refused(office, "device list", "{\"after\": \"1\"}", "invalid", "after");
	refused(office, "host list", "{\"after\": 1}", "invalid", "after");
}

static void past_the_end_is_nothing(void **state)
{
	struct office *office = *state;
	_cleanup_answer_ struct answer answer = order(office, "device list", "{\"after\": 1}");

	assert_int_equal(answer.status, 200);
	assert_int_equal(json_array_size(json_object_get(answer.body, "rows")), 0);
	assert_null(json_object_get(answer.body, "next"));
}

/* The oldest used to be cut off without a word. */
static void old_invitations_are_not_forgotten(void **state)
{
	struct office *office = *state;
	struct invite invite = { .account = office->account,
				 .invited_by = "uid 0",
				 .created_s = clock_wall_s(),
				 .name = "ノート",
				 .expires_s = clock_wall_s() + 86400 };
	int pages;
	json_t *seen;

	assert_ok(db_exec(office->db, "BEGIN"));
	for (int i = 0; i < MANY; i++) {
		util_random(invite.code, sizeof(invite.code));
		assert_ok(invite_add(office->db, &invite, &invite.id));
	}
	assert_ok(db_exec(office->db, "COMMIT"));
	seen = all_rows(office, "device invites", -1, &pages);
	assert_int_equal(json_array_size(seen), MANY);
	assert_true(pages > 2);
	json_decref(seen);
}

/* By name, whatever their numbers are. */
static void thousands_of_people_are_listed(void **state)
{
	struct office *office = *state;
	char last[ACCOUNT_NAME_MAX + 1] = "";
	int64_t after = 0;
	int count = 0;

	assert_ok(db_exec(office->db, "BEGIN"));
	for (int i = MANY; i > 0; i--) {
		struct account account = { .role = ACCOUNT_STAFF, .password = "x" };
		int64_t id;

		snprintf(account.name, sizeof(account.name), "p%04d", i);
		snprintf(account.full_name, sizeof(account.full_name), "佐藤 花子 %d", i);
		assert_ok(account_add(office->db, &account, &id));
	}
	assert_ok(db_exec(office->db, "COMMIT"));
	do {
		_cleanup_answer_ struct answer answer = office_order(
			office, "user list", json_pack("{s:I}", "after", (json_int_t)after));
		size_t index;
		json_t *row;

		after = next_of(&answer);
		json_array_foreach(json_object_get(answer.body, "rows"), index, row)
		{
			const char *name = json_string_value(json_array_get(row, 0));

			assert_true(strcmp(last, name) < 0);
			snprintf(last, sizeof(last), "%s", name);
			count++;
		}
	} while (after);
	assert_int_equal(count, MANY + 1);
}

/* ---- export ----------------------------------------------------------------------------- */

/* All pages as one file; the caller frees. */
static char *file_of(struct office *office, const char *language, int *ret_pages)
{
	char *file = calloc(1, 1);
	int64_t after = 0;

	*ret_pages = 0;
	do {
		json_t *arguments = json_pack("{s:s}", "language", language);
		struct answer answer;

		if (after)
			json_object_set_new(arguments, "after", json_integer(after));
		answer = office_order(office, "device export", arguments);
		after = next_of(&answer);
		file = realloc(file, strlen(file) + strlen(answer_text(answer, "csv")) + 1);
		strcat(file, answer_text(answer, "csv"));
		answer_finish(&answer);
		++*ret_pages;
	} while (after);
	return file;
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		count++;
	return count;
}

static void pages_of_the_file_have_one_header(void **state)
{
	struct office *office = *state;
	_cleanup_free_ char *file = NULL;
	int pages;

	add_many(office);
	file = file_of(office, "ja", &pages);
	assert_true(pages > 3);
	assert_int_equal(count_of(file, "\r\n"), MANY + 2);
	assert_int_equal(count_of(file, "\xef\xbb\xbf"), 1);
	assert_int_equal(count_of(file, "番号,端末,"), 1);
	assert_int_equal(count_of(file, ",廃棄済み,"), MANY / 3);
	assert_int_equal(count_of(file, "営業部ノート"), MANY);
	assert_int_equal(office_audit_count(office, "device-export"), pages);
	assert_non_null(strstr(office_audit_last(office, "device-export").detail, "\"devices\""));
}

/* A row of quotation marks takes twice its room in JSON, and must still fit. */
static void quotation_marks_count_twice(void **state)
{
	struct office *office = *state;
	_cleanup_free_ char *file = NULL;
	int pages;

	add_many(office);
	assert_ok(db_exec(office->db,
			  "UPDATE device SET remark = printf('%.*c', 200, '\"') WHERE id < 300"));
	file = file_of(office, "en", &pages);
	assert_int_equal(count_of(file, "\r\n"), MANY + 2);
}

static void words_are_in_the_language_asked_for(void **state)
{
	static const struct {
		const char *language, *header, *cells[4];
	} wanted[] = {
		{ "ja",
		  "番号,端末,所有者,使用者,状態,鍵の種類,鍵の場所,発行,期限,最終利用,アドレス,"
		  "シリアル番号,失効,失効理由,廃棄,廃棄方法,廃棄の記録者,備考\r\n",
		  { ",廃棄済み,EC P-256,不明,", ",廃棄,2", ",破壊,ゲートウェイのコマンド（root）,",
		    "+09:00," } },
		{ "en",
		  "No.,Device,Owner,Used by,State,Key,Place of the key,Issued,Valid until,Last "
		  "seen,Address,Serial number,Revoked,Reason,Retired,Disposal,Recorded by,"
		  "Remark\r\n",
		  { ",Retired,EC P-256,Unknown,", ",Retired,2",
		    ",Destroyed,command line on the gateway (root),", "+09:00," } },
	};
	struct office *office = *state;

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	ordered(office, "device retire", "{\"id\": 1, \"disposal\": \"destroyed\"}");
	assert_ok(db_exec(office->db, "UPDATE device SET retired_by = 'uid 0'"));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		int pages;
		_cleanup_free_ char *file = file_of(office, wanted[i].language, &pages);

		assert_memory_equal(file + 3, wanted[i].header, strlen(wanted[i].header));
		for (size_t j = 0; j < ARRAY_SIZE(wanted[i].cells); j++)
			if (!strstr(file, wanted[i].cells[j]))
				fail_msg("%s is not in %s", wanted[i].cells[j], file);
		assert_null(strstr(file, "retired"));
		assert_null(strstr(file, "uid"));
	}
	refused(office, "device export", "{\"language\": \"de\"}", "invalid", "language");
}

/* 2026-11-22T09:30:00+09:00, to the letter. */
static void times_are_iso_8601(void **state)
{
	struct office *office = *state;
	_cleanup_free_ char *file = NULL;
	int pages;

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	assert_ok(db_exec(office->db, "UPDATE certificate SET issued = 1795307400"));
	file = file_of(office, "en", &pages);
	assert_non_null(strstr(file, ",2026-11-22T09:30:00+09:00,"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(thousands_of_devices_are_listed),
		office_test(the_portal_gets_the_same),
		office_test(a_number_that_is_none_is_refused),
		office_test(past_the_end_is_nothing),
		office_test(old_invitations_are_not_forgotten),
		office_test(thousands_of_people_are_listed),
		office_test(pages_of_the_file_have_one_header),
		office_test(quotation_marks_count_twice),
		office_test(words_are_in_the_language_asked_for),
		office_test(times_are_iso_8601),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
