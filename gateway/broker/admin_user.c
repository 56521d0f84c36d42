/*
 * admin_user.c - sekisho user …
 */
#include <string.h>

#include "auth/roles.h"
#include "auth/totp.h"
#include "base/clock.h"
#include "broker/admin.h"
#include "broker/documents.h"
#include "broker/glass.h"
#include "broker/person.h"
#include "broker/records.h"
#include "broker/watch.h"

/* ---- passwords -------------------------------------------------------------------------- */

/* The password is hashed off the loop; on_hash then does the rest of the order. */
static enum err with_hash(struct admin_call *call, const char *account, const char *full_name,
			  hasher_done *on_hash)
{
	_cleanup_secret_ struct secret *password = NULL;
	enum err err = admin_new_password(call, "password", account, full_name, &password);

	if (!err)
		err = hasher_hash(call->broker->hasher, password, on_hash, call);
	if (!err)
		call->later = true;
	return err;
}

/* ---- codes ------------------------------------------------------------------------------ */

static enum err totp_result(struct admin_call *call, const struct secret *key, const char *account)
{
	_cleanup_secret_ struct secret *text = NULL, *uri = NULL;
	enum err err = totp_base32(key, &text);

	if (!err)
		err = totp_uri(key, call->broker->settings.gateway_office, account, &uri);
	if (err)
		return err;
	call->result = json_pack("{s:s, s:s}", "totp_secret", secret_text(text), "otpauth",
				 secret_text(uri));
	return call->result ? OK : ERR_NOMEM;
}

/* ---- add -------------------------------------------------------------------------------- */

static enum err add_check(struct admin_call *call, enum account_role *ret_role)
{
	const char *name = admin_text(call, "name"), *full_name = admin_text(call, "full-name");
	const char *role = admin_text(call, "role");
	struct account account;
	enum err err;

	if (!account_name_valid(name))
		return admin_wrong(call, ERR_INVALID, "name",
				   "1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit");
	if (full_name &&
	    !admin_name_valid(full_name, ACCOUNT_FULL_NAME_MAX, ACCOUNT_FULL_NAME_MAX * 4))
		return admin_wrong(call, ERR_INVALID, "full-name",
				   "1 to 128 characters, no control characters");
	*ret_role = ACCOUNT_STAFF;
	if (role && role_parse(role, ret_role))
		return admin_wrong(call, ERR_INVALID, "role", "staff, admin or auditor");
	err = account_by_name(call->broker->db, name, &account);
	if (!err)
		return admin_wrong(call, ERR_EXISTS, "name", "there is an account of this name");
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err add_store(struct admin_call *call, const char *hash)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	_cleanup_secret_ struct secret *key = NULL;
	const char *full_name = admin_text(call, "full-name");
	struct account account = { 0 };
	enum account_role role;
	int64_t id;
	enum err err = add_check(call, &role);

	if (err)
		return err;
	snprintf(account.name, sizeof(account.name), "%s", admin_text(call, "name"));
	snprintf(account.full_name, sizeof(account.full_name), "%s",
		 full_name ? full_name : account.name);
	snprintf(account.password, sizeof(account.password), "%s", hash);
	account.role = role;
	err = totp_new(&key);
	if (!err)
		err = db_tx_begin(&tx, call->broker->db);
	if (!err)
		err = account_add(call->broker->db, &account, &id);
	if (!err)
		err = person_set_totp(call->broker, id, key, clock_wall_s());
	if (!err)
		err = totp_result(call, key, account.name);
	return err ? err
		   : admin_commit(call, &tx, "account-add",
				  json_pack("{s:s, s:s}", "account", account.name, "role",
					    role_code(role)));
}

static void add_hashed(void *ctx, enum err result, const char *hash)
{
	admin_finish(ctx, result ? result : add_store(ctx, hash));
}

enum err admin_user_add(struct admin_call *call)
{
	enum account_role role;
	enum err err = add_check(call, &role);

	return err ? err
		   : with_hash(call, admin_text(call, "name"), admin_text(call, "full-name"),
			       add_hashed);
}

/* ---- looking on ------------------------------------------------------------------------- */

static const struct {
	enum account_watch watch;
	const char *code;
} watches[] = {
	{ ACCOUNT_WATCH_NO, "no" },
	{ ACCOUNT_WATCH_VIEW, "view" },
	{ ACCOUNT_WATCH_CONTROL, "control" },
};

static const char *watch_code(int64_t watch)
{
	for (size_t i = 0; i < ARRAY_SIZE(watches); i++)
		if ((int64_t)watches[i].watch == watch)
			return watches[i].code;
	return "no";
}

/* ---- list ------------------------------------------------------------------------------- */

static json_t *user_row(const struct broker *broker, const struct account *account)
{
	bool locked = account->locked || account->failures >= broker->policy.failures;

	return json_pack("[s, s, s, s, I, s, s]", account->name, account->full_name,
			 role_code(account->role),
			 account->disabled ? "disabled"
			 : locked          ? "locked"
					   : "active",
			 (json_int_t)account->failures, watch_code(account->watch),
			 duty_code(account->duty));
}

enum err admin_user_list(struct admin_call *call)
{
	_cleanup_query_ struct query query = { 0 };
	struct account account;
	bool more, full = false;
	enum err err = admin_columns(call, "name,full-name,role,state,failures,watch,duty");

	if (err)
		return err;
	account_list(&query, call->broker->db, admin_number(call, "after", 0));
	while (!full && !(err = account_next(&query, &account, &more)) && more) {
		err = admin_page_row(call, user_row(call->broker, &account), account.id, &full);
		if (err)
			return err;
	}
	return err;
}

/* ---- changes ---------------------------------------------------------------------------- */

/* The account that "name" names, in a transaction. */
static enum err change_begin(struct admin_call *call, struct db_tx *tx, struct account *ret)
{
	enum err err = admin_find_account(call, "name", ret);

	return err ? err : db_tx_begin(tx, call->broker->db);
}

static enum err change_end(struct admin_call *call, struct db_tx *tx, const char *event,
			   const struct account *account)
{
	return admin_commit(call, tx, event, json_pack("{s:s}", "account", account->name));
}

static enum err password_store(struct admin_call *call, const char *hash)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = call->broker->db;
	struct account account;
	enum err err = change_begin(call, &tx, &account);

	if (!err)
		err = account_set_password(db, account.id, hash);
	/* Whoever got in with the old one is out. */
	if (!err)
		err = login_row_delete_account(db, account.id);
	return err ? err : change_end(call, &tx, "account-password", &account);
}

static void password_hashed(void *ctx, enum err result, const char *hash)
{
	admin_finish(ctx, result ? result : password_store(ctx, hash));
}

enum err admin_user_password(struct admin_call *call)
{
	struct account account;
	enum err err = admin_find_account(call, "name", &account);

	return err ? err : with_hash(call, account.name, account.full_name, password_hashed);
}

enum err admin_user_totp(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	_cleanup_secret_ struct secret *key = NULL;
	struct account account;
	enum err err = totp_new(&key);

	if (!err)
		err = change_begin(call, &tx, &account);
	if (!err)
		err = person_set_totp(call->broker, account.id, key, clock_wall_s());
	if (!err)
		err = login_row_delete_account(call->broker->db, account.id);
	if (!err)
		err = totp_result(call, key, account.name);
	return err ? err : change_end(call, &tx, "account-totp", &account);
}

enum err admin_user_unlock(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = call->broker->db;
	struct account account;
	enum err err = change_begin(call, &tx, &account);

	if (!err)
		err = account_set_locked(db, account.id, false);
	if (!err)
		err = login_reset(db, &(const struct login_try){ .account = account.id });
	return err ? err : change_end(call, &tx, "account-unlock", &account);
}

static enum err set_disabled(struct admin_call *call, bool disabled, const char *event)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = call->broker->db;
	struct account account;
	enum err err = change_begin(call, &tx, &account);

	if (!err)
		err = account_set_disabled(db, account.id, disabled);
	if (!err)
		err = login_row_delete_account(db, account.id);
	if (!err)
		err = change_end(call, &tx, event, &account);
	if (!err && disabled)
		session_cut(call->broker, account.id, 0, 0);
	if (!err && disabled)
		glass_cut(call->broker, account.id);
	return err;
}

static enum err watch_parse(struct admin_call *call, const struct account *account,
			    enum account_watch *ret)
{
	const char *code = admin_text(call, "watch");

	for (size_t i = 0; i < ARRAY_SIZE(watches); i++) {
		if (!util_streq(watches[i].code, code))
			continue;
		if (watches[i].watch && account->role == ACCOUNT_STAFF)
			return admin_wrong(call, ERR_INVALID, "watch",
					   "only administrators and auditors may look on");
		*ret = watches[i].watch;
		return OK;
	}
	return admin_wrong(call, ERR_INVALID, "watch", "no, view or control");
}

enum err admin_user_set(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum account_watch watch = ACCOUNT_WATCH_NO;
	struct account account;
	enum err err = change_begin(call, &tx, &account);

	if (!err)
		err = watch_parse(call, &account, &watch);
	if (!err)
		err = account_set_watch(call->broker->db, account.id, watch);
	if (!err)
		err = admin_commit(call, &tx, "account-watch",
				   json_pack("{s:s, s:s}", "account", account.name, "watch",
					     watch_code(watch)));
	/* What it may do is decided anew, with a new purpose. */
	if (!err && watch < account.watch)
		watch_cut(call->broker, account.id, 0);
	return err;
}

enum err admin_user_duty(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum account_duty duty = ACCOUNT_DUTY_NONE;
	struct account account;
	enum err err = change_begin(call, &tx, &account);

	if (err)
		return err;
	if (duty_parse(admin_text(call, "duty"), &duty))
		return admin_wrong(call, ERR_INVALID, "duty", "none, use or manage");
	if (duty && account.role != ACCOUNT_STAFF)
		return admin_wrong(call, ERR_INVALID, "duty",
				   "administrators and auditors have no duty with records");
	err = account_set_duty(call->broker->db, account.id, duty);
	if (!err)
		err = admin_commit(call, &tx, "account-duty",
				   json_pack("{s:s, s:s, s:s}", "account", account.name, "before",
					     duty_code(account.duty), "duty", duty_code(duty)));
	/* What is on its way was asked with another right. */
	if (!err && (int64_t)duty != account.duty) {
		glass_cut(call->broker, account.id);
		records_cut(call->broker, account.id, 0);
		documents_cut(call->broker, account.id, 0);
	}
	return err;
}

enum err admin_user_disable(struct admin_call *call)
{
	return set_disabled(call, true, "account-disable");
}

enum err admin_user_enable(struct admin_call *call)
{
	return set_disabled(call, false, "account-enable");
}
