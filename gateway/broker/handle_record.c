/*
 * handle_record.c - what people ask of the vault's records (docs/protocol.md §9): whether it is
 * their duty at all, and the code where one is wanted. Every refusal is in the audit log.
 */
#include <string.h>

#include "broker/glass.h"
#include "broker/handlers.h"
#include "broker/opening.h"
#include "broker/quota.h"
#include "broker/record_local.h"
#include "broker/records.h"

enum { CODE_MAX = 16 };

static void json_freep(json_t **json)
{
	json_decref(*json);
}

static enum err parse(struct bytes body, json_t **ret)
{
	*ret = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
	return json_is_object(*ret) ? OK : ERR_INVALID;
}

static enum err refuse(struct request *request, const struct record_op *op, enum err why,
		       const char *field)
{
	enum err err = records_refused(request, op, 0, why, field);

	if (err == ERR_THROTTLED)
		return OK;
	if (err || !field)
		return err ? err : why;
	reply_error_field(request->broker, &request->to, why, field);
	return OK;
}

/* ---- here ------------------------------------------------------------------------------- */

static enum err answer_here(struct request *request, const struct record_op *op)
{
	_cleanup_(json_freep) json_t *body = NULL;
	record_local *handler = record_local_find(op->number);
	const char *field = NULL;
	json_t *answer = NULL;
	enum err err = handler ? parse(request->msg->record_ask.body, &body) : ERR_NOT_FOUND;

	if (!err)
		err = handler(request, body, &answer, &field);
	if (err == ERR_THROTTLED)
		return OK; /* answered */
	if (err && err != ERR_INVALID && op->event[0])
		return refuse(request, op, err, field);
	if (!err)
		reply_json(request->broker, &request->to, 200, "", answer);
	else if (field)
		reply_error_field(request->broker, &request->to, err, field);
	return field ? OK : err;
}

/* ---- in the vault ----------------------------------------------------------------------- */

/* The code goes no farther than here. */
static enum err take_code(struct bytes given, struct secret **ret_code, struct secret **ret_body)
{
	_cleanup_(json_freep) json_t *body = NULL;
	enum err err = parse(given, &body);
	const json_t *code = json_object_get(body, "code");
	size_t len = json_string_length(code);

	if (err || len < 1 || len > CODE_MAX)
		return ERR_INVALID;
	err = secret_new(json_string_value(code), len, ret_code);
	if (err)
		return err;
	json_object_del(body, "code");
	char *text = json_dumps(body, JSON_COMPACT);
	err = text ? secret_new(text, strlen(text), ret_body) : ERR_NOMEM;
	reply_text_free(text);
	return err;
}

static enum err ask_vault(struct request *request, const struct record_op *op)
{
	_cleanup_secret_ struct secret *code = NULL, *rest = NULL;
	struct bytes body = request->msg->record_ask.body;
	enum err err = opening_check_vault(request->broker);

	if (err) {
		reply_error_field(request->broker, &request->to, err, "vault");
		return OK;
	}
	if (op->flags & OP_CODE) {
		err = take_code(body, &code, &rest);
		if (err == ERR_INVALID) {
			reply_error_field(request->broker, &request->to, err, "code");
			return OK;
		}
		if (err)
			return err;
		body = (struct bytes){ (const uint8_t *)secret_text(rest), secret_len(rest) };
	}
	err = records_ask(request, op, body, util_take_ptr(code));
	return err == ERR_THROTTLED ? OK : err;
}

static bool may_ask(struct request *request, const struct record_op *op)
{
	return op->duties & records_duty(&request->account) ||
	       (op->flags & OP_GLASS && glass_of(request->broker, &request->account));
}

enum err handle_record_ask(struct request *request)
{
	const struct record_op *op = record_op_find(request->msg->record_ask.op);
	enum err err;

	if (!op)
		return ERR_NOT_FOUND;
	err = quota_take(request->broker, &request->to, request->account.id, QUOTA_RECORD);
	if (err)
		return err == ERR_THROTTLED ? OK : err;
	if (!may_ask(request, op))
		return refuse(request, op, ERR_DENIED, NULL);
	if (op->flags & OP_FEW)
		err = quota_take(request->broker, &request->to, request->account.id,
				 QUOTA_RECORD_FEW);
	if (err)
		return err == ERR_THROTTLED ? OK : err;
	return op->flags & OP_LOCAL ? answer_here(request, op) : ask_vault(request, op);
}
