/*
 * retention.h - ends what has been kept for long enough: files of recordings, and what the audit
 * log says of people. Each disposal is in the audit log before anything is gone; what is on hold
 * stays.
 */
#ifndef SEKISHO_BROKER_RETENTION_H
#define SEKISHO_BROKER_RETENTION_H

#include "broker/broker.h"

enum {
	RETENTION_LEAP_MS = 3600 * 1000,
	/* The log must have an entry of between so many days ago. */
	RETENTION_WITNESS_OLD = 10,
	RETENTION_WITNESS_YOUNG = 7,
	RETENTION_RECORDINGS = 100, /* disposed of at once; the rest has its turn the next time */
	RETENTION_ENTRIES = 1000,   /* the same of the audit log */
};

/* From time to time. What goes wrong is logged, and tried again the next time. */
void retention_tick(struct broker *broker);

#endif
