#include "unit/folder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/secret.h"
#include "base/util.h"

static void hex_round_trip(void **state)
{
	const uint8_t data[] = { 0x00, 0x7f, 0xff, 0xa5 };
	uint8_t back[4] = { 0 };
	char text[9];

	(void)state;
	util_hex(data, sizeof(data), text);
	assert_string_equal(text, "007fffa5");
	assert_ok(util_unhex("007FFFa5", back, sizeof(back)));
	assert_memory_equal(back, data, sizeof(data));
}

static void unhex_refuses(void **state)
{
	static const char *const bad[] = { "",         "0",        "007fffa", "007fffa55",
					   "007fffag", "007fff 5", "0x7fffa5" };
	uint8_t back[4] = { 1, 2, 3, 4 };
	const uint8_t untouched[4] = { 1, 2, 3, 4 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_err(util_unhex(bad[i], back, sizeof(back)), ERR_INVALID);
	assert_memory_equal(back, untouched, sizeof(back));
}

static void integers(void **state)
{
	static const char *const bad[] = { "",   "-",    "+1",  " 1",
					   "1 ", "0x10", "1e3", "99999999999999999999",
					   "11", "-6" };
	int64_t value = 77;

	(void)state;
	assert_ok(util_parse_i64("-5", -5, 10, &value));
	assert_int_equal(value, -5);
	assert_ok(util_parse_i64("10", -5, 10, &value));
	assert_int_equal(value, 10);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_err(util_parse_i64(bad[i], -5, 10, &value), ERR_INVALID);
	assert_int_equal(value, 10);
}

static void plain_text(void **state)
{
	static const char *const good[] = {
		"", "月例の点検", "a b~", "\xc2\xa0", "é", "\xe2\x80\x8d", "\xf0\x9f\x98\x80"
	};
	/* U+009B, the one-byte CSI of terminals; U+202E and U+2066 turn the rest round. */
	static const char *const bad[] = { "a\nb",
					   "\x7f",
					   "\xc2\x80",
					   "\xc2\x9b"
					   "2J",
					   "\xc2\x9f",
					   "\xd8\x9c",
					   "\xe2\x80\x8f",
					   "\xe2\x80\xa8",
					   "\xe2\x80\xae",
					   "\xe2\x81\xa6",
					   "\xe2\x81\xa9",
					   "\xef\xbf\xba",
					   "\xc0\x80" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(util_text_plain(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(util_text_plain(bad[i]));
}

static void blank_text(void **state)
{
	(void)state;
	assert_true(util_text_blank(""));
	assert_true(util_text_blank("  "));
	assert_true(util_text_blank(" \u3000 \u3000"));
	assert_false(util_text_blank("\u3000a"));
	assert_false(util_text_blank("\u3001"));
	assert_false(util_text_blank(" \xe3\x80"));
}

static void utf8(void **state)
{
	static const char *const good[] = { "",
					    "abc",
					    "関所",
					    "\xf0\x9f\x98\x80",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xf4\x8f\xbf\xbf" };
	/* RFC 3629 §3 and §4: overlong forms, surrogates, over U+10FFFF, cut sequences, stray
	 * bytes. */
	static const char *const bad[] = { "\xc0\x80",
					   "\xc1\xbf",
					   "\xe0\x9f\xbf",
					   "\xf0\x8f\xbf\xbf",
					   "\xed\xa0\x80",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80",
					   "\x80",
					   "\xe9\x96",
					   "a\xff",
					   "\xe9\x96"
					   "a" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(util_utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(util_utf8_valid(bad[i], strlen(bad[i])));
	assert_false(util_utf8_valid("a\0b", 3));
}

static int make_folder(void **state)
{
	static char folder[UNIT_FOLDER];

	unit_folder(folder);
	*state = folder;
	return 0;
}

static void files(void **state)
{
	struct secret *secret = NULL;
	_cleanup_free_ char *data = NULL;
	char path[128];
	struct stat st;
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/file", (char *)*state);
	assert_err(util_read_file(path, 100, &data, &len), ERR_NOT_FOUND);
	assert_ok(util_write_file(path, "first", 5, 0600));
	assert_ok(util_write_file(path, "hello\0x", 7, 0640));
	assert_err(util_read_file(path, 6, &data, &len), ERR_TOO_BIG);
	assert_null(data);
	assert_ok(util_read_file(path, 7, &data, &len));
	assert_int_equal(len, 7);
	assert_memory_equal(data, "hello\0x\0", 8);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_err(util_write_file("/proc/no-such-folder/x", "x", 1, 0600), ERR_NOT_FOUND);
	/* Only regular files: a device would never end. */
	free(util_take_ptr(data));
	assert_err(util_read_file("/dev/zero", 100, &data, &len), ERR_INVALID);
	/* Nor a pipe, whose other end may never come. */
	snprintf(path, sizeof(path), "%s/pipe", (char *)*state);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(10);
	assert_err(util_read_file(path, 100, &data, &len), ERR_INVALID);
	assert_err(secret_read_file(path, 100, &secret), ERR_INVALID);
	alarm(0);
	assert_int_equal(unlink(path), 0);
}

static void full_disk(void **state)
{
	(void)state;
	if (access("/dev/full", W_OK) < 0)
		skip();
	assert_err(err_from_errno(ENOSPC), ERR_FULL);
	assert_int_equal(err_status(ERR_FULL), 507);
}

static void error_texts(void **state)
{
	(void)state;
	for (int err = OK; err < ERR_COUNT; err++) {
		assert_true(strlen(err_text_en((enum err)err)) > 0);
		assert_true(strlen(err_text_ja((enum err)err)) > 0);
		assert_in_range(err_status((enum err)err), 200, 599);
		for (int other = OK; other < err; other++)
			assert_string_not_equal(err_code((enum err)other), err_code((enum err)err));
	}
	assert_string_equal(err_code((enum err)4711), "internal");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_round_trip),
		cmocka_unit_test(unhex_refuses),
		cmocka_unit_test(integers),
		cmocka_unit_test(utf8),
		cmocka_unit_test(plain_text),
		cmocka_unit_test(blank_text),
		cmocka_unit_test_setup_teardown(files, make_folder, NULL),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(error_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
