/*
 * server.h - libwebsockets' context with its two TLS listeners, and the edge's other descriptors in
 * the same loop. Listening sockets are the monitor's; connections are accepted here, counted, and
 * only then handed to libwebsockets.
 */
#ifndef SEKISHO_EDGE_SERVER_H
#define SEKISHO_EDGE_SERVER_H

#include "edge/connection.h"

/*
 * edge: with tls, broker and limits set up. Makes the context and adopts listeners and the loop;
 * the listening descriptors are libwebsockets' from here on. Errors are logged.
 */
nodiscard enum err server_start(struct edge *edge);

/* Serves until edge->stopping; returns edge->code. */
int server_run(struct edge *edge);

void server_finish(struct edge *edge);

#endif
