/* Operations 20 to 27: the office's lists of purposes, of classes of retention, and of fields. */
#include <stdlib.h>

#include "base/util.h"
#include "vault/desk.h"
#include "vault/template.h"

/* What the audit log says; the office's own words are nobody's secret. */
/* A name that is there already, or none of this number. */
static enum err named(struct desk_reply *reply, enum err err, const char *id)
{
	if (err == ERR_EXISTS)
		reply->field = "name";
	if (err == ERR_NOT_FOUND)
		reply->field = id;
	return err;
}

/* ---- purposes ----------------------------------------------------------------------------------
 */

/* How many records have it counts all that there are: that is for those who see all. */
static json_t *say_purpose(const struct desk_ask *ask, const struct purpose_row *row)
{
	json_t *json = json_pack("{s:I, s:s, s:s, s:b}", "id", (json_int_t)row->id, "name",
				 row->name, "name_en", row->name_en, "retired", row->retired);

	if (ask->who.duty == DUTY_MANAGE)
		json_object_set_new(json, "records", json_integer((json_int_t)row->records));
	return json;
}

enum err op_purpose_list(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply)
{
	_cleanup_query_ struct query query;
	json_t *rows = json_array();
	struct purpose_row row;
	bool more = true;
	enum err err = desk_members(ask, reply, NULL);

	purpose_select(&query, records->db);
	while (!err && more) {
		err = purpose_next(&query, &row, &more);
		if (!err && more)
			json_array_append_new(rows, say_purpose(ask, &row));
	}
	if (err)
		json_decref(rows);
	return err ? err : desk_give(reply, json_pack("{s:o}", "rows", rows));
}

enum err op_purpose_add(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	const char *name = "", *name_en = "";
	uint64_t id = 0;
	enum err err = desk_members(ask, reply, "name", "name_en", NULL);

	if (!err)
		err = desk_text(ask, reply, "name", RULE_NAME, &name);
	if (!err)
		err = desk_text_or(ask, reply, "name_en", RULE_NAME, &name_en);
	if (!err && !ask->go)
		return desk_say(reply, json_pack("{s:s}", "name", name));
	if (!err)
		err = named(reply, purpose_insert(records->db, name, name_en, &id), "purpose");
	return err ? err : desk_give(reply, json_pack("{s:I}", "id", (json_int_t)id));
}

enum err op_purpose_retire(struct records *records, const struct desk_ask *ask,
			   struct desk_reply *reply)
{
	uint64_t id = 0;
	bool retired = false;
	enum err err = desk_members(ask, reply, "purpose", "retired", NULL);

	if (!err)
		err = desk_id(ask, reply, "purpose", &id);
	if (!err)
		err = desk_flag(ask, reply, "retired", &retired);
	if (!err && !ask->go) {
		struct purpose_row row;

		err = named(reply, purpose_by_id(records->db, id, &row), "purpose");
		return err ? err
			   : desk_say(reply,
				      json_pack("{s:I, s:s, s:b}", "purpose", (json_int_t)id,
						"purpose_name", row.name, "retired", retired));
	}
	if (!err)
		err = named(reply, purpose_set_retired(records->db, id, retired), "purpose");
	return err ? err : desk_give(reply, json_object());
}

/* ---- classes -----------------------------------------------------------------------------------
 */

enum err op_class_list(struct records *records, const struct desk_ask *ask,
		       struct desk_reply *reply)
{
	_cleanup_query_ struct query query;
	json_t *rows = json_array();
	struct class_row row;
	bool more = true;
	enum err err = desk_members(ask, reply, NULL);

	class_select(&query, records->db);
	while (!err && more) {
		err = class_next(&query, &row, &more);
		if (!err && more)
			json_array_append_new(
				rows,
				json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:b}", "id",
					  (json_int_t)row.id, "name", row.name, "name_en",
					  row.name_en, "start", row.start, "start_en", row.start_en,
					  "years", (json_int_t)row.years, "retired", row.retired));
	}
	if (err)
		json_decref(rows);
	return err ? err : desk_give(reply, json_pack("{s:o}", "rows", rows));
}

static enum err take_texts(const struct desk_ask *ask, struct desk_reply *reply,
			   struct class_row *row)
{
	const char *name = "", *name_en = "", *start = "", *start_en = "";
	enum err err = desk_text(ask, reply, "name", RULE_NAME, &name);

	if (!err)
		err = desk_text_or(ask, reply, "name_en", RULE_NAME, &name_en);
	if (!err)
		err = desk_text(ask, reply, "start", RULE_START, &start);
	if (!err)
		err = desk_text_or(ask, reply, "start_en", RULE_START, &start_en);
	if (err)
		return err;
	snprintf(row->name, sizeof(row->name), "%s", name);
	snprintf(row->name_en, sizeof(row->name_en), "%s", name_en);
	snprintf(row->start, sizeof(row->start), "%s", start);
	snprintf(row->start_en, sizeof(row->start_en), "%s", start_en);
	return OK;
}

/* As laws on what such offices keep have them. */
static bool is_years(int64_t years)
{
	return years == 2 || years == 3 || years == 4 || years == 5 || years == 7;
}

enum err op_class_add(struct records *records, const struct desk_ask *ask, struct desk_reply *reply)
{
	struct class_row row = { 0 };
	uint64_t id = 0;
	enum err err =
		desk_members(ask, reply, "name", "name_en", "start", "start_en", "years", NULL);

	if (!err)
		err = take_texts(ask, reply, &row);
	if (!err)
		err = desk_int(ask, reply, "years", 2, 7, &row.years);
	if (!err && !is_years(row.years))
		err = desk_wrong(reply, "years");
	if (!err && !ask->go)
		return desk_say(reply, json_pack("{s:s, s:I}", "name", row.name, "years",
						 (json_int_t)row.years));
	if (!err)
		err = named(reply, class_insert(records->db, &row, &id), "class");
	return err ? err : desk_give(reply, json_pack("{s:I}", "id", (json_int_t)id));
}

enum err op_class_change(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply)
{
	struct class_row row = { 0 }, old = { 0 };
	enum err err = desk_members(ask, reply, "class", "name", "name_en", "start", "start_en",
				    "retired", NULL);

	if (!err)
		err = desk_id(ask, reply, "class", &row.id);
	if (!err)
		err = take_texts(ask, reply, &row);
	if (!err)
		err = desk_flag(ask, reply, "retired", &row.retired);
	if (!err)
		err = named(reply, class_by_id(records->db, row.id, &old), "class");
	if (!err && !ask->go)
		return desk_say(reply, json_pack("{s:I, s:s, s:b}", "class", (json_int_t)row.id,
						 "name", row.name, "retired", row.retired));
	if (!err)
		err = named(reply, class_update(records->db, &row), "class");
	return err ? err : desk_give(reply, json_object());
}

/* ---- templates ---------------------------------------------------------------------------------
 */

enum err op_template_list(struct records *records, const struct desk_ask *ask,
			  struct desk_reply *reply)
{
	json_t *rows = json_array();
	enum err err = desk_members(ask, reply, NULL);

	for (int64_t kind = KIND_CLIENT; !err && kind <= KIND_PAYEE; kind++) {
		json_t *fields = NULL;

		err = template_of(records->db, kind, &fields);
		if (!err)
			json_array_append_new(rows, json_pack("{s:I, s:o}", "kind",
							      (json_int_t)kind, "fields", fields));
	}
	if (err)
		json_decref(rows);
	return err ? err : desk_give(reply, json_pack("{s:o}", "rows", rows));
}

enum err op_template_set(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply)
{
	const json_t *fields = json_object_get(ask->body, "fields");
	int64_t kind = 0;
	enum err err = desk_members(ask, reply, "kind", "fields", NULL);

	if (!err)
		err = desk_int(ask, reply, "kind", KIND_CLIENT, KIND_PAYEE, &kind);
	if (!err && !template_valid(fields))
		err = desk_wrong(reply, "fields");
	if (err)
		return err;
	const size_t len = json_dumpb(fields, NULL, 0, JSON_COMPACT);
	_cleanup_free_ char *text = calloc(1, len + 1);
	if (!text)
		return ERR_NOMEM;
	if (len > TEMPLATE_BYTES || json_dumpb(fields, text, len, JSON_COMPACT) != len)
		return desk_wrong(reply, "fields");
	if (!ask->go)
		return desk_say(reply, json_pack("{s:I, s:I}", "kind", (json_int_t)kind, "fields",
						 (json_int_t)json_array_size(fields)));
	err = template_put(records->db, kind, text);
	return err ? err : desk_give(reply, json_object());
}
