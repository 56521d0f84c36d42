/*
 * admin_vault.c - sekisho vault …: the orders to the vault, each in the audit log before anything
 * happens, and its answers. What the vault says in words is admin_vault_words.c's.
 */
#include <string.h>

#include "broker/admin.h"
#include "broker/admin_vault.h"
#include "broker/cert.h"
#include "broker/vault_link.h"
#include "certs/cleanup.h"

enum { SHEETS = 3, ROWS = 8, ROW = 12 /* characters */, SET = 4 };

/* ---- answers ---------------------------------------------------------------------------- */

/* Of the house certificate, as far as there is one. */
static enum err show_certificate(struct admin_call *call, struct bytes der)
{
	_cleanup_object_(x509) X509 *certificate = NULL;
	char fingerprint[CERT_FINGERPRINT_TEXT];
	int64_t until_s;
	enum err err;

	if (!der.len)
		return OK;
	err = cert_parse(der, &certificate);
	if (!err)
		err = cert_fingerprint(certificate, fingerprint);
	if (!err)
		err = cert_seconds(X509_get0_notAfter(certificate), &until_s);
	if (err)
		return err;
	json_object_set_new(call->result, "sha256", json_string(fingerprint));
	json_object_set_new(call->result, "until", json_integer((json_int_t)until_s));
	return OK;
}

/* What opens it, and since when. */
static enum err show_opener(struct admin_call *call, const char *part, uint64_t since_s)
{
	return admin_row(call, json_pack("[s, s, I]", part, since_s ? "ready" : "none",
					 (json_int_t)since_s));
}

static enum err show_root(struct admin_call *call)
{
	const struct msg_vault_root *root = vault_link_root(call->broker->house);
	char set[2 * SET + 1];
	enum err err = OK;

	if (root->generation) {
		err = show_opener(call, "passphrase", root->made);
		if (!err)
			err = show_opener(call, "sheets", root->sheets);
		if (!err)
			err = show_opener(call, "machine", root->machine);
		if (!err)
			err = show_opener(call, "token", root->token);
		util_hex(root->set, SET, set);
		json_object_set_new(call->result, "generation",
				    json_integer((json_int_t)root->generation));
		if (root->sheets)
			json_object_set_new(call->result, "set", json_string(set));
	}
	if (root->failed)
		json_object_set_new(call->result, "failed", json_integer(root->failed));
	if (root->wait_s)
		json_object_set_new(call->result, "wait", json_integer(root->wait_s));
	return err;
}

static enum err show(struct admin_call *call, const struct msg_vault_state *state)
{
	const struct msg_vault_root *root = vault_link_root(call->broker->house);
	enum err err = admin_columns(call, "part,state,made");

	if (!err)
		err = admin_row(call,
				json_pack("[s, s, I]", "house-key", vault_state_code(state->state),
					  (json_int_t)root->made));
	if (!err)
		err = show_root(call);
	return err ? err : show_certificate(call, state->certificate);
}

static bool gives_sheets(const char *name)
{
	return util_streq(name, "vault init") || util_streq(name, "vault shares") ||
	       util_streq(name, "vault recover");
}

/* Shown this once: their rows, and what else stands on them. */
static enum err show_sheets(struct admin_call *call, const char *rows)
{
	json_t *sheets = json_array();

	if (strlen(rows) != (size_t)SHEETS * ROWS * (ROW + 1)) {
		json_decref(sheets);
		return ERR_PROTOCOL;
	}
	for (size_t i = 0; i < SHEETS; i++) {
		json_t *sheet = json_array();

		for (size_t k = 0; k < ROWS; k++, rows += ROW + 1)
			json_array_append_new(sheet, json_stringn(rows, ROW));
		json_array_append_new(sheets, sheet);
	}
	json_object_set_new(call->result, "office",
			    json_string(call->broker->settings.gateway_office));
	return json_object_set_new(call->result, "sheets", sheets) ? ERR_NOMEM : OK;
}

static enum err show_given(struct admin_call *call, const struct vault_given *given)
{
	const char *name = call->command->name;

	if (gives_sheets(name))
		return show_sheets(call, given->secret);
	if (util_streq(name, "vault machine") && given->secret[0])
		json_object_set_new(call->result, "secret", json_string(given->secret));
	if (util_streq(name, "vault check"))
		json_object_set_new(call->result, "sheet", json_integer(given->number));
	return OK;
}

/* What has become of the order; of a state that was only looked at, nothing. */
static enum err record(struct admin_call *call, enum err result)
{
	const struct msg_vault_root *root = vault_link_root(call->broker->house);
	const char *name = call->command->name;
	char set[2 * SET + 1];

	if (result)
		return admin_record(call, "vault-refused",
				    json_pack("{s:s, s:s, s:I}", "order", name, "error",
					      err_code(result), "failed",
					      (json_int_t)root->failed));
	if (!admin_vault_renews(name))
		return OK;
	util_hex(root->set, SET, set);
	return admin_record(call, "vault-renewed",
			    json_pack("{s:s, s:I, s:s}", "order", name, "generation",
				      (json_int_t)root->generation, "set", set));
}

static void answered(void *ctx, enum err result, const struct msg_vault_state *answer,
		     const struct vault_given *given)
{
	struct admin_call *call = ctx;
	const struct msg_vault_state bare = { .state =
						      (uint8_t)vault_link_is(call->broker->house) };
	/* The vault did it, and only its certificate is missing: what it gave comes but once. */
	bool uncertified = result && given->secret[0];
	enum err wrong = uncertified ? OK : result;
	/* Tries of a passphrase among them. */
	enum err err = util_streq(call->command->name, "vault status") ? OK : record(call, wrong);

	if (!err && wrong)
		err = admin_vault_refused(call, wrong, given->number);
	else if (!err)
		err = show(call, answer ? answer : &bare);
	if (!err)
		err = show_given(call, given);
	if (!err && uncertified)
		json_object_set_new(call->result, "remark", json_string("uncertified"));
	admin_finish(call, err);
}

/* ---- orders ----------------------------------------------------------------------------- */

static enum err order(struct admin_call *call, uint16_t id, void *msg)
{
	enum err err;

	if (!call->broker->vault)
		return admin_wrong(call, ERR_UNAVAILABLE, "", "the vault is not running");
	err = vault_link_order(call->broker->house, id, msg, answered, call);
	if (!err)
		call->later = true;
	return err == ERR_UNAVAILABLE ? admin_wrong(call, err, "", "the vault does not answer")
				      : err;
}

static const char *text_of(const struct admin_call *call, const char *name)
{
	const char *text = admin_text(call, name);

	return text ? text : "";
}

/* That it was ordered is on the disk before anything happens. */
static enum err change(struct admin_call *call, enum vault_act what, const char *event,
		       const char *second)
{
	struct msg_vault_change msg = {
		.order = (uint8_t)what,
		.passphrase = text_of(call, "passphrase"),
		.second = second ? text_of(call, second) : "",
		.sheet1 = text_of(call, "sheet-1"),
		.sheet2 = text_of(call, "sheet-2"),
	};
	enum err err = admin_record(call, event, NULL);

	return err ? err : order(call, MSG_vault_change, &msg);
}

enum err admin_vault_init(struct admin_call *call)
{
	_cleanup_secret_ struct secret *passphrase = NULL;
	struct msg_vault_init msg = { .passphrase = admin_text(call, "passphrase") };
	enum err err = admin_new_password(call, "passphrase", NULL, NULL, &passphrase);

	if (!err)
		err = admin_record(call, "vault-init", NULL);
	return err ? err : order(call, MSG_vault_init, &msg);
}

enum err admin_vault_unseal(struct admin_call *call)
{
	struct msg_vault_unseal msg = { .passphrase = admin_text(call, "passphrase") };
	enum err err;

	if (admin_flag(call, "token"))
		return change(call, VAULT_UNSEAL_TOKEN, "vault-unseal", "passphrase");
	err = admin_record(call, "vault-unseal", NULL);
	return err ? err : order(call, MSG_vault_unseal, &msg);
}

enum err admin_vault_seal(struct admin_call *call)
{
	struct msg_vault_seal msg = { 0 };
	enum err err = admin_record(call, "vault-seal", NULL);

	return err ? err : order(call, MSG_vault_seal, &msg);
}

enum err admin_vault_status(struct admin_call *call)
{
	struct msg_vault_status msg = { 0 };

	return order(call, MSG_vault_status, &msg);
}

enum err admin_vault_rotate(struct admin_call *call)
{
	return change(call, VAULT_ROTATE, "vault-rotate", NULL);
}

enum err admin_vault_shares(struct admin_call *call)
{
	return change(call, VAULT_SHEETS, "vault-shares", NULL);
}

enum err admin_vault_check(struct admin_call *call)
{
	return change(call, VAULT_CHECK, "vault-check", NULL);
}

enum err admin_vault_passphrase(struct admin_call *call)
{
	_cleanup_secret_ struct secret *chosen = NULL;
	enum err err = admin_new_password(call, "new", NULL, NULL, &chosen);

	return err ? err : change(call, VAULT_PASSPHRASE, "vault-passphrase", "new");
}

/* The new passphrase is the one that is asked for; there is none of today. */
enum err admin_vault_recover(struct admin_call *call)
{
	_cleanup_secret_ struct secret *chosen = NULL;
	enum err err = admin_new_password(call, "passphrase", NULL, NULL, &chosen);

	return err ? err : change(call, VAULT_RECOVER, "vault-recover", "passphrase");
}

enum err admin_vault_machine(struct admin_call *call)
{
	return change(call, admin_flag(call, "remove") ? VAULT_MACHINE_DROP : VAULT_MACHINE,
		      "vault-machine", NULL);
}

enum err admin_vault_token(struct admin_call *call)
{
	return change(call, admin_flag(call, "remove") ? VAULT_TOKEN_DROP : VAULT_TOKEN,
		      "vault-token", "pin");
}
