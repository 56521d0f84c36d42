/*
 * document_stream.h - transfers of documents between the vault and a browser's page. An operation
 * makes one and tells its number; the broker hands its stream over later, once. Each is a small
 * machine (document_upload, document_download, document_preview) that is asked for its next step
 * until it has to wait for something; here are the stream, the waiting and the end. One thread.
 */
#ifndef SEKISHO_VAULT_DOCUMENT_STREAM_H
#define SEKISHO_VAULT_DOCUMENT_STREAM_H

#include "base/loop.h"
#include "wire/enums.h"
#include "wire/ipc.h"

enum {
	DOCUMENT_STREAMS_MAX = 16,
	DOCUMENT_STREAMS_OF_ONE = 6, /* person */
	DOCUMENT_ATTACH_S = 60,      /* until the stream must be there */
	DOCUMENT_IDLE_S = 120,       /* without anything that moves */
	DOCUMENT_WINDOW = 1024 * 1024,
	DOCUMENT_MESSAGE = 60000, /* bytes of a document in a message */
	DOCUMENT_WHO = 513,
};

struct document_stream;

enum document_step {
	STEP_GO_ON,
	STEP_READ,  /* waits for the page to say something */
	STEP_WRITE, /* waits for the page to read */
	STEP_WAIT,  /* for document_stream_wake */
	STEP_GONE   /* the stream is no more */
};

/* What a kind of transfer does. The stream is its first member, and free frees all of it. */
struct document_stream_ops {
	enum document_step (*next)(struct document_stream *stream);
	/* The page said something that comes from a page; the message is freed afterwards. */
	enum document_step (*message)(struct document_stream *stream,
				      const struct ipc_received *received);
	void (*free)(struct document_stream *stream);
};

struct document_streams {
	struct loop *loop;
	struct document_stream *first;
	size_t count;
	uint32_t last; /* number that was given */
	/* One is over. bytes: of the document that came or went. NULL: nobody wants to know. */
	void (*closed)(void *ctx, uint32_t number, uint64_t bytes, enum err err);
	void *ctx;
};

struct document_stream {
	struct document_streams *all;
	struct document_stream *next;
	const struct document_stream_ops *ops;
	uint32_t number;
	uint64_t account; /* whose it is */
	uint64_t record;
	uint64_t bytes;
	char who[DOCUMENT_WHO]; /* the person's name, for a watermark */
	struct loop_io io;      /* its descriptor is owned */
	bool attached;          /* now or before */
	bool at_rest;           /* nothing is under way that a page which goes would break off */
	struct loop_timer idle, turn;
};

/* Gives it a number and a place among the others; it is theirs from then on. ERR_FULL. */
nodiscard enum err document_stream_add(struct document_streams *all, struct document_stream *stream,
				       const struct document_stream_ops *ops, uint32_t *ret_number);

/* The stream to the page, not blocking, taken over in every case. ERR_NOT_FOUND; ERR_EXISTS: there
 * was one. */
nodiscard enum err document_streams_attach(struct document_streams *all, uint32_t number,
					   const char *who, int fd);
/* NULL: there is none of that number. */
struct document_stream *document_streams_find(struct document_streams *all, uint32_t number);
/* The broker's word, or the seal's. */
void document_streams_close(struct document_streams *all, uint32_t number, enum document_end why);
void document_streams_close_all(struct document_streams *all, enum document_end why);
/* Those of one record, which is no more to be had. */
void document_streams_close_record(struct document_streams *all, uint64_t record,
				   enum document_end why);
/* Without a word to anybody. */
void document_streams_finish(struct document_streams *all);

/* For the kinds. Sends one message: STEP_GO_ON when it went, and then done(stream) is to be noted
 * by the caller; STEP_WRITE: again later; STEP_GONE. */
enum document_step document_stream_send(struct document_stream *stream, uint16_t id,
					const void *msg);
/* Says why, and ends. sum (document_sum.h): of what went out whole, else NULL. */
enum document_step document_stream_end(struct document_stream *stream, enum document_end why,
				       const uint8_t *sum);
/* The page broke the protocol: the edge closes with 4002. */
enum document_step document_stream_broken(struct document_stream *stream, const char *what);
/* What STEP_WAIT waited for is there. */
void document_stream_wake(struct document_stream *stream);

#endif
