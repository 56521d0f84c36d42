#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "vault/life.h"

static const enum request_kind kinds[] = { REQUEST_COLLECT, REQUEST_NUMBER, REQUEST_DISPOSE };
static const enum request_state states[] = { REQUEST_OPEN, REQUEST_APPROVED, REQUEST_REFUSED,
					     REQUEST_WITHDRAWN };

/* The rules again, in words rather than in a table. */
static enum err expected(enum request_kind kind, enum request_state state, bool ready,
			 enum life_act act, const struct life_part *part)
{
	if (state != REQUEST_OPEN)
		return ERR_WRONG_STATE;
	switch (act) {
	case LIFE_SUBMIT:
		if (kind != REQUEST_COLLECT || ready)
			return ERR_WRONG_STATE;
		return part->asked || part->edits ? OK : ERR_DENIED;
	case LIFE_APPROVE:
		if (!ready)
			return ERR_WRONG_STATE;
		if (!part->manages || part->asked)
			return ERR_DENIED;
		return part->entered && kind != REQUEST_DISPOSE ? ERR_DENIED : OK;
	case LIFE_REFUSE:
		return part->manages && !part->asked ? OK : ERR_DENIED;
	case LIFE_WITHDRAW:
		return part->asked ? OK : ERR_DENIED;
	case LIFE_ACTS:
		break;
	}
	return ERR_INVALID;
}

static enum request_state expected_next(enum life_act act)
{
	static const enum request_state next[] = { REQUEST_OPEN, REQUEST_APPROVED, REQUEST_REFUSED,
						   REQUEST_WITHDRAWN };
	return next[act];
}

static void check(enum request_kind kind, enum request_state state, bool ready, enum life_act act,
		  const struct life_part *part)
{
	enum request_state next = 0;
	enum err wanted = expected(kind, state, ready, act, part);
	enum err err = life_may(kind, state, ready, act, part, &next);

	if (err != wanted)
		fail_msg("kind %d state %d ready %d act %d manages %d asked %d entered %d edits %d:"
			 " %s, not %s",
			 kind, state, ready, act, part->manages, part->asked, part->entered,
			 part->edits, err_code(err), err_code(wanted));
	assert_int_equal(next, err ? 0 : expected_next(act));
}

static void every_state_act_and_part(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (size_t s = 0; s < ARRAY_SIZE(states); s++)
			for (unsigned act = 0; act < LIFE_ACTS; act++)
				for (unsigned bits = 0; bits < 32; bits++, count++) {
					const struct life_part part = { bits & 1, bits & 2,
									bits & 4, bits & 8 };
					check(kinds[k], states[s], bits & 16, act, &part);
				}
	assert_int_equal(count, 3 * 4 * 4 * 32);
}

static void unknown_kinds_and_acts(void **state)
{
	const struct life_part all = { true, true, true, true };
	enum request_state next = 0;

	(void)state;
	assert_err(life_may(0, REQUEST_OPEN, true, LIFE_WITHDRAW, &all, &next), ERR_WRONG_STATE);
	assert_err(life_may(4, REQUEST_OPEN, true, LIFE_WITHDRAW, &all, &next), ERR_INVALID);
	assert_err(life_may(REQUEST_COLLECT, REQUEST_OPEN, true, LIFE_ACTS, &all, &next),
		   ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_act_and_part),
		cmocka_unit_test(unknown_kinds_and_acts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
