#include "broker/watch.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/watches.h"
#include "wire/ipc.h"

struct watch {
	struct watch *next;
	struct broker *broker;
	struct session *session; /* not owned; it ends before that is freed */
	uint32_t number;         /* the worker's name for it */
	int64_t row;             /* of the table */
	int64_t account, device, login;
	char account_name[ACCOUNT_NAME_MAX + 1];
	char full_name[ACCOUNT_FULL_NAME_MAX * 4 + 1];
	char address[DEVICE_ADDRESS_MAX + 1];
	char purpose[SESSION_WORDS_MAX * 4 + 1];
	int64_t begun_s;
	bool taken; /* its stream */
	bool may_control;
	bool controls;
	unsigned said;           /* by the worker, of what goes into the audit log */
	struct loop_timer timer; /* until it is taken */
};

enum account_watch watch_right(const struct account *account)
{
	bool duty = account->role == ACCOUNT_ADMIN || account->role == ACCOUNT_AUDITOR;

	if (!duty || account->disabled)
		return ACCOUNT_WATCH_NO;
	return account->watch == ACCOUNT_WATCH_CONTROL ? ACCOUNT_WATCH_CONTROL
	       : account->watch == ACCOUNT_WATCH_VIEW  ? ACCOUNT_WATCH_VIEW
						       : ACCOUNT_WATCH_NO;
}

static struct watch *find(const struct session *session, uint32_t number)
{
	struct watch *watch = session->broker->watches;

	while (watch && (watch->session != session || watch->number != number))
		watch = watch->next;
	return watch;
}

/* ---- audit ------------------------------------------------------------------------------ */

/* detail is taken over. */
static struct audit_entry entry_of(const struct watch *watch, const char *event, json_t *detail)
{
	return (struct audit_entry){
		.event = event,
		.account = watch->account_name,
		.device = watch->device,
		.address = watch->address,
		.host = watch->session->row.host,
		.session = watch->session->id_text,
		.detail = detail,
	};
}

static enum err record_step(const struct watch *watch, enum watch_step step, unsigned why)
{
	const struct audit_entry entry =
		entry_of(watch, watch_step_code(step),
			 json_pack("{s:s, s:s}", "person", watch->session->row.account_name, "why",
				   watch_why_code(why)));

	return broker_audit(watch->broker, &entry);
}

static enum err record_end(const struct watch *watch, const char *why)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = watch->broker->db;
	const struct audit_entry entry = entry_of(
		watch, "session-watch-end",
		json_pack("{s:s, s:s, s:I}", "person", watch->session->row.account_name, "why", why,
			  "seconds", (json_int_t)(clock_wall_s() - watch->begun_s)));
	enum err err = db_tx_begin(&tx, db);

	if (!err)
		err = watch_row_delete(db, watch->row);
	if (err) {
		json_decref(entry.detail);
		return err;
	}
	err = audit_append(db, &entry);
	return err ? err : db_tx_commit(&tx);
}

/* ---- the end ---------------------------------------------------------------------------- */

static void watch_free(struct watch *watch)
{
	struct watch **link = &watch->broker->watches;

	while (*link != watch)
		link = &(*link)->next;
	*link = watch->next;
	loop_timer_cancel(&watch->timer);
	free(watch);
}

/*
 * It is over in any case: an entry that cannot be written now follows by the table's row.
 */
static void over(struct watch *watch, const char *why)
{
	enum err err = OK;

	if (watch->controls)
		err = record_step(watch, WATCH_ENDED, WATCH_WHY_OVER);
	if (!err)
		err = record_end(watch, why);
	log_info("watch-end", "session=%s user=%s why=%s", watch->session->id_text,
		 watch->account_name, why);
	if (err)
		log_error("watch-end-unrecorded", "session=%s error=%s", watch->session->id_text,
			  err_code(err));
	watch_free(watch);
}

/* May end the session, and with it others of its watches. */
static void end(struct watch *watch, const char *why, enum end_reason reason)
{
	const struct msg_watch_stop stop = { .watch = watch->number, .reason = (uint8_t)reason };
	struct channel *worker = watch->session->worker;

	if (watch->taken && worker && channel_send(worker, MSG_watch_stop, &stop, -1) != OK)
		/* One who must not look on does, and the worker takes no word: so it all ends. */
		session_finish(watch->session, END_GATEWAY, 0);
	else
		over(watch, why);
}

static void timer_due(struct loop_timer *timer)
{
	end(container_of(timer, struct watch, timer), "not-taken", END_NONE);
}

void watch_session_over(struct session *session)
{
	struct watch *next;

	for (struct watch *watch = session->broker->watches; watch; watch = next) {
		next = watch->next;
		if (watch->session == session)
			over(watch, "session");
	}
}

/* ---- the beginning ---------------------------------------------------------------------- */

bool watch_full(const struct session *session, int64_t account)
{
	size_t count = 0;

	for (const struct watch *watch = session->broker->watches; watch; watch = watch->next)
		count += watch->session == session && watch->account != account;
	return count >= WATCH_MOST;
}

static void end_same(struct session *session, int64_t account)
{
	for (struct watch *watch = session->broker->watches; watch; watch = watch->next)
		if (watch->session == session && watch->account == account) {
			end(watch, "replaced", END_REPLACED);
			return;
		}
}

static uint32_t next_number(struct broker *broker)
{
	/* Not those of an earlier broker, of which a worker may still speak. */
	if (!broker->watch_number)
		util_random((uint8_t *)&broker->watch_number, sizeof(broker->watch_number));
	return ++broker->watch_number;
}

enum err watch_begin(struct request *request, struct session *session, const char *purpose)
{
	struct broker *broker = request->broker;
	struct watch *watch;
	enum err err;

	end_same(session, request->account.id);
	if (!session_alive(session))
		return ERR_WRONG_STATE;
	if (watch_full(session, request->account.id))
		return ERR_FULL;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return ERR_NOMEM;
	*watch = (struct watch){
		.broker = broker,
		.session = session,
		.number = next_number(broker),
		.account = request->account.id,
		.device = request->device.id,
		.login = request->login.id,
		.begun_s = request->now_s,
		.may_control = watch_right(&request->account) == ACCOUNT_WATCH_CONTROL,
	};
	snprintf(watch->account_name, sizeof(watch->account_name), "%s", request->account.name);
	snprintf(watch->full_name, sizeof(watch->full_name), "%s", request->account.full_name);
	snprintf(watch->address, sizeof(watch->address), "%s", request->head->address);
	snprintf(watch->purpose, sizeof(watch->purpose), "%s", purpose);
	err = watch_row_add(broker->db, session->row.id, watch->account, watch->device,
			    watch->begun_s, &watch->row);
	if (err) {
		free(watch);
		return err;
	}
	loop_timer_init(broker->loop, &watch->timer, timer_due);
	loop_timer_set(&watch->timer, WATCH_ATTACH_S * 1000000ULL);
	watch->next = broker->watches;
	broker->watches = watch;
	return OK;
}

/* ---- the stream ------------------------------------------------------------------------- */

static enum err send_viewer(struct watch *watch, int *ret_fd)
{
	json_t *who = json_pack("{s:s, s:s, s:s}", "account", watch->account_name, "name",
				watch->full_name, "purpose", watch->purpose);
	char *text = who ? json_dumps(who, JSON_COMPACT) : NULL;
	const struct msg_session_watch msg = { .watch = watch->number,
					       .may_control = watch->may_control,
					       .account = watch->account_name,
					       .name = watch->full_name,
					       .purpose = watch->purpose,
					       .who = text };
	int pair[2];
	enum err err = text ? ipc_pair(pair) : ERR_NOMEM;

	json_decref(who);
	if (!err) {
		err = channel_send(watch->session->worker, MSG_session_watch, &msg, pair[0]);
		if (err)
			close(pair[1]);
		else
			*ret_fd = pair[1];
	}
	reply_text_free(text);
	return err;
}

enum err watch_take(struct request *request, const uint8_t session[WIRE_SESSION_ID], int *ret_fd)
{
	struct watch *watch = request->broker->watches;
	enum err err;

	while (watch && (watch->login != request->login.id || watch->device != request->device.id ||
			 memcmp(watch->session->row.id, session, WIRE_SESSION_ID) != 0))
		watch = watch->next;
	if (!watch)
		return ERR_NOT_FOUND;
	if (watch->taken)
		return ERR_USED;
	if (!watch->session->worker)
		return ERR_UNAVAILABLE;
	err = send_viewer(watch, ret_fd);
	if (err)
		return err;
	watch->taken = true;
	loop_timer_cancel(&watch->timer);
	return OK;
}

json_t *watch_names(const struct session *session)
{
	json_t *names = json_array();

	for (const struct watch *watch = session->broker->watches; names && watch;
	     watch = watch->next)
		if (watch->session == session && watch->taken &&
		    json_array_append_new(names,
					  json_pack("{s:s, s:s}", "account", watch->account_name,
						    "full_name", watch->full_name))) {
			json_decref(names);
			return NULL;
		}
	return names;
}

/* ---- rights ----------------------------------------------------------------------------- */

static enum err check(const struct watch *watch, int64_t now_s, struct account *ret)
{
	struct broker *broker = watch->broker;
	struct login_row login;
	struct device device;
	bool is_owner;
	enum err err = login_row_by_id(broker->db, watch->login, &login);

	if (!err)
		err = account_by_id(broker->db, watch->account, ret);
	if (!err)
		err = device_by_id(broker->db, watch->device, &device);
	if (!err)
		err = device_has_owner(broker->db, device.id, watch->account, &is_owner);
	if (err)
		return err;
	if (now_s >= login.expires_s || now_s - login.used_s >= broker->policy.idle_s ||
	    login.locked || !is_owner || !watch_right(ret) || device.state != DEVICE_ACTIVE ||
	    !login_device_valid(&device, now_s))
		return ERR_NOT_FOUND;
	return OK;
}

void watch_cut(struct broker *broker, int64_t account, int64_t device)
{
	enum end_reason reason = device ? END_REVOKED_DEVICE : END_REVOKED_ACCOUNT;
	struct watch *watch = broker->watches;

	while (watch) {
		bool cut = (!account || watch->account == account) &&
			   (!device || watch->device == device);

		if (cut)
			end(watch, "revoked", reason);
		watch = cut ? broker->watches : watch->next;
	}
}

void watch_leave_login(struct broker *broker, int64_t login)
{
	struct watch *watch = broker->watches;

	while (watch) {
		bool cut = watch->login == login;

		if (cut)
			end(watch, "logout", END_LOGOUT);
		watch = cut ? broker->watches : watch->next;
	}
}

void watch_tick(struct broker *broker, int64_t now_s)
{
	struct watch *watch = broker->watches;
	struct account account;

	while (watch) {
		bool cut = check(watch, now_s, &account) == ERR_NOT_FOUND;

		if (cut)
			end(watch, "login", END_LOGOUT);
		watch = cut ? broker->watches : watch->next;
	}
}

/* ---- from the worker -------------------------------------------------------------------- */

static bool may_control(const struct watch *watch)
{
	struct account account;

	return watch->may_control && !watch->session->row.view_only &&
	       watch->session->row.state == SESSION_ACTIVE &&
	       check(watch, clock_wall_s(), &account) == OK &&
	       watch_right(&account) == ACCOUNT_WATCH_CONTROL;
}

/* In the log before anybody controls. */
static void agreed(struct watch *watch)
{
	struct msg_watch_control msg = { .watch = watch->number };
	bool may = may_control(watch);
	enum err err = record_step(watch, may ? WATCH_AGREED : WATCH_REFUSED,
				   may ? WATCH_WHY_PERSON : WATCH_WHY_GATEWAY);

	msg.given = may && !err;
	if (channel_send(watch->session->worker, MSG_watch_control, &msg, -1) == OK)
		watch->controls = msg.given;
	else
		end(watch, "worker", END_GATEWAY);
}

void watch_worker_says(struct session *session, const struct msg_watch_says *msg)
{
	struct watch *watch = find(session, msg->watch);

	if (!watch || !watch->taken)
		return;
	if (msg->step == WATCH_LEFT) {
		over(watch, "left");
		return;
	}
	/* The audit log cannot be shortened: nobody may fill it. */
	if (msg->step < WATCH_ASKED || msg->step > WATCH_ENDED || watch->said++ >= WATCH_SAYS) {
		end(watch, "amount", END_TERMINATED);
		return;
	}
	if (msg->step == WATCH_AGREED) {
		agreed(watch);
		return;
	}
	if (msg->step == WATCH_ENDED)
		watch->controls = false;
	if (record_step(watch, (enum watch_step)msg->step, msg->why))
		end(watch, "audit", END_GATEWAY);
}

/* ---- what was left ---------------------------------------------------------------------- */

static bool known(const struct broker *broker, int64_t row)
{
	const struct watch *watch = broker->watches;

	while (watch && watch->row != row)
		watch = watch->next;
	return watch != NULL;
}

static enum err close_row(struct broker *broker, const struct watch_row *row)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct session_row session = { 0 };
	char id[SESSION_ID_TEXT + 1];
	struct audit_entry entry = {
		.event = "session-watch-end",
		.account = row->account_name,
		.device = row->device,
		.session = id,
		.detail = json_pack("{s:s}", "why", "gateway"),
	};
	enum err err = session_row_get(broker->db, row->session, &session);

	util_hex(row->session, sizeof(row->session), id);
	entry.host = session.host;
	if (!err || err == ERR_NOT_FOUND)
		err = db_tx_begin(&tx, broker->db);
	if (!err)
		err = watch_row_delete(broker->db, row->id);
	if (err) {
		json_decref(entry.detail);
		return err;
	}
	err = audit_append(broker->db, &entry);
	return err ? err : db_tx_commit(&tx);
}

enum err watch_put_right(struct broker *broker)
{
	struct watch_row row = { 0 };
	enum err err;

	while (!(err = watch_row_after(broker->db, row.id, &row))) {
		if (!known(broker, row.id))
			err = close_row(broker, &row);
		if (err)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

void watch_forget_all(struct broker *broker)
{
	while (broker->watches)
		watch_free(broker->watches);
}
