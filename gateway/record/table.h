/*
 * table.h - what is where in a recording: a row per chunk, for seeking and for the strip over the
 * time line. A recording that ended well brings it along (RECORD_INDEX); of others it is made anew
 * by opening every chunk.
 */
#ifndef SEKISHO_RECORD_TABLE_H
#define SEKISHO_RECORD_TABLE_H

#include "record/scan.h"

enum { TABLE_ROW = 8 + 8 + 8 + 4 + 4 + 2 /* bytes of an encoded row */ };

struct table_row {
	uint64_t offset;   /* in the file */
	uint64_t start_us; /* since the recording began */
	uint64_t time_ms;
	uint32_t flags;    /* enum chunk_flags */
	uint32_t activity; /* bytes of frames */
	uint16_t events;
};

/* ---- encoding -------------------------------------------------------------------------------- */

void table_put_row(const struct table_row *row, uint8_t ret[TABLE_ROW]);
void table_get_row(const uint8_t at[TABLE_ROW], struct table_row *ret);

/*
 * Appends the payload of RECORD_INDEX: u32 count and the rows of the chunks before the one in which
 * it begins. One that does not fit into the last chunk goes over several by RECORD_MORE.
 */
nodiscard enum err table_put_index(const struct table_row *rows, size_t count, struct buf *buf);

/* The row of a chunk from its plaintext. figures: of the chunks before it, zeros at the first.
 * ERR_PROTOCOL as chunk_parse. */
nodiscard enum err table_row_of(const uint8_t *plain, size_t len, uint64_t offset,
				struct chunk_figures *figures, struct table_row *ret);

/* Whether it is an index of so many chunks, and they are the first of this file, in order. Hostile
 * input. */
bool table_index_fits(const uint8_t *index, size_t len, const struct scan *scan, size_t count);

/* ---- loading --------------------------------------------------------------------------------- */

/* Bytes at the end of their room. */
struct table_tail {
	uint8_t *data; /* owned */
	size_t room, len;
};

struct table {
	struct table_row *rows; /* owned; scan->count of them once loaded */
	size_t count;
	size_t damaged; /* chunks that could not be opened or read: their row has the offset alone,
			   and the times of the chunk before */
	bool from_index;
	/* for table.c */
	const struct scan *scan;
	EVP_PKEY *key;
	X509 *certificate;
	struct buf der, plain;
	struct table_tail index;
	struct chunk_figures figures;
	size_t next; /* chunk to look at for the index, from the end; then to open */
	bool indexed;
	bool changed; /* somebody tampered: the first chunk may be sealed to others */
};

/* scan must be done, with hashes or without; it, key and certificate (NULL: none) must outlive the
 * table. */
nodiscard enum err table_init(struct table *table, const struct scan *scan, EVP_PKEY *key,
			      X509 *certificate);

/*
 * Before the first step: every chunk is opened instead of believing an index that nothing proves,
 * which may say of good chunks what is not so. changed: the file was tampered with, so that a first
 * chunk which is not sealed to this key says nothing about the others.
 */
void table_distrust(struct table *table, bool changed);
void table_finish(struct table *table); /* wipes what it had opened */

/* The scan, after a table was loaded, has more chunks: table_step goes on with them. ERR_NOMEM. */
nodiscard enum err table_more(struct table *table);

/* Goes on by opening at most so many chunks. An index that does not agree with the file is not
 * used. ERR_DENIED: the first chunk is not sealed to this key. ERR_IO, ERR_NOMEM. */
nodiscard enum err table_step(struct table *table, size_t chunks, bool *ret_done);

#endif
