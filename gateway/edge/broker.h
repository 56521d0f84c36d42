/*
 * broker.h - asks the broker and matches its answers: at most so many questions at once, each
 * answered, timed out or cancelled exactly once. The link may go away and come back at any time.
 */
#ifndef SEKISHO_EDGE_BROKER_H
#define SEKISHO_EDGE_BROKER_H

#include "base/buf.h"
#include "base/loop.h"
#include "wire/wire.h"

enum {
	BROKER_REQUESTS_MAX = 256,
	BROKER_ANSWER_MS = 15000,
	BROKER_RECORD_MS = 75000,
	BROKER_START_MS = 15000
};

struct broker;

/* A question, embedded in its owner. */
struct broker_request {
	struct broker *broker; /* NULL while nothing is asked */
	uint32_t id;
	uint16_t message;
	uint64_t deadline_ms;
	struct broker_request *previous, *next;
	/*
	 * Once: with reply when err is OK, else ERR_TIMEOUT or ERR_UNAVAILABLE and reply is NULL.
	 * fd is -1 or now the callee's. The request may be freed or asked again inside.
	 */
	void (*done)(struct broker_request *request, enum err err, const struct msg_reply *reply,
		     int fd);
};

struct broker_ops {
	/* Certificate, CA and CRL: at start, and whenever they change. */
	void (*config)(void *ctx, const struct msg_edge_config *config);
	void *ctx;
};

/* csr: the certificate request that opens every link; copied. */
nodiscard enum err broker_new(struct loop *loop, const struct broker_ops *ops,
			      const struct buf *csr, struct broker **ret);
void broker_free(struct broker *broker);

/* A new link, instead of the old one, whose questions fail. Takes over fd. */
nodiscard enum err broker_link(struct broker *broker, int fd);

/* Blocks until the first edge_config came and config was called, BROKER_START_MS at most. */
nodiscard enum err broker_wait(struct broker *broker);

/* Asks for a fresh server certificate. */
nodiscard enum err broker_renew(struct broker *broker);

/*
 * msg: one of 0x03, its request number is set here. ERR_UNAVAILABLE without a link or with
 * BROKER_REQUESTS_MAX on the way; then done is not called.
 */
nodiscard enum err broker_ask(struct broker *broker, uint16_t id, union wire_any *msg,
			      struct broker_request *request);

/* Harmless when nothing is asked. An answer that still comes is dropped, its descriptor closed. */
void broker_cancel(struct broker_request *request);

/* About every second: ends what waited too long. */
void broker_tick(struct broker *broker, uint64_t now_ms);

#endif
