/*
 * devices.h - the table of enrolled devices. Rows are never deleted. Errors are those of db.h.
 */
#ifndef SEKISHO_STORE_DEVICES_H
#define SEKISHO_STORE_DEVICES_H

#include "store/db.h"

enum {
	DEVICE_KEY = 32, /* bytes: SHA-256 of the SubjectPublicKeyInfo */
	DEVICE_NAME_MAX = 128,
	DEVICE_SERIAL_MAX = 20, /* RFC 5280 §4.1.2.2 */
	DEVICE_ADDRESS_MAX = 64,
	DEVICE_ACCOUNT_MAX = 64,
};

/* As kept in the database. */
enum device_state { DEVICE_ACTIVE = 1, DEVICE_REVOKED = 2, DEVICE_LOCKED = 3 };

struct device {
	int64_t id;
	uint8_t key[DEVICE_KEY];
	char name[DEVICE_NAME_MAX + 1];
	int64_t owner;
	char owner_name[DEVICE_ACCOUNT_MAX + 1]; /* from the table of accounts */
	uint8_t serial[DEVICE_SERIAL_MAX];       /* big-endian */
	size_t serial_len;
	int64_t not_after_s;
	int64_t state; /* enum device_state */
	int64_t failures;
	int64_t next_try_ms; /* wall clock */
	int64_t seen_s;      /* 0: never */
	char seen_address[DEVICE_ADDRESS_MAX + 1];
};

nodiscard enum err device_by_key(struct db *db, const uint8_t key[DEVICE_KEY], struct device *ret);
nodiscard enum err device_by_id(struct db *db, int64_t id, struct device *ret);

/* All by number; then device_next until *ret_more is false. */
void device_list(struct query *query, struct db *db);
nodiscard enum err device_next(struct query *query, struct device *ret, bool *ret_more);

/* Takes key, name, owner, serial and not_after_s. ERR_EXISTS: the key is enrolled already. */
nodiscard enum err device_add(struct db *db, const struct device *device, int64_t *ret_id);

/* A revoked device stays revoked: ERR_NOT_FOUND. */
nodiscard enum err device_set_state(struct db *db, int64_t id, enum device_state state);
nodiscard enum err device_set_tries(struct db *db, int64_t id, int64_t failures,
				    int64_t next_try_ms);
nodiscard enum err device_set_seen(struct db *db, int64_t id, int64_t seen_s, const char *address);

#endif
