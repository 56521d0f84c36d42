/*
 * admin_vault_words.c - why the vault would not, in words.
 */
#include "broker/admin_vault.h"
#include "broker/vault_link.h"

static bool is(const struct admin_call *call, const char *name)
{
	return util_streq(call->command->name, name);
}

bool admin_vault_renews(const char *name)
{
	return !util_streq(name, "vault unseal") && !util_streq(name, "vault seal") &&
	       !util_streq(name, "vault status") && !util_streq(name, "vault check");
}

/* What is wrong with a sheet: it was mistyped, or it is an old one. */
static enum err wrong_sheet(struct admin_call *call, enum err err, unsigned number)
{
	const char *field = number == 2 ? "sheet-2" : "sheet-1";

	if (err == ERR_CODE)
		return admin_wrong(call, err, field,
				   "a row is mistyped, or rows are in another order");
	if (err == ERR_EXPIRED)
		return admin_wrong(call, err, field,
				   "this sheet was replaced by a newer one: look at the code of "
				   "the set on the sheets");
	if (err == ERR_EXISTS)
		return admin_wrong(call, err, "sheet-2",
				   "twice the same sheet: two different ones are needed");
	return admin_wrong(call, err, field, "this is no sheet of this vault");
}

static enum err wrong_passphrase(struct admin_call *call, enum err err)
{
	if (is(call, "vault init"))
		return admin_wrong(call, err, "passphrase",
				   "not the passphrase in vault.passphrase_file");
	if (is(call, "vault unseal") && admin_flag(call, "token"))
		return admin_wrong(call, err, "passphrase",
				   "the PIN is wrong, or the token is not there");
	if (is(call, "vault token"))
		return admin_wrong(call, err, "passphrase",
				   "the passphrase or the PIN is wrong, or the token is not there");
	return admin_wrong(call, err, "passphrase", "the passphrase is wrong");
}

static enum err not_found(struct admin_call *call, enum err err)
{
	if (!vault_link_root(call->broker->house)->generation)
		return admin_wrong(call, err, "", "there is no vault yet: sekisho vault init");
	if (is(call, "vault recover") || is(call, "vault check"))
		return admin_wrong(call, err, "", "there are no sheets: sekisho vault shares");
	return admin_wrong(call, err, "", "this way of opening the vault is not set up");
}

static enum err unavailable(struct admin_call *call, enum err err)
{
	if (is(call, "vault init") && vault_link_is(call->broker->house) == VAULT_OPEN)
		return admin_wrong(call, err, "",
				   "the vault is made, but the signer did not certify its key; "
				   "that is tried again every ten minutes; print the sheets by "
				   "sekisho vault shares");
	if (is(call, "vault token") || is(call, "vault unseal"))
		return admin_wrong(call, err, "",
				   "the vault does not answer, or vault.pkcs11_module is not set");
	return admin_wrong(call, err, "", "the vault does not answer");
}

enum err admin_vault_refused(struct admin_call *call, enum err err, unsigned number)
{
	if (number)
		return wrong_sheet(call, err, number);
	switch ((unsigned)err) {
	case ERR_UNAVAILABLE:
		return unavailable(call, err);
	case ERR_EXISTS:
		return admin_wrong(call, err, "",
				   "there is a vault already; its keys are never replaced, as "
				   "nothing else opens what was sealed to them");
	case ERR_NOT_FOUND:
		return not_found(call, err);
	case ERR_LOGIN:
		return wrong_passphrase(call, err);
	case ERR_THROTTLED:
		return admin_wrong(call, err, "passphrase",
				   "too many wrong tries: wait up to five minutes (sekisho vault "
				   "status says how long)");
	case ERR_LOCKED:
		return admin_wrong(call, err, "",
				   "this vault was made by an older version: unseal it once, which "
				   "brings it up to date");
	case ERR_KEY:
		return admin_wrong(call, err, "", "the token's key is not one of P-256");
	case ERR_EXPIRED:
		return admin_wrong(
			call, err, "",
			"root.json is older than the vault was (vault-rolled-back in "
			"the audit log): put the newest copy of the vault's folder back");
	case ERR_INVALID:
		return admin_wrong(
			call, err, "",
			"the vault's file root.json is damaged: put it back from a copy");
	default:
		return err;
	}
}
