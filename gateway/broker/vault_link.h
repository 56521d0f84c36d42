/*
 * vault_link.h - what the broker asks of the vault about its seal, and the certificate that the
 * house key gets: ordered of the signer, kept among those that recordings are sealed to, and sent
 * back. Openings of recordings are playback.h's.
 */
#ifndef SEKISHO_BROKER_VAULT_LINK_H
#define SEKISHO_BROKER_VAULT_LINK_H

#include "broker/broker.h"

enum {
	VAULT_LINK_WAIT_S = 10, /* a passphrase is slow on purpose */
	VAULT_LINK_CERTIFICATE_MAX = 8192,
	/* That are in use at once. Recordings are sealed to each: with too many none could begin.
	 */
	VAULT_LINK_HOUSES = 8,
	VAULT_LINK_OPENED_PER_MINUTE = 6, /* each is an entry of the audit log, and its end too */
};

#define VAULT_LINK_NAME "Sekisho vault" /* in the house certificate */

struct vault_link;

nodiscard enum err vault_link_new(struct broker *broker, struct vault_link **ret);
/* Pending orders are dropped without their callback. */
void vault_link_free(struct vault_link *link);

/* There is a new vault, or none any more. */
void vault_link_came(struct vault_link *link);
void vault_link_gone(struct vault_link *link);

/* What the vault says. */
void vault_link_state(struct vault_link *link, const struct msg_vault_state *state);
void vault_link_says(struct vault_link *link, const struct msg_vault_root *root);
void vault_link_gives(struct vault_link *link, const struct msg_vault_answer *answer);

/* Now and then: a house key without a certificate, or with an old one, gets one. */
void vault_link_tick(struct vault_link *link);

/* How it is, as far as it is known; 0: there is none, or it has not said. */
enum vault_state vault_link_is(const struct vault_link *link);

/* What it said last of its root key; all 0 as long as it said nothing. */
const struct msg_vault_root *vault_link_root(const struct vault_link *link);

/* What an order gave: msg_vault_answer's, "" and 0 without one. */
struct vault_given {
	const char *secret;
	unsigned number;
};

/* answer: NULL when there was none (ERR_UNAVAILABLE); it and given live until the return. */
typedef void vault_link_done(void *ctx, enum err err, const struct msg_vault_state *answer,
			     const struct vault_given *given);

/*
 * Sends one of the messages that begin with request, which is set here, and are answered with
 * vault_state; done is called later, and only after OK. Orders that make or open the key are done
 * once it has its certificate, if it has none. ERR_UNAVAILABLE: there is no vault.
 */
nodiscard enum err vault_link_order(struct vault_link *link, uint16_t id, void *msg,
				    vault_link_done *done, void *ctx);

#endif
