#include "vault/life.h"

#include "base/util.h"

enum { MANAGES = 1, ASKED = 2, ENTERED = 4, EDITS = 8 };
enum { NOT_READY = 1, READY = 2, EITHER = 3 };

struct rule {
	enum request_state next;
	unsigned when;  /* ready or not; 0: never for this kind */
	unsigned needs; /* all of these */
	unsigned any;   /* one of these, where there are any */
	unsigned not ;  /* none of these */
};

/* Of open requests; of others nothing is left to be done. */
static const struct rule rules[][LIFE_ACTS] = {
	[REQUEST_COLLECT] = {
		[LIFE_SUBMIT] = { REQUEST_OPEN, NOT_READY, 0, ASKED | EDITS, 0 },
		[LIFE_APPROVE] = { REQUEST_APPROVED, READY, MANAGES, 0, ASKED | ENTERED },
		[LIFE_REFUSE] = { REQUEST_REFUSED, EITHER, MANAGES, 0, ASKED },
		[LIFE_WITHDRAW] = { REQUEST_WITHDRAWN, EITHER, ASKED, 0, 0 },
	},
	[REQUEST_NUMBER] = {
		[LIFE_APPROVE] = { REQUEST_APPROVED, READY, MANAGES, 0, ASKED | ENTERED },
		[LIFE_REFUSE] = { REQUEST_REFUSED, EITHER, MANAGES, 0, ASKED },
		[LIFE_WITHDRAW] = { REQUEST_WITHDRAWN, EITHER, ASKED, 0, 0 },
	},
	/* Who once entered it may agree that it goes: only who asks for that may not. */
	[REQUEST_DISPOSE] = {
		[LIFE_APPROVE] = { REQUEST_APPROVED, READY, MANAGES, 0, ASKED },
		[LIFE_REFUSE] = { REQUEST_REFUSED, EITHER, MANAGES, 0, ASKED },
		[LIFE_WITHDRAW] = { REQUEST_WITHDRAWN, EITHER, ASKED, 0, 0 },
	},
};

static unsigned bits_of(const struct life_part *part)
{
	return (part->manages ? MANAGES : 0U) | (part->asked ? ASKED : 0U) |
	       (part->entered ? ENTERED : 0U) | (part->edits ? EDITS : 0U);
}

enum err life_may(enum request_kind kind, enum request_state state, bool ready, enum life_act act,
		  const struct life_part *part, enum request_state *ret_next)
{
	const unsigned has = bits_of(part);

	if ((unsigned)kind >= ARRAY_SIZE(rules) || (unsigned)act >= LIFE_ACTS)
		return ERR_INVALID;
	const struct rule *rule = &rules[kind][act];
	if (state != REQUEST_OPEN || !(rule->when & (ready ? READY : NOT_READY)))
		return ERR_WRONG_STATE;
	if ((has & rule->needs) != rule->needs || (rule->any && !(has & rule->any)) ||
	    (has & rule->not ))
		return ERR_DENIED;
	*ret_next = rule->next;
	return OK;
}
