#include "vault/disposal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "vault/documents.h"
#include "vault/due.h"
#include "vault/index.h"
#include "vault/jobs.h"
#include "vault/records_change.h"
#include "vault/requests.h"
#include "vault/sealing.h"
#include "vault/staging.h"

enum { DAY_S = 86400 };

/* ---- whether -----------------------------------------------------------------------------------
 */

bool disposal_early(const struct record_row *row, int64_t now_s)
{
	return row->state != STATE_ENDED || !row->has_due || row->due > due_today(now_s);
}

enum err disposal_may(const struct record_row *row, int64_t now_s, const char **ret_field)
{
	const bool binned = row->removed && row->removed <= now_s - (int64_t)DUE_BIN * DAY_S;

	if (row->state == STATE_DISPOSED || row->state == STATE_REFUSED)
		return ERR_WRONG_STATE;
	if (row->hold)
		*ret_field = "hold";
	return row->hold || (disposal_early(row, now_s) && !binned) ? ERR_WRONG_STATE : OK;
}

/* ---- documents ---------------------------------------------------------------------------------
 */

static enum err rewrap_documents(struct records *records, const struct record_row *row,
				 uint64_t from)
{
	_cleanup_query_ struct query query;
	struct document_key_row key;
	uint8_t fresh[RECORD_DATA_KEY];
	bool more = true;
	enum err err = OK;

	document_key_select(&query, records->db, row->id);
	while (!err && more) {
		err = document_key_next(&query, &key, &more);
		if (err || !more)
			break;
		err = sealing_rewrap(records, from, row->key, key.data_key, fresh);
		memcpy(key.data_key, fresh, sizeof(fresh));
		if (!err)
			err = document_key_set(records->db, &key);
	}
	return err;
}

static enum err doom_files(struct records *records, uint64_t record)
{
	_cleanup_query_ struct query query;
	struct document_key_row key;
	bool more = true;
	enum err err = OK;

	document_key_select(&query, records->db, record);
	while (!err && more) {
		err = document_key_next(&query, &key, &more);
		if (!err && more)
			err = doom_file(&records->doom, key.document, key.version);
	}
	return err;
}

static enum err wipe_documents(struct records *records, uint64_t record, int64_t *ret)
{
	uint64_t id = 0;
	enum err err = doom_files(records, record);

	*ret = 0;
	while (!err) {
		err = document_first(records->db, record, &id);
		if (!err)
			err = guard_before_id(&records->guard, GUARDED_DOCUMENT, id);
		if (!err)
			err = document_delete(records->db, id);
		if (!err)
			++*ret;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- what it says ------------------------------------------------------------------------------
 */

enum err disposal_wipe(struct records *records, struct record_row *row, struct disposal_count *ret)
{
	enum err err = disposal_numbers(records->db, row->id, &ret->numbers);

	if (!err)
		err = record_sealed_delete(records->db, row->id, &ret->versions);
	if (!err)
		err = wipe_documents(records, row->id, &ret->documents);
	/* What is on its way of them stops. */
	if (records->documents)
		document_streams_close_record(&records->documents->streams, row->id,
					      DOCUMENT_END_ENDED);
	records->doom.wiped = true;
	row->version = 0;
	row->number_version = 0;
	if (!err)
		err = records_set_row(records, row);
	return err ? err : index_note(records->index, row, "", "", false);
}

/* ---- group keys --------------------------------------------------------------------------------
 */

struct ids {
	uint64_t *all;
	size_t count;
};

static void ids_finish(struct ids *ids)
{
	free(ids->all);
}

/* What is left under a key, as a list: the rows change while it is gone through. */
static enum err kept_under(struct records *records, uint64_t key, struct ids *ret)
{
	_cleanup_query_ struct query query;
	struct record_row row;
	size_t room = 0;
	bool more = true;
	enum err err = OK;

	record_select_key(&query, records->db, key);
	while (!err && more) {
		err = record_next(&query, &row, &more);
		if (err || !more || row.disposed)
			continue;
		if (ret->count == room) {
			room = room ? 2 * room : 256;
			uint64_t *grown = reallocarray(ret->all, room, sizeof(*grown));

			if (!grown)
				return ERR_NOMEM;
			ret->all = grown;
		}
		ret->all[ret->count++] = row.id;
	}
	return err;
}

static enum err move(struct records *records, uint64_t id, uint64_t from, uint64_t to)
{
	struct record_row row;
	enum err err = records_row(records, id, &row);

	if (!err)
		err = record_rewrap(records, &row, to);
	if (!err)
		err = requests_rewrap(records, &row, from);
	return err ? err : rewrap_documents(records, &row, from);
}

/* All but what is disposed of goes under a new one. */
static enum err empty_key(struct records *records, uint64_t key)
{
	_cleanup_(ids_finish) struct ids kept = { 0 };
	uint64_t fresh = 0;
	enum err err = kept_under(records, key, &kept);

	if (!err && kept.count)
		err = keyring_replace(&records->keyring, key, &fresh);
	for (size_t i = 0; !err && i < kept.count; i++)
		err = move(records, kept.all[i], key, fresh);
	return err ? err : doom_key(&records->doom, key);
}

static bool seen_before(const struct record_row *rows, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (rows[i].key == rows[at].key)
			return true;
	return false;
}

static bool is_one_of(const struct record_row *rows, size_t count, uint64_t id)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].id == id)
			return true;
	return false;
}

/* One that was moved or disposed of in a pause is left as it is. */
static enum err move_if(struct records *records, uint64_t id, uint64_t from, uint64_t to)
{
	struct record_row row;
	enum err err = records_row(records, id, &row);

	return err || row.key != from || row.disposed ? err : move(records, id, from, to);
}

/* Of a key; the last transaction of the slice is committed by the caller. */
static enum err make_way(struct records *records, const struct record_row *rows, size_t count,
			 uint64_t key, uint64_t seq)
{
	_cleanup_(ids_finish) struct ids kept = { 0 };
	uint64_t fresh = 0;
	enum err err = kept_under(records, key, &kept);

	if (!err && kept.count > count)
		err = keyring_replace(&records->keyring, key, &fresh);
	for (size_t i = 0; !err && fresh && i < kept.count; i++) {
		if (!records->tx.db)
			err = records_begin(records);
		if (!err && !is_one_of(rows, count, kept.all[i]))
			err = move_if(records, kept.all[i], key, fresh);
		if (!err && jobs_is_over(records)) {
			work_note(records->work, i, kept.count);
			err = records_commit(records, seq);
			if (!err)
				err = jobs_pause(records);
		}
	}
	if (!err && records->tx.db)
		err = records_commit(records, seq);
	records_abort(records);
	return err;
}

enum err disposal_make_way(struct records *records, const struct record_row *rows, size_t count,
			   uint64_t seq)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < count; i++)
		if (!seen_before(rows, i))
			err = make_way(records, rows, count, rows[i].key, seq);
	return err;
}

enum err disposal_destroy(struct records *records, struct record_row *rows, size_t count,
			  int64_t now_s, struct disposal_count *ret)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < count; i++) {
		rows[i].state = STATE_DISPOSED;
		rows[i].disposed = now_s;
		err = disposal_wipe(records, &rows[i], &ret[i]);
		if (!err)
			err = requests_wipe(records, rows[i].id);
	}
	for (size_t i = 0; !err && i < count; i++)
		if (!seen_before(rows, i))
			err = empty_key(records, rows[i].key);
	return err;
}

/* ---- there again -------------------------------------------------------------------------------
 */

static enum err close_request(struct records *records, uint64_t record, int64_t now_s)
{
	struct request_row request;
	enum err err = requests_open_of(records, record, &request);

	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	request.state = REQUEST_WITHDRAWN;
	request.decided = now_s;
	return requests_set(records, &request);
}

/* Who had asked and approved is in the audit log; the copy does not know. */
static enum err note_again(struct records *records, const struct record_row *row, bool early,
			   const struct disposal_count *count)
{
	const struct disposal_row disposal = { .record = row->id,
					       .disposed = row->disposed,
					       .early = early,
					       .versions = count->versions,
					       .numbers = count->numbers,
					       .documents = count->documents,
					       .key_destroyed = row->key,
					       .counter = records->counter + 1 };
	enum err err = close_request(records, row->id, row->disposed);

	if (!err)
		err = disposal_insert(records->db, &disposal);
	return err ? err : guard_after_id(&records->guard, GUARDED_DISPOSAL, row->id);
}

static enum err dispose_again(struct records *records, struct record_row *rows, size_t count)
{
	_cleanup_free_ struct disposal_count *counts = calloc(count, sizeof(*counts));
	_cleanup_free_ bool *early = calloc(count, sizeof(*early));
	const int64_t now_s = clock_wall_s();
	enum err err = counts && early ? records_begin(records) : ERR_NOMEM;

	for (size_t i = 0; !err && i < count; i++)
		early[i] = disposal_early(&rows[i], now_s);
	if (!err)
		err = disposal_destroy(records, rows, count, now_s, counts);
	for (size_t i = 0; !err && i < count; i++)
		err = note_again(records, &rows[i], early[i], &counts[i]);
	if (!err)
		err = records_commit(records, 0);
	records_abort(records);
	return err;
}

enum err disposal_again(struct records *records, const uint64_t *ids, size_t count, size_t *ret)
{
	_cleanup_free_ struct record_row *rows = calloc(count ? count : 1, sizeof(*rows));
	size_t alive = 0;
	enum err err = rows ? OK : ERR_NOMEM;

	for (size_t i = 0; !err && i < count; i++) {
		err = records_row(records, ids[i], &rows[alive]);
		if (!err && !rows[alive].disposed)
			alive++;
		/* One that was made after the copy. */
		if (err == ERR_NOT_FOUND)
			err = OK;
	}
	/* What is half entered under the same key goes first: nobody moves it to another. */
	if (!err && alive)
		err = staging_sweep(records);
	if (!err && alive)
		err = dispose_again(records, rows, alive);
	if (!err)
		*ret = alive;
	return err;
}
