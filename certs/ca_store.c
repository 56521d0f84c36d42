#include "certs/ca_store.h"

#include "base/log.h"
#include "base/util.h"
#include "certs/ca_make.h"
#include "certs/ca_root.h"
#include "certs/cleanup.h"
#include "certs/key_file.h"
#include "certs/pkcs11.h"

static enum err path_of(const struct ca_store *store, const struct ca *ca, char path[CA_PATH])
{
	return ca_path(path, "%s/ca/%u", store->place.folder, ca_number(ca));
}

/* ---- looking ---------------------------------------------------------------------------- */

struct ca *ca_store_newest(const struct ca_store *store)
{
	return store->count ? store->list[0] : NULL;
}

struct ca *ca_store_find(const struct ca_store *store, uint32_t number)
{
	for (size_t i = 0; i < store->count; i++)
		if (ca_number(store->list[i]) == number)
			return store->list[i];
	return NULL;
}

bool ca_store_is_locked(const struct ca_store *store)
{
	return !store->count || !ca_key(store->list[0]);
}

bool ca_store_is_live(const struct ca_store *store, const struct ca *ca, int64_t now_s)
{
	return ca == store->list[0] || !ca_is_over(ca_certificate(ca), now_s);
}

/* ---- locks ------------------------------------------------------------------------------ */

/*
 * Only the newest must open; a token that held an older one may be gone. seal: keys in the clear
 * are encrypted from now on.
 */
static enum err unlock_all(struct ca_store *store, const struct secret *passphrase, bool seal)
{
	enum err first = OK;
	bool sealed = false;

	for (size_t i = 0; i < store->count; i++) {
		char path[CA_PATH];
		enum err err = path_of(store, store->list[i], path);
		if (!err)
			err = ca_unlock(store->list[i], path, passphrase, store->place.token,
					seal ? &sealed : NULL);
		if (i == 0)
			first = err;
		else if (err && err != first)
			log_warn("ca-not-unlocked", "ca=%u error=%s", ca_number(store->list[i]),
				 err_code(err));
	}
	if (sealed)
		log_info("ca-keys-encrypted", "reason=\"they were in the clear\"");
	return first;
}

/*
 * An order's passphrase proves something only where keys are encrypted under it. Without this, who
 * can give orders could have keys in the clear encrypted under a passphrase of its own, which locks
 * the office out at the next start, and then take the root with it.
 */
static enum err check_sealed(const struct ca_store *store)
{
	char path[CA_PATH];
	enum err err = store->count ? path_of(store, store->list[0], path) : ERR_WRONG_STATE;

	return !err && ca_is_clear(store->list[0], path) ? ERR_WRONG_STATE : err;
}

enum err ca_store_unlock(struct ca_store *store, const struct secret *passphrase)
{
	enum err err = check_sealed(store);

	return err ? err : unlock_all(store, passphrase, false);
}

/* ---- writing ---------------------------------------------------------------------------- */

/* What makes one: the new CA, and how its keys are kept. */
struct making {
	struct ca *ca;
	EVP_PKEY *root_key;
	bool keeps_root; /* on the gateway */
};

static void making_finish(struct making *making)
{
	ca_free(making->ca);
	EVP_PKEY_free(making->root_key);
}

/* What stays is removed at the next start. */
static void remove_leftover(const char *folder)
{
	enum err err = ca_folder_remove(folder);

	if (err)
		log_warn("ca-leftover", "folder=\"%s\" error=%s", folder, err_code(err));
}

static enum err write_into(const struct ca_store *store, const struct making *making,
			   const struct secret *passphrase, const char *folder)
{
	return ca_write(making->ca, making->keeps_root ? making->root_key : NULL, passphrase,
			store->place.token ? store->place.token_uri : NULL, folder);
}

/* <folder>/ca.new/<N>/, complete and synced but for the last step. */
static enum err write_whole(const struct ca_store *store, const struct making *making,
			    const struct secret *passphrase, char fresh[CA_PATH])
{
	char inner[CA_PATH], final[CA_PATH];
	enum err err = ca_path(fresh, "%s/ca.new", store->place.folder);

	if (!err)
		err = ca_path(inner, "%s/%u.new", fresh, ca_number(making->ca));
	if (!err)
		err = ca_path(final, "%s/%u", fresh, ca_number(making->ca));
	if (!err)
		err = ca_folder_fresh(fresh);
	if (!err)
		err = ca_folder_fresh(inner);
	if (!err)
		err = write_into(store, making, passphrase, inner);
	return err ? err : ca_folder_commit(inner, final);
}

static enum err place_whole(const struct ca_store *store, const char *fresh)
{
	char path[CA_PATH];
	enum err err = ca_path(path, "%s/ca", store->place.folder);

	if (err)
		return err;
	return store->count ? ca_folder_replace(fresh, path) : ca_folder_commit(fresh, path);
}

/* Leaves nothing at fresh: neither what failed nor the CAs before. */
static enum err write_anew(const struct ca_store *store, const struct making *making,
			   const struct secret *passphrase)
{
	char fresh[CA_PATH] = "";
	enum err err = write_whole(store, making, passphrase, fresh);

	if (!err)
		err = place_whole(store, fresh);
	remove_leftover(fresh);
	return err;
}

static enum err new_key(const struct ca_store *store, const struct secret *passphrase,
			EVP_PKEY **ret)
{
	if (!store->place.token)
		return OK;
	return passphrase ? token_key(store->place.token, store->place.token_uri, passphrase, ret)
			  : ERR_LOCKED;
}

static enum err make_with_root(const struct ca_store *store, const struct secret *passphrase,
			       uint32_t number, int64_t now_s, struct making *making)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	enum err err = new_key(store, passphrase, &key);

	if (err)
		return err;
	const struct ca_plan plan = {
		.office = store->place.office, .number = number, .now_s = now_s, .key = key
	};
	return ca_new(&plan, &making->ca, &making->root_key);
}

static void drop_all(struct ca_store *store)
{
	while (store->count)
		ca_free(store->list[--store->count]);
}

static void put_first(struct ca_store *store, struct ca *ca)
{
	for (size_t i = store->count++; i > 0; i--)
		store->list[i] = store->list[i - 1];
	store->list[0] = ca;
}

/* ---- opening ---------------------------------------------------------------------------- */

static enum err make_first(struct ca_store *store, const struct secret *passphrase, int64_t now_s)
{
	_cleanup_(making_finish) struct making making = { .keeps_root = true };
	enum err err = make_with_root(store, passphrase, 1, now_s, &making);

	if (!err)
		err = write_anew(store, &making, passphrase);
	if (!err)
		put_first(store, util_take_ptr(making.ca));
	return err;
}

static enum err first_start(struct ca_store *store, const struct secret *passphrase, int64_t now_s,
			    bool may_make, bool *ret_made)
{
	if (!may_make)
		return ERR_NOT_FOUND;
	if (store->place.token && !passphrase)
		return OK;
	enum err err = make_first(store, passphrase, now_s);
	if (!err)
		*ret_made = true;
	return err;
}

static enum err read_all(struct ca_store *store, const uint32_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char path[CA_PATH];
		enum err err = ca_path(path, "%s/ca/%u", store->place.folder, numbers[i]);
		if (!err)
			err = ca_read(path, numbers[i], &store->list[i]);
		if (err) {
			log_error("ca-unreadable", "ca=%u error=%s", numbers[i], err_code(err));
			return err == ERR_NOT_FOUND ? ERR_CRYPTO : err;
		}
		store->count++;
	}
	return OK;
}

static enum err open_there(struct ca_store *store, const struct secret *passphrase,
			   const uint32_t *numbers, size_t count)
{
	enum err err = count ? read_all(store, numbers, count) : ERR_NOT_FOUND;

	if (err)
		return err;
	err = unlock_all(store, passphrase, true);
	/* Both can be put right while it runs: by sekisho ca unlock. */
	if (err == ERR_LOGIN)
		log_error("ca-passphrase-wrong", "ca=%u", ca_number(store->list[0]));
	else if (err && err != ERR_LOCKED)
		return err;
	return OK;
}

enum err ca_store_open(struct ca_store *store, const struct ca_place *place,
		       const struct secret *passphrase, int64_t now_s, bool may_make,
		       bool *ret_made)
{
	uint32_t numbers[CA_LIST_MAX];
	char path[CA_PATH];
	size_t count = 0;

	*store = (struct ca_store){ .place = *place };
	/* Of a start or an order that was cut short. */
	enum err err = ca_path(path, "%s/ca.new", place->folder);
	if (!err)
		err = ca_folder_remove(path);
	if (!err)
		err = ca_path(path, "%s/ca", place->folder);
	if (!err)
		err = ca_folder_list(path, numbers, CA_LIST_MAX, &count);
	if (err == ERR_NOT_FOUND)
		err = first_start(store, passphrase, now_s, may_make, ret_made);
	else if (!err)
		err = open_there(store, passphrase, numbers, count);
	if (err)
		ca_store_finish(store);
	return err;
}

void ca_store_finish(struct ca_store *store)
{
	drop_all(store);
}

/* ---- init ------------------------------------------------------------------------------- */

static enum err check_passphrase(const struct ca_store *store, const struct secret *passphrase)
{
	/* A token has its own rule for PINs. */
	size_t least = store->place.token ? 1 : CA_PASSPHRASE_MIN;

	return passphrase && secret_len(passphrase) >= least ? OK : ERR_INVALID;
}

enum err ca_store_init(struct ca_store *store, const struct ca_change *change)
{
	_cleanup_(making_finish) struct making making = { .keeps_root = true };
	uint32_t number = store->count ? ca_number(store->list[0]) + 1 : 1;
	enum err err = check_passphrase(store, change->passphrase);

	if (!err)
		err = make_with_root(store, change->passphrase, number, change->now_s, &making);
	if (!err)
		err = write_anew(store, &making, change->passphrase);
	if (err)
		return err;
	drop_all(store);
	put_first(store, util_take_ptr(making.ca));
	return OK;
}

/* ---- rotate ----------------------------------------------------------------------------- */

static enum err brought_root(const struct ca_change *change, const struct ca *newest,
			     EVP_PKEY **ret)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	enum err err = key_decode(change->root.data, change->root.len, change->passphrase, &key);

	if (err)
		return err;
	if (!ca_key_fits(ca_root(newest), key))
		return ERR_INVALID;
	*ret = util_take_ptr(key);
	return OK;
}

static enum err root_key_for(const struct ca_store *store, const struct ca_change *change,
			     EVP_PKEY **ret)
{
	const struct ca *newest = store->list[0];
	char path[CA_PATH];

	if (change->root.len)
		return brought_root(change, newest, ret);
	enum err err = path_of(store, newest, path);
	return err ? err : ca_read_root_key(newest, path, change->passphrase, ret);
}

/* A key in the token that certifies already would not be a new one. */
static enum err check_key_is_new(const struct ca_store *store, EVP_PKEY *key)
{
	for (size_t i = 0; key && i < store->count; i++)
		if (ca_key_fits(ca_certificate(store->list[i]), key))
			return ERR_EXISTS;
	return OK;
}

static enum err make_next(const struct ca_store *store, const struct ca_change *change,
			  struct making *making)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL, *root_key = NULL;
	const struct ca *newest = store->list[0];
	enum err err = new_key(store, change->passphrase, &key);

	if (!err)
		err = check_key_is_new(store, key);
	if (!err && !change->new_root)
		err = root_key_for(store, change, &root_key);
	if (err)
		return err;
	const struct ca_plan plan = {
		.office = store->place.office,
		.number = ca_number(newest) + 1,
		.now_s = change->now_s,
		.root = change->new_root ? NULL : ca_root(newest),
		.root_key = root_key,
		.key = key,
	};
	/* One that was brought along goes again. */
	making->keeps_root = change->new_root || !change->root.len;
	return ca_new(&plan, &making->ca, &making->root_key);
}

/* Room for one more; one that has run out is forgotten, its folder stays. */
static enum err make_room(struct ca_store *store, int64_t now_s)
{
	if (store->count < CA_LIST_MAX)
		return OK;
	if (ca_store_is_live(store, store->list[CA_LIST_MAX - 1], now_s))
		return ERR_FULL;
	ca_free(store->list[--store->count]);
	return OK;
}

static enum err write_next(const struct ca_store *store, const struct making *making,
			   const struct secret *passphrase)
{
	char fresh[CA_PATH], path[CA_PATH];
	enum err err = path_of(store, making->ca, path);

	if (!err)
		err = ca_path(fresh, "%s.new", path);
	if (!err)
		err = ca_folder_fresh(fresh);
	if (!err)
		err = write_into(store, making, passphrase, fresh);
	if (!err)
		err = ca_folder_commit(fresh, path);
	if (err)
		remove_leftover(fresh);
	return err;
}

static enum err check_rotate(struct ca_store *store, const struct ca_change *change)
{
	char path[CA_PATH];

	if (!store->count)
		return ERR_WRONG_STATE;
	if (change->passphrase) {
		enum err err = check_passphrase(store, change->passphrase);
		if (!err)
			err = check_sealed(store);
		if (err)
			return err;
	}
	enum err err = path_of(store, store->list[0], path);
	if (!err)
		err = ca_try(store->list[0], path, change->passphrase);
	if (!err && change->passphrase)
		err = unlock_all(store, change->passphrase, false);
	return err ? err : make_room(store, change->now_s);
}

enum err ca_store_rotate(struct ca_store *store, const struct ca_change *change)
{
	_cleanup_(making_finish) struct making making = { 0 };
	enum err err = check_rotate(store, change);

	if (!err)
		err = make_next(store, change, &making);
	if (!err)
		err = write_next(store, &making, change->passphrase);
	if (err)
		return err;
	/* The root is kept elsewhere: no older folder may have it still. Done is done all the same:
	 * what could not be removed is in the log. */
	if (!making.keeps_root && ca_root_remove(store, ca_root(making.ca)))
		log_warn("ca-root-not-away", "hint=\"sekisho ca take-root\"");
	put_first(store, util_take_ptr(making.ca));
	return OK;
}
