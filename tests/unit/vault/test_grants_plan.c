#include "unit/unit.h"

#include "unit/vault/grants_model.h"
#include "vault/grants_plan.h"

static const struct grant_rights view = { GRANT_VIEW, false, 0 }, edit = { GRANT_EDIT, true, 2 };

static const struct grant_row office[] = {
	{ GRANT_ACCOUNT, GRANT_RECORD, 1, 20, { GRANT_VIEW, false, 0 } },
	{ GRANT_ACCOUNT, GRANT_CLIENT, 1, 20, { GRANT_EDIT, true, 2 } },
	{ GRANT_ACCOUNT, GRANT_EVERYTHING, 1, 0, { GRANT_VIEW, false, 0 } },
	{ GRANT_ACCOUNT, GRANT_RECORD, 2, 20, { GRANT_EDIT, true, 2 } },
	{ GRANT_ACCOUNT, GRANT_EVERYTHING, 2, 0, { GRANT_VIEW, false, 0 } },
	{ GRANT_ACCOUNT, GRANT_RECORD, 2, 21, { GRANT_VIEW, false, 0 } },
	{ GRANT_PEOPLE, GRANT_RECORD, 1, 20, { GRANT_EDIT, true, 2 } }, /* a group of this number */
};
static const struct grant_member members[] = { { 1, 1 }, { 2, 1 }, { 2, 2 }, { 3, 2 } };

static void plan(const struct grant_copy *copy, struct grant_changes *ret)
{
	assert_ok(grants_plan(copy, office, ARRAY_SIZE(office), members, ARRAY_SIZE(members), ret));
	assert_int_equal(ret->count, ret->added + ret->changed + ret->removed);
}

static void expect(const struct grant_change *got, uint8_t subject_kind, uint64_t subject,
		   uint8_t object_kind, uint64_t object, const struct grant_rights *before,
		   const struct grant_rights *after)
{
	assert_false(got->member);
	assert_int_equal(got->row.subject_kind, subject_kind);
	assert_int_equal(got->row.subject, subject);
	assert_int_equal(got->row.object_kind, object_kind);
	assert_int_equal(got->row.object, object);
	assert_int_equal(got->had, before != NULL);
	assert_int_equal(got->has, after != NULL);
	if (before)
		assert_true(grants_rights_same(&got->before, before));
	if (after)
		assert_true(grants_rights_same(&got->after, after));
}

static void a_person_gets_what_another_has(void **state)
{
	struct grant_copy copy = {
		.kind = GRANT_COPY_PERSON, .from = 1, .to = { 2, 3 }, .count = 2
	};
	_cleanup_changes_ struct grant_changes changes = { 0 };

	(void)state;
	plan(&copy, &changes);
	assert_int_equal(changes.count, 5);
	assert_int_equal(changes.unchanged, 2); /* one is the same, one stays beside */
	assert_int_equal(changes.removed, 0);
	expect(&changes.items[0], GRANT_ACCOUNT, 2, GRANT_RECORD, 20, &edit, &view);
	expect(&changes.items[1], GRANT_ACCOUNT, 2, GRANT_CLIENT, 20, NULL, &edit);
	expect(&changes.items[2], GRANT_ACCOUNT, 3, GRANT_RECORD, 20, NULL, &view);
	expect(&changes.items[3], GRANT_ACCOUNT, 3, GRANT_CLIENT, 20, NULL, &edit);
	expect(&changes.items[4], GRANT_ACCOUNT, 3, GRANT_EVERYTHING, 0, NULL, &view);
}

static void replacing_takes_the_rest_away(void **state)
{
	struct grant_copy copy = {
		.kind = GRANT_COPY_PERSON,
		.replace = true,
		.groups = true,
		.from = 1,
		.to = { 2 },
		.count = 1,
	};
	_cleanup_changes_ struct grant_changes changes = { 0 };

	(void)state;
	plan(&copy, &changes);
	assert_int_equal(changes.count, 5);
	assert_int_equal(changes.unchanged, 2);
	assert_int_equal(changes.added, 2);
	assert_int_equal(changes.removed, 2);
	/* Groups first: comes to 1, goes from 3, stays in 2. */
	assert_true(changes.items[0].member && changes.items[0].has && !changes.items[0].had);
	assert_int_equal(changes.items[0].row.object, 1);
	assert_int_equal(changes.items[0].row.subject, 2);
	assert_true(changes.items[1].member && !changes.items[1].has && changes.items[1].had);
	assert_int_equal(changes.items[1].row.object, 3);
	expect(&changes.items[2], GRANT_ACCOUNT, 2, GRANT_RECORD, 20, &edit, &view);
	expect(&changes.items[3], GRANT_ACCOUNT, 2, GRANT_RECORD, 21, &view, NULL);
	expect(&changes.items[4], GRANT_ACCOUNT, 2, GRANT_CLIENT, 20, NULL, &edit);
}

static void a_record_gets_the_rows_of_another(void **state)
{
	struct grant_copy copy = {
		.kind = GRANT_COPY_RECORD, .from = 20, .to = { 21 }, .count = 1
	};
	_cleanup_changes_ struct grant_changes changes = { 0 }, clients = { 0 };

	(void)state;
	plan(&copy, &changes);
	assert_int_equal(changes.count, 3);
	expect(&changes.items[0], GRANT_ACCOUNT, 1, GRANT_RECORD, 21, NULL, &view);
	expect(&changes.items[1], GRANT_ACCOUNT, 2, GRANT_RECORD, 21, &view, &edit);
	expect(&changes.items[2], GRANT_PEOPLE, 1, GRANT_RECORD, 21, NULL, &edit);
	copy.kind = GRANT_COPY_CLIENT;
	plan(&copy, &clients);
	assert_int_equal(clients.count, 1);
	expect(&clients.items[0], GRANT_ACCOUNT, 1, GRANT_CLIENT, 21, NULL, &edit);
}

static void the_digest_is_of_everything(void **state)
{
	struct grant_copy copies[] = {
		{ .kind = GRANT_COPY_PERSON, .from = 1, .to = { 2 }, .count = 1 },
		{ .kind = GRANT_COPY_PERSON, .from = 1, .to = { 3 }, .count = 1 },
		{ .kind = GRANT_COPY_PERSON, .from = 1, .to = { 2, 3 }, .count = 2 },
		{ .kind = GRANT_COPY_PERSON, .from = 1, .to = { 3, 2 }, .count = 2 },
		{ .kind = GRANT_COPY_PERSON, .replace = true, .from = 1, .to = { 2 }, .count = 1 },
		{ .kind = GRANT_COPY_PERSON, .groups = true, .from = 1, .to = { 2 }, .count = 1 },
		{ .kind = GRANT_COPY_RECORD, .from = 20, .to = { 21 }, .count = 1 },
		{ .kind = GRANT_COPY_CLIENT, .from = 20, .to = { 21 }, .count = 1 },
		/* Nothing changes in these. */
		{ .kind = GRANT_COPY_RECORD, .from = 98, .to = { 97 }, .count = 1 },
		{ .kind = GRANT_COPY_RECORD, .from = 99, .to = { 97 }, .count = 1 },
		{ .kind = GRANT_COPY_RECORD, .from = 98, .to = { 99 }, .count = 1 },
	};
	uint8_t digests[ARRAY_SIZE(copies)][GRANT_COPY_DIGEST];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
		_cleanup_changes_ struct grant_changes changes = { 0 };

		plan(&copies[i], &changes);
		memcpy(digests[i], changes.digest, GRANT_COPY_DIGEST);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(digests[i], digests[k], GRANT_COPY_DIGEST);
	}
}

static void each_row_that_matters_changes_the_digest(void **state)
{
	const struct grant_copy copy = {
		.kind = GRANT_COPY_PERSON,
		.replace = true,
		.from = 1,
		.to = { 2 },
		.count = 1,
	};
	struct grant_row rows[ARRAY_SIZE(office)];
	_cleanup_changes_ struct grant_changes before = { 0 };

	(void)state;
	plan(&copy, &before);
	for (size_t i = 0; i < ARRAY_SIZE(office); i++) {
		_cleanup_changes_ struct grant_changes after = { 0 };

		memcpy(rows, office, sizeof(rows));
		rows[i].rights.level = GRANT_EXPORT;
		assert_ok(grants_plan(&copy, rows, ARRAY_SIZE(rows), NULL, 0, &after));
		assert_int_equal(memcmp(before.digest, after.digest, GRANT_COPY_DIGEST) != 0,
				 office[i].subject_kind == GRANT_ACCOUNT);
	}
}

static void refuses_what_makes_no_sense(void **state)
{
	static const struct grant_copy wrong[] = {
		{ .kind = 0, .from = 1, .to = { 2 }, .count = 1 },
		{ .kind = 4, .from = 1, .to = { 2 }, .count = 1 },
		{ .kind = GRANT_COPY_PERSON, .from = 0, .to = { 2 }, .count = 1 },
		{ .kind = GRANT_COPY_PERSON, .from = 1, .to = { 0 }, .count = 1 },
		{ .kind = GRANT_COPY_PERSON, .from = 1, .count = 0 },
		{ .kind = GRANT_COPY_PERSON, .from = 1, .count = GRANT_COPY_TARGETS + 1 },
		{ .kind = GRANT_COPY_PERSON, .from = 1, .to = { 2, 1 }, .count = 2 },
		{ .kind = GRANT_COPY_PERSON, .from = 1, .to = { 2, 3, 2 }, .count = 3 },
		{ .kind = GRANT_COPY_RECORD, .groups = true, .from = 1, .to = { 2 }, .count = 1 },
	};
	struct grant_changes changes = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_err(grants_plan(&wrong[i], office, ARRAY_SIZE(office), NULL, 0, &changes),
			   ERR_INVALID);
	assert_null(changes.items);
}

static void has_a_limit(void **state)
{
	const struct grant_copy copy = {
		.kind = GRANT_COPY_PERSON,
		.from = 1,
		.to = { 2 },
		.count = 1,
	};
	struct grant_row *rows = calloc(GRANT_COPY_CHANGES + 1, sizeof(*rows));
	struct grant_changes changes = { 0 };

	(void)state;
	for (uint64_t i = 0; i < GRANT_COPY_CHANGES + 1; i++)
		rows[i] = (struct grant_row){ GRANT_ACCOUNT, GRANT_RECORD, 1, i + 1, view };
	assert_err(grants_plan(&copy, rows, GRANT_COPY_CHANGES + 1, NULL, 0, &changes),
		   ERR_TOO_BIG);
	assert_ok(grants_plan(&copy, rows, GRANT_COPY_CHANGES, NULL, 0, &changes));
	assert_int_equal(changes.added, GRANT_COPY_CHANGES);
	grants_changes_finish(&changes);
	free(rows);
}

/* Carries changes out. */
static void apply(struct model *m, const struct grant_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		struct grant_row *row = NULL;

		for (size_t k = 0; k < m->count; k++) {
			if (m->rows[k].subject_kind == changes->items[i].row.subject_kind &&
			    m->rows[k].subject == changes->items[i].row.subject &&
			    m->rows[k].object_kind == changes->items[i].row.object_kind &&
			    m->rows[k].object == changes->items[i].row.object)
				row = &m->rows[k];
		}
		assert_int_equal(row != NULL, changes->items[i].had);
		if (row)
			assert_true(grants_rights_same(&row->rights, &changes->items[i].before));
		if (!changes->items[i].has) {
			*row = m->rows[--m->count];
		} else {
			row = row ? row : &m->rows[m->count++];
			*row = changes->items[i].row;
			row->rights = changes->items[i].after;
		}
	}
}

static void after_it_all_have_the_same_everywhere(void **state)
{
	static struct model m;

	(void)state;
	model_seed();
	for (int round = 0; round < 300; round++) {
		struct grant_copy copy = {
			.kind = GRANT_COPY_PERSON,
			.replace = true,
			.from = 1,
			.to = { 2, 3, 4 },
			.count = 3,
		};
		_cleanup_changes_ struct grant_changes changes = { 0 }, again = { 0 };

		memset(&m, 0, sizeof(m));
		for (uint64_t record = 1; record <= MODEL_RECORDS; record++)
			model_move(&m, record);
		for (int i = 0; i < 80; i++) {
			struct grant_row row = model_some_row();

			*model_row(&m, &row) = row;
		}
		assert_ok(grants_plan(&copy, m.rows, m.count, NULL, 0, &changes));
		apply(&m, &changes);
		for (uint64_t record = 1; record <= MODEL_RECORDS; record++) {
			struct grant_rights first = model_decide(&m, 1, false, &m.places[record]);

			for (size_t i = 0; i < copy.count; i++) {
				struct grant_rights other =
					model_decide(&m, copy.to[i], false, &m.places[record]);

				assert_true(grants_rights_same(&first, &other));
			}
		}
		assert_ok(grants_plan(&copy, m.rows, m.count, NULL, 0, &again));
		assert_int_equal(again.count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_person_gets_what_another_has),
		cmocka_unit_test(replacing_takes_the_rest_away),
		cmocka_unit_test(a_record_gets_the_rows_of_another),
		cmocka_unit_test(the_digest_is_of_everything),
		cmocka_unit_test(each_row_that_matters_changes_the_digest),
		cmocka_unit_test(refuses_what_makes_no_sense),
		cmocka_unit_test(has_a_limit),
		cmocka_unit_test(after_it_all_have_the_same_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
