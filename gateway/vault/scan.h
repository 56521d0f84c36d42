/*
 * scan.h - asks ClamAV's daemon about one document, over a connection that the monitor has made:
 * INSTREAM of clamd(8), "zINSTREAM\0", then pieces with their length before them (u32, big-endian),
 * then a length of 0; the answer is one line. Whatever is not clearly clean is not clean.
 */
#ifndef SEKISHO_VAULT_SCAN_H
#define SEKISHO_VAULT_SCAN_H

#include "base/loop.h"
#include "vault/document_file.h"

enum {
	SCAN_WAIT_S = 120, /* for the daemon to take or to say something */
	SCAN_NAME_MAX = 128,
};

enum scan_result {
	SCAN_CLEAN = 1,
	SCAN_FOUND,  /* what it is called is said, too */
	SCAN_FAILED, /* nobody knows */
};

struct scan;

/* Called once, from the loop; the callee frees the scan. name: of what was found, else "". */
typedef void scan_done(void *ctx, enum scan_result result, const char *name);

/* fd, not blocking, and reader are taken over in every case. ERR_NOMEM, ERR_IO. */
nodiscard enum err scan_new(struct loop *loop, int fd, struct document_reader *reader,
			    scan_done *done, void *ctx, struct scan **ret);
/* NULL is allowed. */
void scan_free(struct scan *scan);

#endif
