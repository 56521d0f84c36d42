#include "unit/unit.h"

#include <string.h>

#include "base/util.h"
#include "cli/pages.h"

static json_t *parsed(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

static void expect(const json_t *json, const char *wanted)
{
	_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT);

	assert_string_equal(text, wanted);
}

static void test_next(void **state)
{
	json_t *arguments = json_object(), *page = parsed("{\"rows\":[],\"next\":7}");
	bool more = false;

	(void)state;
	assert_ok(pages_next(page, arguments, &more));
	assert_true(more);
	expect(arguments, "{\"after\":7}");
	json_object_set_new(page, "next", json_integer(9));
	assert_ok(pages_next(page, arguments, &more));
	expect(arguments, "{\"after\":9}");
	json_object_del(page, "next");
	assert_ok(pages_next(page, arguments, &more));
	assert_false(more);
	json_decref(arguments);
	json_decref(page);
}

/* Or a broker that stands still would be asked for ever. */
static void test_standing_still(void **state)
{
	json_t *arguments = parsed("{\"after\":7}"), *page = parsed("{\"next\":7}");
	bool more;

	(void)state;
	assert_err(pages_next(page, arguments, &more), ERR_PROTOCOL);
	json_object_set_new(page, "next", json_string("8"));
	assert_err(pages_next(page, arguments, &more), ERR_PROTOCOL);
	json_decref(arguments);
	json_decref(page);
}

static void added(const char *whole_text, const char *page_text, const char *wanted)
{
	json_t *whole = parsed(whole_text), *page = parsed(page_text);
	enum err err = pages_add(whole, page);

	if (wanted) {
		assert_ok(err);
		expect(whole, wanted);
	} else {
		assert_err(err, ERR_PROTOCOL);
	}
	json_decref(whole);
	json_decref(page);
}

static void test_add(void **state)
{
	(void)state;
	added("{\"columns\":[\"id\"],\"rows\":[[1]],\"next\":1}",
	      "{\"columns\":[\"id\"],\"rows\":[[2],[3]],\"next\":3}",
	      "{\"columns\":[\"id\"],\"rows\":[[1],[2],[3]]}");
	added("{\"csv\":\"a\\r\\n\",\"next\":1}", "{\"csv\":\"ä\\r\\n\"}",
	      "{\"csv\":\"a\\r\\nä\\r\\n\"}");
	added("{\"csv\":\"a\",\"next\":1}", "{\"rows\":[]}", NULL);
	added("{\"rows\":[],\"next\":1}", "{}", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_standing_still),
		cmocka_unit_test(test_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
