/*
 * handle_audit.c - what each browser asks of the audit log at login: the last checkpoint, and a
 * proof that it has grown from the one that the browser kept. And what it says when it did not.
 */
#include <string.h>

#include "broker/checkpoint.h"
#include "broker/handlers.h"
#include "broker/quota.h"

static enum err add_hashes(json_t *list, const struct tree_proof *proof)
{
	char text[NOTE_BASE64];

	for (size_t i = 0; i < proof->count; i++) {
		enum err err = note_base64(proof->hash[i], text);
		if (err)
			return err;
		if (json_array_append_new(list, json_string(text)))
			return ERR_NOMEM;
	}
	return OK;
}

/* A proof to a checkpoint that is older than the browser's is none: the browser sees that itself.
 */
static enum err add_proof(struct db *db, uint64_t old, uint64_t size, json_t *list)
{
	const struct tree_store tree = audit_tree(db);
	struct tree_proof proof = { .count = 0 };
	enum err err = old <= size ? tree_consistency(&tree, old, size, &proof) : OK;

	return err ? err : add_hashes(list, &proof);
}

enum err handle_audit_checkpoint(struct request *request)
{
	struct broker *broker = request->broker;
	const char *key = checkpoint_key(broker->checkpoints);
	struct audit_note note;
	json_t *list;
	enum err err = audit_note_last(broker->db, &note);

	/* The signer has not been heard yet, or is locked: empty, as an error would stand in the
	 * log of every browser. */
	if (err == ERR_NOT_FOUND || (!err && !key[0])) {
		reply_json(
			broker, &request->to, 200, "",
			json_pack("{s:s, s:[], s:s}", "checkpoint", "", "consistency", "key", ""));
		return OK;
	}
	if (err)
		return err;
	list = json_array();
	err = add_proof(broker->db, request->msg->audit_checkpoint.old, (uint64_t)note.size, list);
	if (err) {
		json_decref(list);
		return err;
	}
	reply_json(broker, &request->to, 200, "",
		   json_pack("{s:s, s:o, s:s}", "checkpoint", note.note, "consistency", list, "key",
			     key));
	return OK;
}

/* The browser's word, with whose browser it is: an administrator reads it and asks. */
enum err handle_audit_alarm(struct request *request)
{
	const struct msg_audit_alarm *msg = &request->msg->audit_alarm;
	struct broker *broker = request->broker;
	enum audit_alarm kind;
	struct audit_entry entry;
	enum err err = audit_alarm_parse(msg->kind, &kind);

	if (err || kind == ALARM_CONTRADICTION || msg->kept > INT64_MAX || msg->shown > INT64_MAX)
		return ERR_INVALID;
	err = quota_take(broker, &request->to, request->account.id, QUOTA_ALARM);
	if (err)
		return err == ERR_THROTTLED ? OK : err;
	entry = request_audit(request,
			      kind == ALARM_ACCEPTED ? AUDIT_EVENT_ACCEPTED : AUDIT_EVENT_ALARM,
			      json_pack("{s:s, s:I, s:I}", "kind", audit_alarm_code(kind), "kept",
					(json_int_t)msg->kept, "shown", (json_int_t)msg->shown));
	err = broker_audit(broker, &entry);
	if (err)
		return err;
	reply_json(broker, &request->to, 200, "", json_object());
	return OK;
}
