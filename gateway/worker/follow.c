#include "worker/follow.h"

#include "base/util.h"

/* ---- the past --------------------------------------------------------------------------- */

void follow_past_clear(struct follow_past *past)
{
	for (size_t i = 0; i < past->count; i++)
		unit_unref(past->units[i]);
	*past = (struct follow_past){ 0 };
}

static bool continues(const struct follow_past *past, const struct remote_unit *unit)
{
	const struct remote_unit *last = past->count ? past->units[past->count - 1] : NULL;
	return last && unit->stream == last->stream && unit->number == last->number + 1 &&
	       past->count < FOLLOW_PAST && past->bytes + unit->len <= FOLLOW_PAST_BYTES;
}

void follow_past_add(struct follow_past *past, struct remote_unit *unit)
{
	if (!unit->passable || unit->key || !continues(past, unit))
		follow_past_clear(past);
	if (!unit->passable || (!past->count && !unit->key) || unit->len > FOLLOW_PAST_BYTES)
		return;
	past->units[past->count++] = unit_ref(unit);
	past->bytes += unit->len;
}

/* ---- a viewer --------------------------------------------------------------------------- */

static bool push(struct follow *follow, struct remote_unit *unit, bool hidden, uint64_t now_us)
{
	if (follow->count == FOLLOW_WAITING || follow->bytes + unit->len > FOLLOW_WAITING_BYTES)
		return false;
	follow->waiting[(follow->first + follow->count++) % FOLLOW_WAITING] =
		(struct follow_waiting){ unit_ref(unit), hidden, now_us };
	follow->bytes += unit->len;
	return true;
}

static void shift(struct follow *follow)
{
	struct remote_unit *unit = follow->waiting[follow->first].unit;
	follow->bytes -= unit->len;
	follow->first = (follow->first + 1) % FOLLOW_WAITING;
	follow->count--;
	unit_unref(unit);
}

/* What the unit builds on, which ends with itself. */
static bool push_past(struct follow *follow, const struct follow_past *past,
		      const struct remote_unit *unit, uint64_t now_us)
{
	if (!past->count || past->units[past->count - 1] != unit ||
	    !rect_same(&past->units[0]->box, &unit->box))
		return false;
	for (size_t i = 0; i + 1 < past->count; i++)
		if (!push(follow, past->units[i], true, now_us))
			return false;
	return true;
}

bool follow_begin(struct follow *follow, const struct follow_past *past, struct remote_unit *unit,
		  uint64_t now_us)
{
	if (follow->count || now_us < follow->not_before_us)
		return false;
	if ((!unit->key && !push_past(follow, past, unit, now_us)) ||
	    !push(follow, unit, false, now_us)) {
		follow_drop(follow);
		return false;
	}
	follow->running = true;
	follow->stream = unit->stream;
	follow->from = follow->last = unit->number;
	follow->late = 0;
	return true;
}

bool follow_add(struct follow *follow, struct remote_unit *unit, uint64_t now_us)
{
	if (follow->late < FOLLOW_LATE_UNITS && push(follow, unit, false, now_us)) {
		follow->last = unit->number;
		return true;
	}
	follow_leave(follow);
	follow->not_before_us = now_us + FOLLOW_AGAIN_US;
	return false;
}

const struct follow_waiting *follow_next(const struct follow *follow)
{
	return follow->count ? &follow->waiting[follow->first] : NULL;
}

void follow_sent(struct follow *follow, uint64_t now_us)
{
	const struct follow_waiting *sent = &follow->waiting[follow->first];
	bool late = now_us - sent->since_us > FOLLOW_LATE_US;
	/* What it had missed comes all at once. */
	if (!sent->hidden)
		follow->late = late ? follow->late + 1 : 0;
	shift(follow);
}

void follow_leave(struct follow *follow)
{
	follow->running = false;
}

void follow_drop(struct follow *follow)
{
	while (follow->count)
		shift(follow);
	follow->running = false;
	follow->from = follow->last = 0;
}

bool follow_has(const struct follow *follow, const struct remote_unit *unit)
{
	return follow->from && unit->stream == follow->stream && unit->number >= follow->from &&
	       unit->number <= follow->last;
}
