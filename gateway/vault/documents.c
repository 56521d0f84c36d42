#include "vault/documents.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vault/sealing.h"

/* What is sealed of a version: key, SHA-256, and the two texts with their NULs. */
enum {
	FACTS_TEXTS = DOCUMENT_KEY + DOCUMENT_SHA256,
	FACTS_MAX = FACTS_TEXTS + 4 * DOCUMENT_NAME + 1 + SCAN_NAME_MAX,
};
_Static_assert((int)FACTS_MAX + (int)SEALING_MORE <= (int)DOCUMENT_SEALED, "there is room for it");

/* ---- the folder ------------------------------------------------------------------------------ */

enum err documents_init(struct documents *documents, struct loop *loop, const char *folder)
{
	*documents = (struct documents){ .streams.loop = loop };
	int len = snprintf(documents->folder, sizeof(documents->folder), "%s/documents", folder);

	return len < 0 || len >= (int)sizeof(documents->folder) ? ERR_TOO_BIG : OK;
}

/* What cannot be looked up is kept. */
static bool has_row(void *ctx, uint64_t document, uint64_t version)
{
	struct records *records = ctx;
	bool there = true;

	if (document > INT64_MAX || version > INT64_MAX)
		return false;
	enum err err = document_version_exists(records->db, document, (int64_t)version, &there);
	if (err)
		log_warn("document-sweep", "document=%llu error=%s", (unsigned long long)document,
			 err_code(err));
	return err || there;
}

enum err documents_sweep(struct documents *documents, struct records *records)
{
	return document_file_sweep(documents->folder, has_row, records);
}

/* ---- rows ------------------------------------------------------------------------------------ */

enum err documents_row(struct records *records, uint64_t id, struct document_row *ret)
{
	enum err err = guard_check_id(&records->guard, GUARDED_DOCUMENT, id);

	return err ? err : document_by_id(records->db, id, ret);
}

enum err documents_add_row(struct records *records, const struct document_row *row)
{
	enum err err = document_insert(records->db, row);

	return err ? err : guard_after_id(&records->guard, GUARDED_DOCUMENT, row->id);
}

enum err documents_set_row(struct records *records, const struct document_row *row)
{
	enum err err = guard_before_id(&records->guard, GUARDED_DOCUMENT, row->id);

	if (!err)
		err = document_update(records->db, row);
	return err ? err : guard_after_id(&records->guard, GUARDED_DOCUMENT, row->id);
}

/* ---- versions -------------------------------------------------------------------------------- */

static struct sealing_of sealed_of(const struct record_row *record,
				   const struct document_version_row *version)
{
	return (struct sealing_of){ .what = SEALING_DOCUMENT,
				    .row = record,
				    .part = version->document,
				    .version = version->version };
}

enum err documents_add_version(struct records *records, const struct record_row *record,
			       struct document_version_row *version,
			       const struct document_facts *facts)
{
	const struct sealing_of of = sealed_of(record, version);
	uint8_t plain[FACTS_MAX], sealed[FACTS_MAX + SEALING_MORE];
	size_t name = strlen(facts->name) + 1, found = strlen(facts->found) + 1;
	size_t len = FACTS_TEXTS + name + found;

	memcpy(plain, facts->key, DOCUMENT_KEY);
	memcpy(plain + DOCUMENT_KEY, facts->sha256, DOCUMENT_SHA256);
	memcpy(plain + FACTS_TEXTS, facts->name, name);
	memcpy(plain + FACTS_TEXTS + name, facts->found, found);
	enum err err = sealing_put(records, &of, plain, len, version->data_key, sealed);
	secret_wipe(plain, sizeof(plain));
	if (err)
		return err;
	version->sealed = sealed;
	version->sealed_len = len + SEALING_MORE;
	version->quarantined = facts->found[0] != '\0';
	err = document_version_insert(records->db, version);
	version->sealed = NULL;
	return err;
}

/* Two texts, each with its NUL, and nothing else. */
static enum err take_texts(const char *text, size_t len, struct document_facts *ret)
{
	size_t name = strnlen(text, len) + 1;
	size_t found = name < len ? strnlen(text + name, len - name) + 1 : 0;

	if (name + found != len || name > sizeof(ret->name) || found > sizeof(ret->found))
		return ERR_INVALID;
	memcpy(ret->name, text, name);
	memcpy(ret->found, text + name, found);
	return OK;
}

enum err documents_facts(struct records *records, const struct record_row *record,
			 const struct document_version_row *version, struct document_facts *ret)
{
	const struct sealing_of of = sealed_of(record, version);
	_cleanup_secret_ struct secret *plain = NULL;
	enum err err = sealing_get(records, &of, version->data_key, version->sealed,
				   version->sealed_len, &plain);

	if (err == ERR_INVALID)
		records_damaged(records, "document_version", version->document, version->version);
	if (err)
		return err;
	if (secret_len(plain) < FACTS_TEXTS)
		return ERR_INVALID;
	memcpy(ret->key, secret_text(plain), DOCUMENT_KEY);
	memcpy(ret->sha256, secret_text(plain) + DOCUMENT_KEY, DOCUMENT_SHA256);
	return take_texts(secret_text(plain) + FACTS_TEXTS, secret_len(plain) - FACTS_TEXTS, ret);
}

enum err documents_version(struct records *records, const struct record_row *record,
			   const struct document_row *document, int64_t version,
			   struct document_version_row *ret_version,
			   struct document_facts *ret_facts)
{
	_cleanup_query_ struct query query = { 0 };
	int64_t wanted = version ? version : document->version;
	bool more;

	if (!wanted)
		return ERR_NOT_FOUND;
	document_version_select(&query, records->db, document->id, wanted);
	enum err err = document_version_next(&query, ret_version, &more);
	if (!err && !more)
		err = ERR_NOT_FOUND;
	if (!err)
		err = documents_facts(records, record, ret_version, ret_facts);
	ret_version->sealed = NULL;
	return err;
}
