#include "worker/control.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/session.h"

enum { SECOND_US = 1000000 };

static struct watch_place *controller(const struct worker *worker)
{
	for (size_t i = 0; i < WATCH_PLACES; i++) {
		const struct watch_place *place = &worker->watch.places[i];
		if (place->viewer && place->state == WATCH_CONTROLLING)
			return (struct watch_place *)(uintptr_t)place;
	}
	return NULL;
}

bool control_active(const struct worker *worker)
{
	return controller(worker) != NULL;
}

bool control_possible(const struct watch_place *place)
{
	return place->may_control && !place->worker->hands.view_only;
}

/* ---- asking ----------------------------------------------------------------------------- */

static uint32_t seconds_until(uint64_t due_us)
{
	uint64_t now = clock_mono_us();
	return due_us <= now ? 0 : (uint32_t)((due_us - now + SECOND_US - 1) / SECOND_US);
}

uint32_t control_answer_left(const struct watch_place *place)
{
	bool asks = place->state == WATCH_ASKING && !place->agreed;
	return asks ? MAX(seconds_until(place->answer.due_us), 1u) : 0;
}

static void notice(struct watch_place *place, enum notice_kind kind, uint32_t seconds)
{
	const struct msg_notice msg = { .kind = (uint8_t)kind, .seconds = seconds };
	if (place->viewer)
		viewer_send_keyed(place->viewer, kind, MSG_notice, &msg);
}

/* One at a time: a person who is asked twice at once does not know whom the answer is for. */
static bool others_ask(const struct watch_place *place)
{
	const struct watch *watch = &place->worker->watch;
	for (size_t i = 0; i < WATCH_PLACES; i++)
		if (&watch->places[i] != place && watch->places[i].viewer &&
		    watch->places[i].state != WATCH_LOOKING)
			return true;
	return false;
}

void control_ask(struct watch_place *place)
{
	uint32_t wait_s = seconds_until(place->again_us);
	if (place->state != WATCH_LOOKING)
		return;
	if (!control_possible(place) || !place->shown || wait_s || others_ask(place)) {
		notice(place, NOTICE_CONTROL_BUSY, wait_s);
		return;
	}
	place->state = WATCH_ASKING;
	place->agreed = false;
	loop_timer_set(&place->answer, (uint64_t)CONTROL_ANSWER_S * SECOND_US);
	log_info("control-asked", "watch=%u", place->number);
	watch_say(place, WATCH_ASKED, WATCH_WHY_NONE);
	watch_record(place, "control-asked", WATCH_WHY_NONE);
	watch_tell_all(place);
}

static void refuse(struct watch_place *place, enum watch_why why)
{
	loop_timer_cancel(&place->answer);
	place->state = WATCH_LOOKING;
	place->again_us = clock_mono_us() + (uint64_t)CONTROL_AGAIN_S * SECOND_US;
	/* What the broker was told of is ended when its answer comes. */
	if (!place->agreed)
		watch_say(place, WATCH_REFUSED, why);
	place->agreed = false;
	watch_record(place, "control-refused", why);
	notice(place, NOTICE_CONTROL_REFUSED, CONTROL_AGAIN_S);
	watch_tell_all(place);
}

void control_answer_due(struct loop_timer *timer)
{
	struct watch_place *place = container_of(timer, struct watch_place, answer);
	if (place->viewer && place->state == WATCH_ASKING)
		refuse(place, place->agreed ? WATCH_WHY_GATEWAY : WATCH_WHY_TIME);
}

void control_answer(struct worker *worker, uint32_t watch, bool yes)
{
	struct watch_place *place = watch_find(worker, watch);
	if (!place || place->state != WATCH_ASKING || place->agreed)
		return;
	if (!yes) {
		refuse(place, WATCH_WHY_PERSON);
		return;
	}
	place->agreed = true;
	watch_say(place, WATCH_AGREED, WATCH_WHY_NONE);
	watch_tell_all(place);
}

void control_allowed(struct worker *worker, const struct msg_watch_control *msg)
{
	struct watch_place *place = watch_find(worker, msg->watch);
	if (!place)
		return;
	if (place->state != WATCH_ASKING || !place->agreed) {
		if (msg->given && place->state != WATCH_CONTROLLING)
			watch_say(place, WATCH_ENDED, WATCH_WHY_AWAY);
		return;
	}
	if (!msg->given) {
		refuse(place, WATCH_WHY_GATEWAY);
		return;
	}
	loop_timer_cancel(&place->answer);
	/* What the person holds down is not the other's to keep. */
	hands_release(&worker->hands);
	place->agreed = false;
	place->state = WATCH_CONTROLLING;
	log_info("control-given", "watch=%u", place->number);
	watch_record(place, "control-given", WATCH_WHY_NONE);
	watch_tell_all(place);
}

/* ---- the end ---------------------------------------------------------------------------- */

void control_end(struct watch_place *place, enum watch_why why)
{
	if (!place->viewer || place->state == WATCH_LOOKING)
		return;
	if (place->state == WATCH_ASKING) {
		refuse(place, why);
		return;
	}
	/* While it still controls: these are its keys. */
	hands_release(&place->worker->hands);
	place->state = WATCH_LOOKING;
	log_info("control-ended", "watch=%u why=%s", place->number, watch_why_code(why));
	watch_say(place, WATCH_ENDED, why);
	watch_record(place, "control-ended", why);
	notice(place, NOTICE_CONTROL_ENDED, 0);
	watch_tell_all(place);
}

void control_take_back(struct worker *worker)
{
	struct watch_place *place = controller(worker);
	if (place)
		control_end(place, WATCH_WHY_PERSON);
}

/* ---- input ------------------------------------------------------------------------------ */

static struct worker *controlled_by(const struct watch_place *place)
{
	return place && place->state == WATCH_CONTROLLING ? place->worker : NULL;
}

void control_key(struct watch_place *place, const struct msg_key *key)
{
	struct worker *worker = controlled_by(place);
	if (!worker)
		return;
	recorder_key(worker->recorder, 0, key);
	hands_key(&worker->hands, key);
}

void control_text(struct watch_place *place, const char *text)
{
	struct worker *worker = controlled_by(place);
	if (!worker)
		return;
	recorder_text(worker->recorder, 0, text);
	hands_text(&worker->hands, text);
}

/* It sees all monitors side by side; the recording has each by itself. */
static void record_pointer(const struct worker *worker, const struct msg_pointer *pointer)
{
	struct msg_pointer local = *pointer;
	unsigned window = layout_at(&worker->hands.layout, &local.x, &local.y);
	recorder_pointer(worker->recorder, window, &local);
}

void control_pointer(struct watch_place *place, const struct msg_pointer *pointer)
{
	struct worker *worker = controlled_by(place);
	if (!worker)
		return;
	record_pointer(worker, pointer);
	hands_pointer(&worker->hands, LAYOUT_MONITORS, pointer);
}

void control_release(struct watch_place *place)
{
	struct worker *worker = controlled_by(place);
	if (worker)
		hands_release(&worker->hands);
}
