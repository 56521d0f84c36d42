/*
 * ipc.h - one message over a SOCK_SEQPACKET socket, with at most one descriptor beside it.
 */
#ifndef SEKISHO_WIRE_IPC_H
#define SEKISHO_WIRE_IPC_H

#include "wire/wire.h"

/* A non-blocking, close-on-exec pair with room for WIRE_MESSAGE_MAX. */
nodiscard enum err ipc_pair(int ret_fds[2]);

/*
 * Sends one message; pass_fd is -1 or stays the caller's. ERR_UNAVAILABLE: the socket is full, wait
 * for EPOLLOUT. ERR_CLOSED. ERR_WRONG_STATE: a descriptor where the type has none, or none where it
 * must.
 */
nodiscard enum err ipc_send(int fd, uint16_t id, const void *msg, int pass_fd);

struct ipc_received {
	const struct wire_type *type;
	union wire_any msg; /* points into data */
	int fd;             /* -1 or owned by the caller */
	size_t len;
	uint8_t data[WIRE_MESSAGE_MAX];
};

/*
 * Receives one message sent by role from to role to. ERR_UNAVAILABLE: nothing there. ERR_CLOSED:
 * end of stream. ERR_PROTOCOL: truncated, undecodable, wrong direction or descriptor; drop the
 * peer.
 */
nodiscard enum err ipc_receive(int fd, enum wire_role from, enum wire_role to,
			       struct ipc_received *ret);

/* Closes a descriptor that was not taken and wipes the data of a secret message. */
void ipc_received_finish(struct ipc_received *received);

#endif
