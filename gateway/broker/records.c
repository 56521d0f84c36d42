#include "broker/records.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/documents.h"
#include "broker/glass.h"
#include "broker/handlers.h"
#include "broker/opening.h"
#include "broker/record_ask.h"
#include "broker/record_local.h"
#include "broker/session.h"
#include "store/records.h"

unsigned records_duty(const struct account *account)
{
	switch ((enum account_role)account->role) {
	case ACCOUNT_ADMIN:
		return DUTY_ADMIN;
	case ACCOUNT_AUDITOR:
		return DUTY_AUDIT;
	case ACCOUNT_STAFF:
		return account->duty == ACCOUNT_DUTY_MANAGE ? DUTY_MANAGE
		       : account->duty == ACCOUNT_DUTY_USE  ? DUTY_USE
							    : 0;
	}
	return 0;
}

/* ---- the entry ------------------------------------------------------------------------- */

/* Each record that the entry is about; what is disposed of is remembered before it happens: both
 * who asked and who agreed want it gone, whatever comes between. */
static enum err note_record(const struct record_ask *ask, struct db *db, json_int_t record)
{
	enum err err = record > 0 ? record_entry_add(db, (uint64_t)record, ask->seq) : ERR_PROTOCOL;

	if (!err && ask->op->flags & OP_DISPOSE)
		err = record_disposed_add(db, (uint64_t)record, ask->seq);
	return err;
}

static enum err write_entry(void *ctx, struct db *db)
{
	struct record_ask *ask = ctx;
	const json_t *records = json_object_get(ask->detail, "records"), *record;
	size_t i;
	enum err err = records_append(&ask->request, db, ask->op->event, records_short(ask->detail),
				      &ask->seq);

	if (!err && ask->record)
		err = note_record(ask, db, (json_int_t)ask->record);
	json_array_foreach(records, i, record)
	{
		if (!err)
			err = note_record(ask, db, json_integer_value(record));
	}
	return err ? err : record_list_note(&ask->about, db, ask->seq);
}

static enum err write_alone(struct record_ask *ask)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = ask->request.broker->db;
	enum err err = db_tx_begin(&tx, db);

	if (!err)
		err = write_entry(ask, db);
	return err ? err : db_tx_commit(&tx);
}

/* What the audit log says of it has not happened. */
static void undo(struct record_ask *ask, enum err why)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = ask->request.broker->db;
	int64_t seq;
	enum err err = db_tx_begin(&tx, db);

	if (!err)
		err = records_append(&ask->request, db, "record-failed",
				     json_pack("{s:s, s:I, s:I, s:s}", "op", ask->op->words,
					       "entry", (json_int_t)ask->seq, "record",
					       (json_int_t)ask->record, "error", err_code(why)),
				     &seq);
	if (!err && ask->record)
		err = record_entry_add(db, ask->record, seq);
	if (!err)
		err = record_disposed_drop(db, ask->seq);
	if (!err)
		err = db_tx_commit(&tx);
	if (err)
		log_error("record-failure-unrecorded", "error=%s", err_code(err));
}

/* ---- on hold ---------------------------------------------------------------------------- */

static enum err take_detail(struct record_ask *ask, const struct msg_record_hold *msg)
{
	ask->detail = msg->detail.len ? json_loadb((const char *)msg->detail.data, msg->detail.len,
						   JSON_REJECT_DUPLICATES, NULL)
				      : json_object();
	if (!json_is_object(ask->detail) || msg->record > INT64_MAX || msg->client > INT64_MAX)
		return ERR_PROTOCOL;
	ask->record = msg->record;
	ask->client = msg->client;
	if (ask->op->number == OP_import_apply)
		ask->by = (uint64_t)json_integer_value(json_object_get(ask->detail, "by"));
	if (ask->glass && json_object_set_new(ask->detail, "glass", json_integer(ask->glass)))
		return ERR_NOMEM;
	if (msg->record &&
	    json_object_set_new(ask->detail, "record", json_integer((json_int_t)msg->record)))
		return ERR_NOMEM;
	if (msg->client &&
	    json_object_set_new(ask->detail, "client", json_integer((json_int_t)msg->client)))
		return ERR_NOMEM;
	return OK;
}

/* Who brought an import must still have to do with records. */
static enum err still_has_duty(const struct record_ask *ask)
{
	struct account account;
	enum err err = account_by_id(ask->request.broker->db, (int64_t)ask->by, &account);

	if (err)
		return err == ERR_NOT_FOUND ? ERR_DENIED : err;
	return account.disabled || !(records_duty(&account) & (DUTY_USE | DUTY_MANAGE)) ? ERR_DENIED
											: OK;
}

/* Whether who asked may still ask this: much may have happened in the meantime. */
static enum err still_allowed(const struct record_ask *ask)
{
	const struct request *request = &ask->request;
	struct db *db = request->broker->db;
	struct account account;
	struct login_row login;
	struct device device;
	enum err err = login_row_by_id(db, request->login.id, &login);

	if (!err)
		err = account_by_id(db, request->account.id, &account);
	if (!err)
		err = device_by_id(db, request->device.id, &device);
	if (err)
		return err == ERR_NOT_FOUND ? ERR_AUTH : err;
	if (account.disabled || device.state != DEVICE_ACTIVE ||
	    !login_device_valid(&device, clock_wall_s()))
		return ERR_AUTH;
	if (login.locked)
		return ERR_LOCKED;
	if (records_duty(&account) != records_duty(&request->account))
		return ERR_DENIED;
	return ask->op->number == OP_import_apply ? still_has_duty(ask) : OK;
}

static enum err write_held(struct record_ask *ask)
{
	_cleanup_secret_ struct secret *code = util_take_ptr(ask->code);

	if (!(ask->op->flags & OP_CODE))
		return write_alone(ask);
	ask->request.now_s = clock_wall_s();
	return opening_take_code_for(&ask->request, code ? secret_text(code) : "", "record",
				     write_entry, ask);
}

static void refuse_held(struct record_ask *ask, enum err why)
{
	bool throttled = why == ERR_THROTTLED && ask->op->flags & OP_CODE; /* answered */
	enum err err;

	record_ask_cancel(ask);
	err = throttled ? records_refusal(&ask->request, ask->op, ask->record, why, "code")
			: records_refused(&ask->request, ask->op, ask->record, why,
					  why == ERR_LOGIN ? "code" : NULL);
	if (err && err != ERR_THROTTLED)
		log_error("record-refusal-unrecorded", "error=%s", err_code(err));
	if (throttled || err == ERR_THROTTLED)
		record_ask_free(ask);
	else
		record_ask_fail(ask, err ? err : why, why == ERR_LOGIN ? "code" : NULL);
}

/* Whoever looks at the recording sees when a number was on the screen beside it; not whose. */
static enum err mark_sessions(const struct record_ask *ask)
{
	char event[128];

	snprintf(event, sizeof(event), "{\"event\":\"vault-reveal\",\"record\":%" PRIu64 "}",
		 ask->record);
	return session_mark(ask->request.broker, ask->request.account.id, event);
}

/* It is done already; what cannot be noted is missing in their histories. */
static void note_made(struct record_ask *ask, struct bytes records)
{
	struct record_list made = { 0 };
	enum err err = record_list_add(&made, records);

	if (!err && made.count > RECORDS_LEAP - ask->made)
		err = ERR_PROTOCOL;
	if (!err)
		err = record_list_note_alone(&made, ask->request.broker->db, ask->seq);
	if (err)
		log_error("record-unnoted", "op=%s error=%s", ask->op->name, err_code(err));
	else
		ask->made += made.count;
	record_list_finish(&made);
}

void records_about(struct broker *broker, const struct msg_record_about *msg)
{
	struct record_ask *ask = record_ask_find(broker, msg->request);
	enum err err;

	if (!ask || !ask->op->event[0])
		return;
	if (ask->may) {
		note_made(ask, msg->records);
		return;
	}
	err = record_list_add(&ask->about, msg->records);
	if (err)
		refuse_held(ask, err);
}

/* Break-glass that does not hold any more takes with it what was asked by it. */
static struct record_ask *find_holding(struct broker *broker, uint32_t number)
{
	struct record_ask *ask = record_ask_find(broker, number);

	if (ask && ask->glass && glass_of(broker, &ask->request.account) != ask->glass) {
		record_ask_drop(ask, ERR_DENIED);
		ask = record_ask_find(broker, number);
	}
	return ask;
}

void records_held(struct broker *broker, const struct msg_record_hold *msg)
{
	struct record_ask *ask = find_holding(broker, msg->request);
	enum err err;

	if (!ask || ask->may || !ask->op->event[0])
		return;
	err = take_detail(ask, msg);
	if (!err)
		err = still_allowed(ask);
	if (!err)
		err = write_held(ask);
	if (err) {
		refuse_held(ask, err);
		return;
	}
	if (ask->op->flags & OP_MARK)
		err = mark_sessions(ask);
	const struct msg_record_go go = { .request = ask->number, .seq = (uint64_t)ask->seq };
	if (!err)
		err = records_tell(broker, MSG_record_go, &go);
	ask->may = !err;
	if (!err)
		return;
	record_ask_cancel(ask);
	undo(ask, err);
	record_ask_fail(ask, err, NULL);
}

/* ---- answers ---------------------------------------------------------------------------- */

/* What somebody may not, and whatever does not come as far as the audit log; slips of the pen do
 * not count. */
static bool is_refusal(const struct record_ask *ask, enum err why)
{
	return why == ERR_DENIED || why == ERR_NOT_FOUND ||
	       (ask->op->event[0] && why != ERR_INVALID);
}

static void answered_error(struct record_ask *ask, const struct msg_record_answer *msg,
			   enum err why)
{
	/* The vault says so of its records, the edge of a login: pages tell them apart by this. */
	const char *field = why == ERR_LOCKED && !*msg->field ? "vault" : msg->field;
	enum err err = OK;

	if (ask->may)
		undo(ask, why);
	else if (is_refusal(ask, why))
		err = records_refused(&ask->request, ask->op, msg->record, why, field);
	if (err == ERR_THROTTLED) {
		record_ask_free(ask);
		return;
	}
	if (err)
		log_error("record-refusal-unrecorded", "error=%s", err_code(err));
	record_ask_fail(ask, err ? err : why, err ? NULL : field);
}

static void answered_body(struct record_ask *ask, struct bytes body)
{
	static const char empty[] = "{}";
	struct request *request = &ask->request;

	if (!body.len)
		body = (struct bytes){ (const uint8_t *)empty, sizeof(empty) - 1 };
	reply_body(request->broker, &request->to, 200, BODY_JSON, body);
	record_ask_free(ask);
}

/* The bytes go by a stream of their own; here is where it is. */
static void answered_stream(struct record_ask *ask, const struct msg_record_answer *msg)
{
	struct request *request = &ask->request;
	const struct documents_order order = {
		.account = request->account.id,
		.device = request->device.id,
		.login = request->login.id,
		.account_name = request->account.name,
		.address = request->head->address,
		.record = ask->record,
		.client = ask->client,
		.event = ask->op->event,
		.seq = (uint64_t)ask->seq,
		.stream = msg->stream,
		.glass = ask->glass,
	};
	char path[DOCUMENTS_PATH];
	json_t *body;
	enum err err = documents_add(request->broker, &order, path);

	if (err) {
		record_ask_fail(ask, err, NULL);
		return;
	}
	body = msg->body.len ? json_loadb((const char *)msg->body.data, msg->body.len,
					  JSON_REJECT_DUPLICATES, NULL)
			     : json_object();
	if (json_object_set_new(body, "stream", json_string(path))) {
		json_decref(body);
		body = NULL;
	}
	reply_json(request->broker, &request->to, 200, "", body);
	record_ask_free(ask);
}

static void answered_history(struct record_ask *ask, const struct msg_record_answer *msg)
{
	struct request *request = &ask->request;
	json_t *rows = NULL;
	enum err err = record_local_history(request, msg->record, ask->after, &rows);

	if (err) {
		record_ask_fail(ask, err, NULL);
		return;
	}
	reply_json(request->broker, &request->to, 200, "", rows);
	record_ask_free(ask);
}

/* A record that the order has made: what the log said of it had no number yet. */
static enum err note_one_made(const struct record_ask *ask, uint64_t record)
{
	return !ask->may || ask->record || !record || record > INT64_MAX
		       ? OK
		       : record_entry_add(ask->request.broker->db, record, ask->seq);
}

void records_answered(struct broker *broker, const struct msg_record_answer *msg)
{
	struct record_ask *ask = find_holding(broker, msg->request);
	enum err err = msg->error < ERR_COUNT ? (enum err)msg->error : ERR_INTERNAL;

	records_raise_floor(broker, msg->counter);
	if (!ask)
		return;
	/* Nothing leaves before the audit log has it. */
	if (!err && ask->op->event[0] && !ask->may) {
		log_error("record-unasked", "op=%s", ask->op->name);
		err = ERR_PROTOCOL;
	}
	if (!err && ask->glass && !ask->op->event[0])
		err = records_looked(&ask->request, ask->op, ask->glass, msg->record);
	if (!err && note_one_made(ask, msg->record))
		log_error("record-history", "entry=%" PRId64, ask->seq);
	if (err)
		answered_error(ask, msg, err);
	else if (ask->op->number == OP_record_history)
		answered_history(ask, msg);
	else if (msg->stream)
		answered_stream(ask, msg);
	else
		answered_body(ask, msg->body);
}
