/*
 * desk.h - where what people ask of the records is taken in: finds the handler in the table
 * wire/record_ops.def, checks the body's form, and sees to it that the audit log comes first. The
 * broker has said who it is and that the duty may ask this; everything else is for the handlers.
 *
 * An operation with an event is done in two phases. The order is checked by its handler (go false),
 * which says what the audit log shall say, and waits for the entry's number at most ten seconds.
 * Then the handler is called again (go true) within a transaction that is committed before the
 * answer goes (none for OP_LOOK); it checks everything again, as the world may be another. An
 * operation without an event is called once, go true, and changes nothing.
 *
 * The handler of an OP_LONG is a job (vault/jobs.h): it pauses, and makes its own transactions.
 */
#ifndef SEKISHO_VAULT_DESK_H
#define SEKISHO_VAULT_DESK_H

#include <jansson.h>

#include "base/loop.h"
#include "vault/jobs.h"
#include "wire/record_ops.h"
#include "wire/wire.h"

enum {
	DESK_PENDING = 64,
	DESK_HOLD_MS = 10000,
	DESK_TIDY_S = 30,
	DESK_BODY = 65536,
	DESK_ANSWER = 92160
};

struct desk_person {
	uint64_t account; /* the broker's number */
	unsigned duty;    /* enum record_duty; with DUTY_GLASS where an operation has OP_GLASS */
};

struct desk_ask {
	struct desk_person who;
	unsigned op;        /* OP_… */
	const json_t *body; /* an object */
	int64_t now_s;
	bool go;
	uint64_t seq;       /* of the audit entry that lets it happen; 0: there is none */
	const json_t *said; /* what that entry says: detail and about as they were, else NULL */
	const uint64_t *about;
	size_t about_count;
};

struct desk_reply {
	json_t *body;            /* an object, or NULL; the desk frees */
	const char *field;       /* static: what of the body is wrong, or why not */
	json_t *detail;          /* with go false: for the audit log; the desk frees */
	uint64_t record, client; /* what it is about, 0: none */
	uint64_t *about;         /* more of them than detail has room for; the desk frees */
	size_t about_count;
	uint32_t stream; /* 0, or of a stream that is to be attached */
};

/* records is ready. On an error nothing of the reply counts but field; and with go false record and
 * client, which the audit log says of a refusal. */
typedef enum err desk_handler(struct records *records, const struct desk_ask *ask,
			      struct desk_reply *reply);

/* op_client_list … */
#define RECORD_OP(number, name, words, duties, flags, event) desk_handler op_##name;
#include "wire/record_ops.def"
#undef RECORD_OP

/* ---- what is in a body; each sets reply->field and answers ERR_INVALID ------------------ */

/* No members but these. The last argument is NULL. */
nodiscard enum err desk_members(const struct desk_ask *ask, struct desk_reply *reply, ...)
	__attribute__((sentinel));

/* One line of at least one character that is not a blank and at most max characters; as
 * util_text_plain. Borrowed from the body. A missing one is "" where it may be missing. */
nodiscard enum err desk_text(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
			     size_t max, const char **ret);
nodiscard enum err desk_text_or(const struct desk_ask *ask, struct desk_reply *reply,
				const char *name, size_t max, const char **ret);

/* A number above 0 that fits an int64_t. desk_id_or: 0 when it is missing. */
nodiscard enum err desk_id(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
			   uint64_t *ret);
nodiscard enum err desk_id_or(const struct desk_ask *ask, struct desk_reply *reply,
			      const char *name, uint64_t *ret);

nodiscard enum err desk_int(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
			    int64_t min, int64_t max, int64_t *ret);

/* true or false; false when it is missing. */
nodiscard enum err desk_flag(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
			     bool *ret);

/* "2026-04-01" as days since 1970, years 1900 to 9999. */
nodiscard enum err desk_date(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
			     int64_t *ret);
/* text: room for "2026-04-01" and NUL. */
void desk_date_text(int64_t days, char text[16]);

/* An array of 1 to max different ids, sorted. */
nodiscard enum err desk_ids(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
			    size_t max, uint64_t *ret, size_t *ret_count);

/* One of these words: its place among them. Those that are NULL are none. */
nodiscard enum err desk_word(const struct desk_ask *ask, struct desk_reply *reply, const char *name,
			     const char *const *words, size_t count, size_t *ret);

/* ERR_INVALID with this field. */
nodiscard enum err desk_wrong(struct desk_reply *reply, const char *field);

/* ---- what an operation answers --------------------------------------------------------------- */

/* Both take it over, and NULL is ERR_NOMEM. desk_say: what the audit log's entry says. */
nodiscard enum err desk_give(struct desk_reply *reply, json_t *body);
nodiscard enum err desk_say(struct desk_reply *reply, json_t *detail);

/* ---- the desk itself, for vault.c ------------------------------------------------------- */

struct desk_pending;
struct desk_job;

/* Sends a message to the broker. */
typedef void desk_send(void *ctx, uint16_t id, const void *msg);

struct desk {
	struct records *records;      /* borrowed */
	struct desk_pending *pending; /* the oldest first */
	size_t count;
	struct loop_timer timer; /* when the oldest is too old */
	struct jobs jobs;
	struct desk_job *long_ones; /* those of jobs that somebody waits for */
	struct loop_timer tidy;     /* what is kept in memory for a time */
	desk_send *send;
	void *ctx;
};

void desk_init(struct desk *desk, struct records *records, struct loop *loop, desk_send *send,
	       void *ctx);
/* Forgets all that waits. */
void desk_clear(struct desk *desk);

/* The records are ready: what was left half done is cleared away. */
void desk_ready(struct desk *desk);

void desk_order(struct desk *desk, const struct msg_record_order *order);
void desk_go(struct desk *desk, const struct msg_record_go *go);
void desk_cancel(struct desk *desk, uint32_t request);

#endif
