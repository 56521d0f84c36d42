/*
 * records.h - what people ask of the vault's records, on its way: to the vault, from there into the
 * audit log, back to the vault, and with its answer to the edge. Who may ask what at all is
 * handle_record.c's, which of the records is the vault's.
 */
#ifndef SEKISHO_BROKER_RECORDS_H
#define SEKISHO_BROKER_RECORDS_H

#include "broker/dispatch.h"
#include "wire/record_ops.h"

enum {
	RECORDS_WAIT_S = 70,
	RECORDS_LONG_S = 900,            /* OP_LONG: an import of 100,000 records is one answer */
	RECORDS_MINE = 8,                /* of one person at once */
	RECORDS_ALL = 48,                /* the vault keeps 64 on hold */
	RECORDS_FLOOR_IDS = 8192,        /* in one record_floor */
	RECORDS_NOTICES_PER_MINUTE = 30, /* of each event */
	RECORDS_LEAP = 100000, /* changes of one answer, at most: so many rows has an import */
};

/* 0: none. */
unsigned records_duty(const struct account *account);

/* The break-glass that counts for it, 0: none. */
int64_t records_glass(const struct request *request, const struct record_op *op);

/* ---- what the audit log says: records_audit.c ------------------------------------------- */

/* In the caller's transaction; detail is taken over. */
nodiscard enum err records_append(struct request *request, struct db *db, const char *event,
				  json_t *detail, int64_t *ret_seq);
/* A copy of a detail that fits into an entry, for the caller; NULL: no memory. */
json_t *records_short(json_t *whole);
/* What was seen by break-glass and has no event of its own. */
nodiscard enum err records_looked(struct request *request, const struct record_op *op,
				  int64_t glass, uint64_t record);
/* Of one who was not let. record 0: none, or not known; field may be NULL. */
nodiscard enum err records_refusal(struct request *request, const struct record_op *op,
				   uint64_t record, enum err why, const char *field);
/* The same, unless there are too many of them: ERR_THROTTLED, which is answered already. */
nodiscard enum err records_refused(struct request *request, const struct record_op *op,
				   uint64_t record, enum err why, const char *field);

/* ---- on its way ------------------------------------------------------------------------- */

/*
 * Asks the vault; the answer goes to where the request came from. code: the person's, for OP_CODE;
 * taken over, NULL: none. ERR_THROTTLED: answered already; ERR_UNAVAILABLE.
 */
nodiscard enum err records_ask(struct request *request, const struct record_op *op,
			       struct bytes body, struct secret *code);

/* To the vault. ERR_UNAVAILABLE: it is not there, or has too much to do. */
nodiscard enum err records_tell(struct broker *broker, uint16_t id, const void *msg);

/* How far the vault says that its records have come: remembered, but no more than RECORDS_LEAP at
 * once. One that lies comes up against its own word at the next start; this far, and no farther. */
void records_raise_floor(struct broker *broker, uint64_t counter);

/* From the vault. */
void records_held(struct broker *broker, const struct msg_record_hold *msg);
void records_about(struct broker *broker, const struct msg_record_about *msg);
void records_answered(struct broker *broker, const struct msg_record_answer *msg);
void records_noticed(struct broker *broker, const struct msg_record_notice *msg);
/* It was opened, or is there again: it hears how far it had come. */
void records_vault_open(struct broker *broker);

/* ---- ended before its time: record_ask.c ------------------------------------------------ */

void records_vault_gone(struct broker *broker);
/* A right was taken away; 0 stands for any. What has not happened yet does not. */
void records_cut(struct broker *broker, int64_t account, int64_t device);
/* That break-glass is over: as for a right. */
void records_end_glass(struct broker *broker, int64_t glass);
void records_leave_login(struct broker *broker, int64_t login);
/* Nobody waits for the answer to that request of the edge's any more. */
void records_ask_gone(struct broker *broker, uint32_t request);
/* Nobody waits for the answers any more. */
void records_edge_gone(struct broker *broker);

void records_forget_all(struct broker *broker);

#endif
