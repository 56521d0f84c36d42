/* Operations 5, 10 and 11: what a record says changes, and it goes to the bin and back. */
#include "base/util.h"
#include "vault/index.h"
#include "vault/op_record.h"

/* ---- what it says ------------------------------------------------------------------------------
 */

/* What waits for approval stays as it was entered, and what has ended as it was used. */
static bool may_change(const struct record_row *row)
{
	return !row->removed && (row->state == STATE_ACTIVE || row->state == STATE_REQUESTED);
}

/* One whose content is damaged can be entered anew. */
static enum err old_content(struct records *records, const struct record_row *row,
			    struct content *ret)
{
	enum err err = row->version ? record_get_content(records, row, 0, ret) : OK;

	return err == ERR_INVALID ? OK : err;
}

enum err op_record_change(struct records *records, const struct desk_ask *ask,
			  struct desk_reply *reply)
{
	const struct change_by by = { ask->who.account, ask->now_s };
	_cleanup_content_ struct content old = { 0 };
	struct content content;
	struct record_seen seen;
	enum err err = desk_members(ask, reply, "record", "name", "kana", "fields", NULL);

	if (!err)
		err = record_seen_get(records, ask, reply, GRANT_EDIT, &seen);
	if (!err && !may_change(&seen.row))
		err = ERR_WRONG_STATE;
	if (!err)
		err = old_content(records, &seen.row, &old);
	if (!err)
		err = content_of_body(records, ask, reply, seen.row.kind, old.fields, &content);
	if (!err && !ask->go)
		return desk_say(reply,
				json_pack("{s:I}", "version", (json_int_t)(seen.row.version + 1)));
	if (!err)
		err = record_put_version(records, &seen.row, &content, &by);
	return err ? err
		   : desk_give(reply, json_pack("{s:I}", "version", (json_int_t)seen.row.version));
}

/* ---- the bin -----------------------------------------------------------------------------------
 */

/* Nobody would find those who belong to it. */
static bool has_others(const struct records *records, const struct record_row *row)
{
	for (size_t i = 0; i < index_count(records->index); i++) {
		const struct index_entry *entry = index_at(records->index, i);

		if (entry->id != row->id && !entry->removed && entry->state != STATE_DISPOSED &&
		    entry->state != STATE_REFUSED &&
		    (entry->parent == row->id || entry->client == row->id))
			return true;
	}
	return false;
}

static enum err move(struct records *records, const struct desk_ask *ask, struct desk_reply *reply,
		     bool removes)
{
	struct record_seen seen;
	enum err err = desk_members(ask, reply, "record", NULL);

	if (!err)
		err = record_seen_get(records, ask, reply, GRANT_EDIT, &seen);
	if (!err && (seen.row.state != STATE_ACTIVE || (seen.row.removed != 0) == removes))
		err = ERR_WRONG_STATE;
	if (!err && removes && has_others(records, &seen.row)) {
		reply->field = "others";
		err = ERR_WRONG_STATE;
	}
	if (!err && !ask->go)
		return desk_say(reply, json_object());
	seen.row.removed = removes ? ask->now_s : 0;
	if (!err)
		err = records_set_row(records, &seen.row);
	return err ? err : desk_give(reply, json_object());
}

enum err op_record_remove(struct records *records, const struct desk_ask *ask,
			  struct desk_reply *reply)
{
	return move(records, ask, reply, true);
}

enum err op_record_restore(struct records *records, const struct desk_ask *ask,
			   struct desk_reply *reply)
{
	return move(records, ask, reply, false);
}
