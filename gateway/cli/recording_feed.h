/*
 * recording_feed.h - the vault's side of playing a recording (docs/protocol.md §5), with an
 * auditor's own key: gives sekisho-export what it asks for, chunk by chunk.
 */
#ifndef SEKISHO_CLI_RECORDING_FEED_H
#define SEKISHO_CLI_RECORDING_FEED_H

#include <openssl/x509.h>

#include "record/table.h"
#include "wire/wire.h"

struct recording_feed {
	/* Set by the owner, and borrowed. */
	const struct scan *scan;
	const struct table *table;
	EVP_PKEY *key;
	X509 *certificate; /* or NULL */
	uint8_t session[WIRE_SESSION_ID];
	const struct buf *meta;
	uint8_t verdict; /* enum verdict */
	/* inside */
	int fd; /* owned */
	bool started, info_sent, sending, damaged;
	size_t rows_sent, sent;
	uint32_t sequence;
	struct buf der, plain;
};

/* After the owner's members are set. fd is taken over. */
void recording_feed_begin(struct recording_feed *feed, int fd);
/* Wipes. */
void recording_feed_finish(struct recording_feed *feed);

/*
 * Goes on as far as the other side lets it; *ret_events: what to poll for then. ERR_CLOSED: it went
 * away. ERR_PROTOCOL: it asks for what there is not. ERR_IO, ERR_NOMEM.
 */
nodiscard enum err recording_feed_step(struct recording_feed *feed, short *ret_events);

#endif
