/*
 * connection.h - what the edge knows while it runs, and about each TLS connection. All of it
 * belongs to the one thread of libwebsockets' loop.
 */
#ifndef SEKISHO_EDGE_CONNECTION_H
#define SEKISHO_EDGE_CONNECTION_H

#include <libwebsockets.h>

#include "base/buf.h"
#include "base/loop.h"
#include "edge/api.h"
#include "edge/broker.h"
#include "edge/est.h"
#include "edge/headers.h"
#include "edge/limits.h"
#include "edge/refused.h"
#include "edge/response.h"
#include "edge/static.h"
#include "edge/tls.h"
#include "wire/channel.h"
#include "wire/child.h"
#include "wire/enums.h"

enum {
	EDGE_PACKET_MAX = 1 + 65535, /* one packet from a worker, docs/protocol.md §4 */
	EDGE_VIEWER_MAX = 4096,      /* one message from a viewer */
	EDGE_PAGE_MAX = 60 * 1024,   /* one of a document, docs/protocol.md §9 */
	EDGE_BODY_MS = 15000,        /* for a whole request body */
	EDGE_SEND_S = 30,            /* without any progress of an answer */
	EDGE_IDLE_S = 60,            /* between two requests */
	EDGE_HEADER_S = 10,          /* for the handshake, and for a whole request header */
	EDGE_HEADER_BYTES = 8192,
	/* Whoever finds the enrolment may connect to it, so what it can take away is little; but an
	 * office behind one address has several browsers of six connections each. */
	EDGE_ENROL_CONNECTIONS = 256,
	EDGE_ENROL_PER_ADDRESS = 32,
};

struct edge;

/* A listening socket and what belongs to it. */
struct listener {
	struct edge *edge;
	enum listener_kind kind;
	int fd; /* libwebsockets' once adopted */
	struct lws *wsi;
	struct lws_vhost *vhost;
	struct site site;
	struct limits *limits; /* of its own: a full enrolment must not keep anybody from work */
	struct response_guard guard;
	struct lws_protocol_vhost_options guard_fields[RESPONSE_GUARDS];
	bool paused; /* out of descriptors; the next tick tries again */
};

struct edge {
	const struct settings *settings;
	struct loop *loop;
	struct channel *monitor;
	struct broker *broker;
	struct tls *tls;
	struct static_files *files;
	struct listener gateway, enrol;
	struct refused refused;
	struct lws_context *context;
	struct lws_vhost *inner; /* of descriptors that are no TLS connections */
	lws_sorted_usec_list_t tick;
	lws_retry_bo_t keepalive;       /* of the WebSockets */
	struct connection *connections; /* all, doubly linked, the newest first */
	struct connection *adopting;    /* not yet taken over by libwebsockets */
	int64_t renew_tried_s;
	unsigned library_lines; /* logged for libwebsockets since the last minute */
	bool stopping;
	int code;
	uint8_t out[LWS_PRE + EDGE_PACKET_MAX + 1]; /* for whatever is sent next */
};

/* One HTTP request and its answer. */
struct exchange {
	enum { EXCHANGE_NONE, EXCHANGE_BODY, EXCHANGE_ASKED, EXCHANGE_ANSWER } state;
	enum method method;
	const struct route *route; /* NULL: not the API */
	const struct static_file *file;
	struct route_params params;
	char token[HEADERS_TOKEN + 1];
	uint8_t device[WIRE_DEVICE_ID];
	bool has_device;
	struct est_login login; /* of EST */
	size_t expected;        /* bytes of body */
	bool waits;             /* to be told that the body is wanted */
	bool more;              /* came behind the body */
	struct buf body;
	uint64_t started_us;
	uint64_t deadline_ms; /* of the body; 0: none */
	/* What it will be answered with once the body is in. */
	enum err refusal;
	const char *field;
	int status; /* instead of the refusal's; 0: none */
	struct broker_request request;
	struct response response;
};

/* A viewer's WebSocket and the worker's stream behind it, or a player's and the vault's. */
struct stream {
	enum {
		STREAM_NONE,
		STREAM_ACCEPTED,
		STREAM_ASKED,
		STREAM_OPEN,
		STREAM_CLOSING,
		STREAM_CLOSED
	} state;
	uint16_t asks; /* of the message to the broker for it */
	struct route_params params;
	char token[HEADERS_TOKEN + 1];
	uint8_t device[WIRE_DEVICE_ID];
	struct broker_request request;
	int fd;           /* to the worker, owned; -1 */
	struct lws *file; /* watches a copy of fd; NULL once the worker hung up */
	struct buf message;
	bool stuck;      /* message waits for room in fd */
	unsigned status; /* to close with */
	uint64_t started_us;
};

struct connection {
	uint32_t magic;
	struct edge *edge;
	struct listener *listener; /* decides all; libwebsockets' vhost follows the Host field and
				      does not */
	struct lws *wsi;
	struct limits_address *address; /* NULL once it does not count any more */
	char address_text[64];
	struct connection *previous, *next;
	struct exchange exchange;
	struct stream stream;
};

/* The connection of a socket's wsi, checked; NULL for others, as while libwebsockets sets one up.
 */
struct connection *connection_of(struct lws *wsi);

/* A connection was accepted; address as limits_connect gave it. */
nodiscard enum err connection_new(struct listener *listener, struct limits_address *address,
				  const char *address_text, struct connection **ret);
/* It is about to end and makes room for another already. */
void connection_uncount(struct connection *connection);
/* Cancels and closes all that belongs to it. */
void connection_free(struct connection *connection);

/* The device of this very connection: asked of OpenSSL for each request, never remembered. */
nodiscard enum err connection_device(struct connection *connection,
				     uint8_t ret_device[WIRE_DEVICE_ID]);

/*
 * Copies a header field; "" when absent, "?" (which is valid nowhere) when longer than room.
 */
void connection_header(struct connection *connection, enum lws_token_indexes token, char *text,
		       size_t room);

#endif
