/*
 * http.h - requests over HTTP/1.1: from libwebsockets' callbacks to a static file, an own answer or
 * a question to the broker, and back.
 */
#ifndef SEKISHO_EDGE_HTTP_H
#define SEKISHO_EDGE_HTTP_H

#include "edge/connection.h"

/* A request's header is complete. As all below: non-zero closes the connection. */
int http_request(struct connection *connection, const char *path, size_t len);
int http_body(struct connection *connection, const void *data, size_t len);
int http_body_end(struct connection *connection);
int http_writeable(struct connection *connection);

/* An upgrade is refused: sends that at once, and returns what closes the connection. */
int http_refuse(struct connection *connection, enum err why);

/* Every second, for all connections: ends those with too slow a body or with requests before the
 * answer was taken. */
void http_tick(struct edge *edge, uint64_t now_ms);

#endif
