/*
 * dispatch.h - the one table of what the edge may ask: the login a request needs, the roles that
 * may make it, and its handler. What is not in the table is refused. Every request is checked
 * afresh against the device's and the account's rows.
 */
#ifndef SEKISHO_BROKER_DISPATCH_H
#define SEKISHO_BROKER_DISPATCH_H

#include "broker/broker.h"

/* How every request of the edge begins: REQUEST_HEAD of wire/messages.def. */
struct request_head {
	uint32_t request;
	uint8_t device[WIRE_DEVICE_ID];
	const char *address;
	const char *token;
};

enum request_login {
	REQUEST_NO_DEVICE,     /* anybody: enrolment only; what device is shown is not looked at */
	REQUEST_LOGIN_NONE,    /* the device alone */
	REQUEST_LOGIN_WAITING, /* the password was right, the code is to come */
	REQUEST_LOGIN_ANY,     /* one of both */
	REQUEST_LOGIN_FULL,
};

enum request_roles {
	REQUEST_STAFF = 1,
	REQUEST_ADMIN = 2,
	REQUEST_AUDITOR = 4,
	REQUEST_SUPERVISORS = REQUEST_ADMIN | REQUEST_AUDITOR,
	REQUEST_PC_USERS = REQUEST_STAFF | REQUEST_ADMIN,
	REQUEST_EVERYONE = REQUEST_PC_USERS | REQUEST_AUDITOR,
};

struct request {
	struct broker *broker;
	struct reply_to to;
	const struct request_head *head;
	const union wire_any *msg; /* lives until the handler returns */
	int64_t now_s;
	struct device device; /* zero for REQUEST_NO_DEVICE */
	/* Zero without a login. */
	struct account account;
	struct login_row login;
};

/* OK: it has answered or will. Anything else: it has not, and nothing was done. */
typedef enum err request_handler(struct request *request);

enum request_flags {
	REQUEST_LOCKED = 1, /* also for a login that needs its password again */
	REQUEST_POLL = 2,   /* pages ask by themselves: it does not keep the login alive */
	REQUEST_NOTED = 4,  /* who may not, and is known, is in the audit log */
};

struct request_type {
	uint16_t id;
	enum request_login login;
	enum request_roles roles; /* checked where there is a login */
	unsigned flags;
	request_handler *handler;
};

extern const struct request_type request_types[];
extern const size_t request_type_count;

/* A message from the edge other than edge_start. Answers it in every case. */
void dispatch_request(struct broker *broker, const struct wire_type *type,
		      const union wire_any *msg);

/* Whether somebody whose request began something that goes on may still have it: login, account,
 * role and device are as good as they were. ERR_NOT_FOUND when not. */
nodiscard enum err request_still_allowed(struct broker *broker, int64_t login_id,
					 int64_t account_id, int64_t device_id,
					 enum request_roles roles, int64_t now_s);

/* An audit entry with the request's person, device and address filled in. */
struct audit_entry request_audit(const struct request *request, const char *event, json_t *detail);

#endif
