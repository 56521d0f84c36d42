#include "vault/grants.h"

#include "base/util.h"
#include "store/vault/grant_rows.h"

struct rows {
	struct grant_row *rows;
	size_t count, room;
};

static void rows_finish(struct rows *rows)
{
	free(rows->rows);
}

static enum err add(struct rows *rows, const struct grant_row *row)
{
	if (rows->count == rows->room) {
		size_t room = rows->room ? 2 * rows->room : 64;
		struct grant_row *grown = reallocarray(rows->rows, room, sizeof(*grown));

		if (!grown)
			return ERR_NOMEM;
		rows->rows = grown;
		rows->room = room;
	}
	rows->rows[rows->count++] = *row;
	return OK;
}

static enum err check_row(struct records *records, const struct grant_row *row)
{
	const int64_t keys[] = { row->subject_kind, (int64_t)row->subject, row->object_kind,
				 (int64_t)row->object };

	return guard_check(&records->guard, GUARDED_GRANT, keys);
}

static enum err read_rows(struct records *records, uint64_t account, struct rows *rows)
{
	_cleanup_query_ struct query query;
	struct grant_row row;
	bool more = true;
	enum err err = OK;

	grant_select_account(&query, records->db, account);
	while (!err && more) {
		err = grant_next(&query, &row, &more);
		if (!err && more)
			err = check_row(records, &row);
		if (!err && more)
			err = add(rows, &row);
	}
	return err;
}

enum err grants_view_open(struct records *records, const struct desk_person *who,
			  struct grants_view **ret)
{
	_cleanup_(rows_finish) struct rows rows = { 0 };
	enum err err = read_rows(records, who->account, &rows);

	return err ? err
		   : grants_view_new(rows.rows, rows.count, NULL, 0, who->duty == DUTY_MANAGE, ret);
}

enum err grants_of(struct records *records, const struct desk_person *who, uint64_t record,
		   struct grant_rights *ret)
{
	_cleanup_grants_view_ struct grants_view *view = NULL;
	struct record_row row;
	enum err err = records_row(records, record, &row);

	if (!err)
		err = grants_view_open(records, who, &view);
	if (!err)
		grants_decide(view, &(struct grant_place){ row.id, row.parent, row.client }, ret,
			      NULL);
	return err;
}

enum err grants_need(struct records *records, const struct desk_person *who, uint64_t record,
		     enum grant_level level)
{
	struct grant_rights rights = { 0 };
	enum err err = grants_of(records, who, record, &rights);

	if (!err && rights.level < GRANT_VIEW)
		err = ERR_NOT_FOUND;
	if (!err && rights.level < (unsigned)level)
		err = ERR_DENIED;
	return err;
}
