#include "unit/vault/life_office.h"

#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/wait.h>

#include "store/vault/rule_rows.h"
#include "unit/record/recording.h"
#include "vault/exports.h"

/* The records of client 1: itself (1), and three employees. Sato may export all with numbers,
 * Suzuki without; of record 3 nobody but Sato may do more than look. */
static int start(void **state)
{
	const struct grants_hand hand = { 99, 1 };
	struct office *office = office_of_life();
	const struct grant_row rows[] = {
		{ .subject_kind = GRANT_ACCOUNT,
		  .subject = SATO.account,
		  .object_kind = GRANT_EVERYTHING,
		  .rights = { .level = GRANT_EXPORT, .number = true } },
		{ .subject_kind = GRANT_ACCOUNT,
		  .subject = SUZUKI.account,
		  .object_kind = GRANT_EVERYTHING,
		  .rights = { .level = GRANT_EXPORT } },
		{ .subject_kind = GRANT_ACCOUNT,
		  .subject = SUZUKI.account,
		  .object_kind = GRANT_RECORD,
		  .object = 3,
		  .rights = { .level = GRANT_EDIT } },
	};

	*state = office;
	assert_int_equal(office_add(office, KIND_EMPLOYEE, 1, 0, "一", "イチ", OFFICE_PERSONAL).id,
			 2);
	assert_int_equal(office_add(office, KIND_EMPLOYEE, 1, 0, "=二\"", "ニ,", NULL).id, 3);
	assert_int_equal(office_add(office, KIND_DEPENDANT, 1, 2, "三", "サン", OFFICE_OTHER).id,
			 4);
	assert_ok(records_begin(&office->records));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_ok(grants_give(&office->records, &rows[i], &hand));
	assert_ok(records_commit(&office->records, 0));
	return 0;
}

static int stop(void **state)
{
	office_free(*state);
	return 0;
}

/* A certificate as it stands in a JSON text. */
static void pem_of(X509 *certificate, char *ret, size_t size)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *data = NULL;
	size_t at = 0;

	assert_true(PEM_write_bio_X509(out, certificate));
	long len = BIO_get_mem_data(out, &data);
	for (long i = 0; i < len; i++)
		at += (size_t)snprintf(ret + at, size - at, data[i] == '\n' ? "\\n" : "%c",
				       data[i]);
	assert_true(at < size);
	BIO_free(out);
}

static enum err make(struct office *office, struct desk_person who, const struct auditor *to,
		     const char *wish)
{
	char pem[4096];

	pem_of(to->certificate, pem, sizeof(pem));
	return office_ask(office, who, OP_export_make, "{%s,\"recipient\":\"%s\"}", wish, pem);
}

/* All pieces; the last answer was export_make's. */
static size_t fetch(struct office *office, struct desk_person who, uint8_t **ret)
{
	const int64_t number = office_number(office, "export"),
		      bytes = office_number(office, "bytes");
	uint8_t *data = malloc((size_t)bytes + 3);
	int64_t at = 0;

	assert_non_null(data);
	do {
		assert_ok(office_ask(office, who, OP_export_next,
				     "{\"export\":%lld,\"offset\":%lld}", (long long)number,
				     (long long)at));
		const char *text = json_string_value(json_object_get(office->answer, "data"));
		int len = EVP_DecodeBlock(data + at, (const uint8_t *)text, (int)strlen(text));
		int64_t next = office_number(office, "next");

		assert_true(len > 0);
		assert_true(at + len <= bytes + 2);
		at = next ? next : bytes;
	} while (at < bytes);
	*ret = data;
	return (size_t)bytes;
}

/* What `openssl cms -decrypt` makes of it. */
static char *decrypt(const struct auditor *to, const uint8_t *data, size_t len)
{
	char folder[UNIT_FOLDER], paths[3][UNIT_FOLDER + 16], *text = NULL;
	int status;

	unit_folder(folder);
	for (int i = 0; i < 3; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%d", folder, i);
	assert_ok(util_write_file(paths[0], data, len, 0600));
	FILE *key = fopen(paths[1], "w");
	assert_non_null(key);
	assert_true(PEM_write_PrivateKey(key, to->key, NULL, NULL, 0, NULL, NULL));
	fclose(key);
	pid_t child = fork();
	if (child == 0) {
		execlp("openssl", "openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in",
		       paths[0], "-inkey", paths[1], "-out", paths[2], (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		skip();
	if (status == 0)
		assert_ok(util_read_file(paths[2], 1 << 24, &text, &len));
	return text;
}

static void test_only_the_recipient_reads_it(void **state)
{
	struct auditor to = auditor_make(), other = auditor_make();
	struct office *office = *state;
	uint8_t hash[32], *data = NULL;
	char hex[65];

	assert_ok(make(office, SATO, &to, "\"client\":1,\"purpose\":1,\"numbers\":true"));
	assert_int_equal(office_number(office, "rows"), 4);
	assert_int_equal(office_number(office, "left_out"), 0);
	assert_int_equal(json_integer_value(json_object_get(office->detail, "numbers")), 2);
	assert_int_equal(strlen(json_string_value(json_object_get(office->detail, "recipient"))),
			 64);
	assert_string_equal(json_string_value(json_object_get(office->detail, "purpose_name")),
			    "源泉徴収");
	assert_int_equal(office->held_client, 1);
	assert_int_equal(office->about, 4);
	char *wanted = strdup(json_string_value(json_object_get(office->answer, "sha256")));
	int64_t number = office_number(office, "export");
	size_t len = fetch(office, SATO, &data);
	assert_true(EVP_Digest(data, len, hash, NULL, EVP_sha256(), NULL));
	util_hex(hash, sizeof(hash), hex);
	assert_string_equal(hex, wanted);
	assert_null(memmem(data, len, OFFICE_PERSONAL, 12));

	char *text = decrypt(&to, data, len);
	assert_non_null(text);
	assert_string_equal(
		text,
		"\xef\xbb\xbf\"種別\",\"顧問先\",\"氏名\",\"フリガナ\",\"本人\",\"利用目的\","
		"\"保存区分\","
		"\"番号\"\r\n"
		"\"顧問先\",\"\",\"青葉商店\",\"アオバ\",\"\",\"源泉徴収;社会保険\",\"賃金台帳\","
		"\"\"\r\n"
		"\"従業員\",\"青葉商店\",\"一\",\"イチ\",\"\",\"源泉徴収;社会保険\",\"賃金台帳\","
		"\"" OFFICE_PERSONAL "\"\r\n"
		"\"扶養親族\",\"青葉商店\",\"三\",\"サン\",\"一\",\"源泉徴収;社会保険\","
		"\"賃金台帳\","
		"\"" OFFICE_OTHER "\"\r\n"
		"\"従業員\",\"青葉商店\",\"'=二\"\"\",\"ニ,\",\"\",\"源泉徴収;社会保険\","
		"\"賃金台帳\","
		"\"\"\r\n");
	free(text);
	assert_null(decrypt(&other, data, len));
	data[len / 2] ^= 1;
	assert_null(decrypt(&to, data, len));

	/* Nobody else's, and gone when it was taken. */
	assert_err(office_ask(office, SUZUKI, OP_export_next, "{\"export\":%lld,\"offset\":0}",
			      (long long)number),
		   ERR_NOT_FOUND);
	assert_err(
		office_ask(office, SUZUKI, OP_export_drop, "{\"export\":%lld}", (long long)number),
		ERR_NOT_FOUND);
	assert_ok(office_ask(office, SATO, OP_export_drop, "{\"export\":%lld}", (long long)number));
	assert_err(office_ask(office, SATO, OP_export_next, "{\"export\":%lld,\"offset\":0}",
			      (long long)number),
		   ERR_NOT_FOUND);
	free(wanted);
	free(data);
	auditor_free(&to);
	auditor_free(&other);
}

/* The entry of the audit log is written, and the work has not begun. */
static void make_later(struct office *office, const struct auditor *to)
{
	office->starts = true;
	(void)make(office, SATO, to, "\"client\":1,\"purpose\":1,\"numbers\":true");
	office->starts = false;
	assert_true(office->held);
	assert_int_equal(office->about, 4);
	assert_false(office->answered);
}

static enum err made(struct office *office)
{
	office_wait(office);
	assert_true(office->answered);
	return office->err;
}

static void test_nothing_leaves_that_the_entry_does_not_say(void **state)
{
	struct auditor to = auditor_make();
	struct office *office = *state;
	const struct change_by by = { 1, 1 };
	struct record_row row;
	int64_t version;

	make_later(office, &to);
	assert_ok(made(office));
	make_later(office, &to);
	office_add(office, KIND_PAYEE, 1, 0, "四", "", NULL);
	assert_err(made(office), ERR_WRONG_STATE);
	assert_ok(records_begin(&office->records));
	assert_ok(records_row(&office->records, 5, &row));
	row.removed = 1;
	assert_ok(records_set_row(&office->records, &row));
	assert_ok(records_commit(&office->records, 0));
	make_later(office, &to);
	row = office_record(office, 3);
	assert_ok(records_begin(&office->records));
	assert_ok(record_put_number(&office->records, &row, OFFICE_PERSONAL, &by, &version));
	assert_ok(record_use_number(&office->records, &row, version));
	assert_ok(records_commit(&office->records, 0));
	assert_err(made(office), ERR_WRONG_STATE);
	auditor_free(&to);
}

static void check_count(struct office *office, struct desk_person who, const char *wish, int rows,
			int left_out, int numbers)
{
	assert_ok(office_ask(office, who, OP_export_count, "{%s}", wish));
	assert_int_equal(office_number(office, "rows"), rows);
	assert_int_equal(office_number(office, "left_out"), left_out);
	assert_int_equal(office_number(office, "numbers"), numbers);
}

static void test_a_right_of_its_own(void **state)
{
	struct auditor to = auditor_make();
	struct office *office = *state;

	check_count(office, SATO, "\"purpose\":1,\"numbers\":true", 4, 0, 2);
	check_count(office, SATO, "\"purpose\":1", 4, 0, 0);
	/* Numbers have a right beside it; and to change is not to export. */
	check_count(office, SUZUKI, "\"purpose\":1,\"numbers\":true", 3, 1, 0);
	check_count(office, SUZUKI, "\"purpose\":1,\"records\":[3]", 0, 1, 0);
	assert_err(make(office, SUZUKI, &to, "\"purpose\":1,\"records\":[3]"), ERR_DENIED);
	/* Who approves sees all, and exports nothing by that. */
	check_count(office, TANAKA, "\"purpose\":1", 0, 4, 0);
	/* What one may not see is not even counted. */
	check_count(office, (struct desk_person){ 77, DUTY_USE }, "\"purpose\":1", 0, 0, 0);
	assert_err(office_ask(office, (struct desk_person){ 77, DUTY_USE }, OP_export_count,
			      "{\"purpose\":1,\"client\":1}"),
		   ERR_NOT_FOUND);
	auditor_free(&to);
}

static void test_for_one_purpose(void **state)
{
	struct office *office = *state;
	const struct content content = { .name = "四", .kana = "" };
	struct record_row row = office_new_row(KIND_EMPLOYEE, 1, 0);

	row.purposes[7] = 2;
	row.purpose_count = 1;
	row.class = 2;
	assert_ok(records_begin(&office->records));
	assert_ok(record_create(&office->records, &row, &content, NULL, &office_by));
	assert_ok(records_commit(&office->records, 0));
	check_count(office, SATO, "\"purpose\":1", 4, 1, 0);
	check_count(office, SATO, "\"purpose\":2", 5, 0, 0);
	check_count(office, SATO, "\"purpose\":2,\"class\":2", 1, 0, 0);
	assert_err(office_ask(office, SATO, OP_export_count, "{\"client\":1}"), ERR_INVALID);
	assert_string_equal(office->field, "purpose");
	assert_err(office_ask(office, SATO, OP_export_count, "{\"purpose\":9}"), ERR_NOT_FOUND);
}

/* With all the purposes that a record may have, under the longest names. */
static void test_many_purposes(void **state)
{
	struct auditor to = auditor_make();
	struct office *office = *state;
	const struct content content = { .name = "五", .kana = "" };
	struct record_row row = office_new_row(KIND_EMPLOYEE, 1, 0);
	uint64_t ids[RECORD_PURPOSES];
	uint8_t *data = NULL;
	char name[3 * RULE_NAME + 1] = "";

	for (size_t i = 0; i < RULE_NAME - 2; i++)
		strcat(name, "税");
	for (size_t i = 0; i < RECORD_PURPOSES; i++) {
		assert_ok(office_ask(office, TANAKA, OP_purpose_add,
				     "{\"name\":\"%s%02zu\",\"name_en\":\"\"}", name, i));
		ids[i] = (uint64_t)office_number(office, "id");
	}
	record_set_purposes(&row, ids, RECORD_PURPOSES);
	assert_ok(records_begin(&office->records));
	assert_ok(record_create(&office->records, &row, &content, NULL, &office_by));
	assert_ok(records_commit(&office->records, 0));
	char wish[64];
	snprintf(wish, sizeof(wish), "\"client\":1,\"purpose\":%llu", (unsigned long long)ids[0]);
	assert_ok(make(office, SATO, &to, wish));
	size_t len = fetch(office, SATO, &data);
	char *text = decrypt(&to, data, len);
	assert_non_null(text);
	assert_non_null(strstr(text, "税31\""));
	free(text);
	free(data);
	auditor_free(&to);
}

static void test_only_what_is_in_use(void **state)
{
	struct office *office = *state;
	struct record_row row = office_record(office, 3);

	row.removed = 1;
	assert_ok(records_begin(&office->records));
	assert_ok(records_set_row(&office->records, &row));
	row = office_record(office, 4);
	row.state = STATE_WAITING;
	assert_ok(records_set_row(&office->records, &row));
	assert_ok(records_commit(&office->records, 0));
	check_count(office, SATO, "\"purpose\":1", 2, 0, 0);
}

static void test_recipients(void **state)
{
	static const struct {
		struct auditor_plan plan;
		enum err err;
	} cases[] = {
		{ { .group = "P-384" }, ERR_KEY },
		{ { .until_s = -10 }, ERR_EXPIRED },
		{ { .usage = "critical,digitalSignature" }, ERR_INVALID },
		{ { .constraints = "critical,CA:TRUE" }, ERR_INVALID },
		{ { .rsa = true, .usage = "critical,keyEncipherment" }, OK },
	};
	struct auditor good = auditor_make();
	struct office *office = *state;
	char pem[4096];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct auditor to = auditor_make_as(&cases[i].plan);

		assert_err(make(office, SATO, &to, "\"purpose\":1"), cases[i].err);
		assert_string_equal(office->field, cases[i].err ? "recipient" : "");
		auditor_free(&to);
	}
	pem_of(good.certificate, pem, sizeof(pem));
	assert_err(office_ask(office, SATO, OP_export_make,
			      "{\"purpose\":1,\"recipient\":\"%s%s\"}", pem, pem),
		   ERR_INVALID);
	assert_ok(office_ask(office, SATO, OP_export_make,
			     "{\"purpose\":1,\"recipient\":\"\\n%s \\r\\n\"}", pem));
	assert_err(office_ask(office, SATO, OP_export_make, "{\"purpose\":1,\"recipient\":\"x\"}"),
		   ERR_INVALID);
	assert_err(office_ask(office, SATO, OP_export_make, "{\"purpose\":1}"), ERR_INVALID);
	auditor_free(&good);
}

/* The passphrase of one that is encrypted is asked of nobody: here it would come from the standard
 * input. */
static void test_encrypted_recipient(void **state)
{
	static const char passphrase[] = "secret\nsecret\n"; /* once for each phase */
	struct auditor to = auditor_make();
	struct office *office = *state;
	BIO *out = BIO_new(BIO_s_mem());
	char *data = NULL, pem[4096];
	size_t at = 0;
	int pair[2], input = dup(STDIN_FILENO);

	assert_true(PEM_ASN1_write_bio((i2d_of_void *)i2d_X509, PEM_STRING_X509, out,
				       to.certificate, EVP_aes_128_cbc(),
				       (const unsigned char *)"secret", 6, NULL, NULL));
	long len = BIO_get_mem_data(out, &data);
	for (long i = 0; i < len; i++)
		at += (size_t)snprintf(pem + at, sizeof(pem) - at, data[i] == '\n' ? "\\n" : "%c",
				       data[i]);
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(write(pair[1], passphrase, strlen(passphrase)), strlen(passphrase));
	close(pair[1]);
	assert_int_equal(dup2(pair[0], STDIN_FILENO), STDIN_FILENO);
	close(pair[0]);
	assert_err(office_ask(office, SATO, OP_export_make, "{\"purpose\":1,\"recipient\":\"%s\"}",
			      pem),
		   ERR_INVALID);
	assert_string_equal(office->field, "recipient");
	if (input >= 0) {
		assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
		close(input);
	}
	BIO_free(out);
	auditor_free(&to);
}

static void test_its_time(void **state)
{
	struct auditor to = auditor_make();
	struct office *office = *state;
	long long number = 0;
	int64_t until = 0;

	for (int i = 0; i < EXPORTS_OF_ONE; i++) {
		assert_ok(make(office, SATO, &to, "\"purpose\":1"));
		number = office_number(office, "export");
		until = office_number(office, "until");
	}
	assert_err(make(office, SATO, &to, "\"purpose\":1"), ERR_FULL);
	exports_expire(&office->records, until - 2);
	assert_ok(
		office_ask(office, SATO, OP_export_next, "{\"export\":%lld,\"offset\":0}", number));
	for (size_t i = 0; i < EXPORTS_MAX; i++)
		if (office->records.exports->all[i].id)
			exports_expire(&office->records, office->records.exports->all[i].until);
	assert_err(
		office_ask(office, SATO, OP_export_next, "{\"export\":%lld,\"offset\":0}", number),
		ERR_NOT_FOUND);
	assert_ok(make(office, SATO, &to, "\"purpose\":1"));
	number = office_number(office, "export");
	office_again(office);
	assert_err(office_ask(office, SATO, OP_export_drop, "{\"export\":%lld}", number),
		   ERR_NOT_FOUND);
	auditor_free(&to);
}

/* Fields of today's templates and of before, in files of more than one piece. */
static void test_fields(void **state)
{
	struct auditor to = auditor_make();
	struct office *office = *state;
	uint8_t *data = NULL;
	char big[1025] = "";

	memset(big, 'x', sizeof(big) - 1);
	assert_ok(office_ask(office, TANAKA, OP_template_set,
			     "{\"kind\":2,\"fields\":[{\"key\":\"hired\",\"ja\":\"入社日\","
			     "\"en\":\"Hired\",\"required\":false}]}"));
	assert_ok(records_begin(&office->records));
	for (int i = 0; i < 100; i++) {
		json_t *fields = json_pack("{s:s, s:s}", "hired", "2026-04-01", "gone", big);
		const struct content content = { .name = "多", .kana = "", .fields = fields };
		struct record_row row = office_new_row(KIND_EMPLOYEE, 1, 0);

		assert_ok(record_create(&office->records, &row, &content, NULL, &office_by));
		json_decref(fields);
	}
	assert_ok(records_commit(&office->records, 0));
	assert_ok(make(office, SATO, &to, "\"purpose\":1"));
	size_t len = fetch(office, SATO, &data);
	char *text = decrypt(&to, data, len);
	assert_non_null(text);
	assert_non_null(strstr(text, "\"保存区分\",\"入社日\",\"gone\"\r\n"));
	assert_non_null(strstr(text, ",\"賃金台帳\",\"2026-04-01\",\"xxx"));
	assert_non_null(strstr(text, ",\"賃金台帳\",\"\",\"\"\r\n"));
	free(text);
	free(data);
	auditor_free(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_only_the_recipient_reads_it, start, stop),
		cmocka_unit_test_setup_teardown(test_nothing_leaves_that_the_entry_does_not_say,
						start, stop),
		cmocka_unit_test_setup_teardown(test_a_right_of_its_own, start, stop),
		cmocka_unit_test_setup_teardown(test_for_one_purpose, start, stop),
		cmocka_unit_test_setup_teardown(test_many_purposes, start, stop),
		cmocka_unit_test_setup_teardown(test_only_what_is_in_use, start, stop),
		cmocka_unit_test_setup_teardown(test_recipients, start, stop),
		cmocka_unit_test_setup_teardown(test_encrypted_recipient, start, stop),
		cmocka_unit_test_setup_teardown(test_its_time, start, stop),
		cmocka_unit_test_setup_teardown(test_fields, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
