/*
 * admin_ca.c - sekisho ca …, auditor … and gateway …: what the signer is asked to do, and why it
 * would not.
 */
#include <string.h>

#include "base/log.h"
#include "broker/admin.h"
#include "broker/admin_ca.h"
#include "broker/cert.h"
#include "broker/pki.h"
#include "wire/enums.h"

enum { ROOT_KEY_MAX = 8192, CSR_MAX = 12288, AUDITOR_CHARACTERS = 64 };

static enum err later(struct admin_call *call, enum err err)
{
	if (err == ERR_UNAVAILABLE)
		return admin_wrong(call, err, "", "the signer is not running");
	if (!err)
		call->later = true;
	return err;
}

/* ---- show, export ----------------------------------------------------------------------- */

static void show_came(void *ctx, enum err result, const union wire_any *answer)
{
	struct admin_call *call = ctx;
	enum err err = result;

	if (!err)
		err = admin_ca_table(&answer->ca_state, &call->result);
	else if (err == ERR_UNAVAILABLE)
		err = admin_wrong(call, err, "", "the signer does not answer");
	admin_finish(call, err);
}

enum err admin_ca_show(struct admin_call *call)
{
	return later(call, pki_ask_ca(call->broker->pki, show_came, call));
}

static void export_came(void *ctx, enum err result, const union wire_any *answer)
{
	struct admin_call *call = ctx;
	const char *what = admin_text(call, "what");
	enum err err = result;

	if (!err)
		err = admin_ca_pem(&answer->ca_state, what && util_streq(what, "chain"),
				   &call->result);
	else if (err == ERR_UNAVAILABLE)
		err = admin_wrong(call, err, "", "the signer does not answer");
	admin_finish(call, err);
}

enum err admin_ca_export(struct admin_call *call)
{
	const char *what = admin_text(call, "what");

	if (what && !util_streq(what, "root") && !util_streq(what, "chain"))
		return admin_wrong(call, ERR_INVALID, "what", "root or chain");
	return later(call, pki_ask_ca(call->broker->pki, export_came, call));
}

/* ---- changes ---------------------------------------------------------------------------- */

static enum err refused_init(struct admin_call *call, enum err err)
{
	if (err == ERR_WRONG_STATE)
		return admin_wrong(
			call, err, "",
			"devices have certificates of this CA already: rotate it instead");
	if (err == ERR_INVALID)
		return admin_wrong(call, err, "passphrase",
				   "the passphrase is too short: at least 8 characters");
	return err;
}

static enum err refused_clear(struct admin_call *call)
{
	return admin_wrong(call, ERR_WRONG_STATE, "passphrase",
			   "the CA's keys have no passphrase: set ca.passphrase_file and restart");
}

static enum err refused_rotate(struct admin_call *call, enum err err)
{
	if (err == ERR_NOT_FOUND)
		return admin_wrong(call, err, "root",
				   "the root's key is kept elsewhere: give its file by --root");
	if (err == ERR_INVALID)
		return admin_wrong(call, err, "root",
				   "not the root's key as sekisho ca init wrote it");
	if (err == ERR_WRONG_STATE)
		return refused_clear(call);
	if (err == ERR_EXPIRED)
		return admin_wrong(call, err, "new-root",
				   "the root does not last: a new one is needed");
	if (err == ERR_EXISTS)
		return admin_wrong(call, err, "", "the token's key belongs to a CA already");
	if (err == ERR_FULL)
		return admin_wrong(call, err, "", "too many CAs still answer, or the disk is full");
	return err;
}

static enum err refused_take_root(struct admin_call *call, enum err err)
{
	if (err == ERR_NOT_FOUND)
		return admin_wrong(call, err, "", "the root's key is not on the gateway any more");
	if (err == ERR_INVALID)
		return admin_wrong(call, err, "root",
				   "not the root's key as sekisho ca init wrote it");
	return err == ERR_WRONG_STATE ? refused_clear(call) : err;
}

/* Why the signer would not, in words. */
static enum err refused(struct admin_call *call, enum err err)
{
	if (err == ERR_UNAVAILABLE)
		return admin_wrong(call, err, "", "the signer does not answer");
	if (err == ERR_LOGIN)
		return admin_wrong(call, err, "passphrase", "the passphrase is wrong");
	if (err == ERR_LOCKED)
		return admin_wrong(call, err, "passphrase",
				   "the CA's keys need their passphrase: add --passphrase");
	if (util_streq(call->command->name, "ca init"))
		return refused_init(call, err);
	if (util_streq(call->command->name, "ca rotate"))
		return refused_rotate(call, err);
	if (util_streq(call->command->name, "ca take-root"))
		return refused_take_root(call, err);
	if (util_streq(call->command->name, "ca unlock") && err == ERR_WRONG_STATE)
		return refused_clear(call);
	return err;
}

/* Done is done. */
static enum err changed(struct admin_call *call, const struct msg_ca_state *state)
{
	enum err err = admin_ca_table(state, &call->result);

	if (err)
		return err;
	if (state->root.len)
		json_object_set_new(call->result, "root",
				    json_stringn((const char *)state->root.data, state->root.len));
	err = admin_record(call, "ca-changed",
			   json_pack("{s:s, s:O?}", "order", call->command->name, "root",
				     json_object_get(call->result, "sha256")));
	if (err)
		log_error("ca-change-unrecorded", "error=%s", err_code(err));
	return OK;
}

static void change_came(void *ctx, enum err result, const union wire_any *answer)
{
	struct admin_call *call = ctx;
	enum err err = result, recorded;

	if (!err) {
		admin_finish(call, changed(call, &answer->ca_state));
		return;
	}
	/* Tries of a passphrase among them. */
	recorded = admin_record(
		call, "ca-refused",
		json_pack("{s:s, s:s}", "order", call->command->name, "error", err_code(err)));
	admin_finish(call, recorded ? recorded : refused(call, err));
}

/*
 * What the signer does cannot be taken back with a transaction: that it was ordered is on the disk
 * before, and what became of it after.
 */
static enum err change(struct admin_call *call, enum ca_order order, const char *event)
{
	const char *passphrase = admin_text(call, "passphrase"), *root = admin_text(call, "root");
	const struct msg_change_ca msg = {
		.order = (uint8_t)order,
		.passphrase = passphrase ? passphrase : "",
		.root = { (const uint8_t *)root, root ? strlen(root) : 0 },
		.new_root = admin_flag(call, "new-root"),
	};
	enum err err;

	if (msg.root.len > ROOT_KEY_MAX)
		return admin_wrong(call, ERR_TOO_BIG, "root", "is too long");
	if (!call->broker->signer)
		return admin_wrong(call, ERR_UNAVAILABLE, "", "the signer is not running");
	err = admin_record(call, event,
			   order == CA_UNLOCK ? NULL
					      : json_pack("{s:s, s:b}", "order",
							  ca_order_code((unsigned)order),
							  "new_root", msg.new_root));
	return err ? err : later(call, pki_change_ca(call->broker->pki, &msg, change_came, call));
}

enum err admin_ca_init(struct admin_call *call)
{
	_cleanup_secret_ struct secret *passphrase = NULL;
	enum err err = OK;

	/* A token's PIN was chosen before, by the token's rules. */
	if (!call->broker->settings.ca_pkcs11_module[0])
		err = admin_new_password(call, "passphrase", NULL, NULL, &passphrase);
	return err ? err : change(call, CA_INIT, "ca-init");
}

enum err admin_ca_unlock(struct admin_call *call)
{
	return change(call, CA_UNLOCK, "ca-unlock");
}

/*
 * Two orders: shown, it is still here; and once it lies in a file, whose contents prove it, it is
 * removed. Whoever dies in between has lost nothing.
 */
enum err admin_ca_take_root(struct admin_call *call)
{
	return change(call, admin_text(call, "root") ? CA_DROP_ROOT : CA_SHOW_ROOT, "ca-take-root");
}

enum err admin_ca_rotate(struct admin_call *call)
{
	return change(call, CA_ROTATE, "ca-rotate");
}

/* ---- auditors --------------------------------------------------------------------------- */

static enum err auditor_store(struct admin_call *call, const struct msg_certified *certified)
{
	enum err err = admin_ca_chain(certified, &call->result);

	return err ? err : admin_auditor_keep(call, certified->certificate);
}

static void auditor_certified(void *ctx, enum err result, const union wire_any *answer)
{
	struct admin_call *call = ctx;
	enum err err = result;

	if (!err)
		err = auditor_store(call, &answer->certified);
	else if (err == ERR_INVALID || err == ERR_KEY || err == ERR_TOO_BIG)
		err = admin_wrong(call, err, "csr",
				  "not a request in PEM with a sound key on P-256: make it anew "
				  "as the guide says");
	else
		err = refused(call, err);
	admin_finish(call, err);
}

enum err admin_auditor_certify(struct admin_call *call)
{
	const char *name = admin_text(call, "name"), *csr = admin_text(call, "csr");

	if (!admin_name_valid(name, AUDITOR_CHARACTERS, 2 * AUDITOR_CHARACTERS))
		return admin_wrong(call, ERR_INVALID, "name",
				   "1 to 64 characters and at most 128 bytes, no control "
				   "characters");
	if (strlen(csr) > CSR_MAX)
		return admin_wrong(call, ERR_TOO_BIG, "csr", "is too long");
	return later(call, pki_sign_auditor(call->broker->pki,
					    (struct bytes){ (const uint8_t *)csr, strlen(csr) },
					    name, auditor_certified, call));
}

/* ---- gateway ---------------------------------------------------------------------------- */

enum err admin_gateway_rekey(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum err err = db_tx_begin(&tx, call->broker->db);

	if (!err)
		err = pki_forget_key(call->broker->pki);
	if (!err)
		err = admin_audit(call, "gateway-rekey", NULL);
	if (!err)
		err = db_tx_commit(&tx);
	if (!err)
		pki_key_forgotten(call->broker->pki);
	return err;
}
