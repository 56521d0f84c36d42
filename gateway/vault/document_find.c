#include "vault/document_find.h"

enum err document_wrong(struct desk_reply *reply, enum err err, const char *field)
{
	reply->field = field;
	return err;
}

enum err document_find_record(struct records *records, const struct desk_ask *ask, uint64_t id,
			      struct desk_reply *reply, struct document_found *ret)
{
	enum err err = grants_of(records, &ask->who, id, &ret->rights);

	if (!err && ret->rights.level < GRANT_VIEW)
		err = ERR_NOT_FOUND;
	if (!err)
		err = records_row(records, id, &ret->record);
	if (err)
		return err == ERR_NOT_FOUND ? document_wrong(reply, err, "record") : err;
	reply->record = id;
	reply->client = ret->record.client;
	if (ret->record.state == STATE_DISPOSED || ret->record.state == STATE_REFUSED ||
	    ret->record.removed)
		return document_wrong(reply, ERR_WRONG_STATE, "record");
	return OK;
}

enum err document_find(struct records *records, const struct desk_ask *ask, uint64_t id,
		       uint8_t right, bool in_bin, struct desk_reply *reply,
		       struct document_found *ret)
{
	enum err err = documents_row(records, id, &ret->row);

	/* One that was never brought whole is none. */
	if (!err && !ret->row.version)
		err = ERR_NOT_FOUND;
	if (!err)
		err = document_find_record(records, ask, ret->row.record, reply, ret);
	if (!err && !ret->rights.document)
		err = ERR_NOT_FOUND;
	if (err)
		return err == ERR_NOT_FOUND ? document_wrong(reply, err, "document") : err;
	if (!grants_document_may(&ret->rights, right))
		return document_wrong(reply, ERR_DENIED, "document");
	return ret->row.removed && !in_bin ? document_wrong(reply, ERR_WRONG_STATE, "document")
					   : OK;
}

bool document_may(const struct document_found *found, uint8_t right)
{
	return grants_document_may(&found->rights, right);
}

enum err document_say(struct desk_reply *reply, const struct document_found *found, int64_t version)
{
	return desk_say(reply, json_pack("{s:I, s:I}", "document", (json_int_t)found->row.id,
					 "version", (json_int_t)version));
}
