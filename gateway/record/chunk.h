/*
 * chunk.h - the plaintext of one chunk of a recording: a header and records (docs/recording.md).
 * Writing for the recorder; reading for whoever opened one, as hostile input: anybody can seal to
 * an auditor's certificate.
 *
 * Integers are little-endian. Nothing here is encrypted or wiped: the caller does that.
 */
#ifndef SEKISHO_RECORD_CHUNK_H
#define SEKISHO_RECORD_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	CHUNK_SESSION = 16,                /* bytes of a session's id */
	CHUNK_HASH = 32,                   /* SHA-256 */
	CHUNK_HEAD = 8 + 16 + 24 + 32 + 4, /* bytes */
	CHUNK_MAX = 2 * 1024 * 1024,       /* bytes of a whole plaintext */
	CHUNK_CLOSE_BYTES = 512 * 1024,    /* a chunk that has so many is closed */
	CHUNK_CLOSE_US = 2000 * 1000,      /* and so is one that is as old */
	CHUNK_COUNT_MAX = 1000 * 1000,     /* chunks of a recording */
	RECORD_HEAD = 12,
	RECORD_MAX = 1024 * 1024,              /* bytes of one record's payload */
	RECORD_VIEWERS = 4,                    /* monitors 0..3 */
	RECORD_MESSAGE_MAX = 80 * 1024 * 1024, /* a payload put together from its pieces */
};

/* How far after a chunk's start its records can be. */
#define CHUNK_DELTA_MAX_US UINT64_C(3600000000)

/* The most that a time may be, so that every reader of JSON and JavaScript keeps it exactly. */
#define CHUNK_TIME_MAX ((UINT64_C(1) << 53) - 1)

enum chunk_flags {
	CHUNK_KEY = 1, /* a whole picture of every attached viewer begins in it */
	CHUNK_LAST = 2
};

enum record_kind {
	RECORD_META = 1,
	RECORD_SENT,
	RECORD_KEY,
	RECORD_INPUT,
	RECORD_EVENT,
	RECORD_INDEX
};

enum record_flags {
	RECORD_MORE = 1 /* it goes on in the next record of this kind and viewer */
};

struct chunk_head {
	uint8_t session[CHUNK_SESSION];
	uint64_t sequence;
	uint64_t time_ms;  /* wall clock when the chunk began */
	uint64_t start_us; /* since the recording began */
	uint8_t previous[CHUNK_HASH];
	uint32_t flags;
};

struct record {
	enum record_kind kind;
	uint8_t viewer;      /* monitor */
	bool more;           /* RECORD_MORE */
	uint64_t at_us;      /* since the recording began, not before the chunk's start_us */
	const uint8_t *data; /* borrowed */
	size_t len;
};

/* What the index says of a chunk. continuing and frames go over from chunk to chunk. */
struct chunk_figures {
	uint32_t activity;          /* bytes of frames that were sent */
	uint16_t events;            /* events that end in it */
	uint8_t continuing, frames; /* a bit per viewer: in the middle of a message; of a frame */
};

/* Forgets the figures of the chunk before. */
void chunk_figures_begin(struct chunk_figures *figures);
void chunk_figures_add(struct chunk_figures *figures, const struct record *record);

/* ---- writing --------------------------------------------------------------------------------- */

struct chunk_writer {
	struct buf plain;
	uint64_t start_us;
	bool begun;
	struct chunk_figures figures; /* of the chunk that is begun or was ended last */
};

void chunk_writer_init(struct chunk_writer *writer);

/* Frees; wipes first. */
void chunk_writer_finish(struct chunk_writer *writer);

/*
 * head->flags are put in by chunk_writer_end. ERR_WRONG_STATE when one is begun already,
 * ERR_INVALID: sequence or times out of range.
 */
nodiscard enum err chunk_writer_begin(struct chunk_writer *writer, const struct chunk_head *head);

bool chunk_writer_is_begun(const struct chunk_writer *writer);

/* Whether it has the size or age at which a chunk closes. False while none is begun. */
bool chunk_writer_is_due(const struct chunk_writer *writer, uint64_t now_us);

/*
 * Adds one record, in pieces where it is over RECORD_MAX, and as much of it as the chunk has room
 * for: *ret_taken bytes. When that is not all, end this chunk, begin the next and add the rest
 * (data + *ret_taken, same kind and viewer), which becomes the next piece; *ret_taken may be 0 for
 * a chunk that is full. record->more is not looked at. A time before the chunk's start counts as
 * the start. ERR_INVALID: kind or viewer out of range, no payload, or over CHUNK_DELTA_MAX_US after
 * the chunk's start. ERR_WRONG_STATE without a chunk. ERR_NOMEM: nothing of it was added.
 */
nodiscard enum err chunk_writer_add(struct chunk_writer *writer, const struct record *record,
				    size_t *ret_taken);

/*
 * Ends the chunk: *ret_plain is to be sealed, borrowed until the next chunk_writer_begin or finish.
 * flags: enum chunk_flags. Afterwards no chunk is begun. ERR_WRONG_STATE without one.
 */
nodiscard enum err chunk_writer_end(struct chunk_writer *writer, uint32_t flags,
				    const uint8_t **ret_plain, size_t *ret_len);

/* ---- reading --------------------------------------------------------------------------------- */

struct chunk_reader {
	struct chunk_head head;
	const uint8_t *at; /* borrowed */
	size_t left;
};

/*
 * The rules: the header's values in range, every record's too, nothing left over, the first record
 * of chunk 0 is the recording's RECORD_META and there is none elsewhere.
 *
 * Takes the header apart and checks every record's header, so that chunk_next cannot fail after it.
 * ERR_PROTOCOL: no chunk, or one that breaks a rule of the format. data must outlive ret.
 */
nodiscard enum err chunk_parse(const uint8_t *data, size_t len, struct chunk_reader *ret);

/* The next record, in the order of writing; false at the end. ret points into the plaintext. */
bool chunk_next(struct chunk_reader *reader, struct record *ret);

/* ---- payloads from pieces -------------------------------------------------------------------- */

/* Puts records together that came in pieces, over chunks too. */
struct record_joiner {
	struct buf parts[RECORD_INDEX + 1][RECORD_VIEWERS]; /* by kind and viewer */
	bool dropping[RECORD_INDEX + 1][RECORD_VIEWERS];    /* what was too big, up to its end */
	size_t held;                                        /* bytes in all parts */
	struct buf *given;                                  /* what the call before gave out */
};

void record_joiner_init(struct record_joiner *joiner);
void record_joiner_finish(struct record_joiner *joiner);

/* Forgets pieces: before reading goes on at another chunk than the next. */
void record_joiner_clear(struct record_joiner *joiner);

/*
 * *ret_whole says whether record ends a payload; then *ret is it, with the time of its last piece,
 * valid until the next call and as long as record's own. ERR_TOO_BIG: all unfinished ones together
 * are over RECORD_MESSAGE_MAX; this one is dropped, up to its end. ERR_NOMEM.
 */
nodiscard enum err record_joiner_add(struct record_joiner *joiner, const struct record *record,
				     bool *ret_whole, struct record *ret);

#endif
