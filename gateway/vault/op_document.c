/* Operations 60 to 69: documents of records, and what is in quarantine. */
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vault/document_download.h"
#include "vault/document_upload.h"
#include "vault/documents.h"
#include "vault/grants.h"

enum { LIST_MAX = 60 /* of the longest names the answer has room for so many */ };

static enum err wrong(struct desk_reply *reply, enum err err, const char *field)
{
	reply->field = field;
	return err;
}

static enum err give(struct desk_reply *reply, json_t *body)
{
	reply->body = body;
	return body ? OK : ERR_NOMEM;
}

/* ---- which one, and who may ------------------------------------------------------------------ */

/* A document, its record, and what may be done with it. */
struct found {
	struct document_row row;
	struct record_row record;
	struct grant_rights rights;
};

/* A record that is still to be had, and that the person may see. */
static enum err find_record(struct records *records, const struct desk_ask *ask, uint64_t id,
			    struct desk_reply *reply, struct found *ret)
{
	enum err err = grants_of(records, &ask->who, id, &ret->rights);

	if (!err && ret->rights.level < GRANT_VIEW)
		err = ERR_NOT_FOUND;
	if (!err)
		err = records_row(records, id, &ret->record);
	if (err)
		return err == ERR_NOT_FOUND ? wrong(reply, err, "record") : err;
	reply->record = id;
	reply->client = ret->record.client;
	if (ret->record.state == STATE_DISPOSED || ret->record.state == STATE_REFUSED ||
	    ret->record.removed)
		return wrong(reply, ERR_WRONG_STATE, "record");
	return OK;
}

/* right: of enum document_right, 0 for any. in_bin: it may be in the bin. */
static enum err find(struct records *records, const struct desk_ask *ask, uint64_t id,
		     uint8_t right, bool in_bin, struct desk_reply *reply, struct found *ret)
{
	enum err err = documents_row(records, id, &ret->row);

	/* One that was never brought whole is none. */
	if (!err && !ret->row.version)
		err = ERR_NOT_FOUND;
	if (!err)
		err = find_record(records, ask, ret->row.record, reply, ret);
	if (!err && !ret->rights.document)
		err = ERR_NOT_FOUND;
	if (err)
		return err == ERR_NOT_FOUND ? wrong(reply, err, "document") : err;
	if (!grants_document_may(&ret->rights, right))
		return wrong(reply, ERR_DENIED, "document");
	return ret->row.removed && !in_bin ? wrong(reply, ERR_WRONG_STATE, "document") : OK;
}

static bool may(const struct found *found, uint8_t right)
{
	return grants_document_may(&found->rights, right);
}

static enum err say(struct desk_reply *reply, const struct found *found, int64_t version)
{
	reply->detail = json_pack("{s:I, s:I}", "document", (json_int_t)found->row.id, "version",
				  (json_int_t)version);
	return reply->detail ? OK : ERR_NOMEM;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static enum err add_to_list(struct records *records, const struct found *found,
			    const struct document_row *row, json_t *rows)
{
	struct document_version_row version = { 0 };
	struct document_facts facts;
	enum err err = guard_check_id(&records->guard, GUARDED_DOCUMENT, row->id);

	if (!err)
		err = documents_version(records, &found->record, row, 0, &version, &facts);
	if (err)
		return err;
	secret_wipe(facts.key, sizeof(facts.key));
	return json_array_append_new(
		       rows,
		       json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "id",
				 (json_int_t)row->id, "name", facts.name, "size",
				 (json_int_t)version.size, "version", (json_int_t)row->version,
				 "made", (json_int_t)version.made, "made_by",
				 (json_int_t)version.made_by, "created", (json_int_t)row->created,
				 "created_by", (json_int_t)row->created_by, "removed",
				 (json_int_t)row->removed))
		       ? ERR_NOMEM
		       : OK;
}

static enum err read_list(struct records *records, const struct found *found, bool removed,
			  uint64_t after, json_t *rows, uint64_t *ret_next)
{
	_cleanup_query_ struct query query;
	struct document_row row;
	bool more = true;
	enum err err = OK;

	*ret_next = 0;
	document_select(&query, records->db, found->record.id, after);
	while (!err && more) {
		err = document_next(&query, &row, &more);
		if (err || !more || !row.version || (row.removed != 0) != removed)
			continue;
		if (json_array_size(rows) == LIST_MAX) {
			*ret_next = after;
			break;
		}
		err = add_to_list(records, found, &row, rows);
		after = row.id;
	}
	return err;
}

static json_t *rights_json(const struct found *found)
{
	return json_pack("{s:b, s:b, s:b, s:b, s:b}", "upload", may(found, DOCUMENT_UPLOAD),
			 "download", may(found, DOCUMENT_DOWNLOAD), "preview",
			 may(found, DOCUMENT_PREVIEW), "edit", may(found, DOCUMENT_EDIT), "delete",
			 may(found, DOCUMENT_DELETE));
}

enum err op_document_list(struct records *records, const struct desk_ask *ask,
			  struct desk_reply *reply)
{
	struct found found = { 0 };
	uint64_t record = 0, after = 0, next = 0;
	bool removed = false;
	json_t *rows = json_array();
	enum err err = desk_members(ask, reply, "record", "removed", "after", NULL);

	if (!err)
		err = desk_id(ask, reply, "record", &record);
	if (!err)
		err = desk_flag(ask, reply, "removed", &removed);
	if (!err)
		err = desk_id_or(ask, reply, "after", &after);
	if (!err)
		err = find_record(records, ask, record, reply, &found);
	/* Without a role not even how many there are; the bin is for those who may fill it. */
	if (!err && found.rights.document && (!removed || may(&found, DOCUMENT_DELETE)))
		err = read_list(records, &found, removed, after, rows, &next);
	if (!err)
		return give(reply, json_pack("{s:o, s:I, s:o}", "rows", rows, "next",
					     (json_int_t)next, "may", rights_json(&found)));
	json_decref(rows);
	return err;
}

static enum err add_version(struct records *records, const struct found *found,
			    const struct document_version_row *version, json_t *rows)
{
	char sum[2 * DOCUMENT_SUM + 1];
	struct document_facts facts;
	enum err err = documents_facts(records, &found->record, version, &facts);

	if (err)
		return err;
	secret_wipe(facts.key, sizeof(facts.key));
	if (facts.found[0])
		return OK;
	util_hex(facts.sha256, sizeof(facts.sha256), sum);
	return json_array_append_new(rows, json_pack("{s:I, s:s, s:I, s:I, s:I, s:s}", "version",
						     (json_int_t)version->version, "name",
						     facts.name, "size", (json_int_t)version->size,
						     "made", (json_int_t)version->made, "made_by",
						     (json_int_t)version->made_by, "sha256", sum))
		       ? ERR_NOMEM
		       : OK;
}

enum err op_document_versions(struct records *records, const struct desk_ask *ask,
			      struct desk_reply *reply)
{
	_cleanup_query_ struct query query = { 0 };
	struct document_version_row version;
	struct found found = { 0 };
	uint64_t id = 0;
	bool more = true;
	json_t *rows = json_array();
	enum err err = desk_members(ask, reply, "document", NULL);

	if (!err)
		err = desk_id(ask, reply, "document", &id);
	if (!err)
		err = find(records, ask, id, 0, true, reply, &found);
	if (!err)
		document_version_select(&query, records->db, id, 0);
	while (!err && more && json_array_size(rows) < LIST_MAX) {
		err = document_version_next(&query, &version, &more);
		if (!err && more)
			err = add_version(records, &found, &version, rows);
	}
	if (!err)
		return give(reply, json_pack("{s:o}", "rows", rows));
	json_decref(rows);
	return err;
}

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
static enum err still_wanted(const struct brought *brought, struct found *found)
{
	const struct desk_ask ask = { .who = brought->who };
	struct desk_reply reply = { 0 };
	const char *field = "";
	enum err err = records_usable(brought->records, &field);

	if (!err)
		err = find_record(brought->records, &ask, brought->record, &reply, found);
	if (!err && !may(found, brought->right))
		err = ERR_DENIED;
	if (!err)
		err = documents_row(brought->records, brought->document, &found->row);
	return err == ERR_NOT_FOUND || err == ERR_WRONG_STATE ? ERR_DENIED : err;
}

static enum err put_rows(struct brought *brought, struct found *found)
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

static void tell_of_quarantine(const struct brought *brought, const struct found *found)
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
	struct found found = { 0 };
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
			    struct found *found)
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
			  struct desk_reply *reply, uint64_t document, struct found *ret)
{
	uint64_t record = 0;

	if (document)
		return find(records, ask, document, DOCUMENT_EDIT, false, reply, ret);
	enum err err = desk_id(ask, reply, "record", &record);
	if (!err)
		err = find_record(records, ask, record, reply, ret);
	if (!err && !may(ret, DOCUMENT_UPLOAD))
		err = wrong(reply, ERR_DENIED, "record");
	return err;
}

/* A name, not a path. */
static enum err take_name(const struct desk_ask *ask, struct desk_reply *reply, char *ret,
			  size_t room)
{
	const char *name = "";
	enum err err = desk_text(ask, reply, "name", DOCUMENT_NAME, &name);

	if (!err && strpbrk(name, "/\\"))
		err = wrong(reply, ERR_INVALID, "name");
	if (!err)
		snprintf(ret, room, "%s", name);
	return err;
}

enum err op_document_add(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply)
{
	struct brought brought = { .records = records, .who = ask->who, .now_s = ask->now_s };
	struct found found = { 0 };
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
	if (!err && !ask->go) {
		reply->detail = json_pack("{s:I, s:I}", "document", (json_int_t)document, "size",
					  (json_int_t)size);
		return reply->detail ? OK : ERR_NOMEM;
	}
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
		   : give(reply, json_pack("{s:I, s:I}", "document", (json_int_t)found.row.id,
					   "version", (json_int_t)brought.version));
}

/* ---- fetching -------------------------------------------------------------------------------- */

/* What is in quarantine is not to be had. */
static enum err find_version(struct records *records, const struct desk_ask *ask, uint8_t right,
			     struct desk_reply *reply, struct found *found,
			     struct document_version_row *ret_version,
			     struct document_facts *ret_facts)
{
	uint64_t document = 0, version = 0;
	enum err err = desk_members(ask, reply, "document", "version", NULL);

	if (!err)
		err = desk_id(ask, reply, "document", &document);
	if (!err)
		err = desk_id_or(ask, reply, "version", &version);
	if (!err)
		err = find(records, ask, document, right, false, reply, found);
	if (err)
		return err;
	err = documents_version(records, &found->record, &found->row, (int64_t)version, ret_version,
				ret_facts);
	if (!err && ret_facts->found[0])
		err = ERR_NOT_FOUND;
	return err == ERR_NOT_FOUND ? wrong(reply, err, "version") : err;
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
	memcpy(order.sha256, facts->sha256, sizeof(order.sha256));
	return document_download_new(&records->documents->streams, &order, ret_stream);
}

enum err op_document_download(struct records *records, const struct desk_ask *ask,
			      struct desk_reply *reply)
{
	struct document_version_row version = { 0 };
	struct document_facts facts = { 0 };
	struct found found = { 0 };
	enum err err =
		find_version(records, ask, DOCUMENT_DOWNLOAD, reply, &found, &version, &facts);

	if (!err && !ask->go)
		err = say(reply, &found, version.version);
	else if (!err)
		err = begin_download(records, ask, &version, &facts, found.record.id,
				     &reply->stream);
	if (!err && ask->go)
		err = give(reply, json_pack("{s:s, s:I, s:I}", "name", facts.name, "size",
					    (json_int_t)version.size, "version",
					    (json_int_t)version.version));
	secret_wipe(&facts, sizeof(facts));
	return err;
}

/* ---- the bin --------------------------------------------------------------------------------- */

static enum err set_removed(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply, bool removed)
{
	struct found found = { 0 };
	uint64_t id = 0;
	enum err err = desk_members(ask, reply, "document", NULL);

	if (!err)
		err = desk_id(ask, reply, "document", &id);
	if (!err)
		err = find(records, ask, id, DOCUMENT_DELETE, !removed, reply, &found);
	if (!err && !removed && !found.row.removed)
		err = wrong(reply, ERR_WRONG_STATE, "document");
	if (!err && !ask->go)
		return say(reply, &found, found.row.version);
	found.row.removed = removed ? ask->now_s : 0;
	if (!err)
		err = documents_set_row(records, &found.row);
	return err ? err : give(reply, json_object());
}

enum err op_document_remove(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply)
{
	return set_removed(records, ask, reply, true);
}

enum err op_document_restore(struct records *records, const struct desk_ask *ask,
			     struct desk_reply *reply)
{
	return set_removed(records, ask, reply, false);
}

/* ---- quarantine ------------------------------------------------------------------------------ */

/* Of a version in quarantine, for somebody who may see its record. */
static enum err find_infected(struct records *records, const struct desk_ask *ask,
			      const struct document_version_row *version, struct found *ret,
			      struct document_facts *ret_facts)
{
	struct desk_reply ignored = { 0 };
	enum err err = documents_row(records, version->document, &ret->row);

	if (!err)
		err = find_record(records, ask, ret->row.record, &ignored, ret);
	if (!err)
		err = documents_facts(records, &ret->record, version, ret_facts);
	if (!err)
		secret_wipe(ret_facts->key, sizeof(ret_facts->key));
	return !err && !ret_facts->found[0] ? ERR_NOT_FOUND : err;
}

static enum err add_infected(struct records *records, const struct desk_ask *ask,
			     const struct document_version_row *version, json_t *rows)
{
	struct document_facts facts;
	struct found found = { 0 };
	enum err err = find_infected(records, ask, version, &found, &facts);

	if (err)
		return err == ERR_NOT_FOUND || err == ERR_WRONG_STATE ? OK : err;
	return json_array_append_new(rows,
				     json_pack("{s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:s}",
					       "document", (json_int_t)version->document, "version",
					       (json_int_t)version->version, "record",
					       (json_int_t)found.record.id, "client",
					       (json_int_t)found.record.client, "name", facts.name,
					       "size", (json_int_t)version->size, "made",
					       (json_int_t)version->made, "made_by",
					       (json_int_t)version->made_by, "found", facts.found))
		       ? ERR_NOMEM
		       : OK;
}

enum err op_quarantine_list(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply)
{
	_cleanup_query_ struct query query;
	struct document_version_row version;
	bool more = true;
	json_t *rows = json_array();
	enum err err = desk_members(ask, reply, NULL);

	document_version_quarantined(&query, records->db);
	while (!err && more && json_array_size(rows) < LIST_MAX) {
		err = document_version_next(&query, &version, &more);
		if (!err && more)
			err = add_infected(records, ask, &version, rows);
	}
	if (!err)
		return give(reply, json_pack("{s:o}", "rows", rows));
	json_decref(rows);
	return err;
}

static enum err read_infected(struct records *records, const struct desk_ask *ask,
			      uint64_t document, uint64_t number, struct found *ret)
{
	_cleanup_query_ struct query query;
	struct document_version_row version;
	struct document_facts facts;
	bool more = false;

	document_version_select(&query, records->db, document, (int64_t)number);
	enum err err = document_version_next(&query, &version, &more);
	if (!err && !more)
		err = ERR_NOT_FOUND;
	return err ? err : find_infected(records, ask, &version, ret, &facts);
}

/* The row goes first: a file that is left is swept away at the next unsealing. */
static enum err destroy(struct records *records, const struct found *found, uint64_t version)
{
	const struct document_place place = { records->documents->folder, found->row.id, version };
	enum err err = document_version_delete(records->db, found->row.id, (int64_t)version);

	if (!err && document_file_remove(&place))
		log_warn("document-left", "document=%llu", (unsigned long long)found->row.id);
	return err;
}

enum err op_quarantine_discard(struct records *records, const struct desk_ask *ask,
			       struct desk_reply *reply)
{
	uint64_t document = 0, version = 0;
	struct found found = { 0 };
	enum err err = desk_members(ask, reply, "document", "version", NULL);

	if (!err)
		err = desk_id(ask, reply, "document", &document);
	if (!err)
		err = desk_id(ask, reply, "version", &version);
	if (!err)
		err = read_infected(records, ask, document, version, &found);
	if (err)
		return err == ERR_NOT_FOUND ? wrong(reply, err, "document") : err;
	reply->record = found.record.id;
	reply->client = found.record.client;
	if (!ask->go)
		return say(reply, &found, (int64_t)version);
	err = destroy(records, &found, version);
	return err ? err : give(reply, json_object());
}
