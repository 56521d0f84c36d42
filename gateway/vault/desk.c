#include "vault/desk.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "vault/exports.h"
#include "vault/imports.h"

#define ABOUT_PIECE ((size_t)65536)

/* An order that waits for its entry in the audit log. */
struct desk_pending {
	struct desk_pending *next;
	uint32_t request;
	const struct record_op *op;
	struct desk_person who;
	struct secret *body;
	json_t *said; /* what the entry says, as of desk_reply */
	uint64_t *about;
	size_t about_count;
	uint64_t until_ms;
};

static desk_handler *handler_of(unsigned number)
{
	switch (number) {
#define RECORD_OP(number, name, words, duties, flags, event)                                       \
	case number:                                                                               \
		return (flags)&OP_LOCAL ? NULL : op_##name;
#include "wire/record_ops.def"
#undef RECORD_OP
	default:
		return NULL;
	}
}

/* ---- answers ---------------------------------------------------------------------------- */

static void reply_finish(struct desk_reply *reply)
{
	json_decref(reply->body);
	json_decref(reply->detail);
	free(reply->about);
}

static void say_about(struct desk *desk, uint32_t request, const struct desk_reply *reply)
{
	const uint8_t *data = (const uint8_t *)reply->about;
	const size_t len = reply->about_count * sizeof(*reply->about);

	for (size_t at = 0; at < len; at += ABOUT_PIECE) {
		const struct msg_record_about msg = {
			.request = request, .records = { data + at, MIN(len - at, ABOUT_PIECE) }
		};

		desk->send(desk->ctx, MSG_record_about, &msg);
	}
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "it sends integers as they lie");

static void answer(struct desk *desk, uint32_t request, enum err err,
		   const struct desk_reply *reply)
{
	_cleanup_secret_ struct secret *room = NULL;
	struct msg_record_answer msg = { .request = request,
					 .field = reply->field ? reply->field : "",
					 .counter = desk->records->counter,
					 .record = reply->record,
					 .client = reply->client };

	if (!err && reply->body)
		err = secret_new(NULL, DESK_ANSWER, &room);
	if (!err && reply->body) {
		size_t len = json_dumpb(reply->body, (char *)secret_data(room), DESK_ANSWER,
					JSON_COMPACT);

		if (len > DESK_ANSWER)
			err = ERR_TOO_BIG;
		else
			msg.body = (struct bytes){ secret_data(room), len };
	}
	if (err)
		msg.body = (struct bytes){ 0 };
	msg.error = (uint8_t)err;
	msg.stream = err ? 0 : reply->stream;
	if (!err)
		say_about(desk, request, reply);
	desk->send(desk->ctx, MSG_record_answer, &msg);
}

static enum err hold(struct desk *desk, uint32_t request, const struct desk_reply *reply)
{
	char detail[4096];
	size_t len =
		reply->detail ? json_dumpb(reply->detail, detail, sizeof(detail), JSON_COMPACT) : 0;
	const struct msg_record_hold msg = { .request = request,
					     .record = reply->record,
					     .client = reply->client,
					     .detail = { (const uint8_t *)detail, len } };

	if (len > sizeof(detail))
		return ERR_TOO_BIG;
	say_about(desk, request, reply);
	desk->send(desk->ctx, MSG_record_hold, &msg);
	return OK;
}

/* ---- what waits ------------------------------------------------------------------------- */

static void pending_free(struct desk_pending *pending)
{
	secret_free(pending->body);
	json_decref(pending->said);
	free(pending->about);
	free(pending);
}

static void wait_for_oldest(struct desk *desk)
{
	uint64_t now = clock_mono_ms();

	if (!desk->pending)
		loop_timer_cancel(&desk->timer);
	else
		loop_timer_set(&desk->timer, desk->pending->until_ms > now
						     ? (desk->pending->until_ms - now) * 1000
						     : 1);
}

static struct desk_pending *take_pending(struct desk *desk, uint32_t request)
{
	for (struct desk_pending **link = &desk->pending; *link; link = &(*link)->next) {
		struct desk_pending *found = *link;

		if (found->request != request)
			continue;
		*link = found->next;
		desk->count--;
		wait_for_oldest(desk);
		return found;
	}
	return NULL;
}

static void oldest_is_due(struct loop_timer *timer)
{
	struct desk *desk = container_of(timer, struct desk, timer);
	uint64_t now = clock_mono_ms();

	while (desk->pending && desk->pending->until_ms <= now) {
		struct desk_pending *old = desk->pending;
		const struct desk_reply none = { 0 };

		desk->pending = old->next;
		desk->count--;
		answer(desk, old->request, ERR_TIMEOUT, &none);
		pending_free(old);
	}
	wait_for_oldest(desk);
}

/* Break-glass counts for what has OP_GLASS alone: everything else is answered as without it. */
static struct desk_person who_asks(const struct msg_record_order *order, const struct record_op *op)
{
	unsigned duty = order->duty;

	return (struct desk_person){ order->account,
				     op->flags & OP_GLASS ? duty : duty & ~(unsigned)DUTY_GLASS };
}

static enum err pending_new(const struct msg_record_order *order, const struct record_op *op,
			    struct desk_pending **ret)
{
	struct desk_pending *pending = calloc(1, sizeof(*pending));
	enum err err =
		pending ? secret_new(order->body.data, order->body.len, &pending->body) : ERR_NOMEM;

	if (err) {
		free(pending);
		return err;
	}
	pending->request = order->request;
	pending->op = op;
	pending->who = who_asks(order, op);
	*ret = pending;
	return OK;
}

static void wait_for_entry(struct desk *desk, struct desk_pending *pending)
{
	struct desk_pending **link = &desk->pending;

	pending->until_ms = clock_mono_ms() + DESK_HOLD_MS;
	while (*link)
		link = &(*link)->next;
	*link = pending;
	desk->count++;
	wait_for_oldest(desk);
}

/* ---- orders ----------------------------------------------------------------------------- */

static void json_freep(json_t **json)
{
	json_decref(*json);
}

static enum err parse(const void *data, size_t len, json_t **ret)
{
	json_t *json = len ? json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL) : json_object();

	if (!json || !json_is_object(json)) {
		json_decref(json);
		return ERR_INVALID;
	}
	*ret = json;
	return OK;
}

/* As long as something is kept for a time. */
static void tidy(struct loop_timer *timer)
{
	struct desk *desk = container_of(timer, struct desk, tidy);
	const int64_t now_s = clock_wall_s();

	if (desk->records->state == RECORDS_SEALED)
		return;
	imports_expire(desk->records, now_s);
	exports_expire(desk->records, now_s);
	if (desk->records->imports || desk->records->exports)
		loop_timer_set(&desk->tidy, DESK_TIDY_S * 1000000ULL);
}

static enum err call(struct desk *desk, const struct record_op *op, struct desk_ask *ask,
		     const void *data, size_t len, struct desk_reply *reply)
{
	_cleanup_(json_freep) json_t *body = NULL;
	desk_handler *handler = handler_of(op->number);
	enum err err = records_usable(desk->records, &reply->field);

	if (!err)
		err = handler ? parse(data, len, &body) : ERR_NOT_FOUND;
	if (err)
		return err;
	ask->op = op->number;
	ask->body = body;
	ask->now_s = clock_wall_s();
	imports_expire(desk->records, ask->now_s);
	exports_expire(desk->records, ask->now_s);
	err = handler(desk->records, ask, reply);
	if (!loop_timer_running(&desk->tidy) && (desk->records->imports || desk->records->exports))
		loop_timer_set(&desk->tidy, DESK_TIDY_S * 1000000ULL);
	return err;
}

/* Asks the audit log, and waits for it; pending is taken over. */
static void ask_log(struct desk *desk, struct desk_pending *pending, struct desk_reply *reply)
{
	const uint32_t request = pending->request;
	enum err err;

	wait_for_entry(desk, pending);
	err = hold(desk, request, reply);
	if (!err) {
		pending->said = util_take_ptr(reply->detail);
		pending->about = util_take_ptr(reply->about);
		pending->about_count = reply->about_count;
		return;
	}
	desk_cancel(desk, request);
	answer(desk, request, err, reply);
}

/* ---- those that take long --------------------------------------------------------------- */

struct desk_job {
	struct desk_job *next;
	struct job job;
	struct desk *desk;
	struct desk_pending *order;
	struct desk_ask ask;
	struct desk_reply reply;
	enum err err;
};

static void job_free(struct desk_job *job)
{
	struct desk_job **link = &job->desk->long_ones;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	if (job->order)
		pending_free(job->order);
	reply_finish(&job->reply);
	free(job);
}

static void job_run(struct job *base)
{
	struct desk_job *job = container_of(base, struct desk_job, job);
	const struct desk_pending *order = job->order;

	job->err = call(job->desk, order->op, &job->ask, secret_text(order->body),
			secret_len(order->body), &job->reply);
}

/* What the entry lets happen. */
static struct desk_ask ask_of(const struct desk_pending *pending, uint64_t seq)
{
	return (struct desk_ask){ .who = pending->who,
				  .go = true,
				  .seq = seq,
				  .said = pending->said,
				  .about = pending->about,
				  .about_count = pending->about_count };
}

static enum err change(struct desk *desk, const struct desk_pending *pending, uint64_t seq,
		       struct desk_reply *reply);

static void job_change(struct job *base)
{
	struct desk_job *job = container_of(base, struct desk_job, job);

	job->err = change(job->desk, job->order, job->ask.seq, &job->reply);
}

static void job_done(struct job *base)
{
	struct desk_job *job = container_of(base, struct desk_job, job);
	struct desk *desk = job->desk;

	if (!job->err && !job->ask.go)
		ask_log(desk, util_take_ptr(job->order), &job->reply);
	else
		answer(desk, job->order->request, job->err, &job->reply);
	job_free(job);
}

/* Later, between others. order is taken over. */
static void begin_job(struct desk *desk, struct desk_pending *order, bool go, uint64_t seq)
{
	struct desk_reply reply = { 0 };
	struct desk_job *job = calloc(1, sizeof(*job));
	const bool changes = go && !(order->op->flags & OP_LOOK);
	enum err err = ERR_NOMEM;

	if (job) {
		*job = (struct desk_job){
			.next = desk->long_ones,
			.desk = desk,
			.order = order,
			.ask = go ? ask_of(order, seq) : (struct desk_ask){ .who = order->who },
			.job = { .run = job_run,
				 .done = job_done,
				 .kind = changes ? JOB_CHANGES : JOB_LOOKS,
				 .account = order->who.account,
				 .op = order->op->number },
		};
		if (!(order->op->flags & OP_LONG)) {
			job->job.kind = JOB_WAITS;
			job->job.run = job_change;
		}
		err = jobs_add(&desk->jobs, &job->job, &reply.field);
	}
	if (!err) {
		desk->long_ones = job;
		return;
	}
	answer(desk, order->request, err, &reply);
	pending_free(order);
	free(job);
}

static bool drop_job(struct desk *desk, uint32_t request)
{
	struct desk_job *job = desk->long_ones;

	while (job && job->order->request != request)
		job = job->next;
	if (!job)
		return false;
	jobs_drop(&desk->jobs, &job->job);
	/* The audit log has it already. */
	if (job->ask.go && job->order->op->event[0])
		answer(desk, request, ERR_CLOSED, &job->reply);
	job_free(job);
	return true;
}

/* ---- orders, one by one ----------------------------------------------------------------- */

/* The broker has looked at the duty already. */
static bool may_ask(const struct msg_record_order *order, const struct record_op *op)
{
	const bool glass = order->duty & DUTY_GLASS && op->flags & OP_GLASS;
	const unsigned duty = order->duty & ~(unsigned)DUTY_GLASS;

	return (op->duties | (glass ? DUTY_USE | DUTY_MANAGE : 0)) & duty && !(duty & (duty - 1));
}

static enum err order(struct desk *desk, const struct msg_record_order *order,
		      const struct record_op *op, struct desk_reply *reply)
{
	struct desk_ask ask = { .who = who_asks(order, op), .go = !op->event[0] };

	return call(desk, op, &ask, order->body.data, order->body.len, reply);
}

static enum err check_order(const struct desk *desk, const struct msg_record_order *order,
			    const struct record_op *op)
{
	if (!op)
		return ERR_NOT_FOUND;
	if (!may_ask(order, op))
		return ERR_DENIED;
	return op->event[0] && desk->count >= DESK_PENDING ? ERR_FULL : OK;
}

void desk_order(struct desk *desk, const struct msg_record_order *msg)
{
	_cleanup_(reply_finish) struct desk_reply reply = { 0 };
	const struct record_op *op = record_op_find(msg->op);
	struct desk_pending *pending = NULL;
	enum err err = check_order(desk, msg, op);
	const bool later = !err && op->flags & OP_LONG;

	if (!err && !later)
		err = order(desk, msg, op, &reply);
	if (!err && (later || op->event[0]))
		err = pending_new(msg, op, &pending);
	if (err || !pending)
		answer(desk, msg->request, err, &reply);
	else if (later)
		begin_job(desk, pending, !op->event[0], 0);
	else
		ask_log(desk, pending, &reply);
}

static enum err change(struct desk *desk, const struct desk_pending *pending, uint64_t seq,
		       struct desk_reply *reply)
{
	struct records *records = desk->records;
	struct desk_ask ask = ask_of(pending, seq);
	bool looks = pending->op->flags & OP_LOOK;
	enum err err = records_usable(records, &reply->field);

	if (!err && !looks)
		err = records_begin(records);
	if (err)
		return err;
	err = call(desk, pending->op, &ask, secret_text(pending->body), secret_len(pending->body),
		   reply);
	if (!err && !looks)
		err = records_commit(records, seq);
	records_abort(records);
	return err;
}

/* An entry lets one thing happen, once. */
static enum err take_entry(struct desk *desk, uint64_t seq, struct desk_reply *reply)
{
	struct records *records = desk->records;
	enum err err = records_usable(records, &reply->field);

	if (!err && seq <= records->seq)
		err = ERR_DENIED;
	if (!err)
		records->seq = seq;
	return err;
}

void desk_go(struct desk *desk, const struct msg_record_go *go)
{
	_cleanup_(reply_finish) struct desk_reply reply = { 0 };
	struct desk_pending *pending = take_pending(desk, go->request);
	enum err err = pending ? take_entry(desk, go->seq, &reply) : ERR_EXPIRED;

	if (!err && (pending->op->flags & OP_LONG ||
		     (desk->records->settling && !(pending->op->flags & OP_LOOK)))) {
		begin_job(desk, pending, true, go->seq);
		return;
	}
	if (!err)
		err = change(desk, pending, go->seq, &reply);
	answer(desk, go->request, err, &reply);
	if (pending)
		pending_free(pending);
}

void desk_cancel(struct desk *desk, uint32_t request)
{
	struct desk_pending *pending = take_pending(desk, request);

	if (pending)
		pending_free(pending);
	else if (drop_job(desk, request))
		log_info("vault-job-dropped", "request=%u", request);
}

void desk_ready(struct desk *desk)
{
	jobs_sweep(&desk->jobs);
}

void desk_init(struct desk *desk, struct records *records, struct loop *loop, desk_send *send,
	       void *ctx)
{
	*desk = (struct desk){ .records = records, .send = send, .ctx = ctx };
	loop_timer_init(loop, &desk->timer, oldest_is_due);
	loop_timer_init(loop, &desk->tidy, tidy);
	jobs_init(&desk->jobs, records, loop);
	records->jobs = &desk->jobs;
}

void desk_clear(struct desk *desk)
{
	while (desk->pending) {
		struct desk_pending *next = desk->pending->next;

		pending_free(desk->pending);
		desk->pending = next;
	}
	while (desk->long_ones) {
		jobs_drop(&desk->jobs, &desk->long_ones->job);
		job_free(desk->long_ones);
	}
	jobs_clear(&desk->jobs);
	desk->count = 0;
	loop_timer_cancel(&desk->timer);
}
