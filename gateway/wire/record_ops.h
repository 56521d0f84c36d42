/*
 * record_ops.h - the table of record_ops.def.
 */
#ifndef SEKISHO_WIRE_RECORD_OPS_H
#define SEKISHO_WIRE_RECORD_OPS_H

#include <stddef.h>
#include <stdint.h>

/* What a person's duty with records is; nobody has two. */
enum record_duty {
	DUTY_USE = 1,    /* MU: works with records */
	DUTY_MANAGE = 2, /* MA: decides requests, gives grants */
	DUTY_AUDIT = 4,  /* SA: an auditor */
	DUTY_ADMIN = 8,  /* DA: an administrator of the system */
	DUTY_GLASS = 16, /* beside one of the first two, in an order to the vault: break-glass */
};

enum record_op_flags {
	OP_CODE = 1,   /* wants a code that was not used yet; the broker takes it out of the body */
	OP_POLL = 2,   /* does not keep the login alive */
	OP_LOCAL = 4,  /* the broker answers without the vault */
	OP_STREAM = 8, /* the answer makes a stream */
	OP_LOOK = 16,  /* changes no record: the vault makes no transaction for it */
	OP_DISPOSE = 32, /* of the records in its detail; the broker keeps which */
	OP_MARK = 64,    /* recordings of the person's sessions get an event */
	OP_LONG = 128,   /* takes the vault long: others are answered meanwhile (vault/jobs.h) */
	OP_GLASS = 256,  /* break-glass counts for it, whichever of the first two duties one has */
	OP_FEW = 512,    /* few in a minute */
};

/* OP_client_list … */
enum record_op_number {
#define RECORD_OP(number, name, words, duties, flags, event) OP_##name = number,
#include "wire/record_ops.def"
#undef RECORD_OP
};

struct record_op {
	uint16_t number;
	const char *name;  /* "client_list" */
	const char *words; /* "client list" */
	unsigned duties, flags;
	const char *event; /* "" : none */
};

extern const struct record_op record_ops[];
extern const size_t record_op_count;

/* The row, or NULL. record_op_by_words: also "client-list", as addresses have it. */
const struct record_op *record_op_find(unsigned number);
const struct record_op *record_op_by_words(const char *words);

#endif
