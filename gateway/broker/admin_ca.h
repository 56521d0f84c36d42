/*
 * admin_ca.h - the office's CAs as answers to people. For all: *ret is a new object.
 */
#ifndef SEKISHO_BROKER_ADMIN_CA_H
#define SEKISHO_BROKER_ADMIN_CA_H

#include <jansson.h>

#include "broker/admin.h"

/*
 * A row for each CA, and of the newest root {"certificate": PEM, "sha256": hex}; "locked".
 * ERR_UNAVAILABLE: there is none yet.
 */
nodiscard enum err admin_ca_table(const struct msg_ca_state *state, json_t **ret);

/* {"pem"}: the newest root, or with chain all CAs of the office. */
nodiscard enum err admin_ca_pem(const struct msg_ca_state *state, bool chain, json_t **ret);

/* {"certificate": PEM of it and of those above it, "sha256": of itself}. */
nodiscard enum err admin_ca_chain(const struct msg_certified *certified, json_t **ret);

/* Recordings that begin from now on are sealed to the auditor's new certificate too. With its audit
 * entry; sha256 is in the call's result already. */
nodiscard enum err admin_auditor_keep(struct admin_call *call, struct bytes der);

#endif
