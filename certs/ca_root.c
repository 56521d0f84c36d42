#include "certs/ca_root.h"

#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"
#include "certs/ca_make.h"
#include "certs/cleanup.h"
#include "certs/key_file.h"

static enum err key_path(const struct ca_store *store, const struct ca *ca, char path[CA_PATH])
{
	return ca_path(path, "%s/ca/%u/root.key", store->place.folder, ca_number(ca));
}

bool ca_root_is_here(const struct ca_store *store)
{
	const struct ca *newest = ca_store_newest(store);
	struct stat status;
	char path[CA_PATH];

	return newest && !key_path(store, newest, path) && lstat(path, &status) == 0;
}

enum err ca_root_show(const struct ca_store *store, const struct secret *passphrase,
		      struct secret **ret_pem)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	const struct ca *newest = ca_store_newest(store);
	char path[CA_PATH];

	if (!newest)
		return ERR_WRONG_STATE;
	if (!passphrase)
		return ERR_INVALID;
	enum err err = ca_path(path, "%s/ca/%u", store->place.folder, ca_number(newest));
	if (!err && ca_is_clear(newest, path))
		err = ERR_WRONG_STATE;
	if (!err)
		err = ca_read_root_key(newest, path, passphrase, &key);
	return err ? err : key_encode(key, passphrase, ret_pem);
}

/* The newest last: as long as any is there, that one says so, and it can be done again. */
enum err ca_root_remove(const struct ca_store *store, X509 *root)
{
	enum err first = OK;

	for (size_t i = store->count; i-- > 0;) {
		const struct ca *ca = store->list[i];
		char path[CA_PATH];
		if (X509_cmp(ca_root(ca), root) != 0)
			continue;
		enum err err = key_path(store, ca, path);
		if (!err)
			err = ca_folder_drop(path);
		if (err)
			log_error("ca-root-key-left", "ca=%u error=%s", ca_number(ca),
				  err_code(err));
		if (!first)
			first = err;
	}
	return first;
}

enum err ca_root_drop(const struct ca_store *store, const struct secret *passphrase,
		      struct bytes pem)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	const struct ca *newest = ca_store_newest(store);

	if (!newest)
		return ERR_WRONG_STATE;
	if (!passphrase)
		return ERR_INVALID;
	enum err err = key_decode(pem.data, pem.len, passphrase, &key);
	if (!err && !ca_key_fits(ca_root(newest), key))
		err = ERR_INVALID;
	return err ? err : ca_root_remove(store, ca_root(newest));
}
