/* Operations 1 and 3: lists of records, and the search over all of them. */
#include "vault/op_record.h"

#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "vault/index.h"

enum {
	ROWS = 100,
	/* With every character escaped it is twice as long. */
	ROW_BYTES = 200,
	ROWS_BYTES = DESK_ANSWER / 2 - 1024,
	SAME_NUMBER = 64, /* records that one number has, at most */
};

/* What is looked for; 0 and "": anything. */
struct wish {
	uint64_t client, parent, after;
	int64_t kind, state;
	bool removed;              /* what is in the bin, and nothing else */
	char *text;                /* as index_fold's, or NULL */
	char number[NUMBERS_ROOM]; /* "" : any */
	uint64_t ids[SAME_NUMBER]; /* those that have it */
	size_t id_count;
};

static void wish_finish(struct wish *wish)
{
	index_text_free(&wish->text);
	secret_wipe(wish->number, sizeof(wish->number));
}

/* ---- what is asked for -------------------------------------------------------------------------
 */

static enum err kind_or(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
			int64_t max, int64_t *ret)
{
	return json_object_get(ask->body, name) ? desk_int(ask, reply, name, 1, max, ret) : OK;
}

static enum err read_text(const struct desk_ask *ask, struct desk_reply *reply, struct wish *wish)
{
	const char *text = "";
	enum err err = desk_text_or(ask, reply, "text", CONTENT_NAME, &text);

	if (err || !text[0])
		return err;
	err = index_fold(text, &wish->text);
	return err == ERR_INVALID ? desk_wrong(reply, "text") : err;
}

static enum err read_number(const struct desk_ask *ask, struct desk_reply *reply, struct wish *wish)
{
	const char *text = "";
	enum err err = desk_text_or(ask, reply, "number", CONTENT_NAME, &text);

	if (err || !text[0])
		return err;
	numbers_plain(text, wish->number);
	return numbers_valid(wish->number) ? OK : desk_wrong(reply, "number");
}

static enum err read_wish(const struct desk_ask *ask, struct desk_reply *reply, struct wish *wish)
{
	enum err err = desk_id_or(ask, reply, "client", &wish->client);

	if (!err)
		err = desk_id_or(ask, reply, "parent", &wish->parent);
	if (!err)
		err = desk_id_or(ask, reply, "after", &wish->after);
	if (!err)
		err = kind_or(ask, reply, "kind", KIND_PAYEE, &wish->kind);
	if (!err)
		err = kind_or(ask, reply, "state", STATE_REFUSED, &wish->state);
	if (!err)
		err = desk_flag(ask, reply, "removed", &wish->removed);
	if (!err)
		err = read_text(ask, reply, wish);
	return err ? err : read_number(ask, reply, wish);
}

/* ---- a number ----------------------------------------------------------------------------------
 */

/* To find a number is to know whose it is: that takes the right to it. What the hash finds is
 * opened, as the hash could have been put elsewhere. */
static enum err has_number(struct records *records, const struct grants_view *view, uint64_t id,
			   const char *number, bool *ret)
{
	char digits[NUMBERS_ROOM] = "";
	struct grant_rights rights;
	struct record_row row;
	enum err err = records_row(records, id, &row);

	*ret = false;
	/* One that nobody sees yet. */
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	grants_decide(view, &(struct grant_place){ row.id, row.parent, row.client }, &rights, NULL);
	if (!rights.number)
		return OK;
	err = record_get_number(records, &row, digits);
	*ret = !err && strcmp(digits, number) == 0;
	if (!err && !*ret)
		records_damaged(records, "record_number", row.id, row.number_version);
	secret_wipe(digits, sizeof(digits));
	return err;
}

static enum err find_number(struct records *records, const struct grants_view *view,
			    struct wish *wish)
{
	_cleanup_query_ struct query query = { 0 };
	uint8_t found[RECORD_FOUND];
	bool more = true, has;
	enum err err = numbers_found(records, wish->number, found);

	if (err)
		return err;
	record_number_find(&query, records->db, found);
	while (!err && more && wish->id_count < SAME_NUMBER) {
		err = query_next(&query, &more);
		if (err || !more)
			break;
		uint64_t id = (uint64_t)query_col_i64(&query, 0);
		err = has_number(records, view, id, wish->number, &has);
		if (!err && has)
			wish->ids[wish->id_count++] = id;
		if (err == ERR_INVALID)
			err = OK; /* it is named; the others are shown */
	}
	return err;
}

/* ---- the list ----------------------------------------------------------------------------------
 */

static bool has_id(const struct wish *wish, uint64_t id)
{
	for (size_t i = 0; i < wish->id_count; i++)
		if (wish->ids[i] == id)
			return true;
	return false;
}

/* What is gone, or came to nothing, is only shown to who asks for it. */
static bool is_listed(const struct wish *wish, const struct index_entry *entry)
{
	if (wish->removed)
		return entry->removed && entry->state != STATE_DISPOSED;
	if (wish->state)
		return entry->state == wish->state && !entry->removed;
	return entry->state != STATE_DISPOSED && entry->state != STATE_REFUSED && !entry->removed;
}

static bool fits(const struct wish *wish, const struct index_entry *entry)
{
	if (wish->kind ? entry->kind != wish->kind : wish->client && entry->kind == KIND_CLIENT)
		return false;
	return is_listed(wish, entry) && (!wish->client || entry->client == wish->client) &&
	       (!wish->parent || entry->parent == wish->parent) &&
	       (!wish->number[0] || has_id(wish, entry->id)) &&
	       (!wish->text || index_has(entry, wish->text));
}

static bool may_see(const struct grants_view *view, const struct index_entry *entry)
{
	return grants_may_see(view,
			      &(struct grant_place){ entry->id, entry->parent, entry->client });
}

/* Where the rows begin. Where one is that he may not see is nothing that he may ask. */
static enum err begin(const struct records *records, const struct grants_view *view,
		      const struct wish *wish, struct desk_reply *reply, size_t *ret)
{
	const struct index_entry *entry;

	*ret = 0;
	if (!wish->after)
		return OK;
	entry = index_find(records->index, wish->after);
	if (!entry || !may_see(view, entry))
		return desk_wrong(reply, "after");
	*ret = index_place(records->index, entry) + 1;
	return OK;
}

static json_t *row_of(const struct records *records, const struct grants_view *view,
		      const struct index_entry *entry, size_t *ret_bytes)
{
	const char *client_name = record_seen_name(records, view, entry->client);

	*ret_bytes = ROW_BYTES + strlen(client_name) + strlen(entry->name) + strlen(entry->kana);
	return json_pack("{s:I, s:I, s:s, s:i, s:i, s:s, s:s, s:b, s:b, s:I}", "id",
			 (json_int_t)entry->id, "client", (json_int_t)entry->client, "client_name",
			 client_name, "kind", entry->kind, "state", entry->state, "name",
			 entry->name, "kana", entry->kana, "has_number", entry->has_number,
			 "removed", entry->removed != 0, "parent", (json_int_t)entry->parent);
}

static enum err list(struct records *records, const struct desk_ask *ask, struct desk_reply *reply,
		     struct wish *wish)
{
	_cleanup_grants_view_ struct grants_view *view = NULL;
	size_t first = 0, bytes = 0, more = 0, total = 0;
	uint64_t next = 0, last = 0;
	json_t *rows;
	enum err err = grants_view_open(records, &ask->who, &view);

	if (!err && wish->number[0])
		err = find_number(records, view, wish);
	if (!err)
		err = begin(records, view, wish, reply, &first);
	if (err)
		return err;
	rows = json_array();
	for (size_t i = 0; i < index_count(records->index); i++) {
		const struct index_entry *entry = index_at(records->index, i);

		if (!fits(wish, entry) || !may_see(view, entry))
			continue;
		total++;
		if (i < first || next)
			continue;
		json_t *row = row_of(records, view, entry, &more);
		if (json_array_size(rows) == ROWS || bytes + more > ROWS_BYTES) {
			next = last;
			json_decref(row);
			continue;
		}
		bytes += more;
		last = entry->id;
		json_array_append_new(rows, row);
	}
	return desk_give(reply, json_pack("{s:o, s:I, s:I}", "rows", rows, "total",
					  (json_int_t)total, "next", (json_int_t)next));
}

enum err op_client_list(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	struct wish wish = { .kind = KIND_CLIENT };
	enum err err = desk_members(ask, reply, "after", NULL);

	if (!err)
		err = desk_id_or(ask, reply, "after", &wish.after);
	return err ? err : list(records, ask, reply, &wish);
}

enum err op_record_list(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	_cleanup_(wish_finish) struct wish wish = { 0 };
	enum err err = desk_members(ask, reply, "client", "parent", "kind", "state", "text",
				    "removed", "after", NULL);

	if (!err)
		err = read_wish(ask, reply, &wish);
	return err ? err : list(records, ask, reply, &wish);
}

/* Whose a number is: the log says of whom somebody has learnt it, and that he asked if of nobody.
 */
static enum err say_found(struct records *records, const struct desk_ask *ask,
			  struct desk_reply *reply, struct wish *wish)
{
	_cleanup_grants_view_ struct grants_view *view = NULL;
	json_t *ids = json_array();
	enum err err = grants_view_open(records, &ask->who, &view);

	if (!err)
		err = find_number(records, view, wish);
	for (size_t i = 0; !err && i < wish->id_count; i++)
		json_array_append_new(ids, json_integer((json_int_t)wish->ids[i]));
	reply->client = wish->client;
	reply->detail =
		json_pack("{s:I, s:o}", "found", (json_int_t)wish->id_count, "records", ids);
	return err || reply->detail ? err : ERR_NOMEM;
}

enum err op_record_find(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply)
{
	_cleanup_(wish_finish) struct wish wish = { 0 };
	enum err err = desk_members(ask, reply, "client", "parent", "kind", "state", "text",
				    "number", "removed", NULL);

	if (!err)
		err = read_wish(ask, reply, &wish);
	if (!err && wish.client)
		err = grants_need(records, &ask->who, wish.client, GRANT_VIEW);
	if (!err && !wish.number[0])
		err = desk_wrong(reply, "number");
	if (err)
		return err;
	return ask->go ? list(records, ask, reply, &wish) : say_found(records, ask, reply, &wish);
}
