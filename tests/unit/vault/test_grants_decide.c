#include "unit/unit.h"

#include "unit/vault/grants_model.h"

/* Box's table: upload, download, preview, link, edit, delete, own. */
static const struct {
	unsigned role;
	const char *rights;
} roles[] = {
	{ DOCUMENT_NO_ROLE, "-------" },
	{ DOCUMENT_CO_OWNER, "udpledo" },
	{ DOCUMENT_EDITOR, "udpled-" },
	{ DOCUMENT_VIEWER_UPLOADER, "udple--" },
	{ DOCUMENT_PREVIEWER_UPLOADER, "u-p----" },
	{ DOCUMENT_VIEWER, "-dpl---" },
	{ DOCUMENT_PREVIEWER, "--p----" },
	{ DOCUMENT_UPLOADER, "u------" },
	{ DOCUMENT_ROLES, "-------" },
	{ 255, "-------" },
};

static void has_seven_rights_of_seven_roles(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		struct grant_rights rights = { GRANT_VIEW, false, (uint8_t)roles[i].role };
		char got[] = "udpledo";

		for (unsigned bit = 0; bit < 7; bit++) {
			if (!grants_document_may(&rights, (uint8_t)(1U << bit)))
				got[bit] = '-';
		}
		assert_string_equal(got, roles[i].rights);
		rights.level = GRANT_NONE;
		assert_false(grants_document_may(&rights, DOCUMENT_UPLOAD));
		assert_false(grants_document_may(&rights, DOCUMENT_PREVIEW));
	}
	struct grant_rights viewer = { GRANT_VIEW, false, DOCUMENT_VIEWER };
	assert_true(grants_document_may(&viewer, DOCUMENT_DOWNLOAD | DOCUMENT_PREVIEW));
	assert_false(grants_document_may(&viewer, DOCUMENT_DOWNLOAD | DOCUMENT_UPLOAD));
}

static void has_five_presets(void **state)
{
	static const struct grant_rights wanted[GRANT_PRESETS] = {
		{ GRANT_VIEW, false, DOCUMENT_NO_ROLE },
		{ GRANT_EDIT, false, DOCUMENT_NO_ROLE },
		{ GRANT_EDIT, false, DOCUMENT_PREVIEWER_UPLOADER },
		{ GRANT_EXPORT, false, DOCUMENT_EDITOR },
		{ GRANT_PERMISSIONS, false, DOCUMENT_CO_OWNER },
	};
	struct grant_rights got, before = { 0 };

	(void)state;
	for (unsigned i = 1; i <= GRANT_PRESETS; i++) {
		assert_ok(grants_preset(i, &got));
		assert_true(grants_rights_same(&got, &wanted[i - 1]));
		assert_true(grants_rights_valid(&got));
		assert_true(
			grants_rights_within(&before, &got)); /* each has all of the one before */
		assert_false(grants_rights_within(&got, &before));
		before = got;
	}
	assert_err(grants_preset(0, &got), ERR_INVALID);
	assert_err(grants_preset(6, &got), ERR_INVALID);
}

static void knows_what_is_valid_and_what_is_within(void **state)
{
	const struct grant_rights nothing = { 0 }, number = { GRANT_VIEW, true, 0 },
				  view = { GRANT_VIEW, false, 0 },
				  uploader = { GRANT_VIEW, false, 7 },
				  previewer = { GRANT_VIEW, false, 6 },
				  edit = { GRANT_EDIT, false, 0 };

	(void)state;
	assert_true(grants_rights_valid(&nothing));
	assert_true(grants_rights_valid(&number));
	assert_false(grants_rights_valid(&(struct grant_rights){ GRANT_NONE, true, 0 }));
	assert_false(grants_rights_valid(&(struct grant_rights){ GRANT_NONE, false, 6 }));
	assert_false(grants_rights_valid(&(struct grant_rights){ GRANT_LEVELS, false, 0 }));
	assert_false(grants_rights_valid(&(struct grant_rights){ GRANT_VIEW, false, 8 }));
	assert_true(grants_rights_within(&view, &number));
	assert_false(grants_rights_within(&number, &edit));
	assert_false(grants_rights_within(&edit, &view));
	assert_false(grants_rights_within(&previewer, &uploader));
	assert_false(grants_rights_within(&uploader, &previewer));
	assert_true(grants_rights_within(&uploader, &uploader));
}

/* Person 1 is in groups 1 and 2. Record 30 is a dependant of 20 at client 10, which is in the
 * groups of clients 5 and 6. */
static const struct grant_place dependant = { 30, 20, 10 };
static const struct grant_member grouped[] = { { 6, 11 }, { 5, 10 }, { 6, 10 } };

struct told {
	struct grant_row rows[4];
	size_t count;
	int counts; /* which of them; -1: none */
};

#define OWN(object_kind, object, level, number, document)                                          \
	{                                                                                          \
		GRANT_ACCOUNT, object_kind, 1, object,                                             \
		{                                                                                  \
			level, number, document                                                    \
		}                                                                                  \
	}
#define OF(group, object_kind, object, level, number, document)                                    \
	{                                                                                          \
		GRANT_PEOPLE, object_kind, group, object,                                          \
		{                                                                                  \
			level, number, document                                                    \
		}                                                                                  \
	}

static const struct told told[] = {
	{ { { 0 } }, 0, -1 },
	{ { OWN(GRANT_RECORD, 31, 1, false, 0), OWN(GRANT_CLIENT, 11, 1, false, 0),
	    OWN(GRANT_CLIENTS, 7, 1, false, 0) },
	  3,
	  -1 },
	/* From near to far. */
	{ { OWN(GRANT_EVERYTHING, 0, 4, false, 0), OWN(GRANT_RECORD, 30, 1, false, 0) }, 2, 1 },
	{ { OWN(GRANT_RECORD, 20, 4, false, 0), OWN(GRANT_RECORD, 30, 1, false, 0) }, 2, 1 },
	{ { OWN(GRANT_CLIENT, 10, 4, false, 0), OWN(GRANT_RECORD, 20, 0, false, 0) }, 2, 1 },
	{ { OWN(GRANT_CLIENTS, 5, 4, false, 0), OWN(GRANT_CLIENT, 10, 1, false, 0) }, 2, 1 },
	{ { OWN(GRANT_EVERYTHING, 0, 4, false, 0), OWN(GRANT_CLIENTS, 6, 0, false, 0) }, 2, 1 },
	{ { OWN(GRANT_EVERYTHING, 0, 2, false, 0) }, 1, 0 },
	/* Nearer is before own. */
	{ { OWN(GRANT_CLIENT, 10, 4, false, 0), OF(1, GRANT_RECORD, 30, 0, false, 0) }, 2, 1 },
	/* Own is before those of groups. */
	{ { OF(1, GRANT_RECORD, 30, 4, true, 1), OWN(GRANT_RECORD, 30, 0, false, 0) }, 2, 1 },
	{ { OF(1, GRANT_CLIENTS, 5, 4, true, 1), OWN(GRANT_CLIENTS, 6, 1, false, 0) }, 2, 1 },
	/* Of several groups the highest, whole. */
	{ { OF(1, GRANT_CLIENT, 10, 1, true, 1), OF(2, GRANT_CLIENT, 10, 2, false, 0) }, 2, 1 },
	{ { OF(1, GRANT_CLIENT, 10, 1, false, 1), OF(2, GRANT_CLIENT, 10, 1, true, 0) }, 2, 1 },
	{ { OF(1, GRANT_CLIENT, 10, 1, true, 7), OF(2, GRANT_CLIENT, 10, 1, true, 6) }, 2, 1 },
	{ { OF(1, GRANT_CLIENT, 10, 1, true, 0), OF(2, GRANT_CLIENT, 10, 1, true, 7) }, 2, 1 },
	{ { OF(1, GRANT_EVERYTHING, 0, 1, false, 0), OF(2, GRANT_EVERYTHING, 0, 3, false, 0) },
	  2,
	  1 },
	{ { OWN(GRANT_CLIENTS, 5, 1, false, 0), OWN(GRANT_CLIENTS, 6, 3, false, 0) }, 2, 1 },
	/* The same either way: always the same one is named. */
	{ { OF(2, GRANT_CLIENT, 10, 1, false, 0), OF(1, GRANT_CLIENT, 10, 1, false, 0) }, 2, 1 },
};

static void one_row_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		for (int turned = 0; turned < 2; turned++) {
			_cleanup_grants_view_ struct grants_view *view = NULL;
			const struct grant_row *by, *wanted = NULL;
			struct grant_row rows[4];
			struct grant_rights rights;

			for (size_t k = 0; k < told[i].count; k++)
				rows[k] = told[i].rows[turned ? told[i].count - 1 - k : k];
			if (told[i].counts >= 0)
				wanted = &told[i].rows[told[i].counts];
			assert_ok(grants_view_new(rows, told[i].count, grouped, ARRAY_SIZE(grouped),
						  SIGHT_GIVEN, &view));
			grants_decide(view, &dependant, &rights, &by);
			assert_int_equal(by != NULL, wanted != NULL);
			if (wanted)
				assert_memory_equal(by, wanted, sizeof(*by));
			assert_int_equal(rights.level, wanted ? wanted->rights.level : 0);
			assert_int_equal(grants_may_see(view, &dependant), rights.level > 0);
		}
	}
}

static void an_approver_sees_all_and_no_more(void **state)
{
	const struct grant_row row = OWN(GRANT_RECORD, 30, 0, false, 0);
	const struct grant_place other = { 31, 0, 10 };
	_cleanup_grants_view_ struct grants_view *view = NULL;
	struct grant_rights rights;

	(void)state;
	assert_ok(grants_view_new(&row, 1, NULL, 0, SIGHT_ALL, &view));
	grants_decide(view, &dependant, &rights, NULL);
	assert_true(grants_rights_same(&rights, &(struct grant_rights){ GRANT_VIEW, false, 0 }));
	grants_decide(view, &other, &rights, NULL);
	assert_true(grants_rights_same(&rights, &(struct grant_rights){ GRANT_VIEW, false, 0 }));
	assert_true(grants_may_see(view, &dependant));
	assert_true(grants_may_see(view, &other));
}

static void break_glass_is_for_looking(void **state)
{
	static const struct {
		uint8_t level, document, wanted_level, wanted_document;
	} cases[] = {
		{ GRANT_NONE, DOCUMENT_NO_ROLE, GRANT_VIEW, DOCUMENT_PREVIEWER },
		{ GRANT_VIEW, DOCUMENT_UPLOADER, GRANT_VIEW, DOCUMENT_PREVIEWER_UPLOADER },
		{ GRANT_EXPORT, DOCUMENT_EDITOR, GRANT_EXPORT, DOCUMENT_EDITOR },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct grant_row row =
			OWN(GRANT_RECORD, 30, cases[i].level, false, cases[i].document);
		const struct grant_rights wanted = { cases[i].wanted_level, true,
						     cases[i].wanted_document };
		_cleanup_grants_view_ struct grants_view *view = NULL;
		struct grant_rights rights;

		assert_ok(grants_view_new(&row, 1, NULL, 0, SIGHT_GLASS, &view));
		grants_decide(view, &dependant, &rights, NULL);
		assert_true(grants_rights_same(&rights, &wanted));
		assert_true(grants_document_may(&rights, DOCUMENT_PREVIEW));
		assert_true(grants_may_see(view, &dependant));
	}
}

static void make_view(const struct model *m, uint64_t person, bool approver,
		      struct grants_view **ret)
{
	struct grant_row rows[MODEL_ROWS];
	size_t count = 0;

	for (size_t i = 0; i < m->count; i++) {
		if (model_speaks_to(m, &m->rows[i], person))
			rows[count++] = m->rows[i];
	}
	assert_ok(grants_view_new(rows, count, m->clients, m->client_count,
				  approver ? SIGHT_ALL : SIGHT_GIVEN, ret));
}

static void compare_with_model(const struct model *m)
{
	for (uint64_t person = 1; person <= MODEL_PEOPLE; person++) {
		_cleanup_grants_view_ struct grants_view *view = NULL;
		bool approver = person == MODEL_PEOPLE;

		make_view(m, person, approver, &view);
		for (uint64_t record = 1; record <= MODEL_RECORDS; record++) {
			struct grant_rights wanted =
				model_decide(m, person, approver, &m->places[record]);
			struct grant_rights got;

			grants_decide(view, &m->places[record], &got, NULL);
			assert_true(grants_rights_same(&got, &wanted));
			assert_int_equal(grants_may_see(view, &m->places[record]),
					 wanted.level >= GRANT_VIEW);
		}
	}
}

static void random_grants_are_as_the_model_says(void **state)
{
	static struct model m;

	(void)state;
	model_seed();
	for (int office = 0; office < 60; office++) {
		memset(&m, 0, sizeof(m));
		for (uint64_t record = 1; record <= MODEL_RECORDS; record++)
			model_move(&m, record);
		for (int step = 0; step < 60; step++) {
			struct grant_row row = model_some_row();

			*model_row(&m, &row) = row;
			if (m.count && model_random(3) == 0)
				m.rows[model_random(m.count)] = m.rows[m.count - 1], m.count--;
			model_toggle(m.people, &m.people_count,
				     1 + model_random(MODEL_PEOPLE_GROUPS),
				     1 + model_random(MODEL_PEOPLE));
			model_toggle(m.clients, &m.client_count,
				     MODEL_PEOPLE_GROUPS + 1 + model_random(MODEL_CLIENT_GROUPS),
				     1 + model_random(MODEL_CLIENTS));
			model_move(&m, 1 + model_random(MODEL_RECORDS));
			compare_with_model(&m);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_seven_rights_of_seven_roles),
		cmocka_unit_test(has_five_presets),
		cmocka_unit_test(knows_what_is_valid_and_what_is_within),
		cmocka_unit_test(one_row_counts),
		cmocka_unit_test(an_approver_sees_all_and_no_more),
		cmocka_unit_test(break_glass_is_for_looking),
		cmocka_unit_test(random_grants_are_as_the_model_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
