/*
 * quota.h - how often an account may do what leaves a trace in the audit log, which cannot be
 * shortened. In memory; a restart forgives.
 */
#ifndef SEKISHO_BROKER_QUOTA_H
#define SEKISHO_BROKER_QUOTA_H

#include "broker/broker.h"

enum quota_kind {
	QUOTA_SESSION, /* opening and attaching */
	QUOTA_WAKE,
	QUOTA_ENROL,      /* refused requests with a code of its */
	QUOTA_CHECK,      /* requests with a code of its that the signer is to look at */
	QUOTA_RENEW,      /* certificates for the devices of which it is the first owner */
	QUOTA_ALARM,      /* what its browsers say of the audit log */
	QUOTA_RECORDING,  /* opening recordings, allowed or not */
	QUOTA_NOTE,       /* notes of recordings, and taking them back */
	QUOTA_WATCH,      /* looking on at sessions and ending them, allowed or not */
	QUOTA_RECORD,     /* asking anything of the vault's records */
	QUOTA_RECORD_NO,  /* and being refused */
	QUOTA_RECORD_FEW, /* what is OP_FEW */
	QUOTA_GLASS,      /* asking for break-glass */
	QUOTA_CONSOLE,    /* reports and saved filters */
	QUOTA_KINDS
};

enum {
	QUOTA_SESSIONS_PER_MINUTE = 60,
	QUOTA_WAKES_PER_MINUTE = 12,
	QUOTA_ENROLS_PER_MINUTE = 30,
	/* The signer looks at 120 in a minute, of the whole office: nobody shall take them all. */
	QUOTA_CHECKS_PER_MINUTE = 30,
	QUOTA_RENEWS_PER_MINUTE = 6,
	QUOTA_ALARMS_PER_MINUTE = 6,
	QUOTA_RECORDINGS_PER_MINUTE = 30,
	QUOTA_NOTES_PER_MINUTE = 30,
	QUOTA_WATCHES_PER_MINUTE = 30,
	QUOTA_CONSOLES_PER_MINUTE = 30,
	QUOTA_GLASSES_PER_MINUTE = 4,
	/* A file of 32 MB to import comes in some 700 pieces. */
	QUOTA_RECORDS_PER_MINUTE = 1200,
	QUOTA_RECORDS_NO_PER_MINUTE = 120,
	/* Enough to look somebody up, too few to try numbers. */
	QUOTA_RECORDS_FEW_PER_MINUTE = 12,
};

/* ERR_THROTTLED: answered already. account is one that exists. */
nodiscard enum err quota_take(struct broker *broker, const struct reply_to *to, int64_t account,
			      enum quota_kind kind);

void quota_forget_all(struct broker *broker);

#endif
