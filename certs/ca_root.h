/*
 * ca_root.h - how the root's key leaves the gateway: it is shown, and once its owner has it safely,
 * removed. Whatever ends in between leaves it here, encrypted, and can be done again.
 */
#ifndef SEKISHO_CERTS_CA_ROOT_H
#define SEKISHO_CERTS_CA_ROOT_H

#include "certs/ca_store.h"

/* Whether the newest CA's root has its key here. */
bool ca_root_is_here(const struct ca_store *store);

/*
 * The newest root's key in PEM, encrypted under the passphrase that it is encrypted under here.
 * ERR_INVALID: no passphrase. ERR_LOGIN: it is wrong. ERR_WRONG_STATE: there is no CA, or its keys
 * are in the clear, and then a passphrase proves nothing. ERR_NOT_FOUND: it is kept elsewhere. The
 * caller frees.
 */
nodiscard enum err ca_root_show(const struct ca_store *store, const struct secret *passphrase,
				struct secret **ret_pem);

/*
 * Removes it from all CAs below that root. pem, as ca_root_show gave it, proves that somebody has
 * it. ERR_INVALID: it is not that key. ERR_LOGIN: the passphrase is not its. No error when it is
 * gone already.
 */
nodiscard enum err ca_root_drop(const struct ca_store *store, const struct secret *passphrase,
				struct bytes pem);

/* The same for a root whose owner has brought the key along. */
nodiscard enum err ca_root_remove(const struct ca_store *store, X509 *root);

#endif
