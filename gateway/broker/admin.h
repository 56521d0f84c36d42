/*
 * admin.h - orders of administrators: root, or the broker's own user, gives them through `sekisho`
 * and the admin socket; administrators also give some of them in the portal. wire/commands.def is
 * the table of orders and of their arguments; each has its handler here, and each act is in the
 * audit log with who gave the order.
 *
 * A request is a JSON object of arguments: TEXT, PASSWORD and FILE_IN are strings, NUMBER an
 * integer, FLAG a boolean. FILE_OUT never comes here. What else stays with the CLI, and what it
 * sends in its place, is in admin_call.c.
 *
 * The answer is a status as in HTTP and a JSON object:
 * - errors: {"error": code, "field"?: name, "message"?: English, "message_ja"?: Japanese}
 * - lists: {"columns": [...], "rows": [[...], ...], "next"?: number}: with "next" there is more,
 *   which the same order with "after": that number gives
 * - user add, user totp: {"totp_secret": base32, "otpauth": URI}, shown this once
 * - device enrol: {"id", "certificate", "ca"}, the last two in PEM
 * - device invite, device export: as in docs/protocol.md §3
 * - ca show, ca init, ca unlock, ca rotate, ca take-root: a list, and of the newest root
 *   {"certificate": PEM, "sha256": hex, "root_key": "gateway" or "elsewhere"}, "locked"; ca
 *   take-root also "root", its key in PEM; with that as argument "root" it is removed
 * - vault …: a list, and {"generation", "set", "sha256", "until", "failed", "wait"} as far as there
 *   are; vault init, shares and recover also {"sheets": [[row of 12 characters, ...], ...],
 * "office"} and vault machine {"secret"}, shown this once; vault check {"sheet": its number}
 * - ca export: {"pem"}; auditor certify: {"certificate": PEM, "sha256"}
 * - everything else: {}
 */
#ifndef SEKISHO_BROKER_ADMIN_H
#define SEKISHO_BROKER_ADMIN_H

#include <jansson.h>
#include <sys/types.h>

#include "broker/broker.h"
#include "wire/commands.h"

struct admin_call;
struct admin_connection;

/* For admin.c and admin_call.c alone. */
struct admin {
	struct broker *broker;
	struct loop_io io;
	int fd; /* -1: none */
	struct admin_connection *connections;
	struct admin_call *calls; /* put off */
};

nodiscard enum err admin_new(struct broker *broker, struct admin **ret);
void admin_free(struct admin *admin);

/* Takes over the listening socket; replaces an earlier one. */
void admin_listen(struct admin *admin, int fd);

/* A connected peer, as accept(2) gave it. Taken over in every case. ERR_DENIED: neither root nor
 * our own user. */
nodiscard enum err admin_connect(struct admin *admin, int fd);

/* ---- calls ------------------------------------------------------------------------------ */

/* The way an order comes. The portal opens only what commands.def opens to it. */
enum admin_way { ADMIN_SOCKET, ADMIN_PORTAL_LOOK, ADMIN_PORTAL_ORDER };

/* Sends the answer, once; body is borrowed, NULL when there was no memory for it. */
typedef void admin_answer(struct admin_call *call, unsigned status, json_t *body);

/* Who gives an order, and how the answer gets there. */
struct admin_caller {
	enum admin_way way;
	admin_answer *answer;
	/* Of the socket. connection is NULL when the caller has gone. */
	struct admin_connection *connection;
	uid_t uid;
	/* Of the portal. */
	struct reply_to to;
	char account[ACCOUNT_NAME_MAX + 1];
	int64_t device;
	char address[DEVICE_ADDRESS_MAX + 1];
};

/* One order, from the moment its arguments are found to be well-formed. */
struct admin_call {
	struct broker *broker;
	struct admin_caller caller;
	struct admin_call *next;
	const struct command *command;
	json_t *arguments;
	json_t *result;       /* the answer; {} when the handler leaves NULL */
	bool later;           /* the handler will call admin_finish */
	size_t page_bytes;    /* of the rows in result, by admin_page_row */
	int64_t page_last;    /* number of the last of them */
	char field[64];       /* of an error */
	char message[200];    /* of an error */
	char message_ja[200]; /* "": that of admin_messages.def */
};

/* OK with later unset: done. Any error: nothing was done. */
typedef enum err admin_handler(struct admin_call *call);

/*
 * Runs the order and answers it: at once, and then NULL is returned, or later, and then the call,
 * which lives until its answer.
 */
struct admin_call *admin_run(struct broker *broker, const struct admin_caller *caller,
			     const char *command, struct bytes arguments);

/* Ends a call that was put off, and frees it. */
void admin_finish(struct admin_call *call, enum err err);

/* Without an answer. */
void admin_call_free(struct admin_call *call);

/* The argument, or NULL when it was not given. Numbers and flags have a default. */
const char *admin_text(const struct admin_call *call, const char *name);
int64_t admin_number(const struct admin_call *call, const char *name, int64_t fallback);
bool admin_flag(const struct admin_call *call, const char *name);

/* Notes what is wrong and returns err. message is one of admin_messages.def. */
enum err admin_wrong(struct admin_call *call, enum err err, const char *field, const char *message);

/* The account or the host that argument field names. */
nodiscard enum err admin_find_account(struct admin_call *call, const char *field,
				      struct account *ret);

/* The password in argument field, when it is good enough to be chosen; account and full_name may be
 * NULL. The caller frees. */
nodiscard enum err admin_new_password(struct admin_call *call, const char *field,
				      const char *account, const char *full_name,
				      struct secret **ret);

/* Who gave the order, as lists show it: an account, or "uid 0". */
void admin_by(const struct admin_call *call, char *ret, size_t size);

/* Adds an audit entry; a transaction is open. event is a constant; detail is taken over. Whoever
 * gave the order is in the entry: person, device and address, or the user id in detail. */
nodiscard enum err admin_audit(struct admin_call *call, const char *event, json_t *detail);

/* The entry alone, in a transaction of its own: that something was ordered, or has happened. */
nodiscard enum err admin_record(struct admin_call *call, const char *event, json_t *detail);

/* The end of what changes something: its audit entry, as admin_audit, and the commit. */
nodiscard enum err admin_commit(struct admin_call *call, struct db_tx *tx, const char *event,
				json_t *detail);

/* Whether text has 1 to max characters, at most bytes bytes, is plain (util_text_plain) and not
 * blank: people are asked about names. */
bool admin_name_valid(const char *text, size_t max, size_t bytes);

/* Sets result to an empty list with these columns, "a,b,c". */
nodiscard enum err admin_columns(struct admin_call *call, const char *columns);
/* Adds a row, which is taken over; NULL is ERR_NOMEM. */
nodiscard enum err admin_row(struct admin_call *call, json_t *row);

/*
 * The same for a list of any length: a row that does not fit into the answer any more is dropped,
 * and result gets "next", the number of the row before it, which the caller gives as "after" to go
 * on. *ret_full: that has happened, and the handler is done.
 */
nodiscard enum err admin_page_row(struct admin_call *call, json_t *row, int64_t number,
				  bool *ret_full);
/* For what is not rows: whether bytes more of JSON fit; number is that of the row they are of.
 * Counts them when they do, and sets "next" when not. */
bool admin_page_take(struct admin_call *call, size_t bytes, int64_t number);
/* The member "next" of an answer that was cut. */
nodiscard enum err admin_page_end(struct admin_call *call);

#define COMMAND(name, function, en, ja, web) extern admin_handler admin_##function;
#define ARG(name, type, required, en, ja)
#define DONE
#include "wire/commands.def"
#undef COMMAND
#undef ARG
#undef DONE

#endif
