#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "certs/der.h"

#define BYTES(text)                                                                                \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

static void test_strict(void **state)
{
	static const struct bytes good[] = {
		BYTES("\x30\x00"),
		BYTES("\x31\x03\x02\x01\x00"),
		BYTES("\x02\x02\x00\x80"),
		BYTES("\x02\x02\xff\x7f"),
		BYTES("\x01\x01\xff"),
		BYTES("\x05\x00"),
		BYTES("\x03\x01\x00"),
		BYTES("\x03\x02\x04\xf0"),
		BYTES("\xa0\x03\x02\x01\x05"),
		BYTES("\x80\x02\x00\x00"), /* a primitive of another class may hold anything */
		BYTES("\x04\x02\x30\x80"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(der_is_strict(good[i]));
}

static void test_not_strict(void **state)
{
	static const struct bytes bad[] = {
		BYTES(""),
		BYTES("\x30"),
		BYTES("\x30\x01"),
		BYTES("\x30\x00\x05\x00"),             /* another value after it */
		BYTES("\x1f\x01\x00"),                 /* long tag */
		BYTES("\x30\x00\x00"),                 /* something after it */
		BYTES("\x30\x80\x00\x00"),             /* indefinite */
		BYTES("\x30\x81\x00"),                 /* lengths not minimal */
		BYTES("\x04\x81\x01\x00"),             /* */
		BYTES("\x04\x82\x00\x01\x00"),         /* */
		BYTES("\x04\x84\x00\x00\x00\x01\x00"), /* */
		BYTES("\x04\xff"),                     /* reserved */
		BYTES("\x1f\x81\x00\x00"),             /* long tag */
		BYTES("\x00\x00"),                     /* end of contents */
		BYTES("\x30\x02\x00\x00"),             /* */
		BYTES("\x10\x00"),                     /* SEQUENCE not constructed */
		BYTES("\x24\x03\x04\x01\x00"),         /* string in pieces */
		BYTES("\x23\x03\x03\x01\x00"),         /* */
		BYTES("\x01\x01\x01"),                 /* a BOOLEAN of BER */
		BYTES("\x01\x02\xff\xff"),             /* */
		BYTES("\x02\x00"),                     /* INTEGERs not minimal */
		BYTES("\x02\x02\x00\x7f"),             /* */
		BYTES("\x02\x02\xff\x80"),             /* */
		BYTES("\x05\x01\x00"),                 /* NULL with something in it */
		BYTES("\x03\x00"),                     /* BIT STRINGs */
		BYTES("\x03\x01\x01"),                 /* */
		BYTES("\x03\x02\x08\x00"),             /* */
		BYTES("\x03\x02\x04\xf1"),             /* */
		BYTES("\xa0\x03\x02\x02\x05"),         /* too long for what it is in */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (der_is_strict(bad[i]))
			fail_msg("row %zu", i);
	uint8_t padded[4 + 128] = { 0x04, 0x82, 0x00, 0x80 }, plain[3 + 128] = { 0x04, 0x81, 0x80 };
	assert_true(der_is_strict((struct bytes){ plain, sizeof(plain) }));
	assert_false(der_is_strict((struct bytes){ padded, sizeof(padded) }));
}

static void test_depth(void **state)
{
	uint8_t data[2 * (DER_DEPTH_MAX + 2)];

	(void)state;
	for (size_t depth = 1; depth <= DER_DEPTH_MAX + 2; depth++) {
		for (size_t i = 0; i < depth; i++) {
			data[2 * i] = DER_SEQUENCE;
			data[2 * i + 1] = (uint8_t)(2 * (depth - i - 1));
		}
		assert_int_equal(der_is_strict((struct bytes){ data, 2 * depth }),
				 depth <= DER_DEPTH_MAX);
	}
}

static void test_take(void **state)
{
	struct bytes rest = BYTES("\x02\x01\x07\x30\x02\x05\x00"), content = { 0 };

	(void)state;
	assert_false(der_take(&rest, DER_SEQUENCE, &content));
	assert_int_equal(rest.len, 7);
	assert_true(der_skip(&rest));
	assert_true(der_take(&rest, DER_SEQUENCE, &content));
	assert_int_equal(content.len, 2);
	assert_int_equal(rest.len, 0);
	assert_false(der_skip(&rest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_not_strict),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
