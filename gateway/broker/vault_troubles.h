/*
 * vault_troubles.h - what is wrong with the vault, for the pages of those who can do something
 * about it: as far as the vault has said, and the audit log with it.
 */
#ifndef SEKISHO_BROKER_VAULT_TROUBLES_H
#define SEKISHO_BROKER_VAULT_TROUBLES_H

#include "broker/broker.h"

enum { VAULT_TROUBLES_DAYS = 7 }; /* of what has happened, rather than is so */

/* An array of {"what", "since"} (docs/protocol.md §1), empty when all is well; the caller's. */
json_t *vault_troubles(const struct broker *broker, int64_t now_s);

#endif
