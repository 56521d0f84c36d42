#include "vault/root_renew.h"

#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "vault/token_seal.h"

#define KEPT_INFO    "sekisho vault: kept opener"
#define MACHINE_INFO "sekisho vault: machine"
#define MACHINE_HEAD "sekisho-machine-"

enum { MACHINE_SECRET = 32 };

static enum err wrap_fixed(const struct secret *kek, const struct secret *key,
			   uint8_t ret[WRAP_KEY_WRAPPED])
{
	uint8_t room[WRAP_MAX];
	size_t len = 0;
	enum err err = wrap_put(kek, secret_text(key), secret_len(key), room, &len);

	if (!err && len != WRAP_KEY_WRAPPED)
		err = ERR_CRYPTO;
	if (!err)
		memcpy(ret, room, len);
	return err;
}

static enum err put_passphrase(const struct root *root, struct root_passphrase *slot,
			       const struct secret *passphrase, const struct secret *key)
{
	_cleanup_secret_ struct secret *kek = NULL;

	util_random(slot->salt, sizeof(slot->salt));
	slot->cost = root->cost;
	enum err err = wrap_stretch(passphrase, slot->salt, &slot->cost, &kek);
	return err ? err : wrap_fixed(kek, key, slot->key);
}

/* Not under the root key itself, which is under this one. */
static enum err keeper(const struct secret *root_key, struct secret **ret)
{
	return wrap_derive(root_key, NULL, 0, KEPT_INFO, strlen(KEPT_INFO), WRAP_KEY, ret);
}

static enum err put_opener(struct root_opener *slot, const struct secret *opener,
			   const struct secret *key)
{
	_cleanup_secret_ struct secret *kek = NULL;
	enum err err = keeper(key, &kek);

	if (!err)
		err = wrap_fixed(opener, key, slot->key);
	if (!err)
		err = wrap_fixed(kek, opener, slot->kept);
	slot->there = true;
	return err;
}

/* The new root key under the opener that there was. */
static enum err keep_opener(struct root_opener *slot, const struct secret *old,
			    const struct secret *key)
{
	_cleanup_secret_ struct secret *kek = NULL, *opener = NULL;

	if (!slot->there)
		return OK;
	enum err err = keeper(old, &kek);
	if (!err)
		err = wrap_get(kek, slot->kept, sizeof(slot->kept), &opener);
	return err ? err : put_opener(slot, opener, key);
}

static enum err put_sheets(struct root_file *file, struct root_renewal *renewal,
			   const struct secret *key)
{
	_cleanup_secret_ struct secret *opener = NULL;

	if (renewal->sheets == ROOT_KEEP)
		return keep_opener(&file->sheets, renewal->old, key);
	enum err err = shares_make(&file->shares, &opener, &renewal->secret);
	file->sheets.made_s = file->made_s;
	return err ? err : put_opener(&file->sheets, opener, key);
}

static enum err machine_opener(const struct secret *secret, struct secret **ret)
{
	return wrap_derive(secret, NULL, 0, MACHINE_INFO, strlen(MACHINE_INFO), WRAP_KEY, ret);
}

enum err root_machine_opener(const struct secret *text, struct secret **ret)
{
	_cleanup_secret_ struct secret *secret = NULL;
	size_t head = strlen(MACHINE_HEAD);

	if (secret_len(text) != head + 2 * (size_t)MACHINE_SECRET ||
	    strncmp(secret_text(text), MACHINE_HEAD, head) != 0)
		return ERR_INVALID;
	enum err err = secret_random(MACHINE_SECRET, &secret);
	if (!err)
		err = util_unhex(secret_text(text) + head, secret_data(secret), MACHINE_SECRET);
	return err ? err : machine_opener(secret, ret);
}

static enum err make_machine(struct root_opener *slot, struct root_renewal *renewal,
			     const struct secret *key)
{
	_cleanup_secret_ struct secret *secret = NULL, *opener = NULL;
	char text[ROOT_MACHINE_TEXT] = MACHINE_HEAD;
	enum err err = secret_random(MACHINE_SECRET, &secret);

	if (!err)
		err = machine_opener(secret, &opener);
	if (!err)
		err = put_opener(slot, opener, key);
	if (err)
		return err;
	util_hex((const uint8_t *)secret_text(secret), MACHINE_SECRET, text + strlen(text));
	err = secret_new(text, strlen(text), &renewal->secret);
	secret_wipe(text, sizeof(text));
	return err;
}
_Static_assert(sizeof(MACHINE_HEAD) + 2 * MACHINE_SECRET <= ROOT_MACHINE_TEXT, "its room");

static enum err put_machine(struct root_file *file, struct root_renewal *renewal,
			    const struct secret *key)
{
	if (renewal->machine == ROOT_KEEP)
		return keep_opener(&file->machine, renewal->old, key);
	file->machine = (struct root_opener){ .made_s = file->made_s };
	return renewal->machine == ROOT_MAKE ? make_machine(&file->machine, renewal, key) : OK;
}

/* A token that does not give the key again is found out before anything depends on it. */
static enum err make_token(const struct root *root, struct root_token *slot,
			   const struct secret *pin)
{
	_cleanup_secret_ struct secret *made = NULL, *again = NULL;
	int len = snprintf(slot->uri, sizeof(slot->uri), "%s", root->token_uri);
	enum err err = root->token ? OK : ERR_UNAVAILABLE;

	if (!err && (len < 0 || len >= (int)sizeof(slot->uri)))
		err = ERR_TOO_BIG;
	if (!err)
		err = token_seal_point(root->token, slot->uri, pin, slot->point);
	if (!err)
		err = token_seal_make(slot->point, slot->ephemeral, &made);
	if (!err)
		err = token_seal_open(root->token, slot, pin, &again);
	if (!err && !secret_equal(secret_text(made), secret_text(again), WRAP_KEY))
		err = ERR_CRYPTO;
	slot->there = true;
	return err;
}

static enum err put_token(const struct root *root, struct root_file *file,
			  const struct root_renewal *renewal, const struct secret *key)
{
	_cleanup_secret_ struct secret *kek = NULL;
	enum err err = OK;

	if (renewal->token != ROOT_KEEP)
		file->token = (struct root_token){ .made_s = file->made_s };
	if (renewal->token == ROOT_MAKE)
		err = make_token(root, &file->token, renewal->pin);
	if (err || !file->token.there)
		return err;
	/* Its public half is enough for that. */
	err = token_seal_make(file->token.point, file->token.ephemeral, &kek);
	return err ? err : wrap_fixed(kek, key, file->token.key);
}

static enum err put_house(struct root_file *file, const struct root_renewal *renewal,
			  const struct secret *key)
{
	_cleanup_secret_ struct secret *house = NULL;
	const struct secret *encoded = renewal->house;
	enum err err = OK;

	if (!encoded) {
		err = wrap_get(renewal->old, file->house, file->house_len, &house);
		encoded = house;
	}
	return err ? err
		   : wrap_put(key, secret_text(encoded), secret_len(encoded), file->house,
			      &file->house_len);
}

static enum err fill(const struct root *root, struct root_renewal *renewal,
		     const struct secret *key, struct root_file *file)
{
	file->generation = MAX(file->generation, MAX(root->floor, root->kept)) + 1;
	file->made_s = clock_wall_s();
	enum err err = put_passphrase(root, &file->passphrase, renewal->passphrase, key);
	if (!err)
		err = put_sheets(file, renewal, key);
	if (!err)
		err = put_machine(file, renewal, key);
	if (!err)
		err = put_token(root, file, renewal, key);
	return err ? err : put_house(file, renewal, key);
}

/* Whether the new file took the old one's place although writing it failed in the end. */
static bool is_there(const struct root *root, const struct root_file *file)
{
	struct root_file found;

	return root_file_read(root->folder, &found) == OK &&
	       memcmp(found.mac, file->mac, sizeof(found.mac)) == 0;
}

enum err root_renew(struct root *root, struct root_renewal *renewal)
{
	_cleanup_secret_ struct secret *key = NULL;
	struct root_file file = { 0 };
	enum err err = secret_random(ROOT_KEY, &key);

	if (renewal->old)
		file = root->file;
	if (!err)
		err = fill(root, renewal, key, &file);
	/* First, so that whichever file counts afterwards has its keys. */
	if (!err && renewal->old && root->keyring)
		err = keyring_prepare(root->keyring, root->folder, renewal->old,
				      root->file.generation, key, file.generation);
	if (err)
		return err;
	err = root_file_write(root->folder, &file, key);
	if (err && !is_there(root, &file))
		return err;
	root->file = file;
	root->floor = file.generation;
	root->made = true;
	secret_free(root->key);
	root->key = util_take_ptr(key);
	return err;
}

void root_renewal_finish(struct root_renewal *renewal)
{
	secret_free(renewal->secret);
}
