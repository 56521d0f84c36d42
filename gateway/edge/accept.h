/*
 * accept.h - takes new connections from a listening socket, within its limits; who has not finished
 * the handshake makes room for who comes after.
 */
#ifndef SEKISHO_EDGE_ACCEPT_H
#define SEKISHO_EDGE_ACCEPT_H

#include "edge/connection.h"

/* The listening socket is readable. Non-zero: libwebsockets shall close it. */
int accept_waiting(struct listener *listener);

#endif
