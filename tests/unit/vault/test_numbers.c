#include "unit/vault/records_office.h"

/* The Personal Number is that of the Cabinet Office's samples; the Corporate Number the example of
 * the National Tax Agency's paper on the check digit, and the Agency's own. */
static void check_digits(void **state)
{
	static const char *const right[] = { "123456789018", "8700110005901", "7000012050002" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
		char wrong[NUMBERS_ROOM];

		assert_true(numbers_valid(right[i]));
		strcpy(wrong, right[i]);
		for (size_t at = 0; at < strlen(right[i]); at++) {
			wrong[at] = right[i][at] == '9' ? '0' : (char)(right[i][at] + 1);
			/* Of a Corporate Number 0 and 9 are the same at some places, by its rule.
			 */
			if (strlen(wrong) == NUMBERS_PERSONAL || at == 0)
				assert_false(numbers_valid(wrong));
			wrong[at] = right[i][at];
		}
	}
}

static void what_is_no_number(void **state)
{
	static const char *const wrong[] = {
		"", "12345678901", "12345678901a", "2234567890188", "-23456789018", " 123456789018"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(numbers_valid(wrong[i]));
}

/* Only a client or a payee can be a company. */
static void whose_number(void **state)
{
	(void)state;
	assert_true(numbers_right(KIND_EMPLOYEE, OFFICE_PERSONAL));
	assert_true(numbers_right(KIND_DEPENDANT, OFFICE_OTHER));
	assert_false(numbers_right(KIND_EMPLOYEE, OFFICE_CORPORATE));
	assert_false(numbers_right(KIND_DEPENDANT, OFFICE_CORPORATE));
	assert_true(numbers_right(KIND_CLIENT, OFFICE_CORPORATE));
	assert_true(numbers_right(KIND_PAYEE, OFFICE_CORPORATE));
	assert_true(numbers_right(KIND_PAYEE, OFFICE_PERSONAL));
}

static void as_people_type_them(void **state)
{
	static const struct {
		const char *typed, *plain;
	} cases[] = {
		{ "1234 5678 9018", "123456789018" },
		{ "１２３４－５６７８－９０１８", "123456789018" },
		{ "1234ー5678‐9018\t", "123456789018" },
		{ "8　7001 1000 5901", "8700110005901" },
		{ "12345678901x", "" },
		{ "1234567890123456789", "" },
		{ "123\xff", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char plain[NUMBERS_ROOM];

		numbers_plain(cases[i].typed, plain);
		assert_string_equal(plain, cases[i].plain);
	}
}

/* Nobody who has the database can look for a number: the key is the vault's. */
static void found_by_a_key(void **state)
{
	struct office *one = office_of_records(), *other = office_of_records();
	uint8_t a[RECORD_FOUND], b[RECORD_FOUND], c[RECORD_FOUND];

	(void)state;
	assert_ok(numbers_found(&one->records, OFFICE_PERSONAL, a));
	assert_ok(numbers_found(&one->records, OFFICE_OTHER, b));
	assert_ok(numbers_found(&other->records, OFFICE_PERSONAL, c));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, c, sizeof(a));
	records_seal(&one->records);
	office_open(one);
	assert_ok(numbers_found(&one->records, OFFICE_PERSONAL, b));
	assert_memory_equal(a, b, sizeof(a));
	office_free(one);
	office_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_digits),   cmocka_unit_test(what_is_no_number),
		cmocka_unit_test(whose_number),   cmocka_unit_test(as_people_type_them),
		cmocka_unit_test(found_by_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
