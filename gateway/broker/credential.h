/*
 * credential.h - people's logins for office PCs, kept sealed by the broker and never sent to a
 * browser.
 */
#ifndef SEKISHO_BROKER_CREDENTIAL_H
#define SEKISHO_BROKER_CREDENTIAL_H

#include "broker/broker.h"
#include "store/sessions.h"

struct pc_login {
	struct secret *user, *domain, *password; /* owned */
};
void pc_login_finish(struct pc_login *login);

/* Seals and stores; the caller has a transaction. Replaces what was kept. */
nodiscard enum err credential_keep(struct broker *broker, int64_t account, int64_t host,
				   const struct pc_login *login);

/* ERR_NOT_FOUND: none is kept. ERR_CRYPTO. The caller finishes. */
nodiscard enum err credential_open(struct broker *broker, int64_t account, int64_t host,
				   struct pc_login *ret);

/* Deletes, with an audit entry that says why. */
nodiscard enum err credential_forget(struct broker *broker, const struct session_row *session,
				     const char *why);

#endif
