#include "unit/unit.h"

#include <string.h>

#include "base/typed.h"
#include "base/util.h"

static const uint8_t bytes[TYPED_ROW_BYTES] = { 0x26, 0x81, 0x34, 0xd0, 0x5d };

static enum err get(const char *text, unsigned row, uint8_t ret[TYPED_ROW_BYTES])
{
	return typed_get(text, strlen(text), row, ret);
}

static void what_is_put_is_got(void **state)
{
	char text[TYPED_ROW + 1];
	uint8_t random[TYPED_ROW_BYTES], back[TYPED_ROW_BYTES];

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		util_random(random, sizeof(random));
		typed_put(random, i % 8, text);
		assert_int_equal(strlen(text), TYPED_ROW);
		assert_ok(get(text, i % 8, back));
		assert_memory_equal(random, back, sizeof(random));
		/* Rows that changed places. */
		assert_err(get(text, (i + 1) % 8, back), ERR_CODE);
	}
}

static void people_type_it_in_their_way(void **state)
{
	static const uint8_t low[TYPED_ROW_BYTES] = { 0x08, 0x42, 0x10, 0x00, 0x00 }; /* 11110000 */
	char text[TYPED_ROW + 1], other[2 * TYPED_ROW];
	uint8_t back[TYPED_ROW_BYTES];

	(void)state;
	typed_put(low, 0, text);
	assert_memory_equal(text, "1111-0000-", 10);
	snprintf(other, sizeof(other), " iIlL oOoO %s ", text + 10);
	assert_ok(get(other, 0, back));
	assert_memory_equal(low, back, sizeof(low));
	typed_put(bytes, 3, text);
	for (size_t i = 0; text[i]; i++)
		other[i] = text[i] >= 'A' ? (char)(text[i] + 32) : text[i];
	other[TYPED_ROW] = '\0';
	assert_ok(get(other, 3, back));
	assert_memory_equal(bytes, back, sizeof(bytes));
}

/* Each wrong character, and each two that changed places. */
static void every_slip_is_found(void **state)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char text[TYPED_ROW + 1], typed[TYPED_ROW + 1];
	uint8_t back[TYPED_ROW_BYTES], random[TYPED_ROW_BYTES];

	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		util_random(random, sizeof(random));
		typed_put(random, round % 8, text);
		for (size_t i = 0; i < TYPED_ROW; i++) {
			for (size_t k = 0; text[i] != '-' && alphabet[k]; k++) {
				memcpy(typed, text, sizeof(typed));
				typed[i] = alphabet[k];
				assert_err(get(typed, round % 8, back),
					   alphabet[k] == text[i] ? OK : ERR_CODE);
			}
			for (size_t k = 0; k < i && i < 9; k++) {
				if (text[i] == text[k] || text[i] == '-' || text[k] == '-')
					continue;
				memcpy(typed, text, sizeof(typed));
				typed[i] = text[k];
				typed[k] = text[i];
				assert_err(get(typed, round % 8, back), ERR_CODE);
			}
		}
	}
}

static void nothing_else_is_taken(void **state)
{
	static const char *const wrong[] = { "",
					     "4",
					     "4T0K-9M2X",
					     "4T0K-9M2X-7",
					     "4T0K-9M2X-7C7",
					     "4T0K-9M2X-7\n",
					     "4T0K-9M2U-00",
					     "\xe3\x81\x82" };
	uint8_t back[TYPED_ROW_BYTES] = { 9, 9, 9, 9, 9 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_err(get(wrong[i], 0, back), ERR_CODE);
	for (size_t i = 0; i < sizeof(back); i++)
		assert_int_equal(back[i], 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_got),
		cmocka_unit_test(people_type_it_in_their_way),
		cmocka_unit_test(every_slip_is_found),
		cmocka_unit_test(nothing_else_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
