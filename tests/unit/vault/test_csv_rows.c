#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vault/csv_rows.h"

/* What was read, as "row:cell|cell;". */
static char seen[4 * CSV_ROW_MAX];
static enum err answer;

static enum err take(void *ctx, size_t row, char *const *cells, size_t count)
{
	size_t len = strlen(seen);

	assert_ptr_equal(ctx, seen);
	len += (size_t)snprintf(seen + len, sizeof(seen) - len, "%zu:", row);
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(seen + len, sizeof(seen) - len, "%s%s", i ? "|" : "",
					cells[i]);
	snprintf(seen + len, sizeof(seen) - len, ";");
	return answer;
}

static enum err read_in(enum csv_charset charset, const char *data, size_t len, size_t piece)
{
	struct csv_rows *rows = NULL;
	enum err err = csv_rows_new(charset, take, seen, &rows);

	seen[0] = 0;
	assert_ok(err);
	for (size_t at = 0; !err && at < len; at += piece)
		err = csv_rows_add(rows, (const uint8_t *)data + at, MIN(piece, len - at));
	if (!err)
		err = csv_rows_end(rows);
	csv_rows_free(rows);
	return err;
}

/* The same whatever the pieces are. */
static void check(enum csv_charset charset, const char *data, const char *wanted)
{
	for (size_t piece = 1; piece <= strlen(data); piece++) {
		assert_ok(read_in(charset, data, strlen(data), piece));
		assert_string_equal(seen, wanted);
	}
}

static void check_refused(enum csv_charset charset, const char *data, size_t len, enum err wanted)
{
	for (size_t piece = 1; piece <= len; piece++)
		assert_err(read_in(charset, data, len, piece), wanted);
}

static void rows_and_cells(void **state)
{
	(void)state;
	answer = OK;
	check(CSV_UTF8, "a,b\r\nc,d\r\n", "1:a|b;2:c|d;");
	check(CSV_UTF8, "a,b\nc,d", "1:a|b;2:c|d;");
	check(CSV_UTF8, "a,b\rc,d\r", "1:a|b;2:c|d;");
	check(CSV_UTF8, "\"a,\"\"b\"\"\",\"c\nd\"\n", "1:a,\"b\"|c\nd;");
	check(CSV_UTF8, " a ,\t b\n", "1:a|b;");
	check(CSV_UTF8, "a,\n,b\n", "1:a|;2:|b;");
}

/* Rows without anything count, as a spreadsheet shows them, but are not given. */
static void empty_rows_count(void **state)
{
	(void)state;
	answer = OK;
	check(CSV_UTF8, "a\r\n\r\n,,\r\nb\r\n", "1:a;4:b;");
	check(CSV_UTF8, "\n\na\n  \nb", "3:a;5:b;");
	check(CSV_UTF8, "a\r\r\nb", "1:a;3:b;");
}

static void charsets(void **state)
{
	(void)state;
	answer = OK;
	check(CSV_UTF8, "\xef\xbb\xbf氏名,番号\n髙﨑　花子,1\n", "1:氏名|番号;2:髙﨑　花子|1;");
	/* 氏名,表示 (whose second byte is a backslash's) and 髙﨑, of IBM's extensions */
	check(CSV_CP932, "\x8e\x81\x96\xbc,\x95\x5c\x8e\xa6\n\xfb\xfc\xfa\xb1,1\n",
	      "1:氏名|表示;2:髙﨑|1;");
	check(CSV_CP932, "\xb6\xc5,~\n", "1:ｶﾅ|~;");
	/* A mark is one at the beginning only. */
	check(CSV_UTF8, "a\xef\xbb\xbf\n", "1:a\xef\xbb\xbf;");
}

static void refused(void **state)
{
	static const char cp932[] = "\x8e\x81\x96\xbc\n", cut[] = "a\xe6\xb0", quote[] = "a,\"b\n";
	static const char after[] = "\"a\"b,c\n", nul[] = "a\0b\n", bell[] = "a\ab\n";
	static const char half[] = "\x8e\x81\x96";

	(void)state;
	answer = OK;
	check_refused(CSV_UTF8, cp932, strlen(cp932), ERR_PROTOCOL);
	check_refused(CSV_UTF8, cut, strlen(cut), ERR_PROTOCOL);
	check_refused(CSV_UTF8, "\xed\xa0\x80", 3, ERR_PROTOCOL); /* half a surrogate pair */
	check_refused(CSV_UTF8, "\xc0\xaf", 2, ERR_PROTOCOL);     /* too long a form */
	check_refused(CSV_CP932, half, strlen(half), ERR_PROTOCOL);
	check_refused(CSV_UTF8, quote, strlen(quote), ERR_INVALID);
	check_refused(CSV_UTF8, after, strlen(after), ERR_INVALID);
	check_refused(CSV_UTF8, nul, sizeof(nul) - 1, ERR_INVALID);
	check_refused(CSV_UTF8, bell, strlen(bell), ERR_INVALID);
}

static void limits(void **state)
{
	static char text[2 * CSV_ROW_MAX];

	(void)state;
	answer = OK;
	memset(text, 'x', CSV_ROW_MAX - 1);
	memcpy(text + CSV_ROW_MAX - 1, "\n", 2);
	assert_ok(read_in(CSV_UTF8, text, strlen(text), strlen(text)));
	memset(text, 'x', CSV_ROW_MAX + 1);
	text[CSV_ROW_MAX / 2] = ',';
	memcpy(text + CSV_ROW_MAX + 1, "\n", 2);
	assert_err(read_in(CSV_UTF8, text, strlen(text), strlen(text)), ERR_TOO_BIG);
	memset(text, 'x', sizeof(text) - 1); /* one cell that never ends */
	assert_err(read_in(CSV_UTF8, text, sizeof(text) - 1, 1000), ERR_TOO_BIG);
	memset(text, ',', CSV_COLUMNS_MAX - 1);
	text[0] = 'a';
	memcpy(text + CSV_COLUMNS_MAX - 1, "\n", 2);
	assert_ok(read_in(CSV_UTF8, text, strlen(text), strlen(text)));
	memset(text + 1, ',', CSV_COLUMNS_MAX);
	memcpy(text + CSV_COLUMNS_MAX + 1, "\n", 2);
	assert_err(read_in(CSV_UTF8, text, strlen(text), strlen(text)), ERR_TOO_BIG);
}

static void what_the_taker_says_ends_it(void **state)
{
	(void)state;
	answer = ERR_FULL;
	assert_err(read_in(CSV_UTF8, "a\nb\nc\n", 6, 1), ERR_FULL);
	assert_string_equal(seen, "1:a;");
	assert_err(read_in(CSV_UTF8, "a", 1, 1), ERR_FULL); /* at the end */
	answer = OK;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_and_cells), cmocka_unit_test(empty_rows_count),
		cmocka_unit_test(charsets),       cmocka_unit_test(refused),
		cmocka_unit_test(limits),         cmocka_unit_test(what_the_taker_says_ends_it),
	};

	csv_rows_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
