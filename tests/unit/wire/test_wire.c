#include "unit/unit.h"

#include <string.h>

#include "base/util.h"
#include "wire/enums.h"
#include "wire/wire.h"

/* Fills every field of a message with something its limits allow. */
static void fill(const struct wire_type *type, union wire_any *msg)
{
	static uint8_t bytes[300000];

	memset(msg, 0, sizeof(*msg));
	for (size_t i = 0; i < type->field_count; i++) {
		const struct wire_field *field = &type->fields[i];
		char *at = (char *)msg + field->offset;
		struct bytes blob = { bytes, MIN(field->max, (size_t)1000) };
		const char *text = "関所 sekisho" + (field->max < 14 ? 7 : 0);

		if (field->type == WIRE_STR)
			memcpy(at, &text, sizeof(text));
		else if (field->type == WIRE_BLOB)
			memcpy(at, &blob, sizeof(blob));
		else
			memset(at, (int)(0xa0 + i), field->max);
	}
}

static void check_type(const struct wire_type *type, void *ctx)
{
	_cleanup_buf_ struct buf buf, again;
	const struct wire_type *got = NULL;
	union wire_any msg, back;

	fill(type, &msg);
	buf_init(&buf, 1 << 20);
	buf_init(&again, 1 << 20);
	assert_ok(wire_encode(type->id, &msg, &buf));
	assert_ok(wire_decode(buf.data, buf.len, &got, &back));
	assert_ptr_equal(got, type);
	assert_ok(wire_encode(type->id, &back, &again));
	assert_int_equal(buf.len, again.len);
	assert_memory_equal(buf.data, again.data, buf.len);

	/* Cut anywhere, or with one byte too many, it is refused. */
	for (size_t len = 0; len < buf.len; len++) {
		_cleanup_free_ uint8_t *cut = malloc(len ? len : 1);

		memcpy(cut, buf.data, len);
		assert_err(wire_decode(cut, len, &got, &back), ERR_PROTOCOL);
	}
	assert_ok(buf_add(&buf, "x", 1));
	assert_err(wire_decode(buf.data, buf.len, &got, &back), ERR_PROTOCOL);
	++*(int *)ctx;
}

static void every_message_round_trips(void **state)
{
	int count = 0;

	(void)state;
	wire_each(check_type, &count);
	assert_in_range(count, 50, 500);
}

static void layout(void **state)
{
	const struct msg_key key = { .keysym = 0x11223344, .scancode = 0x5566, .down = 1 };
	const uint8_t wanted[] = { 0x03, 0x09, 0x44, 0x33, 0x22, 0x11, 0x66, 0x55, 0x01 };
	_cleanup_buf_ struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	assert_ok(wire_encode(MSG_key, &key, &buf));
	assert_int_equal(buf.len, sizeof(wanted));
	assert_memory_equal(buf.data, wanted, sizeof(wanted));
}

static void limits_when_encoding(void **state)
{
	char name[130];
	struct msg_login_totp totp = { .code = name };
	struct msg_text text = { .text = "a\xff" };
	_cleanup_buf_ struct buf buf;

	(void)state;
	memset(name, '1', sizeof(name));
	name[17] = 0;
	buf_init(&buf, 1000);
	assert_ok(buf_add(&buf, "before", 6));
	assert_err(wire_encode(MSG_login_totp, &totp, &buf), ERR_TOO_BIG);
	assert_err(wire_encode(MSG_text, &text, &buf), ERR_INVALID);
	assert_err(wire_encode(0x7777, &text, &buf), ERR_INTERNAL);
	assert_int_equal(buf.len, 6);
	name[16] = 0;
	assert_ok(wire_encode(MSG_login_totp, &totp, &buf));
}

static void decode_refuses(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		uint8_t data[16];
	} cases[] = {
		{ "empty", 0, { 0 } },
		{ "half an id", 1, { 0x04 } },
		{ "unknown id", 2, { 0xff, 0xff } },
		{ "length past the end", 7, { 0x04, 0x09, 2, 0, 0, 0, 'a' } },
		{ "length 4 GB", 8, { 0x04, 0x09, 0xff, 0xff, 0xff, 0xff, 'a', 0 } },
		{ "no NUL", 7, { 0x04, 0x09, 1, 0, 0, 0, 'a' } },
		{ "NUL inside", 9, { 0x04, 0x09, 2, 0, 0, 0, 'a', 0, 0 } },
		{ "not UTF-8", 8, { 0x04, 0x09, 1, 0, 0, 0, 0x80, 0 } },
		{ "over the field's limit", 16, { 0x04, 0x09, 0x01, 0x04 } },
	};
	const struct wire_type *type = NULL;
	union wire_any msg;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* An exact heap copy, so that ASan sees one byte too far. */
		_cleanup_free_ uint8_t *copy = malloc(cases[i].len ? cases[i].len : 1);

		memcpy(copy, cases[i].data, cases[i].len);
		if (wire_decode(copy, cases[i].len, &type, &msg) != ERR_PROTOCOL)
			fail_msg("accepted: %s", cases[i].name);
		assert_null(type);
	}
}

static void enum_codes(void **state)
{
	enum end_reason reason = END_NONE;

	(void)state;
	assert_string_equal(end_reason_code(END_CRASHED), "crashed");
	assert_string_equal(end_reason_code(999), "unknown");
	assert_ok(end_reason_parse("pc-login", &reason));
	assert_int_equal(reason, END_PC_LOGIN);
	assert_err(end_reason_parse("pc-", &reason), ERR_INVALID);
	assert_int_equal(reason, END_PC_LOGIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_round_trips),
		cmocka_unit_test(layout),
		cmocka_unit_test(limits_when_encoding),
		cmocka_unit_test(decode_refuses),
		cmocka_unit_test(enum_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
