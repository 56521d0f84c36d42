#include "unit/unit.h"

#include <string.h>

#include "base/config.h"
#include "base/util.h"

struct example {
	char name[9];
	int64_t number;
	bool flag;
	struct config_listen listen;
};

static const struct config_key keys[] = {
	{ "a", "name", CONFIG_STRING, offsetof(struct example, name), 1, 8, "nobody", "a name",
	  "名前" },
	{ "a", "number", CONFIG_INT, offsetof(struct example, number), -1, 10, NULL, "a number",
	  "数" },
	{ "b", "flag", CONFIG_BOOL, offsetof(struct example, flag), 0, 0, "no", "a flag", "旗" },
	{ "b", "listen", CONFIG_LISTEN, offsetof(struct example, listen), 0, 0, "[::]:443", "where",
	  "場所" },
};

static enum err parse(const char *text, struct example *ret, struct config_error *ret_error)
{
	return config_parse("office.conf", text, keys, ARRAY_SIZE(keys), ret, sizeof(*ret),
			    ret_error);
}

static void good(void **state)
{
	struct example example;
	struct config_error error;

	(void)state;
	assert_ok(parse("[a]\nnumber = 10\n", &example, &error));
	assert_string_equal(example.name, "nobody");
	assert_int_equal(example.number, 10);
	assert_false(example.flag);
	assert_string_equal(example.listen.address, "::");
	assert_int_equal(example.listen.port, 443);
	assert_ok(parse("# c\n[a]\nnumber=-1\nname=関所\n[b]\nflag=on\nlisten=127.0.0.1:8443",
			&example, &error));
	assert_string_equal(example.name, "関所");
	assert_true(example.flag);
	assert_string_equal(example.listen.address, "127.0.0.1");
	assert_int_equal(example.listen.port, 8443);
}

/* Each wrong file leaves the target alone and names file, line, key and what is allowed. */
static void wrong(void **state)
{
	static const struct {
		const char *text, *where, *en, *ja;
	} cases[] = {
		{ "", "office.conf: a.number", "is missing: a number", "指定が必要です（数）" },
		{ "[a]\nnumber=11\n", "office.conf:2: a.number",
		  "\"11\" is not allowed: a whole number from -1 to 10",
		  "「11」は使えません。-1～10 の整数を指定してください" },
		{ "[a]\nnumber=1x\n", "office.conf:2: a.number", "from -1 to 10", "-1～10" },
		{ "[a]\nnumber=\n", "office.conf:2: a.number", "from -1 to 10", "-1～10" },
		{ "[a]\nnumber=1\nnumber=2\n", "office.conf:3", "a.number stands there twice",
		  "a.number が 2 回" },
		{ "[a]\nnumber=1\nnamee=x\n", "office.conf:3", "unknown key a.namee",
		  "a.namee という項目はありません" },
		{ "[c]\nnumber=1\n", "office.conf:2", "unknown key c.number", "c.number という" },
		{ "[a]\n\xff\x01\xff=1\n", "office.conf:2", "unknown key a.???:", "a.??? という" },
		{ "[a]\nnumber=1\nname=123456789\n", "office.conf:3: a.name",
		  "\"123456789\" is not allowed: 1 to 8 bytes", "「123456789」は使えません" },
		{ "[a]\nnumber=1\nname=\xff\n", "office.conf:3: a.name", "\"?\" is not allowed",
		  "「?」は使えません。UTF-8" },
		/* Cut after a whole character. */
		{ "[a]\nnumber=1\nname=ああああああああああああああああああああいい\n",
		  "office.conf:3: a.name", "あい\" is not", "あい」" },
		{ "[a]\nnumber=1\n[b]\nflag=maybe\n", "office.conf:4: b.flag",
		  "\"maybe\" is not allowed: yes or no", "yes か no" },
		{ "[a]\nnumber=1\n[b]\nlisten=localhost:1\n", "office.conf:4: b.listen",
		  "ADDRESS:PORT", "アドレス:ポート" },
		{ "[a]\nnumber=1\n[b]\nlisten=127.0.0.1\n", "b.listen", "ADDRESS:PORT",
		  "アドレス:ポート" },
		{ "[a]\nnumber=1\n[b]\nlisten=127.0.0.1:0\n", "b.listen", "ADDRESS:PORT",
		  "アドレス:ポート" },
		{ "[a]\nnumber=1\n[b]\nlisten=127.0.0.1:65536\n", "b.listen", "ADDRESS:PORT",
		  "アドレス:ポート" },
		{ "[a]\nnumber=1\n[b]\nlisten=[::1:443\n", "b.listen", "ADDRESS:PORT",
		  "アドレス:ポート" },
		{ "[a]\nnumber 1\n", "office.conf:2", "[section], key = value or # comment",
		  "どの形でもない行" },
		{ "[a\nnumber=1\n", "office.conf:2", "unknown key .number", ".number という" },
	};
	struct example example = { .number = 4711 };
	struct config_error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_err(parse(cases[i].text, &example, &error), ERR_INVALID);
		if (!strstr(error.where, cases[i].where) || !strstr(error.en, cases[i].en) ||
		    !strstr(error.ja, cases[i].ja))
			fail_msg("\"%s\" gave: %s: %s / %s", cases[i].text, error.where, error.en,
				 error.ja);
		assert_int_equal(example.number, 4711);
	}
}

static void long_line(void **state)
{
	char text[2000] = "[a]\nnumber=1\nname=";
	struct example example;
	struct config_error error;

	(void)state;
	memset(text + strlen(text), 'x', 1500);
	assert_err(parse(text, &example, &error), ERR_INVALID);
	assert_string_equal(error.where, "office.conf:3");
	assert_non_null(strstr(error.en, "the line is over"));
	assert_non_null(strstr(error.ja, "1 行が"));
}

static void unreadable(void **state)
{
	struct example example;
	struct config_error error;

	(void)state;
	assert_err(config_read("/no/such/file", keys, ARRAY_SIZE(keys), &example, sizeof(example),
			       &error),
		   ERR_NOT_FOUND);
	assert_string_equal(error.where, "/no/such/file");
	assert_non_null(strstr(error.en, "cannot be read: not found"));
	assert_non_null(strstr(error.ja, "読み込めません（見つかりません）"));
	assert_err(
		config_read("/dev/zero", keys, ARRAY_SIZE(keys), &example, sizeof(example), &error),
		ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(wrong),
		cmocka_unit_test(long_line),
		cmocka_unit_test(unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
