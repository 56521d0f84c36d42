/*
 * admin_invite.c - invitations to enrol a device, and the queue of those that wait for a decision.
 */
#include <qrencode.h>
#include <string.h>

#include "base/clock.h"
#include "broker/admin.h"
#include "broker/cert.h"
#include "broker/enrol_code.h"
#include "broker/pki.h"
#include "broker/urls.h"
#include "certs/cleanup.h"
#include "store/invites.h"
#include "wire/enums.h"

enum {
	INVITE_HOURS = 24,
	INVITE_LIST_DAYS = 90,
	DEVICE_NAME_CHARACTERS = 64,
	QR_MODULES_MAX = 177, /* ISO/IEC 18004, version 40 */
};

/* ---- invite ----------------------------------------------------------------------------- */

/* A string of 0 and 1 for each row of modules. */
static enum err qr_rows(const char *text, json_t **ret)
{
	QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	json_t *rows = json_array();
	enum err err = qr && rows ? OK : ERR_NOMEM;

	for (int y = 0; !err && y < qr->width; y++) {
		char row[QR_MODULES_MAX + 1] = "";

		for (int x = 0; x < qr->width; x++)
			row[x] = qr->data[y * qr->width + x] & 1 ? '1' : '0';
		if (json_array_append_new(rows, json_string(row)))
			err = ERR_NOMEM;
	}
	QRcode_free(qr);
	if (err)
		json_decref(rows);
	else
		*ret = rows;
	return err;
}

/* Of the office's newest root. ERR_UNAVAILABLE while the signer has shown none. */
static enum err root_fingerprint(const struct broker *broker, char ret[CERT_FINGERPRINT_TEXT])
{
	_cleanup_object_(x509) X509 *root = NULL;
	enum err err = cert_root(pki_ca(broker->pki), &root);

	if (err == ERR_NOT_FOUND)
		return ERR_UNAVAILABLE;
	return err ? err : cert_fingerprint(root, ret);
}

static enum err invite_result(struct admin_call *call, const struct invite *invite,
			      const struct account *account, const char *code)
{
	const struct settings *settings = &call->broker->settings;
	char enrol[URLS_MAX], gateway[URLS_MAX], link[URLS_MAX + ENROL_CODE_LEN + 8];
	char grouped[ENROL_CODE_GROUPED + 1], fingerprint[CERT_FINGERPRINT_TEXT];
	json_t *qr = NULL;
	enum err err = root_fingerprint(call->broker, fingerprint);

	urls_enrol(settings, enrol);
	urls_gateway(settings, gateway);
	/* A fragment: browsers do not send it, so it gets into no log. */
	snprintf(link, sizeof(link), "%s#code=%s", enrol, code);
	enrol_code_group(code, grouped, sizeof(grouped));
	if (!err)
		err = qr_rows(link, &qr);
	if (!err) {
		call->result = json_pack(
			"{s:I, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:o}", "id",
			(json_int_t)invite->id, "code", grouped, "url", link, "enrol", enrol,
			"gateway", gateway, "expires", (json_int_t)invite->expires_s, "account",
			account->name, "person", account->full_name, "device", invite->name,
			"office", settings->gateway_office, "fingerprint", fingerprint, "qr", qr);
		err = call->result ? OK : ERR_NOMEM;
	}
	secret_wipe(link, sizeof(link));
	secret_wipe(grouped, sizeof(grouped));
	return err;
}

static enum err invite_check(struct admin_call *call, struct account *ret)
{
	enum err err;

	if (!admin_name_valid(admin_text(call, "name"), DEVICE_NAME_CHARACTERS, DEVICE_NAME_MAX))
		return admin_wrong(call, ERR_INVALID, "name",
				   "1 to 64 characters and at most 128 bytes, no control "
				   "characters");
	err = admin_find_account(call, "user", ret);
	if (!err && ret->disabled)
		return admin_wrong(call, ERR_WRONG_STATE, "user", "the account is disabled");
	return err;
}

static enum err invite_store(struct admin_call *call, const struct account *account,
			     const char *code)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct invite invite = {
		.account = account->id,
		.preapproved = admin_flag(call, "pre-approved"),
		.created_s = clock_wall_s(),
	};
	enum err err = enrol_code_hash(code, invite.code);

	invite.expires_s = invite.created_s + INVITE_HOURS * 3600;
	snprintf(invite.name, sizeof(invite.name), "%s", admin_text(call, "name"));
	admin_by(call, invite.invited_by, sizeof(invite.invited_by));
	if (!err)
		err = db_tx_begin(&tx, call->broker->db);
	if (!err)
		err = invite_add(call->broker->db, &invite, &invite.id);
	if (!err)
		err = admin_audit(call, "device-invite",
				  json_pack("{s:I, s:s, s:s, s:b, s:I}", "invite",
					    (json_int_t)invite.id, "account", account->name, "name",
					    invite.name, "pre_approved", invite.preapproved,
					    "expires", (json_int_t)invite.expires_s));
	if (!err)
		err = invite_result(call, &invite, account, code);
	return err ? err : db_tx_commit(&tx);
}
_Static_assert((int)ENROL_CODE_HASH == (int)INVITE_CODE, "both are the code's hash");

enum err admin_device_invite(struct admin_call *call)
{
	char code[ENROL_CODE_LEN + 1];
	struct account account;
	enum err err = invite_check(call, &account);

	if (err)
		return err;
	enrol_code_random(code, ENROL_CODE_LEN);
	err = invite_store(call, &account, code);
	secret_wipe(code, sizeof(code));
	return err == ERR_UNAVAILABLE
		       ? admin_wrong(call, err, "", "the signer has not shown the CA yet")
		       : err;
}

/* ---- list ------------------------------------------------------------------------------- */

static enum enrol_state state_of(const struct invite *invite, int64_t now_s)
{
	bool over = invite->state == ENROL_OPEN || invite->state == ENROL_PENDING ||
		    invite->state == ENROL_APPROVED;

	return over && now_s >= invite->expires_s ? ENROL_EXPIRED : (enum enrol_state)invite->state;
}

static const char *kind_text(int64_t kind)
{
	switch (kind) {
	case INVITE_REQUEST:
		return "request";
	case INVITE_FILE:
		return "file";
	default:
		return "none";
	}
}

static json_t *row_json(const struct invite *invite, int64_t now_s)
{
	char fingerprint[2 * DEVICE_KEY + 1] = "";

	if (invite->kind == INVITE_REQUEST)
		util_hex(invite->key, sizeof(invite->key), fingerprint);
	return json_pack("[I, s, s, s, s, I, I, s, s, s, s, I, s, I, s, s, b]",
			 (json_int_t)invite->id, invite->account_name, invite->name,
			 enrol_state_code((unsigned)state_of(invite, now_s)), invite->invited_by,
			 (json_int_t)invite->created_s, (json_int_t)invite->expires_s,
			 kind_text(invite->kind), invite->key_type,
			 key_place_code((unsigned)invite->key_place), fingerprint,
			 (json_int_t)invite->asked_s, invite->asked_address,
			 (json_int_t)invite->decided_s, invite->decided_by, invite->reason,
			 invite->preapproved);
}

/* The newest first. */
enum err admin_device_invites(struct admin_call *call)
{
	_cleanup_query_ struct query query = { 0 };
	int64_t now_s = clock_wall_s();
	struct invite invite;
	bool more, full = false;
	enum err err = admin_columns(call, "id,user,name,state,by,created,expires,kind,key,place,"
					   "fingerprint,asked,address,decided,decided_by,reason,"
					   "pre_approved");

	if (err)
		return err;
	invite_list(&query, call->broker->db, now_s - INVITE_LIST_DAYS * INT64_C(86400),
		    admin_number(call, "after", 0));
	while (!full && !(err = invite_next(&query, &invite, &more)) && more) {
		err = admin_page_row(call, row_json(&invite, now_s), invite.id, &full);
		if (err)
			break;
	}
	return err;
}

/* ---- decisions -------------------------------------------------------------------------- */

static enum err find_invite(struct admin_call *call, struct invite *ret)
{
	enum err err = invite_by_id(call->broker->db, admin_number(call, "id", 0), ret);

	return err == ERR_NOT_FOUND ? admin_wrong(call, err, "id", "there is no such invitation")
				    : err;
}

static json_t *detail_of(const struct invite *invite)
{
	return json_pack("{s:I, s:s, s:s}", "invite", (json_int_t)invite->id, "account",
			 invite->account_name, "name", invite->name);
}

static enum err decide(struct admin_call *call, const struct invite *invite, bool approve,
		       const char *reason)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = call->broker->db;
	json_t *detail = detail_of(invite);
	char by[INVITE_BY_MAX + 1];
	enum err err = db_tx_begin(&tx, db);

	/* What is approved: the key, or that a file with a new one is made. */
	if (approve && invite->kind == INVITE_REQUEST) {
		char key[2 * DEVICE_KEY + 1];

		util_hex(invite->key, sizeof(invite->key), key);
		json_object_set_new(detail, "spki", json_string(key));
	}
	if (!approve)
		json_object_set_new(detail, "reason", json_string(reason));
	admin_by(call, by, sizeof(by));
	if (!err)
		err = invite_decide(db, invite->id, approve, by, reason, clock_wall_s());
	if (err) {
		json_decref(detail);
		return err == ERR_NOT_FOUND ? admin_wrong(call, ERR_WRONG_STATE, "id",
							  "it does not wait for a decision")
					    : err;
	}
	err = admin_audit(call, approve ? "device-approve" : "device-refuse", detail);
	return err ? err : db_tx_commit(&tx);
}

enum err admin_device_approve(struct admin_call *call)
{
	struct account account;
	struct invite invite;
	enum err err = find_invite(call, &invite);

	if (!err && invite.state == ENROL_PENDING && clock_wall_s() >= invite.expires_s)
		return admin_wrong(call, ERR_EXPIRED, "id", "the invitation's time is over");
	if (!err)
		err = account_by_id(call->broker->db, invite.account, &account);
	if (!err && account.disabled)
		return admin_wrong(call, ERR_WRONG_STATE, "id", "the account is disabled");
	return err ? err : decide(call, &invite, true, "");
}

enum err admin_device_refuse(struct admin_call *call)
{
	const char *reason = admin_text(call, "reason");
	struct invite invite;
	enum err err = find_invite(call, &invite);

	if (!admin_name_valid(reason, INVITE_TEXT_MAX, 4 * INVITE_TEXT_MAX))
		return admin_wrong(call, ERR_INVALID, "reason",
				   "1 to 200 characters, no control characters");
	return err ? err : decide(call, &invite, false, reason);
}

enum err admin_device_withdraw(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = call->broker->db;
	char by[INVITE_BY_MAX + 1];
	struct invite invite;
	enum err err = find_invite(call, &invite);

	admin_by(call, by, sizeof(by));
	if (!err)
		err = db_tx_begin(&tx, db);
	if (!err)
		err = invite_withdraw(db, invite.id, by, clock_wall_s());
	if (err == ERR_NOT_FOUND && tx.db)
		return admin_wrong(call, ERR_WRONG_STATE, "id",
				   "it was used, refused or withdrawn already");
	if (!err)
		err = admin_audit(call, "device-withdraw", detail_of(&invite));
	return err ? err : db_tx_commit(&tx);
}
