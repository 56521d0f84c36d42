/*
 * admin_device.c - sekisho device …: the inventory of enrolled devices.
 */
#include <string.h>

#include "base/clock.h"
#include "broker/admin_inventory.h"
#include "broker/pki.h"
#include "broker/session.h"

static enum err find_device(struct admin_call *call, struct device *ret)
{
	enum err err = device_by_id(call->broker->db, admin_number(call, "id", 0), ret);

	return err == ERR_NOT_FOUND ? admin_wrong(call, err, "id", "there is no such device") : err;
}

/* Of a text that need not be given; *ret is "" then. */
static enum err optional_text(struct admin_call *call, const char *field, const char **ret)
{
	const char *text = admin_text(call, field);

	if (text && *text && !admin_name_valid(text, DEVICE_REMARK_MAX, 4 * DEVICE_REMARK_MAX))
		return admin_wrong(call, ERR_INVALID, field,
				   "at most 200 characters, no control characters");
	*ret = text ? text : "";
	return OK;
}

/* ---- list ------------------------------------------------------------------------------- */

static enum err list_row(void *ctx, const struct inventory_row *row, bool *ret_stop)
{
	const struct device *device = &row->device;
	const struct certificate *certificate = &row->certificate;

	return admin_page_row(
		ctx,
		json_pack("[I, s, s, s, s, s, s, I, I, I, s, s, I, s, s]", (json_int_t)device->id,
			  device->owner_name, row->owners, device->name, row->state,
			  certificate->key_type, row->place, (json_int_t)certificate->issued_s,
			  (json_int_t)device->not_after_s, (json_int_t)device->seen_s,
			  device->seen_address, row->serial, (json_int_t)device->retired_s,
			  inventory_disposal_code(device->disposal), device->remark),
		device->id, ret_stop);
}

enum err admin_device_list(struct admin_call *call)
{
	enum err err = admin_columns(call, "id,user,owners,name,state,key,place,issued,until,seen,"
					   "address,serial,retired,disposal,remark");

	return err ? err
		   : inventory_each(call->broker, admin_number(call, "after", 0), list_row, call);
}

/* ---- revoke, retire --------------------------------------------------------------------- */

/*
 * Takes the device out of use; a transaction is open. A certificate whose key may be in the wrong
 * hands says so on the CRL (RFC 5280 §5.3.1).
 */
static enum err revoke_rows(struct admin_call *call, const struct device *device,
			    const char *reason, bool lost)
{
	struct db *db = call->broker->db;
	int64_t now_s = clock_wall_s();
	enum err err = OK;

	if (lost)
		err = certificate_end(db, device->id, 0, CERTIFICATE_REVOKED, CRL_KEY_COMPROMISE,
				      now_s);
	if (!err)
		err = device_revoke(db, device->id, reason, now_s);
	if (!err)
		err = login_row_delete_device(db, device->id);
	if (!err)
		err = admin_audit(call, "device-revoke",
				  json_pack("{s:I, s:s, s:s, s:b}", "device",
					    (json_int_t)device->id, "account", device->owner_name,
					    "reason", reason, "lost", lost));
	return err;
}

static void revoke_effects(struct broker *broker, int64_t device)
{
	session_cut(broker, 0, device, 0);
	pki_renew_crl(broker->pki);
}

enum err admin_device_revoke(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct device device;
	const char *reason;
	enum err err = optional_text(call, "reason", &reason);

	if (!err)
		err = find_device(call, &device);
	if (!err && device.state == DEVICE_REVOKED)
		return admin_wrong(call, ERR_WRONG_STATE, "id", "the device is revoked already");
	if (!err)
		err = db_tx_begin(&tx, call->broker->db);
	if (!err)
		err = revoke_rows(call, &device, reason, admin_flag(call, "lost"));
	if (!err)
		err = db_tx_commit(&tx);
	if (!err)
		revoke_effects(call->broker, device.id);
	return err;
}

static enum err retire_rows(struct admin_call *call, const struct device *device,
			    enum disposal disposal, const char *remark)
{
	char by[DEVICE_ACCOUNT_MAX + 1];
	enum err err = OK;

	admin_by(call, by, sizeof(by));
	if (device->state != DEVICE_REVOKED)
		err = revoke_rows(call, device, INVENTORY_WHY_RETIRED, disposal == DISPOSAL_LOST);
	if (!err)
		err = device_retire(call->broker->db, device->id, disposal, by, remark,
				    clock_wall_s());
	if (!err)
		err = admin_audit(call, "device-retire",
				  json_pack("{s:I, s:s, s:s, s:s}", "device",
					    (json_int_t)device->id, "account", device->owner_name,
					    "disposal", inventory_disposal_code(disposal), "remark",
					    remark));
	return err;
}

enum err admin_device_retire(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum disposal disposal;
	struct device device;
	const char *remark;
	enum err err = optional_text(call, "remark", &remark);

	if (!err && inventory_disposal_parse(admin_text(call, "disposal"), &disposal))
		return admin_wrong(call, ERR_INVALID, "disposal",
				   "wiped, destroyed, returned or lost");
	if (!err)
		err = find_device(call, &device);
	if (!err && device.retired_s)
		return admin_wrong(call, ERR_WRONG_STATE, "id", "the device is retired already");
	if (!err)
		err = db_tx_begin(&tx, call->broker->db);
	if (!err)
		err = retire_rows(call, &device, disposal, remark);
	if (!err)
		err = db_tx_commit(&tx);
	if (!err && device.state != DEVICE_REVOKED)
		revoke_effects(call->broker, device.id);
	return err;
}

enum err admin_device_unlock(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = call->broker->db;
	struct device device;
	enum err err = find_device(call, &device);

	if (!err && device.state == DEVICE_REVOKED)
		return admin_wrong(call, ERR_WRONG_STATE, "id", "the device is revoked");
	if (!err)
		err = db_tx_begin(&tx, db);
	if (!err)
		err = device_set_state(db, device.id, DEVICE_ACTIVE);
	if (!err)
		err = login_reset(db, &(const struct login_try){ .device = device.id });
	if (!err)
		err = admin_audit(call, "device-unlock",
				  json_pack("{s:I}", "device", (json_int_t)device.id));
	return err ? err : db_tx_commit(&tx);
}

/* ---- owners ----------------------------------------------------------------------------- */

static json_t *owner_json(const struct device *device, const struct account *account)
{
	return json_pack("{s:I, s:s, s:s}", "device", (json_int_t)device->id, "name", device->name,
			 "account", account->name);
}

enum err admin_device_share(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct account account;
	struct device device;
	enum err err = find_device(call, &device);

	if (!err && device.state == DEVICE_REVOKED)
		return admin_wrong(call, ERR_WRONG_STATE, "id", "the device is revoked");
	if (!err)
		err = admin_find_account(call, "user", &account);
	if (!err && account.disabled)
		return admin_wrong(call, ERR_WRONG_STATE, "user", "the account is disabled");
	if (!err)
		err = db_tx_begin(&tx, call->broker->db);
	if (!err)
		err = device_owner_add(call->broker->db, device.id, account.id);
	if (err == ERR_EXISTS)
		return admin_wrong(call, err, "user", "the account may use the device already");
	if (!err)
		err = admin_audit(call, "device-share", owner_json(&device, &account));
	return err ? err : db_tx_commit(&tx);
}

enum err admin_device_unshare(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct account account;
	struct device device;
	enum err err = find_device(call, &device);

	if (!err)
		err = admin_find_account(call, "user", &account);
	if (!err)
		err = db_tx_begin(&tx, call->broker->db);
	if (!err)
		err = device_owner_remove(call->broker->db, device.id, account.id);
	if (err == ERR_NOT_FOUND && tx.db)
		return admin_wrong(call, err, "user", "the account may not use the device");
	if (err == ERR_WRONG_STATE)
		return admin_wrong(call, err, "user",
				   "nobody else may use the device: revoke it instead");
	if (!err)
		err = admin_audit(call, "device-unshare", owner_json(&device, &account));
	if (!err)
		err = db_tx_commit(&tx);
	if (!err)
		session_cut(call->broker, account.id, device.id, 0);
	return err;
}
