#include "broker/record_ask.h"

#include <string.h>

#include "base/log.h"
#include "broker/handlers.h"
#include "broker/record_local.h"

/* ---- the list --------------------------------------------------------------------------- */

struct record_ask *record_ask_find(struct broker *broker, uint32_t number)
{
	struct record_ask *ask = broker->asks;

	while (ask && ask->number != number)
		ask = ask->next;
	return ask;
}

void record_ask_free(struct record_ask *ask)
{
	struct record_ask **link = &ask->request.broker->asks;

	while (*link != ask)
		link = &(*link)->next;
	*link = ask->next;
	loop_timer_cancel(&ask->timer);
	secret_free(ask->code);
	json_decref(ask->detail);
	record_list_finish(&ask->about);
	free(ask);
}

/* The vault forgets it by itself if it does not hear this. */
void record_ask_cancel(const struct record_ask *ask)
{
	const struct msg_record_cancel msg = { .request = ask->number };
	enum err err = records_tell(ask->request.broker, MSG_record_cancel, &msg);

	if (err)
		log_warn("record-cancel", "error=%s", err_code(err));
}

void record_ask_fail(struct record_ask *ask, enum err err, const char *field)
{
	struct request *request = &ask->request;

	if (field && *field)
		reply_error_field(request->broker, &request->to, err, field);
	else
		reply_error(request->broker, &request->to, err);
	record_ask_free(ask);
}

/* What happens already is seen to its end, for the audit log; but nobody gets the answer. What
 * takes long ends, too, and the vault says that it has not happened. */
void record_ask_drop(struct record_ask *ask, enum err why)
{
	reply_error(ask->request.broker, &ask->request.to, why);
	ask->request.to.generation = 0;
	if (!ask->may || ask->op->flags & OP_LONG)
		record_ask_cancel(ask);
	if (!ask->may)
		record_ask_free(ask);
}

static void ask_due(struct loop_timer *timer)
{
	struct record_ask *ask = container_of(timer, struct record_ask, timer);

	log_warn("record-timeout", "op=%s", ask->op->name);
	if (ask->may && ask->op->flags & OP_LONG && ask->request.to.generation) {
		record_ask_drop(ask, ERR_TIMEOUT);
		loop_timer_set(&ask->timer, RECORDS_WAIT_S * 1000000ULL);
		return;
	}
	if (!ask->may)
		record_ask_cancel(ask);
	record_ask_fail(ask, ERR_TIMEOUT, NULL);
}

static enum err check_room(struct request *request)
{
	size_t all = 0, mine = 0;

	for (const struct record_ask *ask = request->broker->asks; ask; ask = ask->next) {
		all++;
		mine += ask->request.account.id == request->account.id;
	}
	if (all < RECORDS_ALL && mine < RECORDS_MINE)
		return OK;
	reply_throttled(request->broker, &request->to, 1000);
	return ERR_THROTTLED;
}

static struct record_ask *add(struct request *request, const struct record_op *op)
{
	struct broker *broker = request->broker;
	struct record_ask *ask = calloc(1, sizeof(*ask));

	if (!ask)
		return NULL;
	if (++broker->ask_number == 0)
		broker->ask_number = 1;
	ask->next = broker->asks;
	ask->request = *request;
	ask->request.msg = NULL;
	ask->request.head = &ask->head;
	snprintf(ask->address, sizeof(ask->address), "%s", request->head->address);
	ask->head = (struct request_head){ .address = ask->address, .token = "" };
	ask->number = broker->ask_number;
	ask->op = op;
	ask->glass = records_glass(request, op);
	loop_timer_init(broker->loop, &ask->timer, ask_due);
	loop_timer_set(&ask->timer,
		       (op->flags & OP_LONG ? RECORDS_LONG_S : RECORDS_WAIT_S) * 1000000ULL);
	broker->asks = ask;
	return ask;
}

enum err records_ask(struct request *request, const struct record_op *op, struct bytes body,
		     struct secret *code)
{
	_cleanup_secret_ struct secret *taken = code;
	struct record_ask *ask;
	enum err err = check_room(request);

	if (err)
		return err;
	ask = add(request, op);
	if (!ask)
		return ERR_NOMEM;
	const struct msg_record_order order = {
		.request = ask->number,
		.account = (uint64_t)request->account.id,
		.duty = (uint8_t)(records_duty(&request->account) | (ask->glass ? DUTY_GLASS : 0)),
		.op = op->number,
		.body = body,
	};
	ask->code = util_take_ptr(taken);
	if (op->number == OP_record_history)
		ask->after = record_local_after(body);
	err = records_tell(request->broker, MSG_record_order, &order);
	if (err)
		record_ask_free(ask);
	return err;
}

/* ---- how they end ------------------------------------------------------------------------ */

void records_vault_gone(struct broker *broker)
{
	while (broker->asks)
		record_ask_fail(broker->asks, ERR_UNAVAILABLE, NULL);
}

void records_cut(struct broker *broker, int64_t account, int64_t device)
{
	struct record_ask *next;

	for (struct record_ask *ask = broker->asks; ask; ask = next) {
		next = ask->next;
		if ((account && ask->request.account.id != account &&
		     (int64_t)ask->by != account) ||
		    (device && ask->request.device.id != device))
			continue;
		record_ask_drop(ask, ERR_DENIED);
	}
}

void records_end_glass(struct broker *broker, int64_t glass)
{
	struct record_ask *next;

	for (struct record_ask *ask = broker->asks; ask; ask = next) {
		next = ask->next;
		if (ask->glass == glass)
			record_ask_drop(ask, ERR_DENIED);
	}
}

void records_leave_login(struct broker *broker, int64_t login)
{
	struct record_ask *next;

	for (struct record_ask *ask = broker->asks; ask; ask = next) {
		next = ask->next;
		if (ask->request.login.id == login)
			record_ask_drop(ask, ERR_AUTH);
	}
}

void records_ask_gone(struct broker *broker, uint32_t request)
{
	struct record_ask *ask = broker->asks;

	while (ask && (ask->request.to.request != request ||
		       ask->request.to.generation != broker->edge_generation))
		ask = ask->next;
	if (!ask || ask->may)
		return;
	record_ask_cancel(ask);
	record_ask_free(ask);
}

void records_edge_gone(struct broker *broker)
{
	struct record_ask *next;

	for (struct record_ask *ask = broker->asks; ask; ask = next) {
		next = ask->next;
		record_ask_drop(ask, ERR_UNAVAILABLE);
	}
}

void records_forget_all(struct broker *broker)
{
	while (broker->asks)
		record_ask_free(broker->asks);
}
