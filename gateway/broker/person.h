/*
 * person.h - tries of a person to prove who they are: counted and throttled per account, device and
 * address, compared off the loop, recorded. Used for logging in and for unlocking a session.
 */
#ifndef SEKISHO_BROKER_PERSON_H
#define SEKISHO_BROKER_PERSON_H

#include "broker/broker.h"

struct person_try {
	struct login_try login;
	char account[ACCOUNT_NAME_MAX + 1]; /* of one that exists, for the audit log; or "" */
	char address[DEVICE_ADDRESS_MAX + 1];
};

void person_try_init(struct person_try *try, int64_t account, int64_t device, const char *name,
		     const char *address);

/*
 * Counts the try, for good, before anything is compared. ERR_THROTTLED: too early, and answered
 * already. ERR_LOCKED. With both nothing is counted.
 */
nodiscard enum err person_count(struct broker *broker, const struct reply_to *to,
				const struct person_try *try);

/* Counts as above and then compares with hash (NULL: a dummy). done is called later, and only after
 * OK. */
nodiscard enum err person_compare(struct broker *broker, const struct reply_to *to,
				  const struct person_try *try, const struct secret *password,
				  const char *hash, hasher_done *done, void *ctx);

/*
 * Whether account and device of a try are good and belong together, read again after the
 * comparison: much may have happened in the meantime.
 */
bool person_welcome(struct broker *broker, const struct login_try *try, int64_t now_s,
		    struct account *ret);

/* The try was wrong: locks at the limit and records it. ERR_LOGIN, or why it could not be recorded;
 * never OK. */
nodiscard enum err person_failed(struct broker *broker, const struct person_try *try,
				 const char *step);

struct audit_entry person_audit(const struct person_try *try, const char *event, json_t *detail);

/* The account's TOTP key, unsealed; the caller frees. ERR_CRYPTO when it cannot be opened or there
 * is none. */
nodiscard enum err person_totp_key(struct broker *broker, const struct account *account,
				   struct secret **ret);
/* Seals key and stores it; the caller has a transaction. Codes of before now_s are used up. */
nodiscard enum err person_set_totp(struct broker *broker, int64_t account, const struct secret *key,
				   int64_t now_s);

#endif
