#include "unit/unit.h"

#include <string.h>

#include "vault/template.h"

static enum err fit(const char *values, const char *old)
{
	json_t *fields = json_loads("[{\"key\":\"hired\",\"required\":true},"
				    "{\"key\":\"note\",\"required\":false}]",
				    0, NULL);
	json_t *given = json_loads(values, 0, NULL), *had = old ? json_loads(old, 0, NULL) : NULL;
	enum err err = template_fit(fields, given, had);

	json_decref(fields);
	json_decref(given);
	json_decref(had);
	return err;
}

static void test_fits(void **state)
{
	(void)state;
	assert_ok(fit("{\"hired\":\"2026-04-01\"}", NULL));
	assert_ok(fit("{\"hired\":\"2026-04-01\",\"note\":\"\"}", NULL));
	assert_ok(fit("{\"hired\":\"a\",\"gone\":\"b\"}", "{\"gone\":\"b\"}"));
}

static void test_does_not_fit(void **state)
{
	(void)state;
	assert_err(fit("{}", NULL), ERR_INVALID);
	assert_err(fit("[]", NULL), ERR_INVALID);
	assert_err(fit("{\"hired\":\" \"}", NULL), ERR_INVALID);
	assert_err(fit("{\"hired\":1}", NULL), ERR_INVALID);
	assert_err(fit("{\"hired\":\"a\\nb\"}", NULL), ERR_INVALID);
	assert_err(fit("{\"hired\":\"a\",\"gone\":\"b\"}", NULL), ERR_INVALID);
	assert_err(fit("{\"hired\":\"a\",\"gone\":\"b\"}", "{\"other\":\"b\"}"), ERR_INVALID);
}

static void test_length(void **state)
{
	char text[TEMPLATE_VALUE + 32];

	(void)state;
	for (int more = 0; more < 2; more++) {
		int at = snprintf(text, sizeof(text), "{\"hired\":\"");

		memset(text + at, 'a', (size_t)(TEMPLATE_VALUE + more));
		snprintf(text + at + TEMPLATE_VALUE + more, 3, "\"}");
		assert_err(fit(text, NULL), more ? ERR_INVALID : OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_does_not_fit),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
