#include "broker/dispatch.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/enrol.h"
#include "broker/handlers.h"
#include "wire/record_ops.h"

#define HEAD_MATCHES(name)                                                                         \
	static_assert(offsetof(struct msg_##name, request) ==                                      \
				      offsetof(struct request_head, request) &&                    \
			      offsetof(struct msg_##name, device) ==                               \
				      offsetof(struct request_head, device) &&                     \
			      offsetof(struct msg_##name, address) ==                              \
				      offsetof(struct request_head, address) &&                    \
			      offsetof(struct msg_##name, token) ==                                \
				      offsetof(struct request_head, token),                        \
		      #name " begins like struct request_head")
HEAD_MATCHES(login_password);
HEAD_MATCHES(login_totp);
HEAD_MATCHES(logout);
HEAD_MATCHES(me);
HEAD_MATCHES(host_list);
HEAD_MATCHES(host_wake);
HEAD_MATCHES(session_list);
HEAD_MATCHES(session_open);
HEAD_MATCHES(session_show);
HEAD_MATCHES(session_end);
HEAD_MATCHES(session_unlock);
HEAD_MATCHES(session_attach);
HEAD_MATCHES(unlock);
HEAD_MATCHES(enrol_look);
HEAD_MATCHES(enrol_request);
HEAD_MATCHES(enrol_file);
HEAD_MATCHES(est_cacerts);
HEAD_MATCHES(est_csrattrs);
HEAD_MATCHES(est_simpleenroll);
HEAD_MATCHES(est_simplereenroll);
HEAD_MATCHES(ocsp);
HEAD_MATCHES(device_renew);
HEAD_MATCHES(recording_list);
HEAD_MATCHES(recording_open);
HEAD_MATCHES(recording_attach);
HEAD_MATCHES(auditor_list);
HEAD_MATCHES(recording_export);
HEAD_MATCHES(recording_export_attach);
HEAD_MATCHES(note_list);
HEAD_MATCHES(note_add);
HEAD_MATCHES(note_withdraw);
HEAD_MATCHES(live_list);
HEAD_MATCHES(live_watch);
HEAD_MATCHES(live_attach);
HEAD_MATCHES(live_end);
HEAD_MATCHES(record_attach);
HEAD_MATCHES(admin_look);
HEAD_MATCHES(admin_order);
HEAD_MATCHES(audit_checkpoint);
HEAD_MATCHES(audit_alarm);
HEAD_MATCHES(audit_choices);
HEAD_MATCHES(audit_sessions);
HEAD_MATCHES(audit_live);
HEAD_MATCHES(audit_entries);
HEAD_MATCHES(audit_session);
HEAD_MATCHES(audit_filter_save);
HEAD_MATCHES(audit_filter_remove);
HEAD_MATCHES(audit_report);
HEAD_MATCHES(record_ask);

/* A try to unlock is no use of the login before it has succeeded. */
#define WATCHING (REQUEST_LOCKED | REQUEST_POLL)
const struct request_type request_types[] = {
	{ MSG_login_password, REQUEST_LOGIN_NONE, REQUEST_EVERYONE, 0, handle_login_password },
	{ MSG_login_totp, REQUEST_LOGIN_WAITING, REQUEST_EVERYONE, 0, handle_login_totp },
	{ MSG_logout, REQUEST_LOGIN_ANY, REQUEST_EVERYONE, REQUEST_LOCKED, handle_logout },
	{ MSG_me, REQUEST_LOGIN_FULL, REQUEST_EVERYONE, WATCHING, handle_me },
	{ MSG_host_list, REQUEST_LOGIN_FULL, REQUEST_PC_USERS, WATCHING, handle_host_list },
	{ MSG_host_wake, REQUEST_LOGIN_FULL, REQUEST_PC_USERS, 0, handle_host_wake },
	{ MSG_session_list, REQUEST_LOGIN_FULL, REQUEST_PC_USERS, WATCHING, handle_session_list },
	{ MSG_session_open, REQUEST_LOGIN_FULL, REQUEST_PC_USERS, 0, handle_session_open },
	{ MSG_session_show, REQUEST_LOGIN_FULL, REQUEST_PC_USERS, WATCHING, handle_session_show },
	{ MSG_session_end, REQUEST_LOGIN_FULL, REQUEST_PC_USERS, 0, handle_session_end },
	{ MSG_session_unlock, REQUEST_LOGIN_FULL, REQUEST_PC_USERS, WATCHING,
	  handle_session_unlock },
	{ MSG_session_attach, REQUEST_LOGIN_FULL, REQUEST_PC_USERS, 0, handle_session_attach },
	{ MSG_unlock, REQUEST_LOGIN_FULL, REQUEST_EVERYONE, WATCHING, handle_unlock },
	{ MSG_enrol_look, REQUEST_NO_DEVICE, REQUEST_EVERYONE, 0, handle_enrol_look },
	{ MSG_enrol_request, REQUEST_NO_DEVICE, REQUEST_EVERYONE, 0, handle_enrol_request },
	{ MSG_enrol_file, REQUEST_NO_DEVICE, REQUEST_EVERYONE, 0, handle_enrol_file },
	{ MSG_est_cacerts, REQUEST_NO_DEVICE, REQUEST_EVERYONE, 0, handle_est_cacerts },
	{ MSG_est_csrattrs, REQUEST_NO_DEVICE, REQUEST_EVERYONE, 0, handle_est_csrattrs },
	{ MSG_est_simpleenroll, REQUEST_NO_DEVICE, REQUEST_EVERYONE, 0, handle_est_simpleenroll },
	{ MSG_ocsp, REQUEST_NO_DEVICE, REQUEST_EVERYONE, 0, handle_ocsp },
	{ MSG_est_simplereenroll, REQUEST_LOGIN_NONE, REQUEST_EVERYONE, 0,
	  handle_est_simplereenroll },
	{ MSG_device_renew, REQUEST_LOGIN_FULL, REQUEST_EVERYONE, 0, handle_device_renew },
	/* Every browser asks at each login, and raises the alarm by itself. */
	{ MSG_audit_checkpoint, REQUEST_LOGIN_FULL, REQUEST_EVERYONE, WATCHING,
	  handle_audit_checkpoint },
	{ MSG_audit_alarm, REQUEST_LOGIN_FULL, REQUEST_EVERYONE, WATCHING, handle_audit_alarm },
	{ MSG_audit_choices, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_audit_choices },
	{ MSG_audit_sessions, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_audit_sessions },
	/* The console asks by itself who is there. */
	{ MSG_audit_live, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED | REQUEST_POLL,
	  handle_audit_live },
	{ MSG_audit_entries, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_audit_entries },
	{ MSG_audit_session, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_audit_session },
	{ MSG_audit_filter_save, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_audit_filter_save },
	{ MSG_audit_filter_remove, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_audit_filter_remove },
	{ MSG_audit_report, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_audit_report },
	{ MSG_recording_list, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_recording_list },
	{ MSG_recording_open, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_recording_open },
	{ MSG_recording_attach, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_recording_attach },
	{ MSG_auditor_list, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_auditor_list },
	{ MSG_recording_export, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_recording_export },
	{ MSG_recording_export_attach, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_recording_export_attach },
	{ MSG_note_list, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED, handle_note_list },
	{ MSG_note_add, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED, handle_note_add },
	{ MSG_note_withdraw, REQUEST_LOGIN_FULL, REQUEST_AUDITOR, REQUEST_NOTED,
	  handle_note_withdraw },
	/* Pages ask for the list by themselves. */
	{ MSG_live_list, REQUEST_LOGIN_FULL, REQUEST_SUPERVISORS, REQUEST_POLL | REQUEST_NOTED,
	  handle_live_list },
	{ MSG_live_watch, REQUEST_LOGIN_FULL, REQUEST_SUPERVISORS, REQUEST_NOTED,
	  handle_live_watch },
	{ MSG_live_attach, REQUEST_LOGIN_FULL, REQUEST_SUPERVISORS, REQUEST_NOTED,
	  handle_live_attach },
	{ MSG_live_end, REQUEST_LOGIN_FULL, REQUEST_SUPERVISORS, REQUEST_NOTED, handle_live_end },
	{ MSG_record_attach, REQUEST_LOGIN_FULL, REQUEST_STAFF, 0, handle_record_attach },
	/* The console asks by itself what is new. */
	{ MSG_admin_look, REQUEST_LOGIN_FULL, REQUEST_ADMIN, REQUEST_POLL, handle_admin_look },
	{ MSG_admin_order, REQUEST_LOGIN_FULL, REQUEST_ADMIN, 0, handle_admin_order },
	/* Whose duty it is says the operation's row. */
	{ MSG_record_ask, REQUEST_LOGIN_FULL, REQUEST_EVERYONE, 0, handle_record_ask },
};
const size_t request_type_count = ARRAY_SIZE(request_types);

/* A login is not marked as used, nor a device as seen, more often than this: each is a write to the
 * disk. */
enum { TOUCH_S = 30 };

static const struct request_type *request_type(uint16_t id)
{
	for (size_t i = 0; i < request_type_count; i++)
		if (request_types[i].id == id)
			return &request_types[i];
	return NULL;
}

/* A locked device may still try to log in, to be told that it is locked. */
static enum err check_device(struct request *request, const struct request_type *type)
{
	enum err err;

	if (type->login == REQUEST_NO_DEVICE)
		return OK;
	err = device_by_key(request->broker->db, request->head->device, &request->device);
	if (err)
		return err == ERR_NOT_FOUND ? ERR_AUTH : err;
	if (!login_device_valid(&request->device, request->now_s))
		return ERR_AUTH;
	if (request->device.state != DEVICE_ACTIVE && type->login != REQUEST_LOGIN_NONE)
		return ERR_AUTH;
	return OK;
}

static bool login_suffices(enum request_login needed, int64_t state)
{
	switch (needed) {
	case REQUEST_NO_DEVICE:
	case REQUEST_LOGIN_NONE:
		return true;
	case REQUEST_LOGIN_WAITING:
		return state == LOGIN_PASSWORD;
	case REQUEST_LOGIN_ANY:
		return state == LOGIN_PASSWORD || state == LOGIN_FULL;
	case REQUEST_LOGIN_FULL:
		return state == LOGIN_FULL;
	}
	return false;
}

static enum err check_login(struct request *request, const struct request_type *type)
{
	struct broker *broker = request->broker;
	bool is_owner;
	enum err err;

	if (type->login == REQUEST_NO_DEVICE || type->login == REQUEST_LOGIN_NONE)
		return OK;
	err = login_find(broker->db, &broker->policy, request->head->token, request->device.id,
			 request->now_s, &request->login);
	if (err)
		return err;
	if (!login_suffices(type->login, request->login.state))
		return ERR_AUTH;
	err = account_by_id(broker->db, request->login.account, &request->account);
	if (err)
		return err;
	/* A device that was given to somebody else takes its logins along to nobody. */
	err = device_has_owner(broker->db, request->device.id, request->account.id, &is_owner);
	if (err)
		return err;
	if (request->account.disabled || !is_owner)
		return ERR_AUTH;
	/* The values of enum account_role are bits. */
	if (!(type->roles & (unsigned)request->account.role))
		return ERR_DENIED;
	return request->login.locked && !(type->flags & REQUEST_LOCKED) ? ERR_LOCKED : OK;
}
static_assert((int)REQUEST_STAFF == (int)ACCOUNT_STAFF &&
		      (int)REQUEST_ADMIN == (int)ACCOUNT_ADMIN &&
		      (int)REQUEST_AUDITOR == (int)ACCOUNT_AUDITOR,
	      "roles are bits");

enum err request_still_allowed(struct broker *broker, int64_t login_id, int64_t account_id,
			       int64_t device_id, enum request_roles roles, int64_t now_s)
{
	struct account account;
	struct login_row login;
	struct device device;
	enum err err = login_row_by_id(broker->db, login_id, &login);

	if (!err)
		err = account_by_id(broker->db, account_id, &account);
	if (!err)
		err = device_by_id(broker->db, device_id, &device);
	if (err)
		return err;
	if (now_s >= login.expires_s || now_s - login.used_s >= broker->policy.idle_s ||
	    login.locked || account.disabled || !(roles & (unsigned)account.role) ||
	    device.state != DEVICE_ACTIVE || !login_device_valid(&device, now_s))
		return ERR_NOT_FOUND;
	return OK;
}

static bool is_poll(const struct request *request, const struct request_type *type)
{
	const struct record_op *op =
		type->id == MSG_record_ask ? record_op_find(request->msg->record_ask.op) : NULL;

	return type->flags & REQUEST_POLL || (op && op->flags & OP_POLL);
}

/* Bookkeeping only: a request that reads is not refused because this could not be written. */
static void touch(struct request *request, const struct request_type *type)
{
	struct db *db = request->broker->db;
	enum err err = OK;

	if (!request->device.id)
		return;
	/* Only with a login: who has a copy of the old key can get a certificate with it, but must
	 * not end that of the person whose device it is. */
	if (request->device.supersedes && request->login.state == LOGIN_FULL)
		err = renew_supersede(request);
	if (!err && !is_poll(request, type) && request->login.state == LOGIN_FULL &&
	    request->now_s - request->login.used_s >= TOUCH_S)
		err = login_row_touch(db, request->login.id, request->now_s);
	if (!err && (request->now_s - request->device.seen_s >= TOUCH_S ||
		     strcmp(request->device.seen_address, request->head->address) != 0))
		err = device_set_seen(db, request->device.id, request->now_s,
				      request->head->address);
	if (err)
		log_warn("touch-failed", "error=%s", err_code(err));
}

/* Notes it; whether that was too often, and is answered. */
static bool is_denied(struct request *request, uint16_t id, enum err why)
{
	if (id >= MSG_live_list && id <= MSG_live_end)
		return live_denied(request, id, why);
	if (id >= MSG_audit_choices && id <= MSG_audit_report)
		return console_denied(request, why);
	return recording_denied(request, id, why);
}

void dispatch_request(struct broker *broker, const struct wire_type *type,
		      const union wire_any *msg)
{
	const struct request_type *row = request_type(type->id);
	struct request request = {
		.broker = broker,
		.head = (const struct request_head *)msg,
		.msg = msg,
		.now_s = clock_wall_s(),
	};
	enum err err = ERR_METHOD;

	request.to = (struct reply_to){ broker->edge_generation, request.head->request };
	if (row)
		err = check_device(&request, row);
	if (!err)
		err = check_login(&request, row);
	bool noted = err && row && row->flags & REQUEST_NOTED && request.account.id;
	if (!err) {
		touch(&request, row);
		err = row->handler(&request);
	}
	if (noted && is_denied(&request, type->id, err))
		return;
	if (err)
		reply_error(broker, &request.to, err);
}

struct audit_entry request_audit(const struct request *request, const char *event, json_t *detail)
{
	return (struct audit_entry){
		.event = event,
		.account = request->account.name,
		.device = request->device.id,
		.address = request->head->address,
		.detail = detail,
	};
}
