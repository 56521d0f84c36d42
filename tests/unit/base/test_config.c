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
	{ "a", "name", CONFIG_STRING, offsetof(struct example, name), 1, 8, "nobody", "a name" },
	{ "a", "number", CONFIG_INT, offsetof(struct example, number), -1, 10, NULL, "a number" },
	{ "b", "flag", CONFIG_BOOL, offsetof(struct example, flag), 0, 0, "no", "a flag" },
	{ "b", "listen", CONFIG_LISTEN, offsetof(struct example, listen), 0, 0, "[::]:443",
	  "where" },
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
		const char *text, *said;
	} cases[] = {
		{ "", "office.conf: a.number is missing: a number" },
		{ "[a]\nnumber=11\n",
		  "office.conf:2: a.number: \"11\" is not allowed: a whole number from -1 to 10" },
		{ "[a]\nnumber=1x\n", "from -1 to 10" },
		{ "[a]\nnumber=\n", "from -1 to 10" },
		{ "[a]\nnumber=1\nnumber=2\n", "office.conf:3: a.number stands there twice" },
		{ "[a]\nnumber=1\nnamee=x\n", "office.conf:3: unknown key a.namee" },
		{ "[c]\nnumber=1\n", "unknown key c.number" },
		{ "[a]\nnumber=1\nname=123456789\n",
		  "office.conf:3: a.name: \"123456789\" is not allowed: 1 to 8 bytes" },
		{ "[a]\nnumber=1\nname=\xff\n", "UTF-8" },
		{ "[a]\nnumber=1\n[b]\nflag=maybe\n",
		  "office.conf:4: b.flag: \"maybe\" is not allowed: yes or no" },
		{ "[a]\nnumber=1\n[b]\nlisten=localhost:1\n", "ADDRESS:PORT" },
		{ "[a]\nnumber=1\n[b]\nlisten=127.0.0.1\n", "ADDRESS:PORT" },
		{ "[a]\nnumber=1\n[b]\nlisten=127.0.0.1:0\n", "ADDRESS:PORT" },
		{ "[a]\nnumber=1\n[b]\nlisten=127.0.0.1:65536\n", "ADDRESS:PORT" },
		{ "[a]\nnumber=1\n[b]\nlisten=[::1:443\n", "ADDRESS:PORT" },
		{ "[a]\nnumber 1\n", "office.conf:2" },
		{ "[a\nnumber=1\n", "office.conf:2: unknown key .number" },
	};
	struct example example = { .number = 4711 };
	struct config_error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_err(parse(cases[i].text, &example, &error), ERR_INVALID);
		if (!strstr(error.text, cases[i].said))
			fail_msg("\"%s\" gave: %s", cases[i].text, error.text);
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
	assert_non_null(strstr(error.text, "office.conf:3: the line is over"));
}

static void unreadable(void **state)
{
	struct example example;
	struct config_error error;

	(void)state;
	assert_err(config_read("/no/such/file", keys, ARRAY_SIZE(keys), &example, sizeof(example),
			       &error),
		   ERR_NOT_FOUND);
	assert_non_null(strstr(error.text, "/no/such/file: cannot be read"));
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
