/*
 * grants_copy.h - copying grants: reads what a copy is about, and carries out what was planned
 * (vault/grants_plan.h).
 */
#ifndef SEKISHO_VAULT_GRANTS_COPY_H
#define SEKISHO_VAULT_GRANTS_COPY_H

#include "vault/grants_change.h"
#include "vault/grants_plan.h"

/* What it would change now. As grants_plan; ERR_INVALID also when a row is damaged. */
nodiscard enum err grants_copy_plan(struct records *records, const struct grant_copy *copy,
				    struct grant_changes *ret);

/* Within a transaction, and while everything is as it was planned for. */
nodiscard enum err grants_copy_carry_out(struct records *records,
					 const struct grant_changes *changes,
					 const struct grants_hand *hand);

#endif
