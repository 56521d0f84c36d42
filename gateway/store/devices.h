/*
 * devices.h - the table of enrolled devices. Rows are never deleted. Errors are those of db.h.
 */
#ifndef SEKISHO_STORE_DEVICES_H
#define SEKISHO_STORE_DEVICES_H

#include "store/db.h"

enum {
	DEVICE_KEY = 32, /* bytes: SHA-256 of the SubjectPublicKeyInfo */
	DEVICE_NAME_MAX = 128,
	DEVICE_REMARK_MAX = 200, /* characters */
	DEVICE_ADDRESS_MAX = 64,
	DEVICE_ACCOUNT_MAX = 64,
};

/* As kept in the database. */
enum device_state { DEVICE_ACTIVE = 1, DEVICE_REVOKED = 2, DEVICE_LOCKED = 3 };

/* How a device left the office, as kept in the database. */
enum disposal {
	DISPOSAL_NONE = 0,
	DISPOSAL_WIPED = 1,     /* erased and used for something else */
	DISPOSAL_DESTROYED = 2, /* broken, shredded */
	DISPOSAL_RETURNED = 3,  /* to its lessor */
	DISPOSAL_LOST = 4,
};

struct device {
	int64_t id;
	char name[DEVICE_NAME_MAX + 1];
	int64_t owner;                           /* the first one */
	char owner_name[DEVICE_ACCOUNT_MAX + 1]; /* from the table of accounts */
	int64_t state;                           /* enum device_state */
	int64_t failures;
	int64_t next_try_ms; /* wall clock */
	int64_t seen_s;      /* 0: never */
	char seen_address[DEVICE_ADDRESS_MAX + 1];
	int64_t created_s;
	int64_t revoked_s; /* 0: it is not */
	char revoked_why[4 * DEVICE_REMARK_MAX + 1];
	int64_t retired_s; /* 0: it is not; a retired device is revoked too */
	int64_t disposal;  /* enum disposal */
	char retired_by[DEVICE_ACCOUNT_MAX + 1];
	char remark[4 * DEVICE_REMARK_MAX + 1];
	/* Of the certificate with the key that was asked for; else of its newest. All 0: none. */
	int64_t certificate;
	uint8_t key[DEVICE_KEY];
	int64_t not_before_s, not_after_s;
	bool supersedes; /* an older one with another key is still active */
};

/* By the key of a certificate that is active; ERR_NOT_FOUND otherwise. */
nodiscard enum err device_by_key(struct db *db, const uint8_t key[DEVICE_KEY], struct device *ret);
nodiscard enum err device_by_id(struct db *db, int64_t id, struct device *ret);

/* Those with a number above after, by number; then device_next until *ret_more is false. Reading
 * costs by the row: a page is as many as the caller takes. */
void device_list(struct query *query, struct db *db, int64_t after);
nodiscard enum err device_next(struct query *query, struct device *ret, bool *ret_more);

/* Takes key, name and owner, who becomes its first row of owners. ERR_EXISTS: the key was enrolled
 * before. The caller adds the certificate in the same transaction. */
nodiscard enum err device_add(struct db *db, const struct device *device, int64_t *ret_id);

/* Who may log in with it. ERR_EXISTS, ERR_NOT_FOUND; the last owner cannot be removed:
 * ERR_WRONG_STATE. */
nodiscard enum err device_owner_add(struct db *db, int64_t device, int64_t account);
nodiscard enum err device_owner_remove(struct db *db, int64_t device, int64_t account);
nodiscard enum err device_has_owner(struct db *db, int64_t device, int64_t account, bool *ret);
/* Whether one of its owners has an account that is not disabled. */
nodiscard enum err device_is_owned(struct db *db, int64_t device, bool *ret);
/* How many devices of an account (as its first owner) are not revoked and have a certificate that
 * has not run out. */
nodiscard enum err device_count(struct db *db, int64_t account, int64_t now_s, int64_t *ret);
/* The account names with ", " between, as many as fit. */
nodiscard enum err device_owners(struct db *db, int64_t device, char *ret_text, size_t size);

/* A revoked device stays revoked: ERR_NOT_FOUND. */
nodiscard enum err device_set_state(struct db *db, int64_t id, enum device_state state);
/*
 * Also its certificates, as certificate_end with CRL_CESSATION: another reason is given by ending
 * them first. why is cut to its first DEVICE_REMARK_MAX characters. ERR_NOT_FOUND when it is
 * revoked already. The caller has a transaction.
 */
nodiscard enum err device_revoke(struct db *db, int64_t id, const char *why, int64_t now_s);
/* Of a revoked device, once. */
nodiscard enum err device_retire(struct db *db, int64_t id, enum disposal disposal, const char *by,
				 const char *remark, int64_t now_s);
nodiscard enum err device_set_tries(struct db *db, int64_t id, int64_t failures,
				    int64_t next_try_ms);
nodiscard enum err device_set_seen(struct db *db, int64_t id, int64_t seen_s, const char *address);

#endif
