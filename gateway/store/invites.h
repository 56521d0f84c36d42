/*
 * invites.h - the table of invitations to enrol a device, which is also the queue of what waits for
 * an administrator. Each change of state is one statement that names the state it expects, so that
 * of two at the same time exactly one wins. Errors are those of db.h.
 */
#ifndef SEKISHO_STORE_INVITES_H
#define SEKISHO_STORE_INVITES_H

#include "store/devices.h"

enum {
	INVITE_CODE = 32, /* bytes: SHA-256 of the code */
	INVITE_CSR_MAX = 12288,
	INVITE_KEY_TYPE_MAX = 32,
	INVITE_TEXT_MAX = 200, /* characters of a reason */
	INVITE_BY_MAX = 64,
};

/* As kept in the database. */
enum invite_kind { INVITE_NOTHING = 0, INVITE_REQUEST = 1, INVITE_FILE = 2 };

/* Without the request itself, which invite_csr gets. */
struct invite {
	int64_t id;
	uint8_t code[INVITE_CODE];
	int64_t account;
	char account_name[DEVICE_ACCOUNT_MAX + 1]; /* from the table of accounts */
	char full_name[4 * 128 + 1];               /* likewise */
	char name[DEVICE_NAME_MAX + 1];            /* of the device */
	int64_t state;                             /* enum enrol_state; never ENROL_EXPIRED */
	bool preapproved;
	char invited_by[INVITE_BY_MAX + 1];
	int64_t created_s, expires_s;
	int64_t kind; /* enum invite_kind */
	uint8_t key[DEVICE_KEY];
	char key_type[INVITE_KEY_TYPE_MAX + 1];
	int64_t key_place; /* enum key_place */
	int64_t asked_s;
	char asked_address[DEVICE_ADDRESS_MAX + 1];
	int64_t decided_s;
	char decided_by[INVITE_BY_MAX + 1];
	char reason[4 * INVITE_TEXT_MAX + 1];
	int64_t device; /* 0: none yet */
};

/* Takes code, account, name, preapproved, invited_by, created_s and expires_s. */
nodiscard enum err invite_add(struct db *db, const struct invite *invite, int64_t *ret_id);

nodiscard enum err invite_by_code(struct db *db, const uint8_t code[INVITE_CODE],
				  struct invite *ret);
nodiscard enum err invite_by_id(struct db *db, int64_t id, struct invite *ret);
/* ret_csr has INVITE_CSR_MAX bytes. */
nodiscard enum err invite_csr(struct db *db, int64_t id, uint8_t *ret_csr, size_t *ret_len);

/* All that were made at or after since_s, the newest first; before: only those with a lower number,
 * 0 for all. */
void invite_list(struct query *query, struct db *db, int64_t since_s, int64_t before);
nodiscard enum err invite_next(struct query *query, struct invite *ret, bool *ret_more);

/*
 * The device asks: from open to pending, or to approved when the invitation is. Takes kind, key,
 * key_type, key_place, asked_s and asked_address; csr has len bytes, 0 for INVITE_FILE.
 * ERR_NOT_FOUND: another device was first, or it is over.
 */
nodiscard enum err invite_ask(struct db *db, const struct invite *invite, const uint8_t *csr,
			      size_t len);
/* From pending to approved or refused. ERR_NOT_FOUND: it does not wait. */
nodiscard enum err invite_decide(struct db *db, int64_t id, bool approve, const char *by,
				 const char *reason, int64_t now_s);
/* From approved to issued. ERR_NOT_FOUND: it was issued to somebody, or is not approved. */
nodiscard enum err invite_issued(struct db *db, int64_t id, int64_t device);
/* From open, pending or approved to withdrawn. */
nodiscard enum err invite_withdraw(struct db *db, int64_t id, const char *by, int64_t now_s);

#endif
