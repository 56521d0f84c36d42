#include "broker/glass.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/documents.h"
#include "broker/opening.h"
#include "broker/quota.h"
#include "broker/record_local.h"
#include "broker/records.h"
#include "store/audit_rows.h"

enum { REASON_BYTES = 1024 + 1 /* opening_purpose_is_good */ };

struct party {
	int64_t id; /* 0: nobody yet */
	char name[ACCOUNT_NAME_MAX + 1];
	char full_name[ACCOUNT_FULL_NAME_MAX * 4 + 1];
};

struct glass {
	struct glass *next;
	struct broker *broker;
	int64_t number;                /* of the entry that asked */
	struct party person, by, with; /* who looks, who has asked, who has agreed */
	char reason[REASON_BYTES];
	int64_t asked_s, until_s;
	bool open;
	struct loop_timer timer;
};

static void party_init(struct party *party, const struct account *account)
{
	party->id = account->id;
	snprintf(party->name, sizeof(party->name), "%s", account->name);
	snprintf(party->full_name, sizeof(party->full_name), "%s", account->full_name);
}

/* ---- the end ---------------------------------------------------------------------------- */

/* number 0: the entry's own. */
static json_t *detail_of(const struct glass *glass, const struct party *with)
{
	return json_pack("{s:o*, s:s, s:s, s:s*, s:s}", "glass",
			 glass->number ? json_integer(glass->number) : NULL, "person",
			 glass->person.name, "asked_by", glass->by.name, "agreed_by",
			 with->id ? with->name : NULL, "reason", glass->reason);
}

static void unlink_it(struct glass *glass)
{
	struct glass **link = &glass->broker->glasses;

	while (*link != glass)
		link = &(*link)->next;
	*link = glass->next;
	loop_timer_cancel(&glass->timer);
}

/* It is over before anything can go wrong with the entry. entry: of who ended it; why: a code. */
static enum err finish(struct glass *glass, struct audit_entry entry, const char *why)
{
	struct broker *broker = glass->broker;
	enum err err;

	unlink_it(glass);
	records_end_glass(broker, glass->number);
	documents_end_glass(broker, glass->number);
	entry.event = glass->open ? "glass-end" : "glass-refuse";
	entry.detail = detail_of(glass, &glass->with);
	json_object_set_new(entry.detail, "why", json_string(why));
	log_warn(entry.event, "glass=%" PRId64 " person=%s why=%s", glass->number,
		 glass->person.name, why);
	err = broker_audit(broker, &entry);
	if (err)
		log_error("glass-unrecorded", "error=%s", err_code(err));
	free(glass);
	return err;
}

static void finish_alone(struct glass *glass, const char *why)
{
	enum err err = finish(glass, (struct audit_entry){ 0 }, why);

	(void)err; /* said already, and nobody waits for it */
}

static void due(struct loop_timer *timer)
{
	finish_alone(container_of(timer, struct glass, timer), "time");
}

void glass_cut(struct broker *broker, int64_t account)
{
	struct glass *next;

	for (struct glass *glass = broker->glasses; glass; glass = next) {
		next = glass->next;
		if (glass->person.id == account || glass->by.id == account ||
		    glass->with.id == account)
			finish_alone(glass, "rights");
	}
}

void glass_vault_gone(struct broker *broker)
{
	while (broker->glasses)
		finish_alone(broker->glasses, "sealed");
}

void glass_forget_all(struct broker *broker)
{
	while (broker->glasses) {
		struct glass *glass = broker->glasses;

		unlink_it(glass);
		free(glass);
	}
}

/* ---- whether it holds ------------------------------------------------------------------- */

static bool has_duty(struct broker *broker, const struct party *party, unsigned duties)
{
	struct account account;

	return !account_by_id(broker->db, party->id, &account) && !account.disabled &&
	       !account.locked && records_duty(&account) & duties;
}

static bool holds(const struct glass *glass)
{
	struct broker *broker = glass->broker;

	return has_duty(broker, &glass->person, DUTY_USE | DUTY_MANAGE) &&
	       has_duty(broker, &glass->by, DUTY_MANAGE) &&
	       (!glass->open || has_duty(broker, &glass->with, DUTY_MANAGE));
}

/* NULL: it holds. */
static const char *why_over(const struct glass *glass)
{
	if (clock_wall_s() >= glass->until_s)
		return "time";
	return holds(glass) ? NULL : "rights";
}

/* One that does not hold ends by this, and is NULL. */
static struct glass *check(struct glass *glass)
{
	const char *why = why_over(glass);

	if (!why)
		return glass;
	finish_alone(glass, why);
	return NULL;
}

static struct glass *of_person(struct broker *broker, int64_t account)
{
	struct glass *glass = broker->glasses;

	while (glass && glass->person.id != account)
		glass = glass->next;
	return glass ? check(glass) : NULL;
}

int64_t glass_of(const struct broker *broker, const struct account *account)
{
	const struct glass *glass = broker->glasses;

	while (glass && (!glass->open || glass->person.id != account->id))
		glass = glass->next;
	return glass && !why_over(glass) ? glass->number : 0;
}

void glass_tick(struct broker *broker)
{
	struct glass *next;

	for (struct glass *glass = broker->glasses; glass; glass = next) {
		next = glass->next;
		check(glass);
	}
}

/* ---- what is in a body ------------------------------------------------------------------ */

static bool has_only(const json_t *body, size_t count)
{
	return json_object_size(body) <= count;
}

static enum err wrong(const char **ret_field, enum err err, const char *field)
{
	*ret_field = field;
	return err;
}

static struct glass *find(struct broker *broker, const json_t *body)
{
	json_int_t number = json_integer_value(json_object_get(body, "glass"));
	struct glass *glass = broker->glasses;

	while (glass && glass->number != number)
		glass = glass->next;
	return glass ? check(glass) : NULL;
}

/* The code, or NULL. */
static const char *code_of(const json_t *body)
{
	const json_t *code = json_object_get(body, "code");

	return json_string_length(code) >= 1 && json_string_length(code) <= 16
		       ? json_string_value(code)
		       : NULL;
}

struct step {
	struct glass *glass;
	struct request *request;
	const char *event;
	struct party with; /* who agrees by it */
	int64_t seq;
};

static enum err write_step(void *ctx, struct db *db)
{
	struct step *step = ctx;
	json_t *detail = detail_of(step->glass, &step->with);
	const struct audit_entry entry = request_audit(step->request, step->event, detail);
	enum err err = detail ? audit_append(db, &entry) : ERR_NOMEM;

	return err ? err : audit_row_last(db, &step->seq);
}

/* The code is used up with the entry. */
static enum err take_step(struct step *step, const char *code, const char **ret_field)
{
	enum err err = opening_take_code_for(step->request, code, "glass", write_step, step);

	if (err == ERR_LOGIN)
		*ret_field = "code";
	if (!err)
		log_warn(step->event,
			 "user=%s person=%s hint=\"somebody looks at records without "
			 "grants\"",
			 step->request->account.name, step->glass->person.name);
	return err;
}

/* ---- asking ----------------------------------------------------------------------------- */

/* Whom it is for; nobody named: who asks. */
static enum err find_person(struct request *request, const json_t *body, struct account *ret)
{
	const json_t *id = json_object_get(body, "account");
	enum err err;

	if (!id) {
		*ret = request->account;
		return OK;
	}
	err = account_by_id(request->broker->db, json_integer_value(id), ret);
	if (!err &&
	    (ret->disabled || ret->locked || !(records_duty(ret) & (DUTY_USE | DUTY_MANAGE))))
		err = ERR_NOT_FOUND;
	return err == ERR_NOT_FOUND ? ERR_INVALID : err;
}

/* So many at once, and one for each person. */
static enum err check_room(struct request *request, int64_t person, const char **ret_field)
{
	struct broker *broker = request->broker;
	size_t all = 0, mine = 0;

	if (of_person(broker, person))
		return wrong(ret_field, ERR_WRONG_STATE, "account");
	for (const struct glass *glass = broker->glasses; glass; glass = glass->next) {
		all++;
		mine += glass->by.id == request->account.id;
	}
	return all < GLASS_ALL && mine < GLASS_MINE ? OK : wrong(ret_field, ERR_FULL, "many");
}

static enum err check_ask(struct request *request, const json_t *body, struct account *ret_person,
			  const char **ret_field)
{
	const char *reason = json_string_value(json_object_get(body, "reason"));
	enum err err;

	if (!reason || !opening_purpose_is_good(reason))
		return wrong(ret_field, ERR_INVALID, "reason");
	if (!code_of(body))
		return wrong(ret_field, ERR_INVALID, "code");
	if (!has_only(body, json_object_get(body, "account") ? 3 : 2))
		return wrong(ret_field, ERR_INVALID, "body");
	err = find_person(request, body, ret_person);
	if (err)
		return wrong(ret_field, err, "account");
	err = opening_check_vault(request->broker);
	if (err)
		return wrong(ret_field, err, "vault");
	return check_room(request, ret_person->id, ret_field);
}

static void begin(struct glass *glass, int64_t seconds)
{
	glass->until_s = clock_wall_s() + seconds;
	loop_timer_set(&glass->timer, (uint64_t)seconds * 1000000);
}

enum err local_glass_ask(struct request *request, const json_t *body, json_t **ret,
			 const char **ret_field)
{
	struct broker *broker = request->broker;
	_cleanup_free_ struct glass *glass = NULL;
	struct step step = { .request = request, .event = "glass-ask" };
	struct account person;
	enum err err = check_ask(request, body, &person, ret_field);

	if (!err)
		err = quota_take(broker, &request->to, request->account.id, QUOTA_GLASS);
	if (err)
		return err;
	step.glass = glass = calloc(1, sizeof(*glass));
	if (!glass)
		return ERR_NOMEM;
	glass->broker = broker;
	party_init(&glass->person, &person);
	party_init(&glass->by, &request->account);
	snprintf(glass->reason, sizeof(glass->reason), "%s",
		 json_string_value(json_object_get(body, "reason")));
	err = take_step(&step, code_of(body), ret_field);
	if (err)
		return err;
	glass->number = step.seq;
	glass->asked_s = clock_wall_s();
	loop_timer_init(broker->loop, &glass->timer, due);
	begin(glass, GLASS_WAIT_S);
	glass->next = broker->glasses;
	broker->glasses = glass;
	*ret = json_pack("{s:I}", "glass", (json_int_t)glass->number);
	glass = NULL;
	return OK;
}

/* ---- deciding --------------------------------------------------------------------------- */

/* Another one than who asked, and than who gains by it. */
static bool may_confirm(const struct glass *glass, const struct account *account)
{
	return !glass->open && records_duty(account) == DUTY_MANAGE &&
	       account->id != glass->by.id && account->id != glass->person.id;
}

static bool may_end(const struct glass *glass, const struct account *account)
{
	return records_duty(account) & (DUTY_MANAGE | DUTY_AUDIT) ||
	       account->id == glass->person.id;
}

enum err local_glass_confirm(struct request *request, const json_t *body, json_t **ret,
			     const char **ret_field)
{
	struct glass *glass = find(request->broker, body);
	struct step step = { .glass = glass, .request = request, .event = "glass-confirm" };
	enum err err;

	if (!code_of(body))
		return wrong(ret_field, ERR_INVALID, "code");
	if (!has_only(body, 2))
		return wrong(ret_field, ERR_INVALID, "body");
	if (!glass)
		return wrong(ret_field, ERR_NOT_FOUND, "glass");
	if (glass->open)
		return wrong(ret_field, ERR_WRONG_STATE, "glass");
	if (!may_confirm(glass, &request->account))
		return wrong(ret_field, ERR_DENIED, "self");
	party_init(&step.with, &request->account);
	err = take_step(&step, code_of(body), ret_field);
	if (err)
		return err;
	glass->with = step.with;
	glass->open = true;
	begin(glass, GLASS_OPEN_S);
	*ret = json_pack("{s:I}", "until", (json_int_t)glass->until_s);
	return OK;
}

enum err local_glass_end(struct request *request, const json_t *body, json_t **ret,
			 const char **ret_field)
{
	struct glass *glass = find(request->broker, body);
	enum err err;

	if (!has_only(body, 1))
		return wrong(ret_field, ERR_INVALID, "body");
	if (!glass || !may_end(glass, &request->account))
		return wrong(ret_field, ERR_NOT_FOUND, "glass");
	err = finish(glass, request_audit(request, "glass-end", NULL), "person");
	if (!err)
		*ret = json_object();
	return err;
}

/* ---- who is told ------------------------------------------------------------------------ */

static json_t *row_of(const struct glass *glass, const struct account *account)
{
	return json_pack("{s:I, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b, s:b}",
			 "glass", (json_int_t)glass->number, "open", glass->open, "person",
			 glass->person.name, "person_name", glass->person.full_name, "by",
			 glass->by.name, "by_name", glass->by.full_name, "with", glass->with.name,
			 "with_name", glass->with.full_name, "reason", glass->reason, "asked",
			 (json_int_t)glass->asked_s, "until", (json_int_t)glass->until_s, "mine",
			 glass->person.id == account->id, "confirm", may_confirm(glass, account),
			 "end", may_end(glass, account));
}

enum err local_glass_list(struct request *request, const json_t *body, json_t **ret,
			  const char **ret_field)
{
	const struct account *account = &request->account;
	json_t *rows = json_array();
	struct glass *next;

	if (!has_only(body, 0)) {
		json_decref(rows);
		return wrong(ret_field, ERR_INVALID, "body");
	}
	for (struct glass *glass = request->broker->glasses; rows && glass; glass = next) {
		next = glass->next;
		if (records_duty(account) == DUTY_USE && glass->person.id != account->id)
			continue;
		glass = check(glass);
		if (glass && json_array_append_new(rows, row_of(glass, account))) {
			json_decref(rows);
			return ERR_NOMEM;
		}
	}
	*ret = json_pack("{s:o}", "rows", rows);
	return *ret ? OK : ERR_NOMEM;
}

/* ---- after a start ---------------------------------------------------------------------- */

struct past {
	int64_t ended[GLASS_LIST];
	size_t count;
};

static bool has_ended(struct past *past, int64_t number)
{
	for (size_t i = 0; i < past->count; i++)
		if (past->ended[i] == number)
			return true;
	return false;
}

/* The newest come first: what has no end by now has none. */
static enum err put_right(struct broker *broker, struct past *past, const struct audit_row *row)
{
	json_t *detail = json_loads(row->detail, JSON_REJECT_DUPLICATES, NULL);
	bool asked = util_streq(row->event, "glass-ask");
	bool confirmed = util_streq(row->event, "glass-confirm");
	int64_t number = asked ? row->seq : json_integer_value(json_object_get(detail, "glass"));
	const struct audit_entry entry = { .event = confirmed ? "glass-end" : "glass-refuse",
					   .detail = detail };

	if (row->disposed || !json_is_object(detail) || has_ended(past, number)) {
		json_decref(detail);
		return OK;
	}
	past->ended[past->count++] = number;
	if (!asked && !confirmed) {
		json_decref(detail);
		return OK;
	}
	json_object_set_new(detail, "glass", json_integer(number));
	json_object_set_new(detail, "why", json_string("restart"));
	return broker_audit(broker, &entry);
}

enum err glass_put_right(struct broker *broker)
{
	_cleanup_free_ struct audit_row *rows = calloc(GLASS_LIST, sizeof(*rows));
	struct past past = { 0 };
	size_t count = 0;
	bool more = true;
	enum err err = rows ? OK : ERR_NOMEM;

	if (!err) {
		_cleanup_query_ struct query query = { 0 };

		audit_row_glass(&query, broker->db, GLASS_LIST);
		while (!err && more && count < GLASS_LIST) {
			err = audit_row_next(&query, &rows[count], &more);
			count += !err && more;
		}
	}
	for (size_t i = 0; !err && i < count; i++)
		err = put_right(broker, &past, &rows[i]);
	return err;
}
