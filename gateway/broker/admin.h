/*
 * admin.h - the admin socket: root, or the broker's own user, gives orders through `sekisho`.
 * wire/commands.def is the table of orders and of their arguments; each has its handler here, and
 * each act is in the audit log with the caller's user id.
 *
 * A request is MSG_admin, its arguments a JSON object: TEXT, PASSWORD and FILE_IN are strings,
 * NUMBER an integer, FLAG a boolean. FILE_OUT never comes here, nor do password and form of the
 * PKCS#12 file that "device enrol" makes; that command brings "csr" instead, a certificate request
 * as DER in base64.
 *
 * The answer is MSG_admin_reply: status as in HTTP and a JSON object:
 * - errors: {"error": code, "field"?: name, "message"?: English, "message_ja"?: Japanese}
 * - lists: {"columns": [...], "rows": [[...], ...]}
 * - user add, user totp: {"totp_secret": base32, "otpauth": URI}, shown this once
 * - device enrol: {"id", "certificate", "ca"}, the last two in PEM
 * - ca show: {"certificate": PEM, "sha256": hex}
 * - everything else: {}
 */
#ifndef SEKISHO_BROKER_ADMIN_H
#define SEKISHO_BROKER_ADMIN_H

#include <jansson.h>
#include <sys/types.h>

#include "broker/broker.h"
#include "wire/commands.h"

struct admin_connection;

nodiscard enum err admin_new(struct broker *broker, struct admin **ret);
void admin_free(struct admin *admin);

/* Takes over the listening socket; replaces an earlier one. */
void admin_listen(struct admin *admin, int fd);

/* A connected peer, as accept(2) gave it. Taken over in every case. ERR_DENIED: neither root nor
 * our own user. */
nodiscard enum err admin_connect(struct admin *admin, int fd);

/* One order, from the moment its arguments are found to be well-formed. */
struct admin_call {
	struct broker *broker;
	struct admin_connection *connection; /* NULL when the caller has gone */
	struct admin_call *next;
	const struct command *command;
	uid_t uid;
	json_t *arguments;
	json_t *result;         /* the answer; {} when the handler leaves NULL */
	bool later;             /* the handler will call admin_finish */
	char field[64];         /* of an error */
	char message[200];      /* of an error */
	const char *message_ja; /* static, or NULL */
};

/* OK with later unset: done. Any error: nothing was done. */
typedef enum err admin_handler(struct admin_call *call);

/* Ends a call that was put off, and frees it. */
void admin_finish(struct admin_call *call, enum err err);

/* The argument, or NULL when it was not given. Numbers and flags have a default. */
const char *admin_text(const struct admin_call *call, const char *name);
int64_t admin_number(const struct admin_call *call, const char *name, int64_t fallback);
bool admin_flag(const struct admin_call *call, const char *name);

/* Notes what is wrong and returns err. */
enum err admin_wrong(struct admin_call *call, enum err err, const char *field, const char *message);

/* The account or the host that argument field names. */
nodiscard enum err admin_find_account(struct admin_call *call, const char *field,
				      struct account *ret);

/* Adds an audit entry; a transaction is open. event is a constant; detail is taken over and gets
 * the caller's uid. */
nodiscard enum err admin_audit(struct admin_call *call, const char *event, json_t *detail);

/* Whether text has 1 to max characters, at most bytes bytes, and no control characters. */
bool admin_name_valid(const char *text, size_t max, size_t bytes);

/* Sets result to an empty list with these columns, "a,b,c". */
nodiscard enum err admin_columns(struct admin_call *call, const char *columns);
/* Adds a row, which is taken over; NULL is ERR_NOMEM. */
nodiscard enum err admin_row(struct admin_call *call, json_t *row);

#define COMMAND(name, function, en, ja, web) extern admin_handler admin_##function;
#define ARG(name, type, required, en, ja)
#define DONE
#include "wire/commands.def"
#undef COMMAND
#undef ARG
#undef DONE

#endif
