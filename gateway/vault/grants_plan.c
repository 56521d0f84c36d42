#include "vault/grants_plan.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/util.h"
#include "certs/cleanup.h"
#include "vault/grants_decide.h"

enum err grants_copy_check(const struct grant_copy *copy)
{
	if (copy->kind < GRANT_COPY_PERSON || copy->kind > GRANT_COPY_CLIENT || copy->from == 0 ||
	    copy->count == 0 || copy->count > GRANT_COPY_TARGETS ||
	    (copy->groups && copy->kind != GRANT_COPY_PERSON))
		return ERR_INVALID;
	for (size_t i = 0; i < copy->count; i++) {
		if (copy->to[i] == 0 || copy->to[i] == copy->from)
			return ERR_INVALID;
		for (size_t k = 0; k < i; k++) {
			if (copy->to[k] == copy->to[i])
				return ERR_INVALID;
		}
	}
	return OK;
}

void grants_changes_finish(struct grant_changes *changes)
{
	free(changes->items);
	*changes = (struct grant_changes){ 0 };
}

/* What one side (a person, a record, a client) has: a row by its other side, or a membership by its
 * group, which is kind 0. */
struct had {
	uint8_t kind;
	uint64_t id;
	struct grant_rights rights;
};

struct side {
	struct had *items; /* sorted */
	size_t count;
};

static void side_finish(struct side *side)
{
	free(side->items);
}

static int compare_had(const void *left, const void *right)
{
	const struct had *a = left, *b = right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* Is it a row of this side? Then ret is its other side. */
static bool row_of_side(const struct grant_copy *copy, const struct grant_row *row, uint64_t id,
			struct had *ret)
{
	static const uint8_t objects[] = {
		[GRANT_COPY_RECORD] = GRANT_RECORD, [GRANT_COPY_CLIENT] = GRANT_CLIENT
	};

	if (copy->kind == GRANT_COPY_PERSON) {
		*ret = (struct had){ row->object_kind, row->object, row->rights };
		return row->subject_kind == GRANT_ACCOUNT && row->subject == id;
	}
	*ret = (struct had){ row->subject_kind, row->subject, row->rights };
	return row->object_kind == objects[copy->kind] && row->object == id;
}

struct state {
	const struct grant_row *rows;
	size_t count;
	const struct grant_member *members;
	size_t member_count;
};

static enum err side_make(const struct grant_copy *copy, const struct state *state, uint64_t id,
			  struct side *ret)
{
	struct had had;

	ret->items = calloc(state->count + state->member_count + 1, sizeof(*ret->items));
	if (!ret->items)
		return ERR_NOMEM;
	for (size_t i = 0; i < state->count; i++) {
		if (row_of_side(copy, &state->rows[i], id, &had))
			ret->items[ret->count++] = had;
	}
	for (size_t i = 0; copy->groups && i < state->member_count; i++) {
		if (state->members[i].member == id)
			ret->items[ret->count++] = (struct had){ .id = state->members[i].group };
	}
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_had);
	return OK;
}

static enum err add_change(struct grant_changes *changes, const struct grant_change *change)
{
	if (changes->count == GRANT_COPY_CHANGES)
		return ERR_TOO_BIG;
	if (changes->count == changes->room) {
		size_t room = changes->room ? changes->room * 2 : 64;
		void *items = realloc(changes->items, room * sizeof(*changes->items));

		if (!items)
			return ERR_NOMEM;
		changes->items = items;
		changes->room = room;
	}
	changes->items[changes->count++] = *change;
	return OK;
}

/* from or to is NULL: that side has none of it. */
static enum err compare_sides(const struct grant_copy *copy, uint64_t target,
			      const struct had *from, const struct had *to,
			      struct grant_changes *changes)
{
	const struct had *other = from ? from : to;
	struct grant_change change = { .member = other->kind == 0,
				       .had = to != NULL,
				       .has = from != NULL || !copy->replace };

	if (to)
		change.before = to->rights;
	if (change.has)
		change.after = other->rights;
	if (change.had && change.has && grants_rights_same(&change.before, &change.after)) {
		changes->unchanged++;
		return OK;
	}
	if (copy->kind == GRANT_COPY_PERSON)
		change.row =
			(struct grant_row){ GRANT_ACCOUNT, other->kind, target, other->id, { 0 } };
	else
		change.row = (struct grant_row){
			other->kind, copy->kind == GRANT_COPY_RECORD ? GRANT_RECORD : GRANT_CLIENT,
			other->id,   target,
			{ 0 },
		};
	if (!change.had)
		changes->added++;
	else if (!change.has)
		changes->removed++;
	else
		changes->changed++;
	return add_change(changes, &change);
}

static enum err plan_target(const struct grant_copy *copy, const struct side *from,
			    const struct state *state, uint64_t target,
			    struct grant_changes *changes)
{
	_cleanup_(side_finish) struct side to = { 0 };
	enum err err = side_make(copy, state, target, &to);
	size_t i = 0, k = 0;

	while (!err && (i < from->count || k < to.count)) {
		int order = i == from->count ? 1
			    : k == to.count  ? -1
					     : compare_had(&from->items[i], &to.items[k]);

		err = compare_sides(copy, target, order <= 0 ? &from->items[i] : NULL,
				    order >= 0 ? &to.items[k] : NULL, changes);
		i += order <= 0;
		k += order >= 0;
	}
	return err;
}

static void put_u64(uint8_t *at, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(value >> (56 - 8 * i));
}

static bool digest_rights(EVP_MD_CTX *md, bool there, const struct grant_rights *rights)
{
	const uint8_t bytes[] = { there, rights->level, rights->number, rights->document };

	return EVP_DigestUpdate(md, bytes, sizeof(bytes)) == 1;
}

/* Everything has a fixed width, so nothing can be read in two ways. */
static enum err digest(const struct grant_copy *copy, struct grant_changes *changes)
{
	_cleanup_(cleanup_md_ctx) EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t head[11 + 8] = { 'c',           'o',         'p', 'y', '1', (uint8_t)copy->kind,
				 copy->replace, copy->groups };
	bool good;

	put_u64(head + sizeof(head) - 8, copy->from);
	good = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	       EVP_DigestUpdate(md, head, sizeof(head)) == 1;
	put_u64(head, copy->count);
	good = good && EVP_DigestUpdate(md, head, 8) == 1;
	for (size_t i = 0; good && i < copy->count; i++) {
		put_u64(head, copy->to[i]);
		good = EVP_DigestUpdate(md, head, 8) == 1;
	}
	for (size_t i = 0; good && i < changes->count; i++) {
		const struct grant_change *change = &changes->items[i];

		head[0] = change->member;
		head[1] = change->row.subject_kind;
		head[2] = change->row.object_kind;
		put_u64(head + 3, change->row.subject);
		put_u64(head + 11, change->row.object);
		good = EVP_DigestUpdate(md, head, sizeof(head)) == 1 &&
		       digest_rights(md, change->had, &change->before) &&
		       digest_rights(md, change->has, &change->after);
	}
	return good && EVP_DigestFinal_ex(md, changes->digest, NULL) == 1 ? OK : ERR_CRYPTO;
}

enum err grants_plan(const struct grant_copy *copy, const struct grant_row *rows, size_t count,
		     const struct grant_member *members, size_t member_count,
		     struct grant_changes *ret)
{
	_cleanup_(side_finish) struct side from = { 0 };
	_cleanup_changes_ struct grant_changes changes = { 0 };
	struct state state = { rows, count, members, member_count };
	enum err err = grants_copy_check(copy);

	if (!err)
		err = side_make(copy, &state, copy->from, &from);
	for (size_t i = 0; !err && i < copy->count; i++)
		err = plan_target(copy, &from, &state, copy->to[i], &changes);
	if (!err)
		err = digest(copy, &changes);
	if (err)
		return err;
	*ret = changes;
	changes = (struct grant_changes){ 0 };
	return OK;
}
