#include "cli/pages.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum err pages_next(const json_t *page, json_t *arguments, bool *ret_more)
{
	const json_t *next = json_object_get(page, "next");
	const json_t *before = json_object_get(arguments, "after");

	*ret_more = next != NULL;
	if (!next)
		return OK;
	if (!json_is_integer(next) || (before && json_equal(before, next)))
		return ERR_PROTOCOL;
	return json_object_set_new(arguments, "after", json_integer(json_integer_value(next)))
		       ? ERR_NOMEM
		       : OK;
}

static enum err add_text(json_t *whole, const json_t *more)
{
	json_t *text = json_object_get(whole, "csv");
	size_t len = json_string_length(text), more_len = json_string_length(more);
	_cleanup_free_ char *both = malloc(len + more_len + 1);

	if (!both)
		return ERR_NOMEM;
	memcpy(both, json_string_value(text), len);
	memcpy(both + len, json_string_value(more), more_len);
	return json_string_setn(text, both, len + more_len) ? ERR_NOMEM : OK;
}

enum err pages_add(json_t *whole, const json_t *page)
{
	json_t *rows = json_object_get(whole, "rows"), *more = json_object_get(page, "rows");

	json_object_del(whole, "next");
	if (json_is_array(rows) && json_is_array(more))
		return json_array_extend(rows, more) ? ERR_NOMEM : OK;
	if (json_is_string(json_object_get(whole, "csv")) &&
	    json_is_string(json_object_get(page, "csv")))
		return add_text(whole, json_object_get(page, "csv"));
	return ERR_PROTOCOL;
}
