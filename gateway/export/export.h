/*
 * export.h - the whole way of an export: the recording is played from a time to a time, drawn with
 * its watermark, encoded, encrypted and sent off, one second after another. Nothing of it is on a
 * disk, and nothing of what went out is kept.
 */
#ifndef SEKISHO_EXPORT_EXPORT_H
#define SEKISHO_EXPORT_EXPORT_H

#include <openssl/x509.h>

#include "export/ports.h"
#include "text/text.h"
#include "wire/enums.h"

enum {
	EXPORT_TICK_MS = 100,   /* what changes within is one picture */
	EXPORT_STILL_MS = 1000, /* without a change, so that the watermark's clock goes on */
	EXPORT_SIZE_S = 60,     /* of the beginning decide on the video's size */
	EXPORT_SPAN_H = 100,    /* of a recording at most */
};

struct export_order {
	const struct msg_export_start *start; /* borrowed */
	X509 *recipient;                      /* borrowed; has passed recipient_check */
	struct text *text;                    /* borrowed */
	int64_t now_s;                        /* wall clock */
	uint64_t most;                        /* bytes that the file may have; 0: ENVELOPE_MAX */
};

/* ret has what is to be said at the end, error included. */
void export_run(struct ports *ports, const struct export_order *order, struct msg_export_done *ret);

#endif
