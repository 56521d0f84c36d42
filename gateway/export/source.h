/*
 * source.h - the recording, as whoever opens its chunks gives it (docs/protocol.md §5): the other
 * end plays, this one asks. Chunks are hostile, whoever sealed them; so is what comes of a vault.
 */
#ifndef SEKISHO_EXPORT_SOURCE_H
#define SEKISHO_EXPORT_SOURCE_H

#include "export/ports.h"
#include "record/table.h"
#include "wire/enums.h"

enum { SOURCE_META_MAX = 4096 };

struct source {
	struct ports *ports; /* borrowed */
	uint8_t session[WIRE_SESSION_ID];
	enum verdict verdict;
	char meta[SOURCE_META_MAX + 1]; /* JSON, unchecked; ends with a NUL */
	struct table_row *rows;         /* owned */
	uint32_t count;
	enum play_error why; /* after ERR_DENIED */
	/* inside */
	struct buf plain;
	uint32_t asked, answered; /* chunks are asked for ahead, one after another, up to asked */
};

void source_init(struct source *source, struct ports *ports);
void source_finish(struct source *source); /* wipes what it had */

/* Until the table is there. ERR_PROTOCOL, ERR_CLOSED, ERR_NOMEM, ERR_DENIED: it is not given out,
 * see why. */
nodiscard enum err source_begin(struct source *source);

/* The next chunk to be read; what was asked for beyond is let pass. */
nodiscard enum err source_seek(struct source *source, uint32_t sequence);

/*
 * The chunk, checked as docs/recording.md says and against the table; valid until the next call.
 * *ret_damaged: it cannot be read, and ret is nothing. Errors as source_begin's; ERR_NOT_FOUND:
 * there was none left.
 */
nodiscard enum err source_next(struct source *source, struct chunk_reader *ret, bool *ret_damaged);

/* The last chunk that begins at or before a time and in which playing can start; 0 for none. */
uint32_t source_key_before(const struct source *source, uint64_t us);

#endif
