/* Operations 80 to 86: many records out of a file. */
#include <openssl/evp.h>
#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "vault/grants.h"
#include "vault/imports.h"
#include "vault/rules.h"

enum { ERRORS_AT_ONCE = 200, BASE64_MAX = (IMPORT_PIECE + 2) / 3 * 4 };

/* Managers see all that wait, others their own. */
static bool may_see(const struct import *import, const struct desk_person *who)
{
	return import->by.account == who->account || who->duty == DUTY_MANAGE;
}

/* The body's "import". own: nobody else's. */
static enum err find(struct records *records, const struct desk_ask *ask, struct desk_reply *reply,
		     bool own, struct import **ret)
{
	struct import *import = NULL;
	uint64_t id = 0;
	enum err err = desk_id(ask, reply, "import", &id);

	if (!err)
		err = imports_find(records, id, ask->now_s, &import);
	if (!err &&
	    (!may_see(import, &ask->who) || (own && import->by.account != ask->who.account)))
		err = ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		reply->field = "import";
	if (!err)
		*ret = import;
	return err;
}

/* Another job goes through it. */
static enum err not_busy(const struct import *import, struct desk_reply *reply)
{
	if (!import->busy && !import->readers)
		return OK;
	reply->field = "busy";
	return ERR_WRONG_STATE;
}

/* ---- begun -------------------------------------------------------------------------------------
 */

static enum err take_purposes(struct records *records, const struct desk_ask *ask,
			      struct desk_reply *reply, struct import_rules *rules)
{
	enum err err = OK;

	if (!json_object_get(ask->body, "purposes"))
		return OK;
	err = desk_ids(ask, reply, "purposes", RECORD_PURPOSES, rules->purposes,
		       &rules->purpose_count);
	for (size_t i = 0; !err && i < rules->purpose_count; i++) {
		err = rules_purpose(records, rules->purposes[i]);
		if (err)
			reply->field = "purposes";
	}
	return err;
}

static enum err take_rules(struct records *records, const struct desk_ask *ask,
			   struct desk_reply *reply, struct import_rules *rules)
{
	enum err err = desk_members(ask, reply, "client", "kind", "class", "purposes", NULL);

	if (!err && json_object_get(ask->body, "kind"))
		err = desk_int(ask, reply, "kind", KIND_CLIENT, KIND_PAYEE, &rules->kind);
	if (!err)
		err = desk_id_or(ask, reply, "client", &rules->client);
	if (!err && rules->client) {
		err = grants_need(records, &ask->who, rules->client, GRANT_EDIT);
		if (!err)
			err = rules_client(records, rules->client);
		if (err)
			reply->field = "client";
	}
	if (!err)
		err = desk_id_or(ask, reply, "class", &rules->class);
	if (!err && rules->class) {
		err = rules_class(records, rules->class);
		if (err)
			reply->field = "class";
	}
	return err ? err : take_purposes(records, ask, reply, rules);
}

enum err op_import_begin(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply)
{
	struct import_rules rules = { 0 };
	struct import *import;
	enum err err = take_rules(records, ask, reply, &rules);

	reply->client = rules.client;
	if (!err && !ask->go)
		return desk_say(reply, json_pack("{s:I}", "record_kind", (json_int_t)rules.kind));
	if (!err)
		err = imports_add(records, &ask->who, ask->now_s, &import);
	if (err)
		return err;
	import->rules = rules;
	return desk_give(reply, json_pack("{s:I, s:i}", "import", (json_int_t)import->id, "piece",
					  IMPORT_PIECE));
}

/* ---- brought -----------------------------------------------------------------------------------
 */

/* The body's "data", in room of secret memory. ERR_INVALID: not base64 in its one form. */
static enum err take_data(const struct desk_ask *ask, struct desk_reply *reply, struct secret *room,
			  size_t *ret)
{
	const json_t *data = json_object_get(ask->body, "data");
	const char *text = json_string_value(data);
	const size_t len = json_string_length(data);
	size_t padding;
	int written;

	if (!text || len == 0 || len % 4 || len > BASE64_MAX)
		return desk_wrong(reply, "data");
	padding = text[len - 1] != '=' ? 0 : text[len - 2] != '=' ? 1 : 2;
	if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") !=
	    len - padding)
		return desk_wrong(reply, "data");
	written = EVP_DecodeBlock(secret_data(room), (const uint8_t *)text, (int)len);
	if (written < 0 || (size_t)written < padding)
		return desk_wrong(reply, "data");
	*ret = (size_t)written - padding;
	return OK;
}

enum err op_import_add(struct records *records, const struct desk_ask *ask,
		       struct desk_reply *reply)
{
	_cleanup_secret_ struct secret *room = NULL;
	struct import *import = NULL;
	int64_t offset = 0;
	size_t len = 0;
	enum err err = desk_members(ask, reply, "import", "offset", "data", NULL);

	if (!err)
		err = find(records, ask, reply, true, &import);
	if (!err)
		err = desk_int(ask, reply, "offset", 0, IMPORT_BYTES, &offset);
	if (!err)
		err = not_busy(import, reply);
	if (!err && (import->asked || (size_t)offset != import_file_bytes(import->file)))
		return reply->field = "offset", ERR_WRONG_STATE;
	if (!err)
		err = secret_random(IMPORT_PIECE + 3, &room);
	if (!err)
		err = take_data(ask, reply, room, &len);
	if (!err)
		err = import_file_add(import->file, secret_data(room), len);
	if (err)
		return err;
	import->looked = false;
	return desk_give(reply,
			 json_pack("{s:I}", "bytes", (json_int_t)import_file_bytes(import->file)));
}

/* ---- looked through ----------------------------------------------------------------------------
 */

static json_t *columns_of(const struct import_head *head)
{
	json_t *columns = json_array();

	for (size_t i = 0; i < head->count; i++)
		json_array_append_new(columns,
				      json_pack("{s:s, s:b}", "name", head->columns[i].name,
						"known", head->columns[i].what != IMPORT_UNKNOWN));
	return columns;
}

static enum err first_look(struct records *records, struct import *import, json_t *body)
{
	struct import_reading reading;
	json_t *sample = json_array();
	enum err err = sample ? imports_look(records, import, sample, &reading) : ERR_NOMEM;

	if (!err) {
		json_object_set_new(body, "columns", columns_of(&reading.head));
		json_object_set(body, "sample", sample);
	}
	if (sample)
		import_reading_finish(&reading);
	json_decref(sample);
	return err;
}

/* The errors after those that were told already. */
static void add_errors(const struct import *import, size_t after, json_t *body)
{
	const size_t count = json_array_size(import->wrong);
	json_t *errors = json_array();
	size_t next = after;

	for (; next < count && next < after + ERRORS_AT_ONCE; next++)
		json_array_append(errors, json_array_get(import->wrong, next));
	json_object_set_new(body, "errors", errors);
	json_object_set_new(body, "next", json_integer(next < count ? (json_int_t)next : 0));
}

enum err op_import_preview(struct records *records, const struct desk_ask *ask,
			   struct desk_reply *reply)
{
	static const char *const charsets[] = { [CSV_UTF8] = "utf-8", [CSV_CP932] = "cp932" };
	struct import *import = NULL;
	uint64_t after = 0;
	enum err err = desk_members(ask, reply, "import", "after", NULL);

	if (!err)
		err = find(records, ask, reply, true, &import);
	if (!err)
		err = desk_id_or(ask, reply, "after", &after);
	if (!err)
		err = not_busy(import, reply);
	if (err)
		return err;
	reply->body = json_pack("{s:[], s:[]}", "columns", "sample");
	if (!after || !import->looked)
		err = first_look(records, import, reply->body);
	if (err)
		return err;
	add_errors(import, (size_t)MIN(after, IMPORT_ERRORS), reply->body);
	json_object_update_new(reply->body,
			       json_pack("{s:I, s:I, s:s, s:I}", "rows", (json_int_t)import->rows,
					 "bytes", (json_int_t)import_file_bytes(import->file),
					 "charset", charsets[import->charset], "error_count",
					 (json_int_t)import->errors));
	return reply->body ? OK : ERR_NOMEM;
}

static bool may_apply(const struct import *import, const struct desk_person *who)
{
	return import->asked && who->duty == DUTY_MANAGE && import->by.account != who->account;
}

/* What a manager is asked to approve, and who brought it sees, too. */
enum err op_import_rows(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	struct import *import = NULL;
	json_t *rows = NULL;
	uint64_t after = 0;
	size_t next = 0;
	enum err err = desk_members(ask, reply, "import", "after", NULL);

	if (!err)
		err = find(records, ask, reply, false, &import);
	if (!err)
		err = desk_id_or(ask, reply, "after", &after);
	if (err)
		return err;
	reply->client = import->rules.client;
	if (import->by.account != ask->who.account && !may_apply(import, &ask->who))
		return ERR_WRONG_STATE;
	if (!import->looked || import->busy) {
		reply->field = import->busy ? "busy" : NULL;
		return ERR_WRONG_STATE;
	}
	if (!ask->go)
		return desk_say(reply,
				json_pack("{s:I, s:I, s:I}", "import", (json_int_t)import->id, "by",
					  (json_int_t)import->by.account, "after",
					  (json_int_t)after));
	rows = json_array();
	err = rows ? imports_show(records, import, &ask->who, (size_t)after, rows, &next)
		   : ERR_NOMEM;
	if (!err)
		reply->body = json_pack("{s:O, s:I}", "rows", rows, "next", (json_int_t)next);
	json_decref(rows);
	return err || reply->body ? err : ERR_NOMEM;
}

/* ---- decided -----------------------------------------------------------------------------------
 */

static json_t *about(const struct import *import)
{
	return json_pack("{s:I, s:I, s:I}", "import", (json_int_t)import->id, "rows",
			 (json_int_t)import->rows, "by", (json_int_t)import->by.account);
}

enum err op_import_ask(struct records *records, const struct desk_ask *ask,
		       struct desk_reply *reply)
{
	struct import *import = NULL;
	enum err err = desk_members(ask, reply, "import", NULL);

	if (!err)
		err = find(records, ask, reply, true, &import);
	if (!err)
		err = not_busy(import, reply);
	if (!err && (!import->looked || import->errors || import->asked))
		err = ERR_WRONG_STATE;
	if (err)
		return err;
	reply->client = import->rules.client;
	if (!ask->go)
		return desk_say(reply, about(import));
	import->asked = true;
	return desk_give(reply, json_object());
}

enum err op_import_list(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	json_t *rows = json_array();
	enum err err = desk_members(ask, reply, NULL);

	for (size_t i = 0; !err && records->imports && i < IMPORTS_MAX; i++) {
		const struct import *import = &records->imports->all[i];

		if (!import->id || !may_see(import, &ask->who))
			continue;
		json_array_append_new(rows,
				      json_pack("{s:I, s:I, s:I, s:b, s:I, s:b, s:b}", "import",
						(json_int_t)import->id, "by",
						(json_int_t)import->by.account, "rows",
						(json_int_t)import->rows, "asked", import->asked,
						"until", (json_int_t)import->until, "mine",
						import->by.account == ask->who.account, "may_apply",
						may_apply(import, &ask->who)));
	}
	if (err)
		json_decref(rows);
	return err ? err : desk_give(reply, json_pack("{s:o}", "rows", rows));
}

/* The audit log's entry is about all that it made. */
static enum err enter(struct records *records, struct import *import, const struct desk_ask *ask,
		      struct desk_reply *reply)
{
	uint64_t first = 0;

	reply->about_count = import->rows;
	reply->about = calloc(import->rows + 1, sizeof(*reply->about));
	enum err err = reply->about ? imports_enter(records, import, ask, &first) : ERR_NOMEM;
	for (size_t i = 0; !err && i < reply->about_count; i++)
		reply->about[i] = first + i;
	return err;
}

enum err op_import_apply(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply)
{
	struct import *import = NULL;
	enum err err = desk_members(ask, reply, "import", NULL);

	if (!err)
		err = find(records, ask, reply, false, &import);
	if (err)
		return err;
	reply->client = import->rules.client;
	if (!import->asked)
		return ERR_WRONG_STATE;
	err = not_busy(import, reply);
	if (err)
		return err;
	if (!may_apply(import, &ask->who))
		return ERR_DENIED;
	if (!ask->go)
		return desk_say(reply, about(import));
	const json_int_t rows = (json_int_t)import->rows;
	err = enter(records, import, ask, reply);
	/* The one who brought it has to look at it again. */
	if (err == ERR_WRONG_STATE)
		import->asked = import->looked = false;
	return err ? err : desk_give(reply, json_pack("{s:I}", "rows", rows));
}

enum err op_import_cancel(struct records *records, const struct desk_ask *ask,
			  struct desk_reply *reply)
{
	struct import *import = NULL;
	enum err err = desk_members(ask, reply, "import", NULL);

	if (!err)
		err = find(records, ask, reply, false, &import);
	if (err)
		return err;
	reply->client = import->rules.client;
	if (!ask->go)
		return desk_say(reply, about(import));
	imports_drop(import);
	return desk_give(reply, json_object());
}
