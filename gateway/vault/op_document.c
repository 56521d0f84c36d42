/* Operations 60, 61 and 65 to 68: lists of documents, the bin, and what is in quarantine. */
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vault/document_find.h"

enum { LIST_MAX = 60 /* of the longest names the answer has room for so many */ };

/* ---- lists ----------------------------------------------------------------------------------- */

/* One that is not what was sealed there has no name; the others are shown. */
static enum err add_to_list(struct records *records, const struct document_found *found,
			    const struct document_row *row, json_t *rows)
{
	struct document_version_row version = { 0 };
	struct document_facts facts = { 0 };
	enum err err = guard_check_id(&records->guard, GUARDED_DOCUMENT, row->id);

	if (err)
		return err;
	err = documents_version(records, &found->record, row, 0, &version, &facts);
	secret_wipe(facts.key, sizeof(facts.key));
	if (err == ERR_INVALID)
		facts.name[0] = '\0';
	else if (err)
		return err;
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

static enum err read_list(struct records *records, const struct document_found *found, bool removed,
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

static json_t *rights_json(const struct document_found *found)
{
	return json_pack(
		"{s:b, s:b, s:b, s:b, s:b, s:b}", "upload", document_may(found, DOCUMENT_UPLOAD),
		"download", document_may(found, DOCUMENT_DOWNLOAD), "preview",
		document_may(found, DOCUMENT_PREVIEW), "link", document_may(found, DOCUMENT_LINK),
		"edit", document_may(found, DOCUMENT_EDIT), "delete",
		document_may(found, DOCUMENT_DELETE));
}

enum err op_document_list(struct records *records, const struct desk_ask *ask,
			  struct desk_reply *reply)
{
	struct document_found found = { 0 };
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
		err = document_find_record(records, ask, record, reply, &found);
	/* Without a role not even how many there are; the bin is for those who may fill it. */
	if (!err && found.rights.document && (!removed || document_may(&found, DOCUMENT_DELETE)))
		err = read_list(records, &found, removed, after, rows, &next);
	if (!err)
		return desk_give(reply, json_pack("{s:o, s:I, s:o}", "rows", rows, "next",
						  (json_int_t)next, "may", rights_json(&found)));
	json_decref(rows);
	return err;
}

/* The sum tells what is in it to whoever has a copy from elsewhere: it is for those who may have
 * the document. */
static enum err add_version(struct records *records, const struct document_found *found,
			    const struct document_version_row *version, json_t *rows)
{
	char sum[2 * DOCUMENT_SHA256 + 1];
	struct document_facts facts;
	enum err err = documents_facts(records, &found->record, version, &facts);

	if (err)
		return err;
	secret_wipe(facts.key, sizeof(facts.key));
	if (facts.found[0])
		return OK;
	json_t *row =
		json_pack("{s:I, s:s, s:I, s:I, s:I}", "version", (json_int_t)version->version,
			  "name", facts.name, "size", (json_int_t)version->size, "made",
			  (json_int_t)version->made, "made_by", (json_int_t)version->made_by);
	util_hex(facts.sha256, sizeof(facts.sha256), sum);
	if (row && document_may(found, DOCUMENT_DOWNLOAD))
		json_object_set_new(row, "sha256", json_string(sum));
	return json_array_append_new(rows, row) ? ERR_NOMEM : OK;
}

static enum err read_versions(struct records *records, const struct document_found *found,
			      int64_t after, json_t *rows, int64_t *ret_next)
{
	_cleanup_query_ struct query query;
	struct document_version_row version;
	int64_t last = 0;
	bool more = true;
	enum err err = OK;

	*ret_next = 0;
	document_version_select(&query, records->db, found->row.id, 0);
	while (!err && more) {
		err = document_version_next(&query, &version, &more);
		if (err || !more || (after && version.version >= after))
			continue;
		if (json_array_size(rows) == LIST_MAX) {
			*ret_next = last;
			break;
		}
		err = add_version(records, found, &version, rows);
		last = version.version;
	}
	return err;
}

enum err op_document_versions(struct records *records, const struct desk_ask *ask,
			      struct desk_reply *reply)
{
	struct document_found found = { 0 };
	uint64_t id = 0, after = 0;
	int64_t next = 0;
	json_t *rows = json_array();
	enum err err = desk_members(ask, reply, "document", "after", NULL);

	if (!err)
		err = desk_id(ask, reply, "document", &id);
	if (!err)
		err = desk_id_or(ask, reply, "after", &after);
	if (!err)
		err = document_find(records, ask, id, 0, true, reply, &found);
	/* The bin is for those who may fill it. */
	if (!err && found.row.removed && !document_may(&found, DOCUMENT_DELETE))
		err = document_wrong(reply, ERR_NOT_FOUND, "document");
	if (!err)
		err = read_versions(records, &found, (int64_t)after, rows, &next);
	if (!err)
		return desk_give(reply,
				 json_pack("{s:o, s:I}", "rows", rows, "next", (json_int_t)next));
	json_decref(rows);
	return err;
}

/* ---- the bin --------------------------------------------------------------------------------- */

static enum err set_removed(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply, bool removed)
{
	struct document_found found = { 0 };
	uint64_t id = 0;
	enum err err = desk_members(ask, reply, "document", NULL);

	if (!err)
		err = desk_id(ask, reply, "document", &id);
	if (!err)
		err = document_find(records, ask, id, DOCUMENT_DELETE, !removed, reply, &found);
	if (!err && !removed && !found.row.removed)
		err = document_wrong(reply, ERR_WRONG_STATE, "document");
	if (!err && !ask->go)
		return document_say(reply, &found, found.row.version);
	found.row.removed = removed ? ask->now_s : 0;
	if (!err)
		err = documents_set_row(records, &found.row);
	return err ? err : desk_give(reply, json_object());
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
			      const struct document_version_row *version,
			      struct document_found *ret, struct document_facts *ret_facts)
{
	struct desk_reply ignored = { 0 };
	enum err err = documents_row(records, version->document, &ret->row);

	if (!err)
		err = document_find_record(records, ask, ret->row.record, &ignored, ret);
	if (err == ERR_INVALID)
		records_damaged(records, "document", version->document, 0);
	if (!err)
		err = documents_facts(records, &ret->record, version, ret_facts);
	if (!err)
		secret_wipe(ret_facts->key, sizeof(ret_facts->key));
	return !err && !ret_facts->found[0] ? ERR_NOT_FOUND : err;
}

struct infected_list {
	struct records *records;
	const struct desk_ask *ask;
	uint64_t skip; /* rows that were shown already */
	uint64_t total;
	int64_t damaged;
	json_t *rows;
};

static enum err add_infected(struct infected_list *list, const struct document_version_row *version)
{
	struct document_facts facts;
	struct document_found found = { 0 };
	enum err err = find_infected(list->records, list->ask, version, &found, &facts);

	/* It is named, and the others are shown. */
	list->damaged += err == ERR_INVALID;
	if (err)
		return err == ERR_NOT_FOUND || err == ERR_WRONG_STATE || err == ERR_INVALID ? OK
											    : err;
	list->total++;
	if (list->total <= list->skip || json_array_size(list->rows) == LIST_MAX)
		return OK;
	return json_array_append_new(list->rows,
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
	struct infected_list list = { .records = records, .ask = ask };
	bool more = true;
	enum err err = desk_members(ask, reply, "after", NULL);

	if (!err)
		err = desk_id_or(ask, reply, "after", &list.skip);
	if (err)
		return err;
	list.rows = json_array();
	document_version_quarantined(&query, records->db);
	while (!err && more) {
		err = document_version_next(&query, &version, &more);
		if (!err && more)
			err = add_infected(&list, &version);
	}
	const uint64_t shown = list.skip + json_array_size(list.rows);
	if (!err)
		return desk_give(reply, json_pack("{s:o, s:I, s:I, s:I}", "rows", list.rows,
						  "total", (json_int_t)list.total, "next",
						  (json_int_t)(shown < list.total ? shown : 0),
						  "damaged", (json_int_t)list.damaged));
	json_decref(list.rows);
	return err;
}

static enum err read_infected(struct records *records, const struct desk_ask *ask,
			      uint64_t document, uint64_t number, struct document_found *ret)
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
static enum err destroy(struct records *records, const struct document_found *found,
			uint64_t version)
{
	const struct document_place place = { records->documents->folder, found->row.id, version };
	enum err err = document_version_delete(records->db, found->row.id, (int64_t)version);

	records->doom.wiped = true;
	if (!err && document_file_remove(&place))
		log_warn("document-left", "document=%llu", (unsigned long long)found->row.id);
	return err;
}

enum err op_quarantine_discard(struct records *records, const struct desk_ask *ask,
			       struct desk_reply *reply)
{
	uint64_t document = 0, version = 0;
	struct document_found found = { 0 };
	enum err err = desk_members(ask, reply, "document", "version", NULL);

	if (!err)
		err = desk_id(ask, reply, "document", &document);
	if (!err)
		err = desk_id(ask, reply, "version", &version);
	if (!err)
		err = read_infected(records, ask, document, version, &found);
	if (err)
		return err == ERR_NOT_FOUND ? document_wrong(reply, err, "document") : err;
	reply->record = found.record.id;
	reply->client = found.record.client;
	if (!ask->go)
		return document_say(reply, &found, (int64_t)version);
	err = destroy(records, &found, version);
	return err ? err : desk_give(reply, json_object());
}
