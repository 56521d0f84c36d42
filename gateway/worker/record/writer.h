/*
 * writer.h - the thread that makes chunks of what is recorded, seals them and writes them, so that
 * the session never waits for the disk. All functions are for the session's thread.
 */
#ifndef SEKISHO_WORKER_RECORD_WRITER_H
#define SEKISHO_WORKER_RECORD_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/chunk.h"
#include "worker/display/surface.h"

enum {
	WRITER_QUEUE = 32 * 1024 * 1024, /* bytes that wait, before the session is held back */
	WRITER_SLACK = 16 * 1024 * 1024, /* more for what cannot be held back */
};

struct writer;

struct writer_config {
	int fd; /* of an empty file, opened for appending; taken over in every case */
	uint8_t session[CHUNK_SESSION];
	const uint8_t *recipients; /* certificates in DER, one after another */
	size_t recipients_len;
	uint64_t chunks_most; /* that the recording may have; 0: CHUNK_COUNT_MAX */
	/* From the writer's thread, after every change of writer_state. */
	void (*changed)(void *ctx);
	void *ctx;
};

struct writer_state {
	uint64_t chunks, size;    /* on the disk */
	uint8_t hash[CHUNK_HASH]; /* running, of them */
	size_t queued;            /* bytes that wait */
	size_t picture;           /* bytes of the last picture, encoded */
	uint64_t unsynced_us;     /* time of the oldest record that is not on the disk; 0: none */
	bool full;                /* no more space, but what waits is still written */
	bool done;                /* the last chunk is on the disk */
	enum err failed;          /* nothing is written any more */
};

/* A record to come. */
struct writer_record {
	enum record_kind kind;
	uint8_t viewer;
	bool begins;     /* in a chunk of its own, from which playing can start */
	uint64_t at_us;  /* since the recording began; at least 1 */
	int64_t time_ms; /* wall clock */
};

/* Errors as seal_recipients_new and disk_reserve, ERR_NOMEM. Nothing is written before writer_run.
 */
nodiscard enum err writer_new(const struct writer_config *config, struct writer **ret);
/* Starts the thread, confined as the caller is now; harmless when it runs. ERR_NOMEM. */
nodiscard enum err writer_run(struct writer *writer);
/* Waits for the thread; what is not written yet is dropped. NULL is allowed. */
void writer_free(struct writer *writer);

/* Copies. ERR_FULL: far too much waits. ERR_NOMEM. Nothing is taken after writer_end. */
nodiscard enum err writer_add(struct writer *writer, const struct writer_record *record,
			      const uint8_t *data, size_t len);

/* A whole picture of the view, encoded by the thread. Errors as writer_add. */
nodiscard enum err writer_add_picture(struct writer *writer, const struct writer_record *record,
				      const struct surface *view, uint32_t sequence);

/* What was added is written, and after it the last chunk with the index. */
void writer_end(struct writer *writer, uint64_t at_us, int64_t time_ms);

void writer_state(struct writer *writer, struct writer_state *ret);

#endif
