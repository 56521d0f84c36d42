#include "vault/grants.h"

#include "base/util.h"
#include "store/vault/grant_rows.h"
#include "store/vault/group_rows.h"
#include "vault/index.h"

/* ---- what is read of a person --------------------------------------------------------------- */

struct rows {
	struct grant_row *rows;
	size_t count, room;
	struct grant_member *members;
	size_t member_count, member_room;
};

static void rows_finish(struct rows *rows)
{
	free(rows->rows);
	free(rows->members);
}

/* Room for one more. */
static enum err grow(void **items, size_t size, size_t count, size_t *room)
{
	size_t wanted = *room ? 2 * *room : 64;
	void *grown;

	if (count < *room)
		return OK;
	grown = reallocarray(*items, wanted, size);
	if (!grown)
		return ERR_NOMEM;
	*items = grown;
	*room = wanted;
	return OK;
}

static enum err check_member(struct records *records, const struct grant_member *member)
{
	const int64_t keys[] = { (int64_t)member->group, (int64_t)member->member };

	return guard_check(&records->guard, GUARDED_MEMBER, keys);
}

/* The row, and why it is one of the account's. */
static enum err check_row(struct records *records, uint64_t account, const struct grant_row *row)
{
	const int64_t keys[] = { row->subject_kind, (int64_t)row->subject, row->object_kind,
				 (int64_t)row->object };
	const struct grant_member member = { row->subject, account };
	enum err err = guard_check(&records->guard, GUARDED_GRANT, keys);

	if (err || row->subject_kind == GRANT_ACCOUNT)
		return err;
	err = guard_check_id(&records->guard, GUARDED_GROUP, row->subject);
	return err ? err : check_member(records, &member);
}

static enum err read_rows(struct records *records, uint64_t account, struct rows *ret)
{
	_cleanup_query_ struct query query;
	struct grant_given given;
	bool more = true;
	enum err err = OK;

	grant_select_person(&query, records->db, account);
	while (!err && more) {
		err = grant_next(&query, &given, &more);
		if (!err && more)
			err = check_row(records, account, &given.row);
		if (!err && more)
			err = grow((void **)&ret->rows, sizeof(*ret->rows), ret->count, &ret->room);
		if (!err && more)
			ret->rows[ret->count++] = given.row;
	}
	return err;
}

static enum err read_clients(struct records *records, uint64_t account, struct rows *ret)
{
	_cleanup_query_ struct query query;
	struct grant_member member;
	bool more = true;
	enum err err = OK;

	grant_select_clients(&query, records->db, account);
	while (!err && more) {
		err = group_member_next(&query, &member, &more);
		if (!err && more)
			err = check_member(records, &member);
		if (!err && more)
			err = grow((void **)&ret->members, sizeof(*ret->members), ret->member_count,
				   &ret->member_room);
		if (!err && more)
			ret->members[ret->member_count++] = member;
	}
	return err;
}

static enum err read_view(struct records *records, uint64_t account, enum grants_sight sight,
			  struct grants_view **ret)
{
	_cleanup_(rows_finish) struct rows rows = { 0 };
	enum err err = read_rows(records, account, &rows);

	if (!err)
		err = read_clients(records, account, &rows);
	return err ? err
		   : grants_view_new(rows.rows, rows.count, rows.members, rows.member_count, sight,
				     ret);
}

enum err grants_view_if(struct records *records, uint64_t account, const struct grant_row *row,
			bool take, struct grants_view **ret)
{
	_cleanup_(rows_finish) struct rows rows = { 0 };
	size_t at = 0;
	enum err err = read_rows(records, account, &rows);

	if (!err)
		err = read_clients(records, account, &rows);
	while (!err && at < rows.count && !grants_row_same(&rows.rows[at], row))
		at++;
	if (!err && !take && at == rows.count)
		err = grow((void **)&rows.rows, sizeof(*rows.rows), rows.count++, &rows.room);
	if (!err && !take)
		rows.rows[at] = *row;
	else if (!err && at < rows.count)
		rows.rows[at] = rows.rows[--rows.count];
	return err ? err
		   : grants_view_new(rows.rows, rows.count, rows.members, rows.member_count,
				     SIGHT_GIVEN, ret);
}

/* ---- what is kept of it --------------------------------------------------------------------- */

enum { VIEWS = 64 };

struct grants_views {
	struct {
		uint64_t account;
		enum grants_sight sight;
		struct grants_view *view; /* NULL: the slot is free */
	} slots[VIEWS];
	size_t next; /* that makes room */
	bool changing;
};

static void forget(struct grants_views *views)
{
	for (size_t i = 0; i < VIEWS; i++)
		grants_view_free(util_take_ptr(views->slots[i].view));
}

static struct grants_view *kept(const struct grants_views *views, uint64_t account,
				enum grants_sight sight)
{
	for (size_t i = 0; i < VIEWS; i++) {
		if (views->slots[i].view && views->slots[i].account == account &&
		    views->slots[i].sight == sight)
			return views->slots[i].view;
	}
	return NULL;
}

static void keep(struct grants_views *views, uint64_t account, enum grants_sight sight,
		 struct grants_view *view)
{
	size_t at = views->next++ % VIEWS;

	grants_view_free(views->slots[at].view);
	views->slots[at].account = account;
	views->slots[at].sight = sight;
	views->slots[at].view = grants_view_share(view);
}

static struct grants_views *views_of(struct records *records)
{
	if (!records->views)
		records->views = calloc(1, sizeof(*records->views));
	return records->views;
}

static enum grants_sight sight_of(const struct desk_person *who)
{
	if (who->duty & DUTY_GLASS)
		return SIGHT_GLASS;
	return who->duty & DUTY_MANAGE ? SIGHT_ALL : SIGHT_GIVEN;
}

enum err grants_view_open(struct records *records, const struct desk_person *who,
			  struct grants_view **ret)
{
	struct grants_views *views = views_of(records);
	enum grants_sight sight = sight_of(who);
	struct grants_view *view;

	if (!views)
		return ERR_NOMEM;
	view = views->changing ? NULL : kept(views, who->account, sight);
	if (view) {
		*ret = grants_view_share(view);
		return OK;
	}
	enum err err = read_view(records, who->account, sight, ret);
	if (!err && !views->changing)
		keep(views, who->account, sight, *ret);
	return err;
}

enum err grants_changed(struct records *records)
{
	struct grants_views *views = views_of(records);

	if (!views)
		return ERR_NOMEM;
	forget(views);
	views->changing = true;
	records->grants_changes++;
	return OK;
}

void grants_settled(struct records *records)
{
	if (records->views)
		records->views->changing = false;
}

void grants_close(struct records *records)
{
	if (records->views)
		forget(records->views);
	free(util_take_ptr(records->views));
}

/* ---- one record ----------------------------------------------------------------------------- */

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

const char *grants_name(struct records *records, const struct desk_person *who, uint64_t record)
{
	_cleanup_grants_view_ struct grants_view *view = NULL;
	const struct index_entry *entry = index_find(records->index, record);

	if (!entry || grants_view_open(records, who, &view) ||
	    !grants_may_see(view, &(struct grant_place){ entry->id, entry->parent, entry->client }))
		return "";
	return entry->name;
}
