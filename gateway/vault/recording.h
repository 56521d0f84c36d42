/*
 * recording.h - a recording's file as the vault sees it: walked, compared with the marks of the
 * audit log, and its chunks opened with the house key. No process, no stream. The file is hostile
 * until its chunks are authentic, and what is in them even then: anybody can seal to the house's
 * certificate.
 */
#ifndef SEKISHO_VAULT_RECORDING_H
#define SEKISHO_VAULT_RECORDING_H

#include "record/table.h"
#include "record/verify.h"
#include "vault/house.h"

enum {
	RECORDING_META_MAX = 4096,
	RECORDING_DETAIL_BYTES = 256,
	RECORDING_MARK = 49,            /* bytes of one in msg_playback_open */
	RECORDING_STEP_BYTES = 8 << 20, /* looked at in one step */
	RECORDING_STEP_CHUNKS = 64,     /* opened in one step */
};

struct recording {
	uint8_t session[WIRE_SESSION_ID];
	int fd; /* owned */
	bool live;
	/* Once it is done: */
	struct scan scan;
	struct table table;
	struct buf meta; /* JSON as the recorder wrote it, unchecked; or {} */
	enum verdict verdict;
	char detail[RECORDING_DETAIL_BYTES]; /* JSON, docs/protocol.md §5 */
	/* inside */
	struct verify_mark *marks;
	size_t mark_count;
	struct buf der;
	enum { RECORDING_SCANS, RECORDING_META_READ, RECORDING_TABLES, RECORDING_DONE } stage;
};

/* fd is taken over in every case. ERR_INVALID: marks or file are none. ERR_NOMEM. */
nodiscard enum err recording_init(struct recording *recording, const struct msg_playback_open *msg,
				  int fd);
/* Before the house is sealed. */
void recording_finish(struct recording *recording);

/*
 * A part of the work that comes before playing. ERR_LOCKED: the house is sealed. ERR_DENIED: not
 * sealed to the house key. ERR_IO, ERR_NOMEM, ERR_CRYPTO. plain: for opened chunks, wiped again.
 */
nodiscard enum err recording_step(struct recording *recording, const struct house *house,
				  struct buf *plain, bool *ret_done);

/*
 * Opens a chunk into plain, which is wiped first; the caller wipes it after. Only what is still the
 * chunk that was walked over, opens, and says that it belongs here comes out; ERR_PROTOCOL
 * otherwise. ERR_INVALID: there is no such chunk. ERR_LOCKED, ERR_DENIED as above.
 */
nodiscard enum err recording_chunk(struct recording *recording, const struct house *house,
				   uint32_t sequence, struct buf *plain);

/*
 * Takes in some of what was written since, of a live one; its verdict stays. Errors as of
 * recording_step; nothing is lost by them. ERR_INVALID: the file is shorter.
 */
nodiscard enum err recording_grow(struct recording *recording, const struct house *house);

/* Appends count rows from first on, TABLE_ROW bytes each. ERR_TOO_BIG. */
nodiscard enum err recording_rows(const struct recording *recording, size_t first, size_t count,
				  struct buf *rows);

#endif
