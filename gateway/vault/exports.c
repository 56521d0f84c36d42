#include "vault/exports.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/util.h"
#include "vault/export_csv.h"
#include "vault/grants.h"
#include "vault/index.h"
#include "vault/jobs.h"

/* ---- which records -----------------------------------------------------------------------------
 */

static int compare_ids(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool is_named(const struct export_wish *wish, uint64_t id)
{
	return wish->record_count == 0 ||
	       bsearch(&id, wish->records, wish->record_count, sizeof(id), compare_ids);
}

static bool has_purpose(const struct record_row *row, uint64_t purpose)
{
	for (size_t i = 0; i < row->purpose_count; i++)
		if (record_purpose(row, i) == purpose)
			return true;
	return false;
}

static bool is_meant(const struct index_entry *entry, const struct export_wish *wish)
{
	return (entry->state == STATE_ACTIVE || entry->state == STATE_ENDED) && !entry->removed &&
	       (!wish->client || entry->client == wish->client) && is_named(wish, entry->id);
}

static enum err choose_one(struct records *records, const struct grants_view *view,
			   const struct export_wish *wish, const struct index_entry *entry,
			   struct export_rows *ret)
{
	struct grant_rights rights;
	struct record_row row;
	enum err err;

	grants_decide(view, &(struct grant_place){ entry->id, entry->parent, entry->client },
		      &rights, NULL);
	if (rights.level < GRANT_VIEW)
		return OK;
	/* Nothing more has to be known of these: who may not export does not keep the vault busy.
	 */
	if (rights.level < GRANT_EXPORT && !wish->class) {
		ret->left_out++;
		return OK;
	}
	err = records_row(records, entry->id, &row);
	if (err || (wish->class && row.class != wish->class))
		return err;
	if (rights.level < GRANT_EXPORT || !has_purpose(&row, wish->purpose)) {
		ret->left_out++;
		return OK;
	}
	if (ret->count == EXPORT_ROWS)
		return ERR_TOO_BIG;
	ret->ids[ret->count] = row.id;
	ret->numbers[ret->count] = wish->numbers && rights.number && row.number_version;
	ret->number_count += ret->numbers[ret->count];
	ret->count++;
	return OK;
}

/* All that there are, in the order of lists, which may be another after a pause. */
static enum err list_all(const struct index *index, uint64_t **ret, size_t *ret_count)
{
	const size_t count = index_count(index);
	uint64_t *ids = calloc(count + 1, sizeof(*ids));

	for (size_t i = 0; ids && i < count; i++)
		ids[i] = index_at(index, i)->id;
	*ret = ids;
	*ret_count = count;
	return ids ? OK : ERR_NOMEM;
}

enum err exports_choose(struct records *records, const struct desk_person *who,
			const struct export_wish *wish, struct export_rows *ret)
{
	_cleanup_grants_view_ struct grants_view *view = NULL;
	_cleanup_free_ uint64_t *all = NULL;
	size_t count = 0;
	enum err err;

	*ret = (struct export_rows){ .ids = calloc(EXPORT_ROWS, sizeof(*ret->ids)),
				     .numbers = calloc(EXPORT_ROWS, sizeof(*ret->numbers)),
				     .grants = records->grants_changes };
	err = ret->ids && ret->numbers ? grants_view_open(records, who, &view) : ERR_NOMEM;
	if (!err)
		err = list_all(records->index, &all, &count);
	for (size_t i = 0; !err && i < count; i++) {
		const struct index_entry *entry = index_find(records->index, all[i]);

		if (entry && is_meant(entry, wish))
			err = choose_one(records, view, wish, entry, ret);
		if (!err)
			err = jobs_may_pause(records);
	}
	return err ? err : exports_still_may(records, ret);
}

enum err exports_still_may(const struct records *records, const struct export_rows *rows)
{
	return records->grants_changes == rows->grants ? OK : ERR_WRONG_STATE;
}

void exports_rows_finish(struct export_rows *rows)
{
	free(rows->ids);
	free(rows->numbers);
	*rows = (struct export_rows){ 0 };
}

/* ---- files -------------------------------------------------------------------------------------
 */

void exports_drop(struct export_file *file)
{
	buf_finish(&file->message);
	*file = (struct export_file){ 0 };
}

void exports_free(struct exports *exports)
{
	if (!exports)
		return;
	for (size_t i = 0; i < EXPORTS_MAX; i++)
		exports_drop(&exports->all[i]);
	free(exports);
}

void exports_expire(struct records *records, int64_t now_s)
{
	for (size_t i = 0; records->exports && i < EXPORTS_MAX; i++)
		if (records->exports->all[i].until <= now_s)
			exports_drop(&records->exports->all[i]);
}

enum err exports_find(struct records *records, const struct desk_ask *ask, uint64_t id,
		      struct export_file **ret)
{
	exports_expire(records, ask->now_s);
	for (size_t i = 0; records->exports && i < EXPORTS_MAX; i++) {
		struct export_file *file = &records->exports->all[i];

		if (file->id != id || file->by != ask->who.account)
			continue;
		*ret = file;
		return OK;
	}
	return ERR_NOT_FOUND;
}

static enum err find_room(struct records *records, const struct desk_ask *ask,
			  struct export_file **ret)
{
	struct export_file *room = NULL;
	size_t own = 0;

	exports_expire(records, ask->now_s);
	if (!records->exports)
		records->exports = calloc(1, sizeof(*records->exports));
	if (!records->exports)
		return ERR_NOMEM;
	for (size_t i = 0; i < EXPORTS_MAX; i++) {
		struct export_file *file = &records->exports->all[i];

		if (!file->id)
			room = file;
		else
			own += file->by == ask->who.account;
	}
	if (!room || own >= EXPORTS_OF_ONE)
		return ERR_FULL;
	*ret = room;
	return OK;
}

static enum err collect(void *ctx, const uint8_t *data, size_t len)
{
	return buf_add(ctx, data, len);
}

enum err exports_make(struct records *records, const struct desk_ask *ask,
		      const struct export_rows *rows, bool numbers, X509 *recipient,
		      struct export_file **ret)
{
	struct envelope *envelope = NULL;
	struct export_file *file = NULL, made = { .by = ask->who.account };
	enum err err = find_room(records, ask, &file);

	if (err)
		return err;
	buf_init(&made.message, EXPORT_BYTES);
	err = envelope_new(recipient, EXPORT_BYTES, collect, &made.message, &envelope);
	if (!err)
		err = export_csv(records, &ask->who, rows, numbers, envelope);
	if (!err)
		err = envelope_end(envelope);
	if (!err)
		err = envelope_sha256(envelope, made.sha256);
	envelope_free(envelope);
	if (!err)
		err = exports_still_may(records, rows);
	/* Others may have taken the room meanwhile. */
	if (!err)
		err = find_room(records, ask, &file);
	if (err) {
		exports_drop(&made);
		return err;
	}
	made.id = ++records->exports->last_id;
	made.until = clock_wall_s() + EXPORT_S;
	*file = made;
	*ret = file;
	return OK;
}
