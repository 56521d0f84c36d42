#include "broker/record_local.h"

#include "auth/roles.h"

enum { LIST_BYTES = 80 * 1024 /* of an answer's 96 KiB */, HISTORY_PAGE = 100 };

record_local *record_local_find(unsigned number)
{
	switch (number) {
#define RECORD_OP(number, name, words, duties, flags, event)                                       \
	case number:                                                                               \
		return (flags)&OP_LOCAL ? local_##name : NULL;
#include "wire/record_ops.def"
#undef RECORD_OP
	default:
		return NULL;
	}
}

/* ---- lists ------------------------------------------------------------------------------ */

/* Takes row over. *ret_full: there is no room for it, and it is gone. */
static enum err add_row(json_t *rows, json_t *row, size_t *bytes, bool *ret_full)
{
	*bytes += row ? json_dumpb(row, NULL, 0, JSON_COMPACT) + 1 : 0;
	*ret_full = *bytes > LIST_BYTES;
	if (row && *ret_full) {
		json_decref(row);
		return OK;
	}
	return row && !json_array_append_new(rows, row) ? OK : ERR_NOMEM;
}

/* ---- who there is ----------------------------------------------------------------------- */

static enum err list_people(struct db *db, json_t *rows)
{
	_cleanup_query_ struct query query = { 0 };
	struct account account;
	bool more, full = false;
	size_t bytes = 0;
	enum err err;

	account_list(&query, db, 0);
	while (!(err = account_next(&query, &account, &more)) && more && !full) {
		err = add_row(rows,
			      json_pack("{s:I, s:s, s:s, s:s}", "account", (json_int_t)account.id,
					"name", account.name, "full_name", account.full_name,
					"records", account.duty ? duty_code(account.duty) : "none"),
			      &bytes, &full);
		if (err)
			break;
	}
	return err;
}

/* Names of colleagues are no secret within the office, and old requests name those who had a duty.
 */
enum err local_people_list(struct request *request, const json_t *body, json_t **ret,
			   const char **ret_field)
{
	json_t *rows = json_array();
	enum err err = rows ? list_people(request->broker->db, rows) : ERR_NOMEM;

	(void)body;
	(void)ret_field;
	if (err)
		json_decref(rows);
	else
		*ret = json_pack("{s:o}", "rows", rows);
	return err;
}

/* ---- who looked ------------------------------------------------------------------------- */

int64_t record_local_after(struct bytes body)
{
	json_t *json = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
	json_int_t after = json_integer_value(json_object_get(json, "after"));

	json_decref(json);
	return after > 0 ? after : 0;
}

static json_t *history_row(struct db *db, const struct audit_row *row)
{
	json_t *detail = json_loads(row->detail, JSON_REJECT_DUPLICATES, NULL);
	const char *why = json_string_value(json_object_get(detail, "why"));
	json_int_t purpose = json_integer_value(json_object_get(detail, "purpose"));
	bool glass = json_integer_value(json_object_get(detail, "glass")) != 0;
	struct account account = { 0 };
	json_t *json;

	if (row->account[0] && account_by_name(db, row->account, &account))
		account = (struct account){ 0 };
	json = json_pack("{s:I, s:I, s:I, s:s, s:I, s:s, s:b}", "seq", (json_int_t)row->seq, "time",
			 (json_int_t)(row->time_ms / 1000), "account", (json_int_t)account.id,
			 "event", row->event, "purpose", purpose, "why", why ? why : "", "glass",
			 glass);
	json_decref(detail);
	return json;
}

static enum err list_history(struct db *db, uint64_t record, int64_t after, json_t *rows,
			     int64_t *ret_next)
{
	_cleanup_query_ struct query query = { 0 };
	struct audit_row row;
	size_t bytes = 0;
	bool more, full = false;
	int64_t last = 0;
	enum err err;

	audit_row_record(&query, db, record, after);
	while (!(err = audit_row_next(&query, &row, &more)) && more) {
		full = json_array_size(rows) == HISTORY_PAGE;
		if (!full)
			err = add_row(rows, history_row(db, &row), &bytes, &full);
		if (err || full)
			break;
		last = row.seq;
	}
	*ret_next = full ? last : 0;
	return err;
}

enum err record_local_history(struct request *request, uint64_t record, int64_t after, json_t **ret)
{
	json_t *rows = json_array();
	int64_t next = 0;
	enum err err =
		rows ? list_history(request->broker->db, record, after, rows, &next) : ERR_NOMEM;

	if (err)
		json_decref(rows);
	else
		*ret = json_pack("{s:o, s:I}", "rows", rows, "next", (json_int_t)next);
	return err;
}
