/*
 * handle_login.c - password, code, log-out, and who am I. The rules are auth/login.h's.
 */
#include <string.h>

#include "auth/roles.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/enrol.h"
#include "broker/handlers.h"
#include "broker/person.h"
#include "broker/session.h"
#include "broker/vault_troubles.h"

/* ---- password --------------------------------------------------------------------------- */

/* A password that is being compared. */
struct password_job {
	struct broker *broker;
	struct reply_to to;
	struct person_try try;
};

static enum err password_right(struct password_job *job, const struct account *account,
			       int64_t now_s, char ret_token[LOGIN_TOKEN_TEXT + 1])
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = job->broker->db;
	struct audit_entry entry = person_audit(&job->try, "login-password", NULL);
	enum err err = db_tx_begin(&tx, db);

	entry.account = account->name;
	if (!err)
		err = login_refund(db, &job->try.login);
	if (!err)
		err = login_begin(db, &job->try.login, now_s, ret_token);
	if (!err)
		err = audit_append(db, &entry);
	if (!err)
		err = db_tx_commit(&tx);
	if (!err)
		throttle_refund(job->broker->addresses, job->try.address);
	return err;
}

static void password_done(void *ctx, enum err result, const char *hash)
{
	_cleanup_free_ struct password_job *job = ctx;
	char token[LOGIN_TOKEN_TEXT + 1];
	struct account account;
	int64_t now_s = clock_wall_s();
	enum err err = result;

	(void)hash;
	if (!err && !person_welcome(job->broker, &job->try.login, now_s, &account))
		err = ERR_LOGIN;
	if (!err)
		err = password_right(job, &account, now_s, token);
	else if (err == ERR_LOGIN)
		err = person_failed(job->broker, &job->try, "password");
	if (err)
		reply_error(job->broker, &job->to, err);
	else
		reply_json(job->broker, &job->to, 200, token, json_pack("{s:s}", "next", "totp"));
	secret_wipe(token, sizeof(token));
}

/*
 * The account in question, when the device is its own; else it stays zero and a dummy is compared.
 * Only the name of an account that exists goes into the audit log: people type passwords into the
 * wrong field.
 */
static enum err find_account(struct request *request, const char *name, struct account *ret)
{
	struct account account = { 0 };
	enum err err;

	if (!account_name_valid(name))
		return OK;
	err = account_by_name(request->broker->db, name, &account);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	*ret = account;
	return OK;
}

enum err handle_login_password(struct request *request)
{
	const struct msg_login_password *msg = &request->msg->login_password;
	_cleanup_secret_ struct secret *password = NULL;
	_cleanup_free_ struct password_job *job = calloc(1, sizeof(*job));
	struct account account = { 0 };
	bool own = false;
	enum err err;

	if (!job)
		return ERR_NOMEM;
	err = find_account(request, msg->account, &account);
	if (!err && account.id)
		err = device_has_owner(request->broker->db, request->device.id, account.id, &own);
	if (!err)
		err = secret_new(msg->password, strlen(msg->password), &password);
	if (err)
		return err;
	*job = (struct password_job){ .broker = request->broker, .to = request->to };
	person_try_init(&job->try, own ? account.id : 0, request->device.id, account.name,
			request->head->address);
	err = person_compare(request->broker, &request->to, &job->try, password,
			     own ? account.password : NULL, password_done, job);
	if (!err)
		util_take_ptr(job);
	return err == ERR_THROTTLED ? OK : err;
}

/* ---- code ------------------------------------------------------------------------------- */

/* For who can do something about it, 0 while there is nothing to do. */
static int64_t auditors_end(const struct request *request)
{
	return request->account.role == ACCOUNT_STAFF
		       ? 0
		       : recording_auditors_end(request->broker, request->now_s);
}

static json_t *troubles(const struct request *request)
{
	return request->account.role == ACCOUNT_STAFF
		       ? json_array()
		       : vault_troubles(request->broker, request->now_s);
}

static json_t *me_json(struct request *request)
{
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:I, s:b, s:I, s:I, s:s, s:s, s:b, s:s, s:I, s:s, s:o}",
		"account", request->account.name, "full_name", request->account.full_name, "role",
		role_code(request->account.role), "device", request->device.name, "device_until",
		(json_int_t)request->device.not_after_s, "device_renew",
		renew_is_due(&request->device, request->now_s), "device_renew_from",
		(json_int_t)renew_from(&request->device), "login_until",
		(json_int_t)request->login.expires_s, "office",
		request->broker->settings.gateway_office, "zone",
		request->broker->settings.gateway_zone, "locked", request->login.locked,
		"ask_client", request->broker->settings.session_ask_client, "auditors_end",
		(json_int_t)auditors_end(request), "records", duty_code(request->account.duty),
		"vault", troubles(request));
}

/* In one transaction: the code's step, the new token and the audit entry. */
static enum err code_check(struct request *request, const struct person_try *try, const char *code,
			   char ret_token[LOGIN_TOKEN_TEXT + 1])
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	_cleanup_secret_ struct secret *key = NULL;
	struct broker *broker = request->broker;
	struct audit_entry entry = person_audit(try, "login", NULL);
	struct login_row login;
	enum err err = person_totp_key(broker, &request->account, &key);

	if (!err)
		err = db_tx_begin(&tx, broker->db);
	if (!err)
		err = login_check_code(broker->db, request->account.id, key, code, request->now_s);
	if (!err)
		err = login_reset(broker->db, &try->login);
	if (!err)
		err = login_complete(broker->db, &broker->policy, &request->login, request->now_s,
				     ret_token, &login);
	if (!err)
		err = audit_append(broker->db, &entry);
	if (!err)
		err = db_tx_commit(&tx);
	if (!err)
		request->login = login;
	return err;
}

enum err handle_login_totp(struct request *request)
{
	char token[LOGIN_TOKEN_TEXT + 1];
	struct person_try try;
	enum err err;

	person_try_init(&try, request->account.id, request->device.id, request->account.name,
			request->head->address);
	err = person_count(request->broker, &request->to, &try);
	if (err)
		return err == ERR_THROTTLED ? OK : err;
	err = code_check(request, &try, request->msg->login_totp.code, token);
	if (err == ERR_LOGIN)
		return person_failed(request->broker, &try, "code");
	if (err)
		return err;
	throttle_forget(request->broker->addresses, try.address);
	reply_json(request->broker, &request->to, 200, token, me_json(request));
	secret_wipe(token, sizeof(token));
	return OK;
}

/* ---- the rest --------------------------------------------------------------------------- */

enum err handle_logout(struct request *request)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = request->broker->db;
	struct audit_entry entry = request_audit(request, "logout", NULL);
	enum err err = db_tx_begin(&tx, db);

	if (!err)
		err = login_row_delete(db, request->login.id);
	if (!err)
		err = audit_append(db, &entry);
	if (!err)
		err = db_tx_commit(&tx);
	if (err)
		return err;
	session_leave_login(request->broker, request->login.id, request->device.id);
	reply_json(request->broker, &request->to, 200, "-", json_object());
	return OK;
}

enum err handle_me(struct request *request)
{
	reply_json(request->broker, &request->to, 200, "", me_json(request));
	return OK;
}
