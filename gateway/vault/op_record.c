/* Operations 4, 7 to 9 and 19: one record is looked at. */
#include "vault/op_record.h"

#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "store/vault/rule_rows.h"
#include "vault/index.h"

enum {
	REVEAL_S = 60, /* a number is shown so long */
	VERSIONS_SHOWN = 200,
};

enum err record_seen_get(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply, enum grant_level level, struct record_seen *ret)
{
	uint64_t id = 0;
	enum err err = desk_id(ask, reply, "record", &id);

	if (err)
		return err;
	reply->record = id;
	err = grants_of(records, &ask->who, id, &ret->rights);
	if (!err)
		err = records_row(records, id, &ret->row);
	if (err == ERR_INVALID)
		reply->field = "damaged";
	if (!err && ret->rights.level < GRANT_VIEW)
		err = ERR_NOT_FOUND;
	if (err)
		return err;
	reply->client = ret->row.client;
	return ret->rights.level < (unsigned)level ? ERR_DENIED : OK;
}

const char *record_seen_name(const struct records *records, const struct grants_view *view,
			     uint64_t record)
{
	const struct index_entry *entry = index_find(records->index, record);

	if (!entry ||
	    !grants_may_see(view, &(struct grant_place){ entry->id, entry->parent, entry->client }))
		return "";
	return entry->name;
}

/* ---- what it says ------------------------------------------------------------------------------
 */

static enum err content_of(struct records *records, const struct record_row *row, int64_t version,
			   struct desk_reply *reply, struct content *ret)
{
	enum err err = record_get_content(records, row, version, ret);

	if (err == ERR_INVALID)
		reply->field = "damaged";
	return err;
}

/* Nobody has entered anything yet, or it is disposed of. */
static bool is_empty(const struct record_row *row)
{
	return row->disposed || row->version == 0;
}

static json_t *purposes_of(const struct record_row *row)
{
	json_t *purposes = json_array();

	for (size_t i = 0; i < row->purpose_count; i++)
		json_array_append_new(purposes, json_integer((json_int_t)record_purpose(row, i)));
	return purposes;
}

static json_t *fields_of(const struct content *content)
{
	return content->fields ? json_incref((json_t *)(uintptr_t)content->fields) : json_object();
}

static void date_text(bool has, int64_t days, char text[16])
{
	text[0] = '\0';
	if (has)
		desk_date_text(days, text);
}

static json_t *describe(const struct records *records, const struct record_seen *seen,
			const struct content *content, const struct grants_view *view, bool glass)
{
	const struct record_row *row = &seen->row;
	char started[16], due[16];

	date_text(row->has_started, row->started, started);
	date_text(row->has_due, row->due, due);
	return json_pack(
		"{s:I, s:I, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:o, s:b, s:b, s:b, s:o, s:I, s:s,"
		" s:s, s:I, s:I, s:I, s:{s:i, s:b, s:i}, s:b}",
		"id", (json_int_t)row->id, "client", (json_int_t)row->client, "client_name",
		record_seen_name(records, view, row->client), "kind", (json_int_t)row->kind,
		"state", (json_int_t)row->state, "parent", (json_int_t)row->parent, "parent_name",
		row->parent ? record_seen_name(records, view, row->parent) : "", "name",
		content->name, "kana", content->kana, "fields", fields_of(content), "has_number",
		row->number_version != 0, "removed", row->removed != 0, "hold", row->hold,
		"purposes", purposes_of(row), "class", (json_int_t)row->class, "started", started,
		"due", due, "created", (json_int_t)row->created, "disposed",
		(json_int_t)row->disposed, "version", (json_int_t)row->version, "rights", "level",
		seen->rights.level, "number", seen->rights.number, "document",
		seen->rights.document, "glass", glass);
}

enum err op_record_show(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	_cleanup_grants_view_ struct grants_view *view = NULL;
	_cleanup_content_ struct content content = { .name = "", .kana = "" };
	struct record_seen seen;
	enum err err = desk_members(ask, reply, "record", NULL);

	if (!err)
		err = record_seen_get(records, ask, reply, GRANT_VIEW, &seen);
	if (!err && !ask->go)
		return desk_say(reply, json_pack("{s:I}", "version", (json_int_t)seen.row.version));
	if (!err)
		err = grants_view_open(records, &ask->who, &view);
	if (!err && !is_empty(&seen.row))
		err = content_of(records, &seen.row, 0, reply, &content);
	return err ? err
		   : desk_give(reply, describe(records, &seen, &content, view,
					       ask->who.duty & DUTY_GLASS));
}

/* ---- versions ----------------------------------------------------------------------------------
 */

typedef enum err next_sealed(struct query *query, struct record_sealed *ret, bool *ret_more);

/* counts: of numbers, the version that does; 0: of what it says. */
static enum err list_sealed(struct query *query, next_sealed *next, int64_t counts, json_t *rows)
{
	struct record_sealed sealed;
	bool more = true;
	enum err err = OK;

	while (!err && more && json_array_size(rows) < VERSIONS_SHOWN) {
		err = next(query, &sealed, &more);
		if (err || !more)
			break;
		json_t *row =
			json_pack("{s:I, s:I, s:I}", "version", (json_int_t)sealed.version, "made",
				  (json_int_t)sealed.made, "made_by", (json_int_t)sealed.made_by);
		if (counts)
			json_object_set_new(row, "counts", json_boolean(sealed.version == counts));
		json_array_append_new(rows, row);
	}
	return err;
}

enum err op_record_versions(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply)
{
	_cleanup_query_ struct query versions = { 0 }, numbers = { 0 };
	json_t *rows, *number_rows;
	struct record_seen seen;
	enum err err = desk_members(ask, reply, "record", NULL);

	if (!err)
		err = record_seen_get(records, ask, reply, GRANT_VIEW, &seen);
	if (err)
		return err;
	rows = json_array();
	number_rows = json_array();
	record_version_select(&versions, records->db, seen.row.id, 0);
	record_number_select(&numbers, records->db, seen.row.id, 0);
	err = list_sealed(&versions, record_version_next, 0, rows);
	if (!err)
		err = list_sealed(&numbers, record_number_next,
				  seen.row.number_version ? seen.row.number_version : -1,
				  number_rows);
	if (!err)
		return desk_give(reply,
				 json_pack("{s:o, s:o}", "rows", rows, "numbers", number_rows));
	json_decref(rows);
	json_decref(number_rows);
	return err;
}

enum err op_record_version(struct records *records, const struct desk_ask *ask,
			   struct desk_reply *reply)
{
	_cleanup_content_ struct content content = { 0 };
	struct record_seen seen;
	int64_t version = 0;
	enum err err = desk_members(ask, reply, "record", "version", NULL);

	if (!err)
		err = record_seen_get(records, ask, reply, GRANT_VIEW, &seen);
	if (!err)
		err = desk_int(ask, reply, "version", 1, INT64_MAX, &version);
	if (!err && (is_empty(&seen.row) || version > seen.row.version))
		err = ERR_NOT_FOUND;
	if (!err && !ask->go)
		return desk_say(reply, json_pack("{s:I}", "version", (json_int_t)version));
	if (!err)
		err = content_of(records, &seen.row, version, reply, &content);
	return err ? err
		   : desk_give(reply, json_pack("{s:I, s:s, s:s, s:o}", "version",
						(json_int_t)version, "name", content.name, "kana",
						content.kana, "fields", fields_of(&content)));
}

/* ---- the number --------------------------------------------------------------------------------
 */

static bool has_purpose(const struct record_row *row, uint64_t purpose)
{
	for (size_t i = 0; i < row->purpose_count; i++)
		if (record_purpose(row, i) == purpose)
			return true;
	return false;
}

/* It is used for what it was collected for, by whom it was given to, while it is in use. */
static enum err reveal_may(const struct record_seen *seen, uint64_t purpose,
			   struct desk_reply *reply)
{
	const struct record_row *row = &seen->row;

	if (!seen->rights.number)
		return ERR_DENIED;
	if (row->removed || (row->state != STATE_ACTIVE && row->state != STATE_ENDED))
		return ERR_WRONG_STATE;
	if (!has_purpose(row, purpose))
		return desk_wrong(reply, "purpose");
	if (row->number_version == 0) {
		reply->field = "number";
		return ERR_NOT_FOUND;
	}
	return OK;
}

/* With the name that the office gave it: auditors read the log where the vault's lists are not. */
static enum err say_reveal(struct records *records, const struct record_row *row, uint64_t purpose,
			   struct desk_reply *reply)
{
	struct purpose_row named;
	enum err err = purpose_by_id(records->db, purpose, &named);

	return err ? err
		   : desk_say(reply, json_pack("{s:I, s:s, s:I}", "purpose", (json_int_t)purpose,
					       "purpose_name", named.name, "version",
					       (json_int_t)row->number_version));
}

enum err op_record_reveal(struct records *records, const struct desk_ask *ask,
			  struct desk_reply *reply)
{
	char digits[NUMBERS_ROOM] = "";
	struct record_seen seen;
	uint64_t purpose = 0;
	enum err err = desk_members(ask, reply, "record", "purpose", NULL);

	if (!err)
		err = record_seen_get(records, ask, reply, GRANT_VIEW, &seen);
	if (!err)
		err = desk_id(ask, reply, "purpose", &purpose);
	if (!err)
		err = reveal_may(&seen, purpose, reply);
	if (!err && !ask->go)
		return say_reveal(records, &seen.row, purpose, reply);
	if (!err)
		err = record_get_number(records, &seen.row, digits);
	if (err == ERR_INVALID && !reply->field)
		reply->field = "damaged";
	if (!err)
		err = desk_give(reply, json_pack("{s:s, s:I}", "number", digits, "until",
						 (json_int_t)(ask->now_s + REVEAL_S)));
	secret_wipe(digits, sizeof(digits));
	return err;
}

/* ---- history -----------------------------------------------------------------------------------
 */

/* Who may see a record may see who looked at it; the broker adds that. */
enum err op_record_history(struct records *records, const struct desk_ask *ask,
			   struct desk_reply *reply)
{
	enum err err = desk_members(ask, reply, "record", "after", NULL);

	if (!err)
		err = desk_id(ask, reply, "record", &reply->record);
	return err ? err : grants_need(records, &ask->who, reply->record, GRANT_VIEW);
}
