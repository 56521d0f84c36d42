#include "vault/root.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "certs/cleanup.h"
#include "vault/root_renew.h"
#include "vault/token_seal.h"

/* ---- life ------------------------------------------------------------------------------- */

enum err root_open(struct root *root, const char *folder, struct house *house)
{
	struct keyring *keyring = root->keyring;
	struct token *token = root->token;
	const char *uri = root->token_uri ? root->token_uri : "";

	*root = (struct root){ .folder = folder,
			       .house = house,
			       .keyring = keyring,
			       .token = token,
			       .token_uri = uri,
			       .cost = wrap_cost };
	tries_open(&root->tries, folder, clock_mono_ms());
	/* What cannot be read will be said when it is opened. */
	if (keyring && keyring_of(folder, &root->kept))
		root->kept = 0;
	enum err err = root_file_read(folder, &root->file);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err == ERR_NOMEM)
		return err;
	root->made = true;
	root->damaged = err != OK;
	if (err)
		log_error("root-file",
			  "path=\"%s/root.json\" error=%s "
			  "hint=\"put it back from a copy; nothing else opens the vault\"",
			  folder, err_code(err));
	return OK;
}

void root_finish(struct root *root)
{
	root_seal(root);
}

void root_seal(struct root *root)
{
	secret_free(util_take_ptr(root->key));
	if (root->house)
		house_seal(root->house);
}

enum vault_state root_state(const struct root *root)
{
	if (root->key)
		return VAULT_OPEN;
	return root->made || house_old_is(root->house) ? VAULT_SEALED : VAULT_EMPTY;
}

/* Put back beside keys of a later root key: nothing makes a whole of these. */
static bool is_mixed(const struct root *root)
{
	return root->made && !root->damaged && root->file.generation < root->kept;
}

static bool is_outdated(const struct root *root)
{
	if (root->damaged)
		return false;
	return is_mixed(root) || (root->made ? root->file.generation < root->floor
					     : root->floor > 0 && house_old_is(root->house));
}

enum err root_floor(struct root *root, uint64_t generation)
{
	root->floor = MAX(root->floor, (int64_t)MIN(generation, INT64_MAX));
	if (!is_outdated(root))
		return OK;
	root_seal(root);
	return ERR_EXPIRED;
}

static enum err check_length(const struct secret *passphrase)
{
	return secret_len(passphrase) >= ROOT_PASSPHRASE_MIN &&
			       secret_len(passphrase) <= ROOT_PASSPHRASE_MAX
		       ? OK
		       : ERR_INVALID;
}

/* ---- opening ---------------------------------------------------------------------------- */

/* The root key out of one of its wrappings; ERR_LOGIN: kek is not the one. */
static enum err unwrap_root(const struct root *root, const struct secret *kek,
			    const uint8_t wrapped[WRAP_KEY_WRAPPED], struct secret **ret)
{
	_cleanup_secret_ struct secret *key = NULL;
	enum err err = wrap_get(kek, wrapped, WRAP_KEY_WRAPPED, &key);

	if (!err && secret_len(key) != ROOT_KEY)
		err = ERR_LOGIN;
	if (!err)
		err = root_file_check(&root->file, key);
	if (!err)
		*ret = util_take_ptr(key);
	return err;
}

static enum err key_by_passphrase(const struct root *root, const struct secret *passphrase,
				  struct secret **ret)
{
	const struct root_passphrase *slot = &root->file.passphrase;
	_cleanup_secret_ struct secret *kek = NULL;
	enum err err = wrap_stretch(passphrase, slot->salt, &slot->cost, &kek);

	return err ? err : unwrap_root(root, kek, slot->key, ret);
}

/* Takes key over into root, and opens the house. */
static enum err take(struct root *root, struct secret **key)
{
	_cleanup_secret_ struct secret *house = NULL;
	enum err err = wrap_get(*key, root->file.house, root->file.house_len, &house);

	if (!err)
		err = house_unseal(root->house, house);
	if (err == ERR_LOGIN)
		err = ERR_INVALID;
	if (err)
		return err;
	secret_free(root->key);
	root->key = util_take_ptr(*key);
	/* Left behind when it was brought over and the power went. */
	if (house_old_is(root->house) && house_old_remove(root->house))
		log_warn("house-key-left", "path=\"%s/house.key\"", root->folder);
	return OK;
}

/* Writes what the renewal says, and goes on with the root key that it made. */
static enum err renew(struct root *root, struct root_renewal *renewal)
{
	_cleanup_secret_ struct secret *key = NULL;
	enum err err = root_renew(root, renewal);

	if (err)
		return err;
	key = util_take_ptr(root->key);
	return take(root, &key);
}

/* The house key of before gets a root key over it. */
static enum err bring_over(struct root *root, const struct secret *passphrase)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	_cleanup_secret_ struct secret *house = NULL;
	struct root_renewal renewal = { .passphrase = passphrase };
	enum err err = house_old_read(root->house, passphrase, &key);

	if (!err)
		err = house_encode(key, &house);
	renewal.house = house;
	if (!err)
		err = renew(root, &renewal);
	if (!err)
		log_info("vault-brought-over", "generation=%lld", (long long)root->file.generation);
	return err;
}

/* What may go on: nothing is damaged, there is something, and it is not too soon. */
static enum err begin(struct root *root)
{
	if (root->damaged)
		return ERR_INVALID;
	if (is_outdated(root))
		return ERR_EXPIRED;
	if (root_state(root) == VAULT_EMPTY)
		return ERR_NOT_FOUND;
	return tries_take(&root->tries, clock_mono_ms());
}

static enum err end(struct root *root, enum err err)
{
	if (!err)
		tries_clear(&root->tries);
	else if (err != ERR_LOGIN)
		tries_give_back(&root->tries);
	return err;
}

static enum err unseal(struct root *root, const struct secret *passphrase)
{
	_cleanup_secret_ struct secret *key = NULL;

	if (!root->made)
		return bring_over(root, passphrase);
	enum err err = key_by_passphrase(root, passphrase, &key);
	return err ? err : take(root, &key);
}

enum err root_unseal(struct root *root, const struct secret *passphrase)
{
	enum err err = begin(root);

	return err ? err : end(root, unseal(root, passphrase));
}

enum err root_unseal_machine(struct root *root, const struct secret *secret)
{
	_cleanup_secret_ struct secret *opener = NULL, *key = NULL;

	if (root->damaged)
		return ERR_INVALID;
	if (is_outdated(root))
		return ERR_EXPIRED;
	enum err err = root_machine_opener(secret, &opener);
	if (err == ERR_INVALID)
		return root_unseal(root, secret);
	if (!err && !root->file.machine.there)
		err = ERR_NOT_FOUND;
	/* Nobody guesses 256 bits: not counted. */
	if (!err)
		err = unwrap_root(root, opener, root->file.machine.key, &key);
	return err ? err : take(root, &key);
}

static enum err key_by_token(const struct root *root, const struct secret *pin, struct secret **ret)
{
	_cleanup_secret_ struct secret *kek = NULL;
	enum err err = token_seal_open(root->token, &root->file.token, pin, &kek);

	return err ? err : unwrap_root(root, kek, root->file.token.key, ret);
}

enum err root_unseal_token(struct root *root, const struct secret *pin)
{
	_cleanup_secret_ struct secret *key = NULL;

	if (!root->token)
		return ERR_UNAVAILABLE;
	if (!root->damaged && !root->file.token.there)
		return ERR_NOT_FOUND;
	enum err err = begin(root);
	if (err)
		return err;
	err = key_by_token(root, pin, &key);
	if (!err)
		err = take(root, &key);
	return end(root, err);
}

/* ---- making and changing ---------------------------------------------------------------- */

enum err root_init(struct root *root, const struct secret *passphrase, struct secret **ret_sheets)
{
	_cleanup_(root_renewal_finish) struct root_renewal renewal = { .passphrase = passphrase,
								       .sheets = ROOT_MAKE };
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	_cleanup_secret_ struct secret *house = NULL;
	enum err err = check_length(passphrase);

	if (err)
		return err;
	if (root_state(root) != VAULT_EMPTY)
		return ERR_EXISTS;
	err = house_make(&key);
	if (!err)
		err = house_encode(key, &house);
	renewal.house = house;
	if (!err)
		err = renew(root, &renewal);
	if (!err)
		*ret_sheets = util_take_ptr(renewal.secret);
	return err;
}

/* What each order does besides making a new root key. */
static enum err plan(const struct root *root, const struct root_order *order,
		     struct root_renewal *renewal)
{
	renewal->passphrase = order->passphrase;
	switch (order->order) {
	case VAULT_ROTATE:
		return OK;
	case VAULT_SHEETS:
		renewal->sheets = ROOT_MAKE;
		return OK;
	case VAULT_RECOVER:
		renewal->sheets = ROOT_MAKE;
		renewal->passphrase = order->second;
		return check_length(order->second);
	case VAULT_PASSPHRASE:
		renewal->passphrase = order->second;
		return check_length(order->second);
	case VAULT_MACHINE:
		renewal->machine = ROOT_MAKE;
		return OK;
	case VAULT_MACHINE_DROP:
		renewal->machine = ROOT_DROP;
		return root->file.machine.there ? OK : ERR_NOT_FOUND;
	case VAULT_TOKEN:
		renewal->token = ROOT_MAKE;
		renewal->pin = order->second;
		return root->token ? OK : ERR_UNAVAILABLE;
	case VAULT_TOKEN_DROP:
		renewal->token = ROOT_DROP;
		return root->file.token.there ? OK : ERR_NOT_FOUND;
	case VAULT_CHECK:
	case VAULT_UNSEAL_TOKEN:
		break;
	}
	return ERR_INVALID;
}

static enum err key_by_sheets(const struct root *root, const struct root_order *order,
			      unsigned *ret_bad, struct secret **ret)
{
	_cleanup_secret_ struct secret *opener = NULL;
	size_t bad = 0;

	if (!root->file.sheets.there)
		return ERR_NOT_FOUND;
	enum err err = shares_join(&root->file.shares, order->sheets, &bad, &opener);
	*ret_bad = (unsigned)bad + 1;
	return err ? err : unwrap_root(root, opener, root->file.sheets.key, ret);
}

/* The root key of today, as proof that whoever asks may. */
static enum err prove(struct root *root, const struct root_order *order, unsigned *ret_bad,
		      struct secret **ret)
{
	enum err err;

	if (order->order == VAULT_RECOVER)
		return key_by_sheets(root, order, ret_bad, ret);
	err = begin(root);
	return err ? err : end(root, key_by_passphrase(root, order->passphrase, ret));
}

static enum err change(struct root *root, const struct root_order *order,
		       struct root_answer *answer)
{
	_cleanup_(root_renewal_finish) struct root_renewal renewal = { 0 };
	_cleanup_secret_ struct secret *old = NULL;
	enum err err = plan(root, order, &renewal);

	if (!err)
		err = prove(root, order, &answer->number, &old);
	renewal.old = old;
	if (!err)
		err = renew(root, &renewal);
	if (!err)
		answer->secret = util_take_ptr(renewal.secret);
	if (!err && order->order == VAULT_RECOVER)
		tries_clear(&root->tries);
	return err;
}

enum err root_change(struct root *root, const struct root_order *order, struct root_answer *ret)
{
	*ret = (struct root_answer){ 0 };
	if (root->damaged)
		return ERR_INVALID;
	if (is_mixed(root))
		return ERR_EXPIRED;
	/* One of before is brought over by unsealing it. */
	if (!root->made)
		return root_state(root) == VAULT_EMPTY ? ERR_NOT_FOUND : ERR_LOCKED;
	if (order->order == VAULT_CHECK)
		return root->file.sheets.there
			       ? shares_check(&root->file.shares, order->sheets[0], &ret->number)
			       : ERR_NOT_FOUND;
	if (order->order == VAULT_UNSEAL_TOKEN)
		return root_unseal_token(root, order->second);
	return change(root, order, ret);
}
