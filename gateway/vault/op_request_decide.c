/* Operations 32 to 34: a request is approved, refused or withdrawn. */
#include "base/util.h"
#include "vault/disposal.h"
#include "vault/op_request.h"

static enum err decided(struct records *records, const struct desk_ask *ask,
			struct request_case *one, enum request_state state, const char *answer)
{
	json_t *words = NULL;
	enum err err = OK;

	one->request.state = state;
	one->request.decided = ask->now_s;
	one->request.decided_by = ask->who.account;
	if (*answer) {
		err = requests_words(records, &one->request, &one->row, &words);
		if (!err)
			err = requests_put_words(records, &one->request, &one->row,
						 json_string_value(json_object_get(words, "why")),
						 answer);
		json_decref(words);
	}
	return err ? err : requests_set(records, &one->request);
}

static enum err may(const struct request_case *one, enum life_act act, enum request_state *ret)
{
	return life_may((enum request_kind)one->request.kind,
			(enum request_state)one->request.state, one->request.ready, act, &one->part,
			ret);
}

/* ---- approved ----------------------------------------------------------------------------------
 */

static enum err come_true(struct records *records, struct request_case *one)
{
	if (one->request.kind == REQUEST_NUMBER)
		return one->row.state == STATE_ACTIVE && !one->row.removed
			       ? record_use_number(records, &one->row, one->request.version)
			       : ERR_WRONG_STATE;
	if (one->row.state != STATE_WAITING)
		return ERR_WRONG_STATE;
	one->row.state = STATE_ACTIVE;
	return records_set_row(records, &one->row);
}

static enum err approve(struct records *records, const struct desk_ask *ask,
			struct desk_reply *reply, struct request_case *one)
{
	enum request_state next;
	const char *answer = "";
	enum err err = desk_text_or(ask, reply, "answer", REQUEST_WORDS, &answer);

	/* What is disposed of cannot come back: that has an operation of its own, with a code. */
	if (!err && one->request.kind == REQUEST_DISPOSE)
		err = ERR_INVALID;
	if (!err)
		err = may(one, LIFE_APPROVE, &next);
	if (!err && ask->go)
		err = come_true(records, one);
	return err || !ask->go ? err : decided(records, ask, one, next, answer);
}

enum err op_request_approve(struct records *records, const struct desk_ask *ask,
			    struct desk_reply *reply)
{
	enum err err = desk_members(ask, reply, "requests", "answer", NULL);

	return err ? err : request_cases(records, ask, reply, approve);
}

/* ---- refused and withdrawn ---------------------------------------------------------------------
 */

/* What was entered for it is destroyed. */
static enum err undo(struct records *records, struct request_case *one)
{
	struct disposal_count count;

	if (one->request.kind == REQUEST_NUMBER)
		return record_drop_number(records, &one->row, one->request.version);
	if (one->request.kind == REQUEST_DISPOSE)
		return OK;
	one->row.state = STATE_REFUSED;
	return disposal_wipe(records, &one->row, &count);
}

static enum err end(struct records *records, const struct desk_ask *ask, struct request_case *one,
		    enum life_act act, const char *answer)
{
	enum request_state next;
	enum err err = may(one, act, &next);

	if (!err && ask->go)
		err = decided(records, ask, one, next, answer);
	return err || !ask->go ? err : undo(records, one);
}

static enum err refuse(struct records *records, const struct desk_ask *ask,
		       struct desk_reply *reply, struct request_case *one)
{
	const char *answer = "";
	enum err err = desk_text(ask, reply, "answer", REQUEST_WORDS, &answer);

	return err ? err : end(records, ask, one, LIFE_REFUSE, answer);
}

enum err op_request_refuse(struct records *records, const struct desk_ask *ask,
			   struct desk_reply *reply)
{
	enum err err = desk_members(ask, reply, "requests", "answer", NULL);

	return err ? err : request_cases(records, ask, reply, refuse);
}

static enum err withdraw(struct records *records, const struct desk_ask *ask,
			 struct desk_reply *reply, struct request_case *one)
{
	(void)reply;
	return end(records, ask, one, LIFE_WITHDRAW, "");
}

enum err op_request_withdraw(struct records *records, const struct desk_ask *ask,
			     struct desk_reply *reply)
{
	enum err err = desk_members(ask, reply, "requests", NULL);

	return err ? err : request_cases(records, ask, reply, withdraw);
}
