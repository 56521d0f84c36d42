#include "vault/records.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "store/vault/meta.h"
#include "store/vault/schema.h"
#include "vault/disposal.h"
#include "vault/exports.h"
#include "vault/grants.h"
#include "vault/imports.h"
#include "vault/index.h"
#include "vault/records_change.h"
#include "vault/staging.h"

enum { PATH_BYTES = 400, NOTICES_MAX = 32 };

void records_init(struct records *records, const char *folder, records_notice *notice, void *ctx)
{
	*records = (struct records){ .folder = folder, .notice = notice, .notice_ctx = ctx };
}

/* Whom it concerns is only heard of with records_floor. */
static void found(struct records *records, const char *event, json_t *detail)
{
	if (!records->found)
		records->found = json_array();
	if (json_array_size(records->found) < NOTICES_MAX)
		json_array_append_new(records->found, json_pack("[s, o]", event, detail));
	else
		json_decref(detail);
}

static void tell_found(struct records *records)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(records->found, i, entry)
	{
		records->notice(records->notice_ctx, json_string_value(json_array_get(entry, 0)),
				json_array_get(entry, 1));
	}
	json_decref(util_take_ptr(records->found));
}

void records_damaged(struct records *records, const char *table, uint64_t row, int64_t version)
{
	json_t *detail = json_pack("{s:s, s:I, s:I}", "table", table, "row", (json_int_t)row,
				   "version", (json_int_t)version);

	log_error("vault-row-damaged", "table=%s row=%llu version=%lld", table,
		  (unsigned long long)row, (long long)version);
	found(records, "vault-damaged", detail);
	if (records->state == RECORDS_READY)
		tell_found(records);
}

/* ---- opening ---------------------------------------------------------------------------- */

static enum err open_db(struct records *records)
{
	char path[PATH_BYTES];
	int len = snprintf(path, sizeof(path), "%s/records.db", records->folder);

	if (len < 0 || len >= (int)sizeof(path))
		return ERR_TOO_BIG;
	return db_open_alone(path, &migrations_vault_records, &records->db);
}

static enum err open_guard(struct records *records)
{
	_cleanup_secret_ struct secret *key = NULL;
	enum err err = keyring_own(&records->keyring, "guard", &key);

	return err ? err : guard_open(&records->guard, records->db, key);
}

static void row_damaged(void *ctx, enum guarded_table table, const int64_t *keys)
{
	struct records *records = ctx;

	log_error("vault-row-damaged", "table=%s row=%lld", guarded_name(table),
		  (long long)keys[0]);
	found(records, "vault-damaged",
	      json_pack("{s:s, s:I}", "table", guarded_name(table), "row", (json_int_t)keys[0]));
}

/* Nobody has changed anything yet. */
static bool is_new(const struct meta_row *meta, const struct guard *guard)
{
	static const uint8_t none[GUARD_MAC];

	return !meta->has_mac && meta->counter == 0 && meta->seq == 0 &&
	       memcmp(guard->kept, none, GUARD_MAC) == 0;
}

static enum err check_rows(struct records *records)
{
	uint8_t mac[GUARD_MAC];
	struct meta_row meta;
	enum err err = meta_get(records->db, &meta);

	if (!err)
		err = guard_read_all(&records->guard, row_damaged, records);
	if (!err)
		err = guard_meta(&records->guard, meta.counter, meta.seq, mac);
	if (err)
		return err;
	records->counter = meta.counter;
	records->seq = meta.seq;
	records->state = RECORDS_WAITING;
	if (is_new(&meta, &records->guard) ||
	    (meta.has_mac && secret_equal(mac, meta.mac, GUARD_MAC)))
		return OK;
	records->state = RECORDS_DAMAGED;
	log_error("vault-records-damaged",
		  "counter=%llu hint=\"rows were removed, added or put back; "
		  "put records.db back from a copy\"",
		  (unsigned long long)meta.counter);
	found(records, "vault-damaged", json_pack("{s:s}", "table", "meta"));
	return OK;
}

/* ---- names -------------------------------------------------------------------------------------
 */

static enum err read_name(struct records *records, const struct record_row *row)
{
	_cleanup_content_ struct content content = { 0 };
	enum err err = row->version ? record_get_content(records, row, 0, &content) : OK;

	if (!err || err == ERR_INVALID)
		err = index_note(records->index, row, content.name ? content.name : "",
				 content.kana ? content.kana : "", err != OK);
	return err;
}

static enum err read_names(struct records *records)
{
	_cleanup_query_ struct query query;
	struct record_row row;
	bool more = true;
	enum err err = index_new(&records->index);

	if (!err)
		err = keyring_own(&records->keyring, "numbers", &records->numbers);
	if (err)
		return err;
	record_select(&query, records->db, 0, 0);
	while (!err && more) {
		err = record_next(&query, &row, &more);
		if (!err && more && !staging_has(records, row.id))
			err = read_name(records, &row);
	}
	if (!err)
		index_keep(records->index);
	return err;
}

/* What was being entered when it ended. */
static enum err read_staging(struct records *records)
{
	enum err err = staging_get(records->db, &records->staging);

	return err || !records->staging.first
		       ? err
		       : guard_check_id(&records->guard, GUARDED_STAGING, records->staging.first);
}

enum err records_open(struct records *records, const struct secret *root, int64_t generation)
{
	records_seal(records);
	enum err err = keyring_open(&records->keyring, records->folder, root, generation);

	if (!err)
		err = open_db(records);
	if (!err)
		err = open_guard(records);
	if (!err)
		err = check_rows(records);
	if (!err)
		err = read_staging(records);
	if (!err)
		err = read_names(records);
	if (!err)
		return OK;
	records_seal(records);
	records->state = RECORDS_DAMAGED;
	found(records, "vault-damaged", json_pack("{s:s}", "error", err_code(err)));
	return err;
}

void records_seal(struct records *records)
{
	records_abort(records);
	grants_close(records);
	json_decref(records->found);
	imports_free(records->imports);
	exports_free(records->exports);
	index_free(records->index);
	secret_free(records->numbers);
	guard_close(&records->guard);
	keyring_close(&records->keyring);
	db_close(util_take_ptr(records->db));
	struct documents *documents = records->documents;
	struct jobs *jobs = records->jobs;
	records_init(records, records->folder, records->notice, records->notice_ctx);
	records->documents = documents;
	records->jobs = jobs;
}

/* ---- what the broker knows -------------------------------------------------------------- */

static void rolled_back(struct records *records, uint64_t known)
{
	records->state = RECORDS_ROLLED_BACK;
	log_error("vault-rolled-back", "counter=%llu known=%llu",
		  (unsigned long long)records->counter, (unsigned long long)known);
	found(records, "vault-rolled-back",
	      json_pack("{s:I, s:I}", "counter", (json_int_t)records->counter, "known",
			(json_int_t)known));
	tell_found(records);
}

/* What came back out of an old copy. */
static enum err dispose_again(struct records *records, const uint64_t *disposed, size_t count)
{
	size_t alive = 0;
	enum err err = disposal_again(records, disposed, count, &alive);

	if (!err && alive) {
		log_warn("vault-disposed-again", "records=%zu", alive);
		found(records, "vault-disposed-again",
		      json_pack("{s:I}", "records", (json_int_t)alive));
		tell_found(records);
	}
	return err;
}

enum err records_floor(struct records *records, uint64_t counter, const uint64_t *disposed,
		       size_t count, bool last)
{
	enum err err = OK;

	tell_found(records);
	if (records->state != RECORDS_WAITING)
		return OK;
	if (records->counter < counter) {
		rolled_back(records, counter);
		return OK;
	}
	err = dispose_again(records, disposed, count);
	if (!err && last)
		err = doom_sweep(records);
	if (!err && last)
		records->state = RECORDS_READY;
	return err;
}

void records_forget_floor(struct records *records)
{
	if (records->state == RECORDS_READY || records->state == RECORDS_ROLLED_BACK)
		records->state = RECORDS_WAITING;
}

enum err records_usable(const struct records *records, const char **ret_field)
{
	static const char *const fields[] = { [RECORDS_WAITING] = "starting",
					      [RECORDS_ROLLED_BACK] = "rolled-back",
					      [RECORDS_DAMAGED] = "damaged" };

	if (records->state == RECORDS_READY)
		return OK;
	if (records->state == RECORDS_SEALED)
		return ERR_LOCKED;
	*ret_field = fields[records->state];
	return ERR_UNAVAILABLE;
}

/* ---- changes ---------------------------------------------------------------------------- */

enum err records_begin(struct records *records)
{
	return db_tx_begin(&records->tx, records->db);
}

static enum err commit(struct records *records, uint64_t seq)
{
	struct meta_row meta = { .counter = records->counter + 1,
				 .seq = MAX(seq, records->seq),
				 .has_mac = true };
	enum err err = guard_meta(&records->guard, meta.counter, meta.seq, meta.mac);

	if (!err)
		err = meta_put(records->db, &meta);
	if (!err)
		err = db_tx_commit(&records->tx);
	if (err) {
		records_abort(records);
		return err;
	}
	guard_keep(&records->guard);
	grants_settled(records);
	records->counter = meta.counter;
	records->seq = meta.seq;
	return OK;
}

enum err records_commit(struct records *records, uint64_t seq)
{
	enum err err = commit(records, seq);

	if (err)
		return err;
	index_keep(records->index);
	doom_do(&records->doom, records);
	return OK;
}

enum err records_commit_aside(struct records *records, uint64_t seq, struct index_aside **aside)
{
	enum err err = commit(records, seq);

	return err ? err : index_set_aside(records->index, aside);
}

void records_abort(struct records *records)
{
	db_tx_end(&records->tx);
	doom_clear(&records->doom);
	guard_drop(&records->guard);
	grants_settled(records);
	if (records->index)
		index_drop(records->index);
}

enum err records_row(struct records *records, uint64_t id, struct record_row *ret)
{
	enum err err = staging_has(records, id)
			       ? ERR_NOT_FOUND
			       : guard_check_id(&records->guard, GUARDED_RECORD, id);

	return err ? err : record_by_id(records->db, id, ret);
}

enum err records_set_row(struct records *records, const struct record_row *row)
{
	enum err err = guard_before_id(&records->guard, GUARDED_RECORD, row->id);

	if (!err)
		err = record_update(records->db, row);
	if (!err)
		err = guard_after_id(&records->guard, GUARDED_RECORD, row->id);
	return err ? err : index_note(records->index, row, NULL, NULL, false);
}

enum err records_add_row(struct records *records, const struct record_row *row)
{
	enum err err = record_insert(records->db, row);

	if (!err)
		err = guard_after_id(&records->guard, GUARDED_RECORD, row->id);
	return err ? err : index_note(records->index, row, NULL, NULL, false);
}
