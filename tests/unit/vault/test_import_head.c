#include "unit/vault/life_office.h"

#include "vault/import_head.h"

static int start(void **state)
{
	*state = office_of_life();
	return 0;
}

static int stop(void **state)
{
	office_free(*state);
	return 0;
}

static void read_head(struct office *office, int64_t kind, const char *const *names, size_t count,
		      struct import_head *ret)
{
	static char room[CSV_COLUMNS_MAX][256];
	char *cells[CSV_COLUMNS_MAX];

	for (size_t i = 0; i < count; i++) {
		snprintf(room[i], sizeof(room[i]), "%s", names[i]);
		cells[i] = room[i];
	}
	assert_ok(import_head_read(office->records.db, kind, cells, count, ret));
}

static void test_names(void **state)
{
	static const char *const given[] = { "種別",        "顧問先",       "氏名",
					     "ふりがな",    "マイナンバー", "利用目的",
					     " 保存区分　", "本人",         "なにか" };
	static const char *const english[] = { "Kind",     "CLIENT", "name",   "ｋａｎａ", "number",
					       "purposes", "class",  "parent", "" };
	static const enum import_column what[] = { IMPORT_KIND,  IMPORT_CLIENT, IMPORT_NAME,
						   IMPORT_KANA,  IMPORT_NUMBER, IMPORT_PURPOSES,
						   IMPORT_CLASS, IMPORT_PARENT, IMPORT_UNKNOWN };
	struct import_head head;

	for (int i = 0; i < 2; i++) {
		read_head(*state, 0, i ? english : given, 9, &head);
		for (size_t k = 0; k < 9; k++) {
			assert_int_equal(head.columns[k].what, what[k]);
			assert_false(head.columns[k].twice);
		}
		assert_string_equal(head.columns[6].name, i ? "class" : "保存区分");
		assert_int_equal(import_head_find(&head, IMPORT_PARENT), 7);
		assert_int_equal(import_head_find(&head, IMPORT_FIELD), -1);
		import_head_finish(&head);
	}
}

static void test_twice(void **state)
{
	static const char *const names[] = { "番号", "name", "個人番号", "x", "x" };
	struct import_head head;

	read_head(*state, 0, names, 5, &head);
	assert_true(head.columns[2].twice);
	assert_false(head.columns[0].twice);
	assert_false(head.columns[4].twice);
	import_head_finish(&head);
}

static void test_fields_of_kinds(void **state)
{
	static const char *const names[] = { "入社日", "hired", "住所" };
	struct office *office = *state;
	struct import_head head;

	assert_ok(office_ask(office, TANAKA, OP_template_set,
			     "{\"kind\":2,\"fields\":[{\"key\":\"hired\",\"ja\":\"入社日\","
			     "\"en\":\"Hired\",\"required\":true}]}"));
	assert_ok(office_ask(office, TANAKA, OP_template_set,
			     "{\"kind\":4,\"fields\":[{\"key\":\"address\",\"ja\":\"住所\","
			     "\"en\":\"\",\"required\":false}]}"));
	read_head(office, 0, names, 3, &head);
	assert_string_equal(head.columns[0].keys[KIND_EMPLOYEE], "hired");
	assert_null(head.columns[0].keys[KIND_PAYEE]);
	assert_true(head.columns[1].twice);
	assert_string_equal(head.columns[2].keys[KIND_PAYEE], "address");
	import_head_finish(&head);
	/* All are employees: a payee's field is none of theirs. */
	read_head(office, KIND_EMPLOYEE, names, 3, &head);
	assert_int_equal(head.columns[0].what, IMPORT_FIELD);
	assert_int_equal(head.columns[2].what, IMPORT_UNKNOWN);
	import_head_finish(&head);
}

static void test_long_names(void **state)
{
	char name[256] = "x";
	const char *const names[] = { name };
	struct import_head head;

	for (size_t i = 0; i < 50; i++)
		memcpy(name + 1 + 3 * i, "日", 4); /* cut between characters */
	read_head(*state, 0, names, 1, &head);
	assert_true(strlen(head.columns[0].name) <= IMPORT_COLUMN_NAME);
	assert_true(util_utf8_valid(head.columns[0].name, strlen(head.columns[0].name)));
	import_head_finish(&head);
}

static void test_trim(void **state)
{
	char text[] = " \t　山田　太郎　 ";
	char blank[] = "　 ";

	(void)state;
	assert_string_equal(import_trim(text), "山田　太郎");
	assert_string_equal(import_trim(blank), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, start, stop),
		cmocka_unit_test_setup_teardown(test_twice, start, stop),
		cmocka_unit_test_setup_teardown(test_fields_of_kinds, start, stop),
		cmocka_unit_test_setup_teardown(test_long_names, start, stop),
		cmocka_unit_test(test_trim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
