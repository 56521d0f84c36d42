#include "vault/grants_copy.h"

#include <stdlib.h>

struct state {
	struct grant_row *rows;
	struct grant_member *members;
	size_t count, room, member_count, member_room;
};

static void state_finish(struct state *state)
{
	free(state->rows);
	free(state->members);
}

static enum err add_row(struct records *records, struct state *state, const struct grant_row *row)
{
	struct grant_rights rights;
	enum err err = grants_row(records, row, &rights); /* checked */

	if (!err && state->count == state->room) {
		size_t room = state->room ? 2 * state->room : 64;
		struct grant_row *grown = reallocarray(state->rows, room, sizeof(*grown));

		if (!grown)
			return ERR_NOMEM;
		state->rows = grown;
		state->room = room;
	}
	if (!err)
		state->rows[state->count++] = *row;
	return err;
}

static enum err add_member(struct records *records, struct state *state,
			   const struct grant_member *member)
{
	bool there = false;
	enum err err = grants_member_is(records, member, &there); /* checked */

	if (!err && state->member_count == state->member_room) {
		size_t room = state->member_room ? 2 * state->member_room : 64;
		struct grant_member *grown = reallocarray(state->members, room, sizeof(*grown));

		if (!grown)
			return ERR_NOMEM;
		state->members = grown;
		state->member_room = room;
	}
	if (!err)
		state->members[state->member_count++] = *member;
	return err;
}

static enum err read_rows(struct records *records, enum grant_copy_kind kind, uint64_t id,
			  struct state *state)
{
	_cleanup_query_ struct query query;
	struct grant_given given;
	bool more = true;
	enum err err = OK;

	if (kind == GRANT_COPY_PERSON)
		grant_select_subject(&query, records->db, GRANT_ACCOUNT, id);
	else
		grant_select_object(&query, records->db,
				    kind == GRANT_COPY_RECORD ? GRANT_RECORD : GRANT_CLIENT, id);
	while (!err && more) {
		err = grant_next(&query, &given, &more);
		if (!err && more)
			err = add_row(records, state, &given.row);
	}
	return err;
}

static enum err read_groups(struct records *records, uint64_t account, struct state *state)
{
	_cleanup_query_ struct query query;
	struct grant_member member;
	bool more = true;
	enum err err = OK;

	group_member_select_of(&query, records->db, GRANT_GROUP_PEOPLE, account);
	while (!err && more) {
		err = group_member_next(&query, &member, &more);
		if (!err && more)
			err = add_member(records, state, &member);
	}
	return err;
}

static enum err read_side(struct records *records, const struct grant_copy *copy, uint64_t id,
			  struct state *state)
{
	enum err err = read_rows(records, copy->kind, id, state);

	return err || !copy->groups ? err : read_groups(records, id, state);
}

enum err grants_copy_plan(struct records *records, const struct grant_copy *copy,
			  struct grant_changes *ret)
{
	_cleanup_(state_finish) struct state state = { 0 };
	enum err err = read_side(records, copy, copy->from, &state);

	for (size_t i = 0; !err && i < copy->count; i++)
		err = read_side(records, copy, copy->to[i], &state);
	return err ? err
		   : grants_plan(copy, state.rows, state.count, state.members, state.member_count,
				 ret);
}

static enum err carry_out(struct records *records, const struct grants_hand *hand,
			  const struct grant_change *change)
{
	struct grant_row row = change->row;

	if (change->member) {
		const struct grant_member member = { row.object, row.subject };

		return change->has ? grants_member_add(records, &member)
				   : grants_member_take(records, &member);
	}
	row.rights = change->after;
	return change->has ? grants_give(records, &row, hand) : grants_take(records, &row);
}

enum err grants_copy_carry_out(struct records *records, const struct grant_changes *changes,
			       const struct grants_hand *hand)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < changes->count; i++)
		err = carry_out(records, hand, &changes->items[i]);
	return err;
}
