#include "vault/staging.h"

#include "base/util.h"
#include "vault/jobs.h"

/* ---- entering --------------------------------------------------------------------------- */

static enum err begin(struct staging *staging)
{
	struct records *records = staging->records;

	if (records->tx.db)
		return OK;
	staging->others = staging->others || records->counter != staging->counter;
	return records_begin(records);
}

static enum err commit(struct staging *staging, uint64_t seq)
{
	struct records *records = staging->records;
	enum err err = records_commit_aside(records, seq, &staging->aside);

	staging->counter = records->counter;
	return err;
}

enum err staging_begin(struct staging *staging, struct records *records, size_t count, uint64_t seq)
{
	struct staging_row row = { 0 };

	*staging = (struct staging){ .records = records, .counter = records->counter };
	/* What is left of another one could not be cleared away. */
	if (records->staging.first)
		return ERR_UNAVAILABLE;
	enum err err = begin(staging);
	if (!err)
		err = staging_add(records->db, count, &row);
	if (!err)
		err = guard_after_id(&records->guard, GUARDED_STAGING, row.first);
	if (!err)
		err = commit(staging, seq);
	if (err)
		return err;
	records->staging = row;
	staging->next = row.first;
	staging->last = row.last;
	return OK;
}

enum err staging_enter(struct staging *staging, struct record_row *row,
		       const struct content *content, const char *number,
		       const struct change_by *by)
{
	enum err err = staging->next <= staging->last ? begin(staging) : ERR_WRONG_STATE;

	return err ? err
		   : record_create_as(staging->records, staging->next++, row, content, number, by);
}

enum err staging_rest(struct staging *staging)
{
	enum err err = staging->records->tx.db ? commit(staging, 0) : OK;

	staging->others = staging->others || staging->records->counter != staging->counter;
	return err;
}

enum err staging_pause(struct staging *staging)
{
	enum err err = staging_rest(staging);

	return err ? err : jobs_pause(staging->records);
}

enum err staging_settle(struct staging *staging)
{
	struct records *records = staging->records;
	enum err err = begin(staging);

	if (!err)
		err = guard_before_id(&records->guard, GUARDED_STAGING, records->staging.first);
	if (!err)
		err = staging_drop(records->db, records->staging.first);
	if (!err)
		err = index_make_room(records->index, staging->aside);
	if (!err)
		err = records_commit(records, 0);
	if (err)
		return err;
	records->staging = (struct staging_row){ 0 };
	index_take_back(records->index, util_take_ptr(staging->aside));
	return OK;
}

void staging_end(struct staging *staging)
{
	records_abort(staging->records);
	index_aside_free(util_take_ptr(staging->aside));
}

/* ---- clearing away ---------------------------------------------------------------------- */

bool staging_has(const struct records *records, uint64_t id)
{
	return records->staging.first && id >= records->staging.first &&
	       id <= records->staging.last;
}

static enum err drop(struct records *records, uint64_t id)
{
	int64_t versions;
	enum err err = guard_before_id(&records->guard, GUARDED_RECORD, id);

	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	err = record_sealed_delete(records->db, id, &versions);
	return err ? err : record_delete(records->db, id);
}

static enum err sweep(struct records *records)
{
	const struct staging_row row = records->staging;
	enum err err = OK;

	/* From the end: those that are under others come after them. */
	for (uint64_t id = row.last; !err && id >= row.first; id--) {
		if (!records->tx.db)
			err = records_begin(records);
		if (!err)
			err = drop(records, id);
		if (!err && jobs_is_over(records))
			err = records_commit(records, 0);
		if (!err)
			err = records->tx.db ? OK : jobs_pause(records);
	}
	if (!err && !records->tx.db)
		err = records_begin(records);
	if (!err)
		err = guard_before_id(&records->guard, GUARDED_STAGING, row.first);
	if (!err)
		err = staging_drop(records->db, row.first);
	/* Nothing of it stays beside the database. */
	records->doom.wiped = true;
	return err ? err : records_commit(records, 0);
}

enum err staging_sweep(struct records *records)
{
	enum err err = records->staging.first ? sweep(records) : OK;

	records_abort(records);
	if (!err)
		records->staging = (struct staging_row){ 0 };
	return err;
}
