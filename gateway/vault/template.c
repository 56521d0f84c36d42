#include "vault/template.h"

#include <string.h>

#include "base/util.h"

static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

static bool is_line(const json_t *value, size_t max)
{
	const char *text = json_string_value(value);

	return text && strlen(text) == json_string_length(value) && util_text_plain(text) &&
	       characters(text) <= max;
}

static bool is_key(const char *key)
{
	const size_t len = key ? strlen(key) : 0;

	return len > 0 && len <= TEMPLATE_KEY &&
	       strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

static const char *key_of(const json_t *field)
{
	return json_string_value(json_object_get(field, "key"));
}

static bool is_field(const json_t *field)
{
	const json_t *key = json_object_get(field, "key"), *ja = json_object_get(field, "ja");

	return json_object_size(field) == 4 && is_line(key, TEMPLATE_KEY) &&
	       is_key(key_of(field)) && is_line(ja, TEMPLATE_LABEL) &&
	       !util_text_blank(json_string_value(ja)) &&
	       is_line(json_object_get(field, "en"), TEMPLATE_LABEL) &&
	       json_is_boolean(json_object_get(field, "required"));
}

static const json_t *find(const json_t *fields, const char *key)
{
	const json_t *field;
	size_t i;

	json_array_foreach(fields, i, field) if (util_streq(key_of(field), key)) return field;
	return NULL;
}

bool template_valid(const json_t *fields)
{
	const json_t *field;
	size_t i;

	if (!json_is_array(fields) || json_array_size(fields) > TEMPLATE_FIELDS)
		return false;
	json_array_foreach(fields, i, field) if (!is_field(field) ||
						 find(fields, key_of(field)) != field) return false;
	return true;
}

enum err template_of(struct db *db, int64_t kind, json_t **ret)
{
	_cleanup_free_ char *text = malloc(TEMPLATE_BYTES + 1);
	enum err err = text ? template_get(db, kind, text) : ERR_NOMEM;
	json_t *fields;

	if (err)
		return err;
	fields = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!template_valid(fields)) {
		json_decref(fields);
		return ERR_INVALID;
	}
	*ret = fields;
	return OK;
}

enum err template_fit(const json_t *fields, const json_t *values, const json_t *old)
{
	const json_t *value, *field;
	const char *key;
	size_t i;

	if (values && !json_is_object(values))
		return ERR_INVALID;
	/* Jansson's iterator does not take a const one. */
	json_object_foreach(
		(json_t *)(uintptr_t)values, key,
		value) if (!is_line(value, TEMPLATE_VALUE) ||
			   (!find(fields, key) && !json_object_get(old, key))) return ERR_INVALID;
	json_array_foreach(fields, i, field)
	{
		value = json_object_get(values, key_of(field));
		if (json_is_true(json_object_get(field, "required")) &&
		    (!value || util_text_blank(json_string_value(value))))
			return ERR_INVALID;
	}
	return OK;
}
