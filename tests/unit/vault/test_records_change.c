#include "unit/vault/records_office.h"

#include <dirent.h>

#include "vault/sealing.h"

static int setup(void **state)
{
	*state = office_of_records();
	return 0;
}

static int teardown(void **state)
{
	office_free(*state);
	return 0;
}

static void expect_name(struct office *office, uint64_t record, int64_t version, const char *name)
{
	_cleanup_content_ struct content content = { 0 };
	struct record_row row;

	assert_ok(records_row(&office->records, record, &row));
	assert_ok(record_get_content(&office->records, &row, version, &content));
	assert_string_equal(content.name, name);
}

static void expect_number(struct office *office, uint64_t record, const char *number)
{
	char digits[NUMBERS_ROOM];
	struct record_row row;

	assert_ok(records_row(&office->records, record, &row));
	assert_ok(record_get_number(&office->records, &row, digits));
	assert_string_equal(digits, number);
}

static void what_was_entered_is_there(void **state)
{
	struct office *office = *state;
	const struct record_row client = office_add(office, KIND_CLIENT, 0, 0, "関所商事",
						    "セキショショウジ", OFFICE_CORPORATE);
	struct record_row employee = office_add(office, KIND_EMPLOYEE, client.id, 0, "山田 花子",
						"ヤマダ ハナコ", OFFICE_PERSONAL);
	const struct record_row later =
		office_add(office, KIND_DEPENDANT, client.id, employee.id, NULL, NULL, NULL);
	const struct content renamed = { .name = "田中 花子", .kana = "タナカ ハナコ" };

	assert_int_equal(client.client, client.id);
	assert_int_equal(employee.created_by, office_by.account);
	assert_int_equal(later.version, 0);
	assert_ok(records_begin(&office->records));
	assert_ok(record_put_version(&office->records, &employee, &renamed, &office_by));
	assert_string_equal(index_find(office->records.index, employee.id)->name, "山田 花子");
	assert_ok(records_commit(&office->records, 0));
	for (int i = 0; i < 2; i++) {
		const struct index_entry *entry = index_find(office->records.index, employee.id);

		assert_string_equal(entry->name, "田中 花子");
		assert_true(entry->has_number);
		assert_false(index_find(office->records.index, later.id)->has_number);
		expect_name(office, employee.id, 0, "田中 花子");
		expect_name(office, employee.id, 1, "山田 花子");
		expect_number(office, employee.id, OFFICE_PERSONAL);
		expect_number(office, client.id, OFFICE_CORPORATE);
		office_again(office);
	}
	assert_int_equal(office->notices, 0);
}

static void a_roll_back_leaves_nothing(void **state)
{
	struct office *office = *state;
	struct record_row client = office_add(office, KIND_CLIENT, 0, 0, "関所", "セキショ", NULL),
			  row = office_new_row(KIND_PAYEE, client.id, 0);
	const struct content content = { .name = "別名", .kana = "" };

	assert_ok(records_begin(&office->records));
	assert_ok(record_put_version(&office->records, &client, &content, &office_by));
	assert_ok(record_create(&office->records, &row, &content, OFFICE_PERSONAL, &office_by));
	records_abort(&office->records);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(index_find(office->records.index, client.id)->name, "関所");
		assert_null(index_find(office->records.index, row.id));
		expect_name(office, client.id, 0, "関所");
		assert_err(records_row(&office->records, row.id, &row), ERR_NOT_FOUND);
		office_again(office);
	}
}

static void the_old_number_counts_until_the_new_one_does(void **state)
{
	struct office *office = *state;
	struct record_row row = office_add(office, KIND_CLIENT, 0, 0, "関所", "", OFFICE_PERSONAL);
	int64_t version = 0, second = 0;

	assert_ok(records_begin(&office->records));
	assert_err(record_put_number(&office->records, &row, "123456789012", &office_by, &version),
		   ERR_INVALID);
	assert_ok(record_put_number(&office->records, &row, OFFICE_OTHER, &office_by, &version));
	assert_int_equal(version, 2);
	assert_ok(records_commit(&office->records, 0));
	expect_number(office, row.id, OFFICE_PERSONAL);
	assert_ok(records_begin(&office->records));
	assert_err(record_use_number(&office->records, &row, 3), ERR_NOT_FOUND);
	assert_err(record_use_number(&office->records, &row, 0), ERR_NOT_FOUND);
	assert_err(record_drop_number(&office->records, &row, 1), ERR_WRONG_STATE);
	assert_ok(record_use_number(&office->records, &row, 2));
	assert_ok(records_commit(&office->records, 0));
	expect_number(office, row.id, OFFICE_OTHER);
	/* A number's version is not used twice. */
	assert_ok(records_begin(&office->records));
	assert_ok(record_put_number(&office->records, &row, OFFICE_PERSONAL, &office_by, &second));
	assert_int_equal(second, 3);
	assert_ok(record_drop_number(&office->records, &row, second));
	assert_err(record_drop_number(&office->records, &row, second), ERR_NOT_FOUND);
	assert_ok(records_commit(&office->records, 0));
	expect_number(office, row.id, OFFICE_OTHER);
}

static void a_number_has_to_be_right(void **state)
{
	struct office *office = *state;
	const struct record_row client = office_add(office, KIND_CLIENT, 0, 0, "関所", "", NULL);
	struct record_row row = office_new_row(KIND_EMPLOYEE, client.id, 0);

	assert_ok(records_begin(&office->records));
	assert_err(record_create(&office->records, &row, NULL, OFFICE_CORPORATE, &office_by),
		   ERR_INVALID);
	records_abort(&office->records);
	assert_null(index_find(office->records.index, client.id + 1));
}

/* ---- what is put in another's place ------------------------------------------------------------
 */

static void expect_damaged(struct office *office, uint64_t record, unsigned times)
{
	_cleanup_content_ struct content content = { 0 };
	struct record_row row;

	office->notices = 0;
	assert_ok(records_row(&office->records, record, &row));
	assert_err(record_get_content(&office->records, &row, 0, &content), ERR_INVALID);
	assert_int_equal(office->notices, 1);
	/* The next opening names it, and shows the rest. */
	office->notices = 0;
	office_again(office);
	assert_int_equal(office->notices, times);
	assert_true(index_find(office->records.index, record)->damaged);
}

static void swapped_contents_are_named(void **state)
{
	static const char *const swaps[] = {
		/* of another record, all of it and in part */
		"UPDATE record_version SET (data_key, sealed) = (SELECT data_key, sealed FROM"
		" record_version AS other WHERE record = 2) WHERE record = 3",
		"UPDATE record_version SET sealed = (SELECT sealed FROM record_version AS other"
		" WHERE record = 2) WHERE record = 3",
		/* an older version of the same */
		"UPDATE record_version SET (data_key, sealed) = (SELECT data_key, sealed FROM"
		" record_version AS other WHERE record = 3 AND version = 1) WHERE record = 3",
		/* a number in place of a name */
		"UPDATE record_version SET (data_key, sealed) = (SELECT data_key, sealed FROM"
		" record_number WHERE record = 3) WHERE record = 3 AND version = 2",
		"UPDATE record_version SET sealed = zeroblob(100) WHERE record = 3",
		"UPDATE record_version SET data_key = zeroblob(40) WHERE record = 3",
		"DELETE FROM record_version WHERE record = 3 AND version = 2",
	};

	for (size_t i = 0; i < ARRAY_SIZE(swaps); i++) {
		struct office *office = office_of_records();
		const struct content changed = { .name = "鈴木 実", .kana = "スズキ ミノル" };

		(void)state;
		office_add(office, KIND_CLIENT, 0, 0, "関所", "", NULL);
		office_add(office, KIND_EMPLOYEE, 1, 0, "山田", "", OFFICE_OTHER);
		struct record_row row =
			office_add(office, KIND_EMPLOYEE, 1, 0, "鈴木", "", OFFICE_PERSONAL);
		assert_ok(records_begin(&office->records));
		assert_ok(record_put_version(&office->records, &row, &changed, &office_by));
		assert_ok(records_commit(&office->records, 0));
		assert_ok(db_exec(office->records.db, swaps[i]));
		expect_damaged(office, 3, 1);
		expect_name(office, 2, 0, "山田");
		assert_string_equal(index_find(office->records.index, 2)->name, "山田");
		office_free(office);
	}
}

static void swapped_numbers_are_named(void **state)
{
	static const char *const swaps[] = {
		"UPDATE record_number SET (data_key, sealed) = (SELECT data_key, sealed FROM"
		" record_number AS other WHERE record = 1) WHERE record = 2",
		"UPDATE record_number SET version = 2 WHERE record = 2",
		"UPDATE record_number SET (data_key, sealed) = (SELECT data_key, substr(sealed, 1,"
		" 40) FROM record_version WHERE record = 2) WHERE record = 2",
	};

	for (size_t i = 0; i < ARRAY_SIZE(swaps); i++) {
		struct office *office = office_of_records();
		char digits[NUMBERS_ROOM];

		(void)state;
		office_add(office, KIND_CLIENT, 0, 0, "関所", "", OFFICE_OTHER);
		const struct record_row row =
			office_add(office, KIND_PAYEE, 1, 0, "山田", "", OFFICE_PERSONAL);
		expect_number(office, row.id, OFFICE_PERSONAL);
		assert_ok(db_exec(office->records.db, swaps[i]));
		assert_err(record_get_number(&office->records, &row, digits), ERR_INVALID);
		assert_int_equal(office->notices, 1);
		expect_number(office, 1, OFFICE_OTHER);
		office_free(office);
	}
}

/* The row says where it belongs; with another one it does not open. */
static void it_is_bound_to_all_of_the_row(void **state)
{
	struct office *office = *state;
	const struct record_row row = office_add(office, KIND_CLIENT, 0, 0, "関所", "", NULL);
	const struct sealing_of of = { SEALING_REQUEST, &row, 5, 2 };
	uint8_t data_key[SEALING_DATA_KEY], sealed[4 + SEALING_MORE];
	_cleanup_secret_ struct secret *back = NULL;

	assert_ok(sealing_put(&office->records, &of, "kept", 4, data_key, sealed));
	for (int i = 0; i < 8; i++) {
		struct record_row other_row = row;
		struct sealing_of other = of;

		other.row = &other_row;
		other.what += i == 0;
		other.part += i == 1;
		other.version += i == 2;
		other_row.id += i == 3;
		other_row.client += i == 4;
		other_row.class += i == 5;
		other_row.purposes[0] ^= i == 6;
		other_row.purpose_count -= i == 7;
		assert_err(sealing_get(&office->records, &other, data_key, sealed, sizeof(sealed),
				       &back),
			   ERR_INVALID);
	}
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		assert_err(
			sealing_get(&office->records, &of, data_key, sealed, sizeof(sealed), &back),
			ERR_INVALID);
		assert_err(sealing_get(&office->records, &of, data_key, sealed, i, &back),
			   ERR_INVALID);
		sealed[i] ^= 1;
	}
	assert_ok(sealing_get(&office->records, &of, data_key, sealed, sizeof(sealed), &back));
	assert_int_equal(secret_len(back), 4);
	assert_string_equal(secret_text(back), "kept");
}

/* ---- group keys -------------------------------------------------------------------------------
 */

static void a_new_group_key(void **state)
{
	struct office *office = *state;
	struct record_row row = office_add(office, KIND_CLIENT, 0, 0, "関所", "", OFFICE_CORPORATE);
	const struct record_row before = row;
	const struct content content = { .name = "関所二", .kana = "" };
	char digits[NUMBERS_ROOM];
	uint64_t key = 0;

	assert_ok(keyring_replace(&office->records.keyring, row.key, &key));
	assert_int_not_equal(key, row.key);
	assert_ok(records_begin(&office->records));
	assert_ok(record_put_version(&office->records, &row, &content, &office_by));
	assert_ok(record_rewrap(&office->records, &row, key));
	assert_ok(records_commit(&office->records, 0));
	assert_int_equal(row.key, key);
	assert_ok(keyring_destroy(&office->records.keyring, before.key));
	office_again(office);
	assert_int_equal(office->notices, 0);
	expect_name(office, row.id, 1, "関所");
	expect_name(office, row.id, 2, "関所二");
	expect_number(office, row.id, OFFICE_CORPORATE);
	/* With the key that is no more nothing opens. */
	assert_err(record_get_number(&office->records, &before, digits), ERR_INVALID);
}

/* Each client, class and year has its own. */
static void keys_are_of_client_class_and_year(void **state)
{
	struct office *office = *state;
	const struct record_row one = office_add(office, KIND_CLIENT, 0, 0, "一", "", NULL),
				two = office_add(office, KIND_CLIENT, 0, 0, "二", "", NULL),
				same = office_add(office, KIND_PAYEE, one.id, 0, "三", "", NULL);
	const struct change_by next_year = { .account = 7, .now_s = office_by.now_s + 31622400 };
	const struct content content = { .name = "四", .kana = "" };
	struct record_row late = office_new_row(KIND_PAYEE, one.id, 0), other = late;

	other.class = 2;
	assert_ok(records_begin(&office->records));
	assert_ok(record_create(&office->records, &late, &content, NULL, &next_year));
	assert_ok(record_create(&office->records, &other, &content, NULL, &office_by));
	assert_ok(records_commit(&office->records, 0));
	assert_int_equal(one.key, same.key);
	assert_int_not_equal(one.key, two.key);
	assert_int_not_equal(one.key, late.key);
	assert_int_not_equal(one.key, other.key);
}

/* Nobody else's root key opens it, and a copy of what is on the disk says nothing. */
static void another_root_key_opens_nothing(void **state)
{
	struct office *office = *state;
	_cleanup_secret_ struct secret *other = NULL;

	office_add(office, KIND_CLIENT, 0, 0, "関所", "", OFFICE_CORPORATE);
	records_seal(&office->records);
	assert_ok(secret_random(32, &other));
	assert_err(records_open(&office->records, other, 1), ERR_LOGIN);
	assert_null(office->records.db);
	office_open(office);
	expect_name(office, 1, 0, "関所");
}

/* ---- what is on the disk ----------------------------------------------------------------------
 */

static char *read_file(const char *folder, const char *name, size_t *ret_len)
{
	char path[UNIT_FOLDER + 32];
	char *data = NULL;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_ok(util_read_file(path, 64 << 20, &data, ret_len));
	return data;
}

static void expect_nowhere(const char *folder, const char *text)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	int files = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		size_t len;

		if (entry->d_type != DT_REG)
			continue;
		char *data = read_file(folder, entry->d_name, &len);
		assert_null(memmem(data, len, text, strlen(text)));
		free(data);
		files++;
	}
	closedir(dir);
	assert_true(files >= 2);
}

/* Neither while it is open, with its log of writes, nor afterwards; also what was changed. */
static void the_disk_says_nothing(void **state)
{
	static const char *const words[] = { "カナリア商事",  "カナリアショウジ",  "金糸雀 鳴子",
					     "かなりあ",      "canary@example.jp", OFFICE_PERSONAL,
					     OFFICE_CORPORATE };
	struct office *office = *state;
	json_t *fields = json_pack("{s:s}", "mail", "canary@example.jp");
	const struct content content = { .name = "金糸雀 鳴子",
					 .kana = "かなりあ",
					 .fields = fields };
	struct record_row row = office_add(office, KIND_CLIENT, 0, 0, "カナリア商事",
					   "カナリアショウジ", OFFICE_CORPORATE);
	int64_t version = 0;

	assert_ok(records_begin(&office->records));
	assert_ok(record_put_version(&office->records, &row, &content, &office_by));
	assert_ok(record_put_number(&office->records, &row, OFFICE_PERSONAL, &office_by, &version));
	assert_ok(records_commit(&office->records, 0));
	json_decref(fields);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		expect_nowhere(office->folder, words[i]);
	records_seal(&office->records);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		expect_nowhere(office->folder, words[i]);
	office_open(office);
	expect_name(office, row.id, 0, "金糸雀 鳴子");
}

static void write_file(const char *folder, const char *name, const char *data, size_t len)
{
	char path[UNIT_FOLDER + 32];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_ok(util_write_file(path, data, len, 0600));
}

/* The broker knows how far they had come: nothing of an older copy is shown. */
static void an_older_copy_is_noticed(void **state)
{
	struct office *office = *state;
	const char *field = NULL;
	size_t len;

	office_add(office, KIND_CLIENT, 0, 0, "関所", "", NULL);
	records_seal(&office->records);
	char *copy = read_file(office->folder, "records.db", &len);
	office_open(office);
	office_add(office, KIND_CLIENT, 0, 0, "箱根", "", NULL);
	const uint64_t known = office->records.counter;
	records_seal(&office->records);
	write_file(office->folder, "records.db", copy, len);
	free(copy);
	assert_ok(records_open(&office->records, office->root, 1));
	assert_ok(records_floor(&office->records, known, NULL, 0, true));
	assert_int_equal(office->records.state, RECORDS_ROLLED_BACK);
	assert_err(records_usable(&office->records, &field), ERR_UNAVAILABLE);
	assert_string_equal(field, "rolled-back");
	assert_string_equal(office->notice, "vault-rolled-back");
	assert_err(office_ask(office, TANAKA, OP_client_list, "{}"), ERR_UNAVAILABLE);
}

/* Nobody makes the copy look newer. */
static void the_counter_is_not_for_others_to_write(void **state)
{
	struct office *office = *state;

	office_add(office, KIND_CLIENT, 0, 0, "関所", "", NULL);
	assert_ok(db_exec(office->records.db, "UPDATE meta SET counter = counter + 5"));
	records_seal(&office->records);
	assert_ok(records_open(&office->records, office->root, 1));
	assert_int_equal(office->records.state, RECORDS_DAMAGED);
}

int main(void)
{
#define office_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		office_test(what_was_entered_is_there),
		office_test(a_roll_back_leaves_nothing),
		office_test(the_old_number_counts_until_the_new_one_does),
		office_test(a_number_has_to_be_right),
		cmocka_unit_test(swapped_contents_are_named),
		cmocka_unit_test(swapped_numbers_are_named),
		office_test(it_is_bound_to_all_of_the_row),
		office_test(a_new_group_key),
		office_test(keys_are_of_client_class_and_year),
		office_test(another_root_key_opens_nothing),
		office_test(the_disk_says_nothing),
		office_test(an_older_copy_is_noticed),
		office_test(the_counter_is_not_for_others_to_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
