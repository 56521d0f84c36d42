/* What handlers take out of a body (desk.h). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "vault/desk.h"

enum { SECONDS_PER_DAY = 86400 };

enum err desk_wrong(struct desk_reply *reply, const char *field)
{
	reply->field = field;
	return ERR_INVALID;
}

enum err desk_members(const struct desk_ask *ask, struct desk_reply *reply, ...)
{
	size_t known = 0;
	const char *name;
	va_list names;

	va_start(names, reply);
	while ((name = va_arg(names, const char *)))
		if (json_object_get(ask->body, name))
			known++;
	va_end(names);
	return known == json_object_size(ask->body) ? OK : desk_wrong(reply, "body");
}

static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		if ((*text & 0xc0) != 0x80)
			count++;
	return count;
}

enum err desk_text_or(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
		      size_t max, const char **ret)
{
	const json_t *value = json_object_get(ask->body, name);
	const char *text = json_string_value(value);

	if (!value) {
		*ret = "";
		return OK;
	}
	if (!text || strlen(text) != json_string_length(value) || characters(text) > max ||
	    !util_text_plain(text))
		return desk_wrong(reply, name);
	*ret = text;
	return OK;
}

enum err desk_text(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
		   size_t max, const char **ret)
{
	const char *text = "";
	enum err err = desk_text_or(ask, reply, name, max, &text);

	if (!err && util_text_blank(text))
		err = desk_wrong(reply, name);
	if (!err)
		*ret = text;
	return err;
}

static bool is_id(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) > 0;
}

static bool is_zero(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) == 0;
}

enum err desk_id_or(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
		    uint64_t *ret)
{
	const json_t *value = json_object_get(ask->body, name);

	if (value && !is_id(value) && !is_zero(value))
		return desk_wrong(reply, name);
	*ret = value ? (uint64_t)json_integer_value(value) : 0;
	return OK;
}

enum err desk_id(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
		 uint64_t *ret)
{
	return is_id(json_object_get(ask->body, name)) ? desk_id_or(ask, reply, name, ret)
						       : desk_wrong(reply, name);
}

enum err desk_int(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
		  int64_t min, int64_t max, int64_t *ret)
{
	const json_t *value = json_object_get(ask->body, name);
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < min || number > max)
		return desk_wrong(reply, name);
	*ret = number;
	return OK;
}

enum err desk_flag(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
		   bool *ret)
{
	const json_t *value = json_object_get(ask->body, name);

	if (value && !json_is_boolean(value))
		return desk_wrong(reply, name);
	*ret = json_is_true(value);
	return OK;
}

static int compare_ids(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

enum err desk_ids(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
		  size_t max, uint64_t *ret, size_t *ret_count)
{
	const json_t *array = json_object_get(ask->body, name);
	size_t count = json_array_size(array);

	if (count == 0 || count > max)
		return desk_wrong(reply, name);
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_array_get(array, i);

		if (!is_id(value))
			return desk_wrong(reply, name);
		ret[i] = (uint64_t)json_integer_value(value);
	}
	qsort(ret, count, sizeof(*ret), compare_ids);
	for (size_t i = 1; i < count; i++)
		if (ret[i] == ret[i - 1])
			return desk_wrong(reply, name);
	*ret_count = count;
	return OK;
}

/* ---- dates ------------------------------------------------------------------------------ */

static bool digits(const char *text, size_t from, size_t count, int *ret)
{
	*ret = 0;
	for (size_t i = from; i < from + count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*ret = *ret * 10 + (text[i] - '0');
	}
	return true;
}

/* A day that the calendar has: timegm would make the 31st of April the 1st of May. */
static bool parse_date(const char *text, int64_t *ret)
{
	int year, month, day;
	struct tm tm = { 0 }, back = { 0 };

	if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' || !digits(text, 0, 4, &year) ||
	    !digits(text, 5, 2, &month) || !digits(text, 8, 2, &day) || year < 1900)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	time_t seconds = timegm(&tm);
	if (!gmtime_r(&seconds, &back) || back.tm_mday != day || back.tm_mon != month - 1)
		return false;
	*ret = seconds / SECONDS_PER_DAY;
	return true;
}

enum err desk_date(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
		   int64_t *ret)
{
	const char *text = json_string_value(json_object_get(ask->body, name));

	return text && parse_date(text, ret) ? OK : desk_wrong(reply, name);
}

void desk_date_text(int64_t days, char text[16])
{
	time_t seconds = (time_t)days * SECONDS_PER_DAY;
	struct tm tm = { 0 };

	gmtime_r(&seconds, &tm);
	if (strftime(text, 16, "%Y-%m-%d", &tm) == 0)
		text[0] = '\0';
}

enum err desk_word(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
		   const char *const *words, size_t count, size_t *ret)
{
	const char *text = json_string_value(json_object_get(ask->body, name));

	for (size_t i = 0; text && i < count; i++)
		if (words[i] && strcmp(text, words[i]) == 0) {
			*ret = i;
			return OK;
		}
	return desk_wrong(reply, name);
}

/* ---- what an operation answers --------------------------------------------------------------- */

enum err desk_give(struct desk_reply *reply, json_t *body)
{
	reply->body = body;
	return body ? OK : ERR_NOMEM;
}

enum err desk_say(struct desk_reply *reply, json_t *detail)
{
	reply->detail = detail;
	return detail ? OK : ERR_NOMEM;
}
