#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "cli/completion.h"
#include "cli/lang.h"
#include "cli/local.h"
#include "cli/qr.h"
#include "cli/show.h"
#include "cli/text.h"

static char *shown(void (*print)(FILE *, const json_t *), const char *json)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	json_t *body = json_loads(json, 0, NULL);

	assert_non_null(out);
	assert_non_null(body);
	print(out, body);
	json_decref(body);
	fclose(out);
	return text;
}

static void expect(void (*print)(FILE *, const json_t *), const char *json, const char *expected)
{
	_cleanup_free_ char *text = shown(print, json);

	assert_string_equal(text, expected);
}

static int in_english(void **state)
{
	(void)state;
	setenv("LC_ALL", "C", 1);
	lang_init();
	return 0;
}

static void in_japanese(void)
{
	setenv("LC_ALL", "ja_JP.UTF-8", 1);
	lang_init();
}

static void test_table(void **state)
{
	(void)state;
	expect(show_reply,
	       "{\"columns\":[\"id\",\"name\",\"owner\"],\"rows\":[[1,\"佐藤のPC\",\"sato\"],[12,"
	       "\"b\",null],[3,true,false]]}",
	       "id  name      owner\n"
	       "1   佐藤のPC  sato\n"
	       "12  b         -\n"
	       "3   yes       no\n");
	expect(show_reply, "{\"columns\":[\"id\",\"name\"],\"rows\":[]}", "id  name\n");
}

static void test_times_and_headings(void **state)
{
	const char *json =
		"{\"columns\":[\"id\",\"until\",\"seen\"],\"rows\":[[1234567890,1234567890,0]]}";

	(void)state;
	setenv("TZ", "JST-9", 1);
	tzset();
	expect(show_reply, json,
	       "id          until             seen\n1234567890  2009-02-14 08:31  -\n");
	in_japanese();
	expect(show_reply, json,
	       "番号        期限              最終利用\n1234567890  2009-02-14 08:31  -\n");
	/* In the audit log more than one thing happens in a minute. */
	expect(show_reply, "{\"columns\":[\"seq\",\"time\"],\"rows\":[[1234567890,1234567890]]}",
	       "番号        日時\n1234567890  2009-02-14 08:31:30\n");
	unsetenv("TZ");
}

/* A name from elsewhere must not move the cursor or forge a line. */
static void test_harmless(void **state)
{
	(void)state;
	expect(show_reply, "{\"columns\":[\"a\"],\"rows\":[[\"x\\u001b[2Jy\\nz\\u202e\"]]}",
	       "a\nx?[2Jy?z?\n");
	expect(show_error, "{\"error\":\"x\\u001b[2J\"}", "sekisho: x?[2J\n");
	expect(show_reply, "{\"text\":\"a\\u001bb\"}", "text: a?b\n");
}

static void test_odd_rows(void **state)
{
	char json[4096] = "{\"columns\":[\"a\"],\"rows\":[[";

	(void)state;
	/* Rows longer than the head, no rows, things that are no rows. */
	for (int i = 0; i < 100; i++)
		strncat(json, i ? ",1" : "1", sizeof(json) - strlen(json) - 1);
	strncat(json, "],[],7,{}]}", sizeof(json) - strlen(json) - 1);
	_cleanup_free_ char *text = shown(show_reply, json);
	assert_int_equal(strncmp(text, "a\n1  1", 6), 0);
}

/* Wide tables leave out what no row has; narrow ones stay as they are. */
static void test_empty_columns(void **state)
{
	(void)state;
	expect(show_reply,
	       "{\"columns\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"retired\"],"
	       "\"rows\":[[1,\"\",3,\"\",\"\",\"\",\"\",\"\",\"x\",0],"
	       "[1,\"\",3,\"y\",\"\",\"\",\"\",\"\",\"\",0]]}",
	       "a  c  d  i\n1  3     x\n1  3  y  \n");
	expect(show_reply, "{\"columns\":[\"a\",\"b\"],\"rows\":[[1,\"\"]]}", "a  b\n1  \n");
	expect(show_reply, "{\"columns\":[\"a\"],\"rows\":[[1]],\"locked\":true}",
	       "a\n1\nlocked: yes\n");
}

/* What a PC does not do is said in both languages. */
static void test_same_columns(void **state)
{
	const char *json = "{\"columns\":[\"id\",\"name\",\"protocol\",\"address\",\"port\","
			   "\"security\",\"audio\",\"video\",\"mac\",\"kind\"],\"rows\":[[1,\"a\","
			   "\"rdp\",\"b\",3389,\"auto\",\"no\",\"no\",\"\",\"none\"]]}";

	(void)state;
	expect(show_reply, json,
	       "id  name  protocol  address  port  security  audio  video  kind\n"
	       "1   a     rdp       b        3389  auto      no     no     none\n");
	in_japanese();
	expect(show_reply, json,
	       "番号  名前  方式  アドレス  ポート  保護  音声  映像      種類\n"
	       "1     a     rdp   b         3389    auto  不可  使わない  なし\n");
}

/* Of those who use a device one is its owner; elsewhere a user is a user. */
static void test_owner(void **state)
{
	(void)state;
	in_japanese();
	expect(show_reply, "{\"columns\":[\"user\",\"owners\"],\"rows\":[[\"a\",\"a b\"]]}",
	       "所有者  使用者\na       a b\n");
	expect(show_reply, "{\"columns\":[\"user\",\"host\"],\"rows\":[[\"a\",\"b\"]]}",
	       "利用者  PC\na       b\n");
}

static void test_members(void **state)
{
	(void)state;
	expect(show_reply, "{}", "Done.\n");
	expect(show_reply, "{\"id\":7,\"file\":\"a.p12\"}", "id: 7\nfile: a.p12\n");
	expect(show_reply, "{\"certificate\":\"-----\\nAA\\n-----\\n\"}",
	       "certificate:\n-----\nAA\n-----\n");
	expect(show_reply, "{\"locked\":false,\"root_key\":\"gateway\"}",
	       "locked: no\nroot_key: gateway\n");
	in_japanese();
	expect(show_reply,
	       "{\"certificate\":\"-\\nA\\n\",\"locked\":false,\"root_key\":\"gateway\"}",
	       "証明書:\n-\nA\nロック: いいえ\nルート CA の鍵: ゲートウェイ\n");
	expect(show_reply, "{}", "完了しました。\n");
}

static void test_errors(void **state)
{
	(void)state;
	expect(show_error, "{\"error\":\"exists\",\"field\":\"name\"}",
	       "sekisho: name: already exists\n");
	expect(show_error,
	       "{\"error\":\"invalid\",\"message\":\"the password is too short\","
	       "\"message_ja\":\"パスワードが短すぎます\"}",
	       "sekisho: the password is too short\n");
	expect(show_error, "{}", "sekisho: internal error\n");
	in_japanese();
	expect(show_error, "{\"error\":\"exists\",\"field\":\"name\"}",
	       "sekisho: name: すでに存在します\n");
	expect(show_error,
	       "{\"error\":\"invalid\",\"message\":\"the password is too short\","
	       "\"message_ja\":\"パスワードが短すぎます\"}",
	       "sekisho: パスワードが短すぎます\n");
	expect(show_error, "{\"error\":\"invalid\",\"message\":\"only English\"}",
	       "sekisho: only English\n");
}

static void test_words(void **state)
{
	const char *json = "{\"columns\":[\"name\",\"state\",\"part\"],\"rows\":["
			   "[\"up\",\"up\",\"edge\"],[\"active\",3,\"logins\"]]}";

	(void)state;
	expect(show_reply, json,
	       "name    state  part\nup      up     edge\nactive  3      logins\n");
	in_japanese();
	/* A name is a name, whatever it says. */
	expect(show_reply, json,
	       "名前    状態    部分\nup      稼働中  edge\nactive  3       ログイン数\n");
}

/* Whoever was at the gateway itself has no account, but need not be a number to people. */
static void test_who_it_was(void **state)
{
	const char *json = "{\"columns\":[\"by\",\"decided_by\",\"name\"],\"rows\":["
			   "[\"uid 0\",\"uid 990\",\"uid 0\"],[\"kanri\",\"\",\"x\"]]}";

	(void)state;
	expect(show_reply, json,
	       "by                                  decided_by                             name\n"
	       "command line on the gateway (root)  command line on the gateway (uid 990)  uid 0\n"
	       "kanri                                                                      x\n");
	in_japanese();
	expect(show_reply, json,
	       "招待した人                      決定した人                         名前\n"
	       "ゲートウェイのコマンド（root）  ゲートウェイのコマンド（uid 990）  uid 0\n"
	       "kanri                                                              x\n");
}

static void test_mac_and_fingerprint(void **state)
{
	char json[256] = "{\"sha256\":\"", expected[256] = "sha256: ";

	(void)state;
	expect(show_reply,
	       "{\"columns\":[\"mac\",\"pin\"],\"rows\":[[\"001122aabbcc\",\"aa\"],[\"\",\"\"],"
	       "[\"0011\",\"\"],[null,null]]}",
	       "mac                pin\n00:11:22:aa:bb:cc  aa\n-                  \n"
	       "0011               \n-                  -\n");
	for (int i = 0; i < 32; i++) {
		strncat(json, "0a", sizeof(json) - strlen(json) - 1);
		strncat(expected, i ? ":0A" : "0A", sizeof(expected) - strlen(expected) - 1);
	}
	strncat(json, "\"}", sizeof(json) - strlen(json) - 1);
	strncat(expected, "\n", sizeof(expected) - strlen(expected) - 1);
	expect(show_reply, json, expected);
	/* Not what it should be, or more than fits: as it is. */
	expect(show_reply, "{\"sha256\":\"0a0\"}", "sha256: 0a0\n");
	char long_json[1024] = "{\"sha256\":\"";
	memset(long_json + strlen(long_json), 'a', 800);
	strncat(long_json, "\"}", 8);
	_cleanup_free_ char *text = shown(show_reply, long_json);
	assert_null(strchr(text + strlen("sha256: "), ':'));
}

static void test_totp(void **state)
{
	(void)state;
	_cleanup_free_ char *text = shown(show_reply, "{\"totp_secret\":\"GEZDGNBV\",\"otpauth\":"
						      "\"otpauth://totp/a:b?secret=GEZDGNBV\"}");
	assert_non_null(strstr(text, "TOTP secret: GEZDGNBV\n"));
	assert_non_null(strstr(text, "█"));
	/* No code fits: the address is printed instead. */
	char json[8192], uri[5000];
	memset(uri, 'x', sizeof(uri) - 1);
	uri[sizeof(uri) - 1] = '\0';
	snprintf(json, sizeof(json), "{\"totp_secret\":\"GEZDGNBV\",\"otpauth\":\"%s\"}", uri);
	_cleanup_free_ char *plain = shown(show_reply, json);
	assert_non_null(strstr(plain, uri));
	assert_null(strstr(plain, "█"));
}

/* Every line has the same width, and the corner of the finder pattern is where it belongs. */
static void test_qr(void **state)
{
	char *text = NULL;
	size_t len = 0, lines = 0, width = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_true(qr_print(out, "otpauth://totp/a:b?secret=GEZDGNBV"));
	fclose(out);
	char *rest = NULL;
	for (char *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest), lines++) {
		assert_int_equal(strncmp(line, "\033[97;40m", 8), 0);
		line[strlen(line) - 4] = '\0';
		size_t columns = text_width(line + 8);
		assert_true(lines == 0 || columns == width);
		width = columns;
		if (lines == 0) /* the quiet zone is light */
			assert_int_equal(strncmp(line + 8, "███", 9), 0);
		if (lines == 1) /* two light modules, then the dark edge of the pattern with its
				   light inside below */
			assert_int_equal(strncmp(line + 8, "██ ▄▄▄▄▄ ", 3 * 2 + 1 + 3 * 5 + 1), 0);
	}
	/* Version 3 has 29 modules, and two on each side. */
	assert_int_equal(width, 33);
	assert_int_equal(lines, 17);
	free(text);
}

static void test_width(void **state)
{
	(void)state;
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("関所"), 4);
	assert_int_equal(text_width("ｱｲ"), 2);
	assert_int_equal(text_width("\xff\xfe"), 2);
	assert_int_equal(text_width(""), 0);
}

static void test_completion(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const struct command *command;

	(void)state;
	completion_bash(out);
	fclose(out);
	for (size_t i = 0; (command = command_at(i)); i++) {
		char row[96];
		snprintf(row, sizeof(row), "\t'%s'", command->name);
		assert_non_null(strstr(text, row));
		for (size_t k = 0; k < command->arg_count; k++) {
			snprintf(row, sizeof(row), "--%s ", command->args[k].name);
			if (command->args[k].type != COMMAND_PASSWORD || !command->args[k].required)
				assert_non_null(strstr(text, row));
		}
	}
	assert_null(strstr(text, "--password"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_table, in_english),
		cmocka_unit_test_setup(test_harmless, in_english),
		cmocka_unit_test_setup(test_odd_rows, in_english),
		cmocka_unit_test_setup(test_empty_columns, in_english),
		cmocka_unit_test_setup(test_same_columns, in_english),
		cmocka_unit_test_setup(test_owner, in_english),
		cmocka_unit_test_setup(test_members, in_english),
		cmocka_unit_test_setup(test_errors, in_english),
		cmocka_unit_test_setup(test_words, in_english),
		cmocka_unit_test_setup(test_who_it_was, in_english),
		cmocka_unit_test_setup(test_mac_and_fingerprint, in_english),
		cmocka_unit_test_setup(test_totp, in_english),
		cmocka_unit_test_setup(test_qr, in_english),
		cmocka_unit_test_setup(test_width, in_english),
		cmocka_unit_test_setup(test_completion, in_english),
		cmocka_unit_test_setup(test_times_and_headings, in_english),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
