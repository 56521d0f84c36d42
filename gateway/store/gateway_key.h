/*
 * gateway_key.h - the one key that may have a gateway certificate. Errors are those of db.h.
 */
#ifndef SEKISHO_STORE_GATEWAY_KEY_H
#define SEKISHO_STORE_GATEWAY_KEY_H

#include "store/db.h"

enum { GATEWAY_KEY = 32 }; /* bytes: SHA-256 of the SubjectPublicKeyInfo */

/* ERR_NOT_FOUND: none yet. */
nodiscard enum err gateway_key_get(struct db *db, uint8_t ret[GATEWAY_KEY]);
/* ERR_EXISTS: there is one. */
nodiscard enum err gateway_key_add(struct db *db, const uint8_t key[GATEWAY_KEY]);
/* Forgetting none is no error. */
nodiscard enum err gateway_key_forget(struct db *db);

#endif
