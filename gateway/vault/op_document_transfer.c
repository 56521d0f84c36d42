/* Operations 62 to 64: documents that come and go over streams. */
#include <string.h>

#include "base/util.h"
#include "vault/document_download.h"
#include "vault/document_find.h"
#include "vault/document_preview.h"
#include "vault/document_upload.h"

/* ---- bringing -------------------------------------------------------------------------------- */

/* What an upload becomes when it is whole. */
struct brought {
	struct records *records;
	struct desk_person who;
	uint64_t record, document;
	int64_t version, now_s;
	uint64_t size;
	uint8_t right; /* that it took to begin, and takes to end */
	struct document_facts facts;
};

static void brought_free(void *ctx)
{
	struct brought *brought = ctx;

	secret_wipe(&brought->facts, sizeof(brought->facts));
	free(brought);
}

/* As it was at the beginning. */
static enum err still_wanted(const struct brought *brought, struct document_found *found)
{
	const struct desk_ask ask = { .who = brought->who };
	struct desk_reply reply = { 0 };
	const char *field = "";
	enum err err = records_usable(brought->records, &field);

	if (!err)
		err = document_find_record(brought->records, &ask, brought->record, &reply, found);
	if (!err && !document_may(found, brought->right))
		err = ERR_DENIED;
	if (!err)
		err = documents_row(brought->records, brought->document, &found->row);
	return err == ERR_NOT_FOUND || err == ERR_WRONG_STATE ? ERR_DENIED : err;
}

static enum err put_rows(struct brought *brought, struct document_found *found)
{
	struct document_version_row version = { .document = brought->document,
						.version = brought->version,
						.made = brought->now_s,
						.made_by = brought->who.account,
						.size = brought->size };
	bool newest = !brought->facts.found[0] && brought->version > found->row.version;
	enum err err =
		documents_add_version(brought->records, &found->record, &version, &brought->facts);

	if (err || !newest)
		return err;
	found->row.version = brought->version;
	return documents_set_row(brought->records, &found->row);
}

static void tell_of_quarantine(const struct brought *brought, const struct document_found *found)
{
	struct records *records = brought->records;
	json_t *detail =
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:s}", "record", (json_int_t)brought->record,
			  "client", (json_int_t)found->record.client, "document",
			  (json_int_t)brought->document, "version", (json_int_t)brought->version,
			  "by", (json_int_t)brought->who.account, "found", brought->facts.found);

	records->notice(records->notice_ctx, "document-quarantined", detail);
	json_decref(detail);
}

static enum err store(void *ctx, const struct document_upload_facts *facts)
{
	struct brought *brought = ctx;
	struct records *records = brought->records;
	struct document_found found = { 0 };
	enum err err = still_wanted(brought, &found);

	if (err)
		return err;
	memcpy(brought->facts.sha256, facts->sha256, sizeof(facts->sha256));
	if (facts->infected)
		snprintf(brought->facts.found, sizeof(brought->facts.found), "%s",
			 facts->found[0] ? facts->found : "?");
	err = records_begin(records);
	if (!err)
		err = put_rows(brought, &found);
	if (!err)
		err = records_commit(records, 0);
	records_abort(records);
	if (!err && facts->infected)
		tell_of_quarantine(brought, &found);
	return err;
}

static enum err begin_upload(struct records *records, const struct brought *brought,
			     uint32_t *ret_stream)
{
	struct documents *documents = records->documents;
	struct document_upload_order order = {
		.place = { documents->folder, brought->document, (uint64_t)brought->version },
		.account = brought->who.account,
		.record = brought->record,
		.size = brought->size,
		.scan = documents->scan,
		.store = store,
		.free_ctx = brought_free,
		.want_scanner = documents->want_scanner,
		.want_ctx = documents->ctx,
	};
	struct brought *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return ERR_NOMEM;
	*copy = *brought;
	order.ctx = copy;
	enum err err = secret_random(DOCUMENT_KEY, &order.key);
	if (!err) {
		memcpy(copy->facts.key, secret_text(order.key), DOCUMENT_KEY);
		err = document_upload_new(&documents->streams, &order, ret_stream);
	}
	if (err)
		brought_free(copy);
	return err;
}

/* Takes a number for the version, and for a new document one of its own. */
static enum err take_number(struct records *records, const struct desk_ask *ask,
			    struct document_found *found)
{
	if (found->row.id) {
		found->row.versions++;
		return documents_set_row(records, &found->row);
	}
	found->row = (struct document_row){ .record = found->record.id,
					    .versions = 1,
					    .created = ask->now_s,
					    .created_by = ask->who.account };
	enum err err = document_next_id(records->db, &found->row.id);
	return err ? err : documents_add_row(records, &found->row);
}

static enum err check_add(struct records *records, const struct desk_ask *ask,
			  struct desk_reply *reply, uint64_t document, struct document_found *ret)
{
	uint64_t record = 0;

	if (document)
		return document_find(records, ask, document, DOCUMENT_EDIT, false, reply, ret);
	enum err err = desk_id(ask, reply, "record", &record);
	if (!err)
		err = document_find_record(records, ask, record, reply, ret);
	if (!err && !document_may(ret, DOCUMENT_UPLOAD))
		err = document_wrong(reply, ERR_DENIED, "record");
	return err;
}

/* A name, not a path. */
static enum err take_name(const struct desk_ask *ask, struct desk_reply *reply, char *ret,
			  size_t room)
{
	const char *name = "";
	enum err err = desk_text(ask, reply, "name", DOCUMENT_NAME, &name);

	if (!err && strpbrk(name, "/\\"))
		err = document_wrong(reply, ERR_INVALID, "name");
	if (!err)
		snprintf(ret, room, "%s", name);
	return err;
}

enum err op_document_add(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply)
{
	struct brought brought = { .records = records, .who = ask->who, .now_s = ask->now_s };
	struct document_found found = { 0 };
	uint64_t document = 0;
	int64_t size = 0;
	enum err err = desk_members(ask, reply, "record", "document", "name", "size", NULL);

	if (!err)
		err = desk_id_or(ask, reply, "document", &document);
	if (!err)
		err = take_name(ask, reply, brought.facts.name, sizeof(brought.facts.name));
	if (!err)
		err = desk_int(ask, reply, "size", 0, DOCUMENT_BYTES_MAX, &size);
	if (!err)
		err = check_add(records, ask, reply, document, &found);
	if (!err && !ask->go)
		return desk_say(reply, json_pack("{s:I, s:I}", "document", (json_int_t)document,
						 "size", (json_int_t)size));
	if (!err)
		err = take_number(records, ask, &found);
	if (err)
		return err;
	brought.record = found.record.id;
	brought.document = found.row.id;
	brought.version = found.row.versions;
	brought.size = (uint64_t)size;
	brought.right = document ? DOCUMENT_EDIT : DOCUMENT_UPLOAD;
	err = begin_upload(records, &brought, &reply->stream);
	return err ? err
		   : desk_give(reply, json_pack("{s:I, s:I}", "document", (json_int_t)found.row.id,
						"version", (json_int_t)brought.version));
}

/* ---- fetching -------------------------------------------------------------------------------- */

/* What is in quarantine is not to be had. */
static enum err find_version(struct records *records, const struct desk_ask *ask, uint8_t right,
			     struct desk_reply *reply, struct document_found *found,
			     struct document_version_row *ret_version,
			     struct document_facts *ret_facts)
{
	uint64_t document = 0, version = 0;
	enum err err = desk_id(ask, reply, "document", &document);

	if (!err)
		err = desk_id_or(ask, reply, "version", &version);
	if (!err)
		err = document_find(records, ask, document, right, false, reply, found);
	if (err)
		return err;
	err = documents_version(records, &found->record, &found->row, (int64_t)version, ret_version,
				ret_facts);
	if (!err && ret_facts->found[0])
		err = ERR_NOT_FOUND;
	return err == ERR_NOT_FOUND ? document_wrong(reply, err, "version") : err;
}

static enum err open_file(struct records *records, const struct document_version_row *version,
			  const struct document_facts *facts, struct document_reader **ret)
{
	const struct document_place place = { records->documents->folder, version->document,
					      (uint64_t)version->version };
	_cleanup_secret_ struct secret *key = NULL;
	enum err err = secret_new(facts->key, sizeof(facts->key), &key);

	if (!err)
		err = document_reader_new(&place, key, version->size, ret);
	/* Its row is there: the file was taken away. */
	return err == ERR_NOT_FOUND ? ERR_INVALID : err;
}

static enum err begin_download(struct records *records, const struct desk_ask *ask,
			       const struct document_version_row *version,
			       const struct document_facts *facts, uint64_t record,
			       uint32_t *ret_stream)
{
	struct document_download_order order = { .account = ask->who.account,
						 .record = record,
						 .size = version->size };
	enum err err = open_file(records, version, facts, &order.reader);

	if (err)
		return err;
	return document_download_new(&records->documents->streams, &order, ret_stream);
}

enum err op_document_download(struct records *records, const struct desk_ask *ask,
			      struct desk_reply *reply)
{
	struct document_version_row version = { 0 };
	struct document_facts facts = { 0 };
	struct document_found found = { 0 };
	enum err err = desk_members(ask, reply, "document", "version", NULL);

	if (!err)
		err = find_version(records, ask, DOCUMENT_DOWNLOAD, reply, &found, &version,
				   &facts);
	if (!err && !ask->go)
		err = document_say(reply, &found, version.version);
	else if (!err)
		err = begin_download(records, ask, &version, &facts, found.record.id,
				     &reply->stream);
	if (!err && ask->go)
		err = desk_give(reply, json_pack("{s:s, s:I, s:I}", "name", facts.name, "size",
						 (json_int_t)version.size, "version",
						 (json_int_t)version.version));
	secret_wipe(&facts, sizeof(facts));
	return err;
}

/* Who looks at which document. */
struct look {
	struct records *records;
	struct desk_person who;
	uint64_t document;
};

static bool may_look(void *ctx)
{
	const struct look *look = ctx;
	const struct desk_ask ask = { .who = look->who };
	struct document_found found = { 0 };
	struct desk_reply reply = { 0 };
	const char *field = "";

	return !records_usable(look->records, &field) &&
	       !document_find(look->records, &ask, look->document, DOCUMENT_PREVIEW, false, &reply,
			      &found);
}

static enum err begin_preview(struct records *records, const struct desk_ask *ask,
			      const struct document_version_row *version,
			      const struct document_facts *facts, uint64_t record,
			      uint32_t *ret_stream)
{
	struct documents *documents = records->documents;
	struct look *look = calloc(1, sizeof(*look));
	struct document_preview_order order = { .account = ask->who.account,
						.record = record,
						.size = version->size,
						.may = may_look,
						.look = look,
						.spawn = documents->spawn_preview,
						.kill = documents->kill_preview,
						.ctx = documents->ctx };
	enum err err = look ? open_file(records, version, facts, &order.reader) : ERR_NOMEM;

	if (err) {
		free(look);
		return err;
	}
	*look = (struct look){ records, ask->who, version->document };
	return document_preview_new(&documents->streams, &order, ret_stream);
}

enum err op_document_preview(struct records *records, const struct desk_ask *ask,
			     struct desk_reply *reply)
{
	struct document_version_row version = { 0 };
	struct document_facts facts = { 0 };
	struct document_found found = { 0 };
	enum err err = desk_members(ask, reply, "document", "version", NULL);

	if (!err)
		err = find_version(records, ask, DOCUMENT_PREVIEW, reply, &found, &version, &facts);
	if (!err && !ask->go)
		err = document_say(reply, &found, version.version);
	else if (!err)
		err = begin_preview(records, ask, &version, &facts, found.record.id,
				    &reply->stream);
	if (!err && ask->go)
		err = desk_give(reply, json_pack("{s:I}", "version", (json_int_t)version.version));
	secret_wipe(&facts, sizeof(facts));
	return err;
}
