/*
 * admin_vault.c - sekisho vault …
 */
#include "broker/admin.h"
#include "broker/cert.h"
#include "broker/vault_link.h"
#include "certs/cleanup.h"

/* Why the vault would not, in words. */
static enum err refused(struct admin_call *call, enum err err)
{
	bool init = util_streq(call->command->name, "vault init");

	if (err == ERR_UNAVAILABLE && init && vault_link_is(call->broker->house) == VAULT_OPEN)
		return admin_wrong(call, err, "",
				   "the house key is made, but the signer did not certify it; that "
				   "is tried again every ten minutes");
	if (err == ERR_UNAVAILABLE)
		return admin_wrong(call, err, "", "the vault does not answer");
	if (err == ERR_EXISTS)
		return admin_wrong(call, err, "",
				   "there is a house key already; it is never replaced, as nothing "
				   "else opens what was sealed to it");
	if (err == ERR_NOT_FOUND)
		return admin_wrong(call, err, "", "there is no house key yet: sekisho vault init");
	if (err == ERR_LOGIN)
		return init ? admin_wrong(call, err, "passphrase",
					  "not the passphrase in vault.passphrase_file")
			    : admin_wrong(call, err, "passphrase", "the passphrase is wrong");
	if (err == ERR_INVALID && init)
		return admin_wrong(call, err, "passphrase",
				   "the passphrase is too short: at least 8 characters");
	if (err == ERR_THROTTLED)
		return admin_wrong(call, err, "passphrase", "too many tries: wait a minute");
	return err;
}

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

static enum err show(struct admin_call *call, const struct msg_vault_state *state)
{
	enum err err = admin_columns(call, "part,state");

	if (!err)
		err = admin_row(call,
				json_pack("[s, s]", "house-key", vault_state_code(state->state)));
	return err ? err : show_certificate(call, state->certificate);
}

static void answered(void *ctx, enum err result, const struct msg_vault_state *answer)
{
	struct admin_call *call = ctx;
	enum err err = result;

	if (!err) {
		admin_finish(call, show(call, answer));
		return;
	}
	/* Tries of a passphrase among them. */
	if (!util_streq(call->command->name, "vault status")) {
		enum err recorded =
			admin_record(call, "vault-refused",
				     json_pack("{s:s, s:s}", "order", call->command->name, "error",
					       err_code(err)));
		if (recorded)
			err = recorded;
	}
	admin_finish(call, refused(call, err));
}

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

/* That it was ordered is on the disk before anything happens. */
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
	enum err err = admin_record(call, "vault-unseal", NULL);

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
