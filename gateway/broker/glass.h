/*
 * glass.h - break-glass: one who manages records asks that somebody may look at all of them for a
 * while, another one agrees, each with a code. What it lets somebody do is the vault's to say
 * (DUTY_GLASS); here is who has it, since when, and how it ends. In memory: it does not outlive the
 * broker. Operations 102 to 105 of wire/record_ops.def are answered here.
 */
#ifndef SEKISHO_BROKER_GLASS_H
#define SEKISHO_BROKER_GLASS_H

#include "broker/broker.h"

enum {
	GLASS_WAIT_S = 15 * 60,  /* for somebody else to agree */
	GLASS_OPEN_S = 4 * 3600, /* from then on */
	GLASS_ALL = 16,          /* waiting or open */
	GLASS_MINE = 2,          /* that one person has asked for */
	GLASS_LIST = 256,        /* how far a start looks back into the audit log */
};

/*
 * By which break-glass the account looks now: the number of the entry that asked for it, 0: none.
 * Everybody who has a part in it is looked at again; one that does not hold is none.
 */
int64_t glass_of(const struct broker *broker, const struct account *account);
/* Ends those that do not hold any more. */
void glass_tick(struct broker *broker);

/* An account has lost its duty, or is locked: whatever it has a part in ends. */
void glass_cut(struct broker *broker, int64_t account);
/* The vault is not open any more. */
void glass_vault_gone(struct broker *broker);

/* Says in the audit log that what an earlier broker had has ended. */
nodiscard enum err glass_put_right(struct broker *broker);
void glass_forget_all(struct broker *broker);

#endif
