/*
 * documents.h - documents of the vault on their way to and from browsers: an answer of the vault
 * has made a stream, its browser opens it once, and the bytes go between vault and edge alone. Here
 * is whose it is, until when, and the audit entry of its end.
 */
#ifndef SEKISHO_BROKER_DOCUMENTS_H
#define SEKISHO_BROKER_DOCUMENTS_H

#include "broker/dispatch.h"

enum {
	DOCUMENTS_ATTACH_S = 60,       /* until the stream must have been opened */
	DOCUMENTS_LENGTH_S = 2 * 3600, /* until it ends */
	DOCUMENTS_CLOSE_S = 5,         /* for the vault to say how much it was */
	DOCUMENTS_PATH = 64,           /* room for the stream's path */
};

/* Who has ordered it, and the order's entry in the audit log. Everything is copied. */
struct documents_order {
	int64_t account, device, login;
	const char *account_name, *address;
	uint64_t record, client; /* 0: about none */
	const char *event;       /* of the order's entry; static */
	uint64_t seq;
	uint32_t stream; /* the vault's number */
	int64_t glass;   /* break-glass by which it was ordered, 0: none */
};

/* The vault has answered with a stream. path: for the browser. On an error the stream is closed
 * again. ERR_NOMEM, ERR_CRYPTO. */
nodiscard enum err documents_add(struct broker *broker, const struct documents_order *order,
				 char path[DOCUMENTS_PATH]);

/* The browser's end. ERR_NOT_FOUND: the request's login has not ordered it; ERR_USED: it was taken
 * already; ERR_UNAVAILABLE: the vault is gone. */
nodiscard enum err documents_take(struct request *request, const uint8_t id[WIRE_SESSION_ID],
				  int *ret_fd);

/* From the vault. */
void documents_vault_closed(struct broker *broker, const struct msg_record_stream_closed *msg);
void documents_vault_gone(struct broker *broker);

/* A right was taken away; 0 stands for any. */
void documents_cut(struct broker *broker, int64_t account, int64_t device);
/* That break-glass is over. */
void documents_end_glass(struct broker *broker, int64_t glass);
void documents_leave_login(struct broker *broker, int64_t login);
/* Ends those of logins that are over; what goes on is no use of its login. */
void documents_tick(struct broker *broker, int64_t now_s);

void documents_forget_all(struct broker *broker);

#endif
