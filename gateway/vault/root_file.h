/*
 * root_file.h - what of the root key is on the disk: <folder>/root.json, JSON with hexadecimal. It
 * holds no secret in the clear: the root key under each way of opening it, and the house key under
 * the root key. The whole is under a MAC with a key derived from the root key, and is written in
 * one piece or not at all.
 */
#ifndef SEKISHO_VAULT_ROOT_FILE_H
#define SEKISHO_VAULT_ROOT_FILE_H

#include <stdbool.h>

#include "vault/shares.h"
#include "vault/wrap.h"

enum {
	ROOT_KEY = WRAP_KEY,
	ROOT_URI = 256,  /* of a token's key, with NUL */
	ROOT_POINT = 65, /* of P-256, uncompressed */
	ROOT_FILE_MAX = 16 * 1024,
};

struct root_passphrase {
	uint8_t salt[WRAP_SALT];
	struct wrap_cost cost;
	uint8_t key[WRAP_KEY_WRAPPED]; /* the root key */
};

/* A key that opens, and is known to the vault while it is open, so that a new root key can be put
 * under it: kept is that key, under one derived from the root key. */
struct root_opener {
	bool there;
	int64_t made_s;
	uint8_t key[WRAP_KEY_WRAPPED], kept[WRAP_KEY_WRAPPED];
};

struct root_token {
	bool there;
	int64_t made_s;
	char uri[ROOT_URI];
	uint8_t point[ROOT_POINT];     /* the public half of the token's key */
	uint8_t ephemeral[ROOT_POINT]; /* of the key that was agreed with it */
	uint8_t key[WRAP_KEY_WRAPPED];
};

struct root_file {
	int64_t generation; /* counts root keys, from 1 on */
	int64_t made_s;
	struct root_passphrase passphrase;
	struct root_opener sheets, machine;
	struct shares shares; /* of sheets */
	struct root_token token;
	uint8_t house[WRAP_MAX];
	size_t house_len;
	uint8_t mac[WRAP_MAC];
};

/* ERR_NOT_FOUND: there is none. ERR_INVALID: damaged. ERR_IO, ERR_NOMEM, ERR_TOO_BIG. */
nodiscard enum err root_file_read(const char *folder, struct root_file *ret);

/* Sets the MAC and writes it over the one before, which stays until the new one is on the disk. */
nodiscard enum err root_file_write(const char *folder, struct root_file *file,
				   const struct secret *key);

/* ERR_INVALID: it is not as it was written with this root key. */
nodiscard enum err root_file_check(const struct root_file *file, const struct secret *key);

#endif
