#include "vault/keyring.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "store/vault/schema.h"
#include "vault/wrap.h"

#define KEK_INFO "sekisho record keys"

enum { SLOTS = 1024, PATH_BYTES = 400 };
_Static_assert((int)KEYRING_KEY == (int)WRAP_KEY && (int)KEY_WRAPPED == (int)WRAP_KEY_WRAPPED,
	       "the same keys");

struct keyring_slot {
	uint64_t id; /* 0: free; else of the key whose place it is, by its number modulo SLOTS */
	uint8_t key[KEYRING_KEY];
};

static enum err derive_kek(const struct secret *root, struct secret **ret)
{
	return wrap_derive(root, NULL, 0, KEK_INFO, strlen(KEK_INFO), WRAP_KEY, ret);
}

static enum err wrap_key(const struct secret *kek, const struct secret *key,
			 uint8_t ret[KEY_WRAPPED])
{
	uint8_t room[WRAP_MAX];
	size_t len = 0;
	enum err err = wrap_put(kek, secret_text(key), secret_len(key), room, &len);

	if (!err && len != KEY_WRAPPED)
		err = ERR_CRYPTO;
	if (!err)
		memcpy(ret, room, KEY_WRAPPED);
	return err;
}

static enum err unwrap_key(const struct secret *kek, const uint8_t wrapped[KEY_WRAPPED],
			   struct secret **ret)
{
	_cleanup_secret_ struct secret *key = NULL;
	enum err err = wrap_get(kek, wrapped, KEY_WRAPPED, &key);

	if (!err && secret_len(key) != KEYRING_KEY)
		err = ERR_LOGIN;
	if (!err)
		*ret = util_take_ptr(key);
	return err;
}

/* ---- life ------------------------------------------------------------------------------- */

static enum err path_of(const char *folder, char path[PATH_BYTES])
{
	int len = snprintf(path, PATH_BYTES, "%s/keys.db", folder);

	return len > 0 && len < PATH_BYTES ? OK : ERR_TOO_BIG;
}

static enum err open_db(const char *folder, struct db **ret)
{
	char path[PATH_BYTES];
	enum err err = path_of(folder, path);

	return err ? err : db_open_alone(path, &migrations_vault_keys, ret);
}

enum err keyring_of(const char *folder, int64_t *ret_generation)
{
	_cleanup_db_ struct db *db = NULL;
	char path[PATH_BYTES];
	enum err err = path_of(folder, path);

	if (!err && access(path, F_OK) < 0) {
		*ret_generation = 0;
		return errno == ENOENT ? OK : ERR_IO;
	}
	if (!err)
		err = open_db(folder, &db);
	return err ? err : keys_lowest(db, ret_generation);
}

/* Takes away what a change of the root key has left. */
static enum err keep_generation(struct db *db, int64_t generation)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	bool these = false, others = false;
	enum err err = keys_generations(db, generation, &these, &others);

	if (err || !others)
		return err;
	if (!these)
		return ERR_INVALID;
	err = db_tx_begin(&tx, db);
	if (!err)
		err = keys_keep(db, generation);
	return err ? err : db_tx_commit(&tx);
}

/* Any of its own keys tells whether it is of this root key. */
static enum err check_root(struct keyring *keyring)
{
	_cleanup_query_ struct query query;
	_cleanup_secret_ struct secret *key = NULL;
	struct own_key_row row;
	bool more = false;

	own_key_select(&query, keyring->db, keyring->generation);
	enum err err = own_key_next(&query, &row, &more);
	return err || !more ? err : unwrap_key(keyring->kek, row.wrapped, &key);
}

enum err keyring_open(struct keyring *keyring, const char *folder, const struct secret *root,
		      int64_t generation)
{
	*keyring = (struct keyring){ .generation = generation };
	enum err err = open_db(folder, &keyring->db);

	if (!err)
		err = keep_generation(keyring->db, generation);
	if (!err)
		err = derive_kek(root, &keyring->kek);
	if (!err)
		err = check_root(keyring);
	if (!err)
		err = secret_random(SLOTS * sizeof(struct keyring_slot), &keyring->slots);
	if (!err)
		memset(secret_data(keyring->slots), 0, secret_len(keyring->slots));
	return err;
}

void keyring_close(struct keyring *keyring)
{
	db_close(keyring->db);
	secret_free(keyring->kek);
	secret_free(keyring->slots);
	*keyring = (struct keyring){ 0 };
}

/* ---- keys ------------------------------------------------------------------------------- */

static enum err make_own(struct keyring *keyring, const char *name, struct secret **ret)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	_cleanup_secret_ struct secret *key = NULL;
	struct own_key_row row = { .generation = keyring->generation };
	int len = snprintf(row.name, sizeof(row.name), "%s", name);
	enum err err = len < 0 || len >= (int)sizeof(row.name) ? ERR_TOO_BIG : OK;

	if (!err)
		err = secret_random(KEYRING_KEY, &key);
	if (!err)
		err = wrap_key(keyring->kek, key, row.wrapped);
	if (!err)
		err = db_tx_begin(&tx, keyring->db);
	if (!err)
		err = own_key_insert(keyring->db, &row);
	if (!err)
		err = db_tx_commit(&tx);
	if (!err)
		*ret = util_take_ptr(key);
	return err;
}

enum err keyring_own(struct keyring *keyring, const char *name, struct secret **ret)
{
	struct own_key_row row;
	enum err err = own_key_by_name(keyring->db, name, keyring->generation, &row);

	if (err == ERR_NOT_FOUND)
		return make_own(keyring, name, ret);
	return err ? err : unwrap_key(keyring->kek, row.wrapped, ret);
}

static struct keyring_slot *slot_of(struct keyring *keyring, uint64_t id)
{
	return (struct keyring_slot *)(void *)secret_data(keyring->slots) + id % SLOTS;
}

static void remember(struct keyring *keyring, uint64_t id, const struct secret *key)
{
	struct keyring_slot *slot = slot_of(keyring, id);

	slot->id = id;
	memcpy(slot->key, secret_text(key), KEYRING_KEY);
}

static enum err make_group(struct keyring *keyring, struct group_key_row *row, uint64_t *ret)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	_cleanup_secret_ struct secret *key = NULL;
	enum err err = secret_random(KEYRING_KEY, &key);

	row->generation = keyring->generation;
	row->made = clock_wall_s();
	if (!err)
		err = wrap_key(keyring->kek, key, row->wrapped);
	if (!err)
		err = db_tx_begin(&tx, keyring->db);
	if (!err)
		err = group_key_take_id(keyring->db, &row->id);
	if (!err)
		err = group_key_insert(keyring->db, row);
	if (!err)
		err = db_tx_commit(&tx);
	if (err)
		return err;
	remember(keyring, row->id, key);
	*ret = row->id;
	return OK;
}

enum err keyring_group(struct keyring *keyring, uint64_t client, uint64_t class, int64_t year,
		       uint64_t *ret)
{
	struct group_key_row row = { .client = client, .class = class, .year = year };
	enum err err = group_key_of(keyring->db, client, class, year, keyring->generation, &row);

	if (err == ERR_NOT_FOUND)
		return make_group(keyring, &row, ret);
	if (!err)
		*ret = row.id;
	return err;
}

enum err keyring_use(struct keyring *keyring, uint64_t id, const uint8_t **ret)
{
	_cleanup_secret_ struct secret *key = NULL;
	struct keyring_slot *slot = slot_of(keyring, id);
	struct group_key_row row;
	enum err err = OK;

	if (slot->id != id) {
		err = group_key_by_id(keyring->db, id, keyring->generation, &row);
		if (!err)
			err = unwrap_key(keyring->kek, row.wrapped, &key);
		if (err == ERR_LOGIN)
			err = ERR_INVALID;
		if (!err)
			remember(keyring, id, key);
	}
	if (!err)
		*ret = slot->key;
	return err;
}

enum err keyring_replace(struct keyring *keyring, uint64_t id, uint64_t *ret)
{
	struct group_key_row row;
	enum err err = group_key_by_id(keyring->db, id, keyring->generation, &row);

	return err ? err : make_group(keyring, &row, ret);
}

enum err keyring_destroy(struct keyring *keyring, uint64_t id)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct keyring_slot *slot = slot_of(keyring, id);
	enum err err = db_tx_begin(&tx, keyring->db);

	if (slot->id == id)
		secret_wipe(slot, sizeof(*slot));
	if (!err)
		err = group_key_delete(keyring->db, id);
	return err ? err : db_tx_commit(&tx);
}

/* ---- another root key ------------------------------------------------------------------- */

/* What has to be wrapped anew: keks of both, and the generation that it gets. */
struct change {
	struct db *db;
	const struct secret *from, *to;
	int64_t old, fresh;
};

static enum err rewrap(const struct change *change, uint8_t wrapped[KEY_WRAPPED])
{
	_cleanup_secret_ struct secret *key = NULL;
	enum err err = unwrap_key(change->from, wrapped, &key);

	if (err == ERR_LOGIN)
		err = ERR_INVALID;
	return err ? err : wrap_key(change->to, key, wrapped);
}

static enum err prepare_own(const struct change *change)
{
	_cleanup_query_ struct query query;
	struct own_key_row row;
	bool more = true;
	enum err err = OK;

	own_key_select(&query, change->db, change->old);
	while (!err && more) {
		err = own_key_next(&query, &row, &more);
		if (!err && more)
			err = rewrap(change, row.wrapped);
		row.generation = change->fresh;
		if (!err && more)
			err = own_key_insert(change->db, &row);
	}
	return err;
}

static enum err prepare_groups(const struct change *change)
{
	_cleanup_query_ struct query query;
	struct group_key_row row;
	bool more = true;
	enum err err = OK;

	group_key_select(&query, change->db, change->old);
	while (!err && more) {
		err = group_key_next(&query, &row, &more);
		if (!err && more)
			err = rewrap(change, row.wrapped);
		row.generation = change->fresh;
		if (!err && more)
			err = group_key_insert(change->db, &row);
	}
	return err;
}

static enum err prepare(const struct change *change)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum err err = keep_generation(change->db, change->old);

	if (!err)
		err = db_tx_begin(&tx, change->db);
	if (!err)
		err = prepare_own(change);
	if (!err)
		err = prepare_groups(change);
	return err ? err : db_tx_commit(&tx);
}

enum err keyring_prepare(struct keyring *keyring, const char *folder, const struct secret *old,
			 int64_t generation, const struct secret *fresh, int64_t fresh_generation)
{
	_cleanup_secret_ struct secret *from = NULL, *to = NULL;
	_cleanup_db_ struct db *opened = NULL;
	enum err err = keyring->db ? OK : open_db(folder, &opened);

	if (!err)
		err = derive_kek(old, &from);
	if (!err)
		err = derive_kek(fresh, &to);
	const struct change change = {
		.db = keyring->db ? keyring->db : opened,
		.from = from,
		.to = to,
		.old = generation,
		.fresh = fresh_generation,
	};
	return err ? err : prepare(&change);
}

enum err keyring_take_root(struct keyring *keyring, const struct secret *root, int64_t generation)
{
	_cleanup_secret_ struct secret *kek = NULL;
	enum err err = derive_kek(root, &kek);

	if (err)
		return err;
	/* Before anything that may fail: a key that came under the old one now would be cleared
	 * away with it. */
	secret_free(keyring->kek);
	keyring->kek = util_take_ptr(kek);
	keyring->generation = generation;
	return keep_generation(keyring->db, generation);
}
