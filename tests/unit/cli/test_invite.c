#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <qrencode.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "cli/invite.h"
#include "cli/lang.h"
#include "cli/show.h"

#define CODE "9D3K-7QWZ-0M4H-X2TV-6B1C-R8NY-5EJA"
#define URL  "https://sekisho.example.jp:8443/#code=9D3K7QWZ0M4HX2TV6B1CR8NY5EJA"

static json_t *qr_rows(const char *text)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	json_t *rows = json_array();

	assert_non_null(code);
	for (int y = 0; y < code->width; y++) {
		char row[178] = "";

		for (int x = 0; x < code->width; x++)
			row[x] = code->data[y * code->width + x] & 1 ? '1' : '0';
		json_array_append_new(rows, json_string(row));
	}
	QRcode_free(code);
	return rows;
}

/* As the broker answers. */
static json_t *invitation(const char *person, const char *device)
{
	json_t *body = json_pack(
		"{s:i, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:o}", "id", 12, "code",
		CODE, "url", URL, "enrol", "https://sekisho.example.jp:8443/", "gateway",
		"https://sekisho.example.jp/", "expires", (json_int_t)1795304220, "account", "sato",
		"person", person, "device", device, "office", "山田税理士事務所", "fingerprint",
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "qr",
		qr_rows(URL));

	assert_non_null(body);
	return body;
}

static char *sheet_of(const json_t *body)
{
	_cleanup_buf_ struct buf buf;

	buf_init(&buf, INVITE_SHEET_MAX);
	assert_int_equal(invite_sheet(body, &buf), OK);
	return strndup((const char *)buf.data, buf.len);
}

static int in_japan(void **state)
{
	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	setenv("LC_ALL", "C", 1);
	lang_init();
	return 0;
}

static void test_sheet(void **state)
{
	static const char *const wanted[] = {
		"<bdi>佐藤 花子</bdi>",
		"<bdi>ノートPC</bdi>",
		"山田税理士事務所",
		CODE,
		">https://sekisho.example.jp:8443/<",
		"https://sekisho.example.jp/",
		"9F 86 D0 81 88 4C 7D 65\n9A 2F EA A0",
		"2026年11月22日 08:37",
		"2026-11-22 08:37 JST",
	};
	json_t *body = invitation("佐藤 花子", "ノートPC");
	_cleanup_free_ char *sheet = sheet_of(body);
	const char *out = getenv("SHEET");

	(void)state;
	if (out)
		assert_int_equal(util_write_file(out, sheet, strlen(sheet), 0644), OK);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!strstr(sheet, wanted[i]))
			fail_msg("%s is not on the sheet", wanted[i]);
	/* Nothing is loaded, nothing runs, and no place was forgotten. */
	assert_null(strstr(sheet, "<script"));
	assert_null(strstr(sheet, "src="));
	assert_null(strstr(sheet, "url("));
	assert_null(strstr(sheet, "{{"));
	json_decref(body);
}

static void test_values_are_text(void **state)
{
	json_t *body = invitation("</bdi><script>alert(1)</script>", "a&b\"'<{{code}}>");
	_cleanup_free_ char *sheet = sheet_of(body);

	(void)state;
	assert_null(strstr(sheet, "<script"));
	assert_non_null(strstr(sheet, "&lt;/bdi&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
	assert_non_null(strstr(sheet, "a&amp;b&quot;&#39;&lt;{{code}}&gt;"));
	json_decref(body);
}

/* The path draws exactly the dark modules, each row from its runs. */
static void test_qr_is_drawn(void **state)
{
	json_t *body = invitation("佐藤 花子", "PC");
	const json_t *rows = json_object_get(body, "qr");
	size_t size = json_array_size(rows), drawn = 0, dark = 0, y;
	_cleanup_free_ char *sheet = sheet_of(body);
	const char *at = strstr(sheet, " d=\"");
	char box[64];
	json_t *row;

	(void)state;
	assert_non_null(at);
	snprintf(box, sizeof(box), "viewBox=\"0 0 %zu %zu\"", size + 8, size + 8);
	assert_non_null(strstr(sheet, box));
	for (at += 4; *at == 'M';) {
		unsigned x, top, run, back;
		int used = 0;

		assert_int_equal(sscanf(at, "M%u %uh%uv1h-%uz%n", &x, &top, &run, &back, &used), 4);
		assert_int_equal(run, back);
		for (unsigned i = 0; i < run; i++) {
			const char *modules = json_string_value(json_array_get(rows, top - 4));

			assert_int_equal(modules[x - 4 + i], '1');
		}
		drawn += run;
		at += used;
	}
	json_array_foreach(rows, y, row) for (const char *c = json_string_value(row); *c; c++)
		dark += *c == '1';
	assert_int_equal(drawn, dark);
	assert_true(dark > 100);
	json_decref(body);
}

static void test_half_an_answer_makes_no_sheet(void **state)
{
	static const char *const needed[] = { "code",   "enrol",  "gateway",     "person",
					      "device", "office", "fingerprint", "qr" };
	_cleanup_buf_ struct buf buf;

	(void)state;
	buf_init(&buf, INVITE_SHEET_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		json_t *body = invitation("佐藤 花子", "PC");

		json_object_del(body, needed[i]);
		buf_clear(&buf);
		assert_int_equal(invite_sheet(body, &buf), ERR_PROTOCOL);
		json_decref(body);
	}
}

static void test_terminal(void **state)
{
	json_t *body = invitation("佐藤\033[2J", "ノートPC");
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	show_reply(out, body);
	fclose(out);
	assert_non_null(strstr(text, CODE));
	assert_non_null(strstr(text, "https://sekisho.example.jp:8443/"));
	assert_non_null(strstr(text, "9F 86 D0 81"));
	assert_non_null(strstr(text, "2026-11-22 08:37 JST"));
	assert_non_null(strstr(text, "█"));
	assert_null(strstr(text, "\033[2J"));
	free(text);
	json_decref(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sheet, in_japan),
		cmocka_unit_test_setup(test_values_are_text, in_japan),
		cmocka_unit_test_setup(test_qr_is_drawn, in_japan),
		cmocka_unit_test_setup(test_half_an_answer_makes_no_sheet, in_japan),
		cmocka_unit_test_setup(test_terminal, in_japan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
