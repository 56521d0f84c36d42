#include "vault/grants_change.h"

#include "vault/grants.h"

/* ---- rows ----------------------------------------------------------------------------------- */

struct row_key {
	int64_t keys[4];
};

static struct row_key key_of(const struct grant_row *row)
{
	return (struct row_key){ { row->subject_kind, (int64_t)row->subject, row->object_kind,
				   (int64_t)row->object } };
}

enum err grants_row(struct records *records, const struct grant_row *row, struct grant_rights *ret)
{
	struct row_key key = key_of(row);
	struct grant_given given;
	enum err err = guard_check(&records->guard, GUARDED_GRANT, key.keys);

	if (!err)
		err = grant_by_key(records->db, row, &given);
	if (!err)
		*ret = given.row.rights;
	return err;
}

static bool row_valid(const struct grant_row *row)
{
	return (row->subject_kind == GRANT_ACCOUNT || row->subject_kind == GRANT_PEOPLE) &&
	       row->subject && row->object_kind >= GRANT_RECORD &&
	       row->object_kind <= GRANT_EVERYTHING &&
	       (row->object == 0) == (row->object_kind == GRANT_EVERYTHING) &&
	       grants_rights_valid(&row->rights);
}

enum err grants_give(struct records *records, const struct grant_row *row,
		     const struct grants_hand *hand)
{
	const struct grant_given given = { *row, hand->now_s, hand->account };
	struct row_key key = key_of(row);
	enum err err = row_valid(row) ? grants_changed(records) : ERR_INVALID;
	bool fresh;

	if (!err)
		err = guard_before(&records->guard, GUARDED_GRANT, key.keys);
	fresh = err == ERR_NOT_FOUND;
	if (fresh)
		err = grant_insert(records->db, &given);
	else if (!err)
		err = grant_update(records->db, &given);
	return err ? err : guard_after(&records->guard, GUARDED_GRANT, key.keys);
}

enum err grants_take(struct records *records, const struct grant_row *row)
{
	struct row_key key = key_of(row);
	enum err err = grants_changed(records);

	if (!err)
		err = guard_before(&records->guard, GUARDED_GRANT, key.keys);
	return err ? err : grant_delete(records->db, row);
}

/* ---- groups --------------------------------------------------------------------------------- */

enum err grants_group(struct records *records, uint64_t id, struct group_row *ret)
{
	enum err err = guard_check_id(&records->guard, GUARDED_GROUP, id);

	return err ? err : group_by_id(records->db, id, ret);
}

enum err grants_group_add(struct records *records, enum grant_group_kind kind, const char *name,
			  uint64_t *ret_id)
{
	uint64_t id = 0;
	enum err err = group_insert(records->db, kind, name, &id);

	if (!err)
		err = guard_after_id(&records->guard, GUARDED_GROUP, id);
	if (!err)
		*ret_id = id;
	return err;
}

enum err grants_group_rename(struct records *records, uint64_t id, const char *name)
{
	enum err err = guard_before_id(&records->guard, GUARDED_GROUP, id);

	if (!err)
		err = group_rename(records->db, id, name);
	return err ? err : guard_after_id(&records->guard, GUARDED_GROUP, id);
}

/* The first of what is left, until nothing is: rows go while nothing reads them. */
static enum err first_member(struct records *records, uint64_t group, struct grant_member *ret,
			     bool *ret_more)
{
	_cleanup_query_ struct query query;

	group_member_select(&query, records->db, group, 0);
	return group_member_next(&query, ret, ret_more);
}

static enum err first_row(struct records *records, const struct group_row *group,
			  struct grant_row *ret, bool *ret_more)
{
	_cleanup_query_ struct query query;
	struct grant_given given;

	if (group->kind == GRANT_GROUP_PEOPLE)
		grant_select_subject(&query, records->db, GRANT_PEOPLE, group->id);
	else
		grant_select_object(&query, records->db, GRANT_CLIENTS, group->id);
	enum err err = grant_next(&query, &given, ret_more);
	if (!err && *ret_more)
		*ret = given.row;
	return err;
}

enum err grants_group_drop(struct records *records, uint64_t id)
{
	struct grant_member member;
	struct grant_row row;
	struct group_row group;
	enum err err = grants_group(records, id, &group);
	bool more = true;

	while (!err && more) {
		err = first_row(records, &group, &row, &more);
		if (!err && more)
			err = grants_take(records, &row);
	}
	for (more = true; !err && more;) {
		err = first_member(records, id, &member, &more);
		if (!err && more)
			err = grants_member_take(records, &member);
	}
	if (!err)
		err = guard_before_id(&records->guard, GUARDED_GROUP, id);
	return err ? err : group_delete(records->db, id);
}

enum err grants_member_is(struct records *records, const struct grant_member *member, bool *ret)
{
	const int64_t keys[] = { (int64_t)member->group, (int64_t)member->member };
	enum err err = guard_check(&records->guard, GUARDED_MEMBER, keys);

	*ret = !err;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err grants_member_add(struct records *records, const struct grant_member *member)
{
	const int64_t keys[] = { (int64_t)member->group, (int64_t)member->member };
	enum err err = grants_changed(records);

	if (!err)
		err = group_member_insert(records->db, member);
	return err ? err : guard_after(&records->guard, GUARDED_MEMBER, keys);
}

enum err grants_member_take(struct records *records, const struct grant_member *member)
{
	const int64_t keys[] = { (int64_t)member->group, (int64_t)member->member };
	enum err err = grants_changed(records);

	if (!err)
		err = guard_before(&records->guard, GUARDED_MEMBER, keys);
	return err ? err : group_member_delete(records->db, member);
}
