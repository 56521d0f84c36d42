/*
 * websocket.h - a viewer's WebSocket: packets from the worker become binary messages and messages
 * of the viewer packets, unread, one at a time, so that whoever is slow slows the other down.
 */
#ifndef SEKISHO_EDGE_WEBSOCKET_H
#define SEKISHO_EDGE_WEBSOCKET_H

#include "edge/connection.h"

#define WEBSOCKET_PROTOCOL "sekisho.1"

/* Close codes, docs/protocol.md §4; 1xxx are those of RFC 6455 §7.4.1. */
enum {
	WEBSOCKET_ENDED = 4000,
	WEBSOCKET_LOGIN = 4001,
	WEBSOCKET_PROTOCOL_ERROR = 4002,
	WEBSOCKET_REPLACED = 4003,
	WEBSOCKET_BROKEN = 1011,
	WEBSOCKET_TRY_LATER = 1013,
};

/* An upgrade is asked for: its form, Host, Origin and certificate; an error refuses it. */
nodiscard enum err websocket_judge(struct connection *connection);
/* It stands: asks the broker for the stream; until the answer nothing is read. Non-zero closes, as
 * below. */
int websocket_established(struct connection *connection);
int websocket_receive(struct connection *connection, const void *data, size_t len);
int websocket_writeable(struct connection *connection);

/* The worker's side, of the wsi that watches the stream. */
int websocket_file_readable(struct connection *connection);
int websocket_file_writeable(struct connection *connection);
void websocket_file_closed(struct connection *connection);

/* The close code for a broker's answer to session_attach. */
unsigned websocket_refusal(unsigned status);

/* About every second. */
void websocket_tick(struct connection *connection);

void websocket_finish(struct connection *connection);

#endif
