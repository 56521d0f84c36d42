#include "unit/vault/records_office.h"

static struct record_row row_of(uint64_t id)
{
	struct record_row row = office_new_row(KIND_EMPLOYEE, 1, 0);

	row.id = id;
	row.version = 1;
	return row;
}

static void note(struct index *index, uint64_t id, const char *name, const char *kana)
{
	const struct record_row row = row_of(id);

	assert_ok(index_note(index, &row, name, kana, false));
}

static bool has(const struct index *index, uint64_t id, const char *text)
{
	char *folded = NULL;

	assert_ok(index_fold(text, &folded));
	bool found = index_has(index_find(index, id), folded);
	index_text_free(&folded);
	return found;
}

static void as_names_are_read(void **state)
{
	static const char *const found[] = { "山田",   "山田太郎", "山田　太郎",
					     "ヤマダ", "やまだ",   "ﾔﾏﾀﾞ",
					     "ﾀﾛｳ",    "だ た",    "ＳＭＩＴＨ",
					     "smith",  "" };
	static const char *const not_found[] = { "山口", "ヤマタ", "郎山", "太郎や" };
	struct index *index = NULL;

	(void)state;
	assert_ok(index_new(&index));
	note(index, 5, "山田 太郎 Smith", "ヤマダ タロウ");
	index_keep(index);
	for (size_t i = 0; i < ARRAY_SIZE(found); i++)
		assert_true(has(index, 5, found[i]));
	for (size_t i = 0; i < ARRAY_SIZE(not_found); i++)
		assert_false(has(index, 5, not_found[i]));
	index_free(index);
}

static void changes_count_when_they_are_kept(void **state)
{
	struct index *index = NULL;
	struct record_row row = row_of(3);

	(void)state;
	assert_ok(index_new(&index));
	note(index, 3, "佐藤", "サトウ");
	assert_null(index_find(index, 3));
	index_drop(index);
	index_keep(index);
	assert_int_equal(index_count(index), 0);
	note(index, 3, "佐藤", "サトウ");
	index_keep(index);
	note(index, 3, "鈴木", "スズキ");
	assert_string_equal(index_find(index, 3)->name, "佐藤");
	index_drop(index);
	index_keep(index);
	assert_string_equal(index_find(index, 3)->name, "佐藤");
	/* The row alone: its name stays. */
	row.removed = 1;
	row.number_version = 2;
	assert_ok(index_note(index, &row, NULL, NULL, false));
	index_keep(index);
	assert_string_equal(index_find(index, 3)->name, "佐藤");
	assert_int_equal(index_find(index, 3)->removed, 1);
	assert_true(index_find(index, 3)->has_number);
	/* What is disposed of has none. */
	row.disposed = 9;
	assert_ok(index_note(index, &row, NULL, NULL, false));
	index_keep(index);
	assert_string_equal(index_find(index, 3)->name, "");
	assert_false(has(index, 3, "佐藤"));
	index_free(index);
}

static void expect_order(const struct index *index)
{
	for (size_t i = 1; i < index_count(index); i++) {
		const struct index_entry *a = index_at(index, i - 1), *b = index_at(index, i);
		int order = strcmp(a->key, b->key);

		assert_true(order < 0 || (order == 0 && a->id < b->id));
		assert_int_equal(index_place(index, b), i);
	}
}

/* One by one and many at once, however they come. */
static void in_the_order_of_readings(void **state)
{
	enum { MANY = 500 };
	struct index *index = NULL;
	char name[32];

	(void)state;
	assert_ok(index_new(&index));
	for (uint64_t round = 0; round < 4; round++) {
		for (uint64_t i = 1; i <= MANY; i++) {
			snprintf(name, sizeof(name), "%c%llu", (char)('a' + (i * 7 + round) % 26),
				 (unsigned long long)(i % 50));
			note(index, i, "名", i % 3 ? name : "");
			if (round % 2)
				index_keep(index);
		}
		index_keep(index);
		assert_int_equal(index_count(index), MANY);
		expect_order(index);
		for (uint64_t i = 1; i <= MANY; i++)
			assert_int_equal(index_find(index, i)->id, i);
	}
	index_free(index);
}

static void only_utf8(void **state)
{
	char *folded = NULL;

	(void)state;
	assert_err(index_fold("\xff\xfe", &folded), ERR_INVALID);
	assert_null(folded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_names_are_read),
		cmocka_unit_test(changes_count_when_they_are_kept),
		cmocka_unit_test(in_the_order_of_readings),
		cmocka_unit_test(only_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
