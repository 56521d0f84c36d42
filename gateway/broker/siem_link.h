/*
 * siem_link.h - hands the audit log to sekisho-siem, batch by batch, and keeps how far it came. The
 * log is the buffer: an entry that is on the disk waits there until the collector has it.
 */
#ifndef SEKISHO_BROKER_SIEM_LINK_H
#define SEKISHO_BROKER_SIEM_LINK_H

#include "broker/broker.h"

enum {
	SIEM_BATCH = 64,    /* entries; what a crash in the wrong moment sends twice at most */
	SIEM_LOOK_MS = 500, /* how often it looks for new entries */
	SIEM_WARN_AGAIN_S = 3600,
	SIEM_HANGS = 4, /* timeouts that a delivery may take, without failing, until it is said */
};

struct siem_link;

nodiscard enum err siem_link_new(struct broker *broker, struct siem_link **ret);
void siem_link_free(struct siem_link *link);

/* There is a new process, or none any more. */
void siem_link_came(struct siem_link *link);
void siem_link_gone(struct siem_link *link);

void siem_link_delivered(struct siem_link *link, const struct msg_siem_delivered *msg);
void siem_link_failed(struct siem_link *link, const struct msg_siem_failed *msg);

/* From now on nothing more is handed over. Whether a batch is on its way that has not failed yet:
 * what comes of it should be waited for, or it is sent again later. */
bool siem_link_stop(struct siem_link *link);

struct siem_status {
	const char *state; /* "off", "sent", "sending", "behind" or "down" */
	int64_t delivered, delivered_s, newest, waiting;
	int64_t since_s;     /* when the oldest that waits was written; 0: none waits */
	const char *error;   /* of the last try, a code of enum siem_trouble; "": it succeeded */
	const char *text;    /* what the library said */
	const char *en, *ja; /* what to do */
	int64_t failed_s;
};

/* Texts live as long as the link. */
nodiscard enum err siem_link_status(const struct siem_link *link, struct siem_status *ret);

#endif
