#include "unit/unit.h"

#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "broker/enrol_code.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void codes_are_random(void **state)
{
	unsigned count[128] = { 0 };
	char code[2 * ENROL_CODE_LEN + 1], last[sizeof(code)] = "";

	(void)state;
	for (int i = 0; i < 500; i++) {
		enrol_code_random(code, ENROL_CODE_LEN);
		assert_int_equal(strlen(code), ENROL_CODE_LEN);
		assert_int_equal(strspn(code, alphabet), ENROL_CODE_LEN);
		assert_string_not_equal(code, last);
		memcpy(last, code, sizeof(last));
		for (const char *c = code; *c; c++)
			count[(int)*c]++;
	}
	/* 14000 characters: 437 of each, ± 5 sigma. */
	for (const char *c = alphabet; *c; c++)
		assert_in_range(count[(int)*c], 330, 545);
}

static void groups(void **state)
{
	char text[ENROL_CODE_GROUPED + 1];

	(void)state;
	enrol_code_group("9D3K7QWZ0M4HX2TV6B1CR8NY5EJA", text, sizeof(text));
	assert_string_equal(text, "9D3K-7QWZ-0M4H-X2TV-6B1C-R8NY-5EJA");
}

static void typed_in_any_way(void **state)
{
	static const char *const same[] = {
		"9D3K7QWZ0M4HX2TV6B1CR8NY5EJA",
		"9D3K-7QWZ-0M4H-X2TV-6B1C-R8NY-5EJA",
		" 9d3k 7qwz Om4h x2tv 6bic r8ny 5eja ",
		"9d3k-7qwz-om4h-x2tv-6blc-r8ny-5eja",
	};
	static const char *const wrong[] = {
		"",
		"9D3K7QWZ0M4HX2TV6B1CR8NY5EJ",
		"9D3K7QWZ0M4HX2TV6B1CR8NY5EJAA",
		"9D3K7QWZ0M4HX2TV6B1CR8NY5EJU",
		"9D3K7QWZ0M4HX2TV6B1CR8NY5EJ\xe3\x80\x82",
		"9D3K7QWZ0M4HX2TV6B1CR8NY5EJ_",
	};
	uint8_t first[ENROL_CODE_HASH], hash[ENROL_CODE_HASH];

	(void)state;
	assert_ok(enrol_code_hash(same[0], first));
	for (size_t i = 1; i < ARRAY_SIZE(same); i++) {
		assert_ok(enrol_code_hash(same[i], hash));
		assert_memory_equal(hash, first, sizeof(hash));
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_err(enrol_code_hash(wrong[i], hash), ERR_CODE);
	assert_ok(enrol_code_hash("9D3K7QWZ0M4HX2TV6B1CR8NY5EJB", hash));
	assert_memory_not_equal(hash, first, sizeof(hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_random),
		cmocka_unit_test(groups),
		cmocka_unit_test(typed_in_any_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
