#include <string.h>

#include "audit/export.h"
#include "base/util.h"

enum err export_entry(const struct audit_row *row, json_t **ret)
{
	char salt[2 * AUDIT_SALT + 1], commitment[2 * AUDIT_HASH + 1];

	util_hex(row->salt, AUDIT_SALT, salt);
	util_hex(row->commitment, AUDIT_HASH, commitment);
	*ret = json_pack("{s:I, s:I, s:I, s:s, s:s, s:b}", "seq", (json_int_t)row->seq, "version",
			 (json_int_t)row->version, "time_ms", (json_int_t)row->time_ms, "event",
			 row->event, "commitment", commitment, "disposed", (int)row->disposed);
	if (*ret && !row->disposed) {
		json_t *more = json_pack("{s:s, s:I, s:s, s:I, s:s, s:s}", "account", row->account,
					 "device", (json_int_t)row->device, "address", row->address,
					 "host", (json_int_t)row->host, "session", row->session,
					 "detail", row->detail);
		if (!more || json_object_update(*ret, more) ||
		    (row->version == AUDIT_SALTED &&
		     json_object_set_new(*ret, "salt", json_string(salt)))) {
			json_decref(*ret);
			*ret = NULL;
		}
		json_decref(more);
	}
	return *ret ? OK : ERR_NOMEM;
}

/* The first thing that is wrong stays. */
static void take_number(const json_t *object, const char *name, int64_t *ret, enum err *err)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value))
		*err = ERR_INVALID;
	else
		*ret = json_integer_value(value);
}

static void take_text(const json_t *object, const char *name, char *ret, size_t size, enum err *err)
{
	const json_t *value = json_object_get(object, name);
	size_t len = json_string_length(value);

	if (!json_is_string(value) || len >= size || memchr(json_string_value(value), 0, len))
		*err = ERR_INVALID;
	else
		memcpy(ret, json_string_value(value), len + 1);
}

static void take_hash(const json_t *object, const char *name, uint8_t ret[AUDIT_HASH],
		      enum err *err)
{
	const char *text = json_string_value(json_object_get(object, name));

	if (!text || util_unhex(text, ret, AUDIT_HASH))
		*err = ERR_INVALID;
}

/* What was disposed of says nothing more: nobody may put other words in its place. */
static bool is_bare(const json_t *object)
{
	static const char *const names[] = { "account", "device", "address", "host",
					     "session", "detail", "salt" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (json_object_get(object, names[i]))
			return false;
	return true;
}

enum err export_entry_read(const json_t *object, struct audit_row *ret)
{
	struct audit_row row = { .detail = "{}" };
	const json_t *disposed = json_object_get(object, "disposed");
	enum err err = json_is_boolean(disposed) ? OK : ERR_INVALID;

	row.disposed = json_is_true(disposed);
	take_number(object, "seq", &row.seq, &err);
	take_number(object, "version", &row.version, &err);
	take_number(object, "time_ms", &row.time_ms, &err);
	take_text(object, "event", row.event, sizeof(row.event), &err);
	take_hash(object, "commitment", row.commitment, &err);
	if (row.disposed && !is_bare(object))
		err = ERR_INVALID;
	if (!row.disposed) {
		take_text(object, "account", row.account, sizeof(row.account), &err);
		take_number(object, "device", &row.device, &err);
		take_text(object, "address", row.address, sizeof(row.address), &err);
		take_number(object, "host", &row.host, &err);
		take_text(object, "session", row.session, sizeof(row.session), &err);
		take_text(object, "detail", row.detail, sizeof(row.detail), &err);
		if (row.version == AUDIT_SALTED)
			take_hash(object, "salt", row.salt, &err);
	}
	if (!err)
		*ret = row;
	return err;
}
