/*
 * record_ask.h - what was asked of the vault's records and is not answered: the list of it, and how
 * one leaves it before its time. Who asks, and whoever takes a right away, call it by records.h;
 * here is what records.c has of it, which takes each one to its answer.
 */
#ifndef SEKISHO_BROKER_RECORD_ASK_H
#define SEKISHO_BROKER_RECORD_ASK_H

#include <jansson.h>

#include "broker/record_list.h"
#include "broker/records.h"
#include "store/devices.h"

/* What was asked and is not answered. */
struct record_ask {
	struct record_ask *next;
	struct request request; /* as it was asked; head and msg are not what they were */
	struct request_head head;
	char address[DEVICE_ADDRESS_MAX + 1];
	uint32_t number;
	const struct record_op *op;
	struct secret *code;      /* NULL: none, or used */
	json_t *detail;           /* from record_hold until it is in the audit log */
	uint64_t record, client;  /* of record_hold */
	struct record_list about; /* of record_about */
	size_t made;              /* of the same afterwards */
	int64_t after;            /* of record history */
	uint64_t by;              /* in whose name else it happens: an import's; 0: nobody's */
	int64_t glass;            /* break-glass by which it was asked, 0: none */
	bool may;                 /* record_go is sent */
	int64_t seq;
	struct loop_timer timer;
};

/* NULL: nobody waits for it any more. */
struct record_ask *record_ask_find(struct broker *broker, uint32_t number);
/* Out of the list. */
void record_ask_free(struct record_ask *ask);

/* Answers who asked, field NULL or "" where there is none, and frees it. */
void record_ask_fail(struct record_ask *ask, enum err err, const char *field);
/* Tells the vault that nothing comes of it. */
void record_ask_cancel(const struct record_ask *ask);
/* That and an error for who asked; one that happens already is freed when the vault answers. */
void record_ask_drop(struct record_ask *ask, enum err why);

#endif
