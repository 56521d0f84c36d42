/*
 * ports.h - the three sockets of an export: who started it, where the recording comes from, and
 * where the file goes. Everything waits for one of them at a time; when any of them is closed, it
 * is over.
 */
#ifndef SEKISHO_EXPORT_PORTS_H
#define SEKISHO_EXPORT_PORTS_H

#include "wire/ipc.h"

enum { PORTS_PIECE = 60000 /* bytes of export_data's data, at most */ };

struct ports {
	int control, source, sink; /* owned; -1 while it did not come */
	uint64_t sent;             /* bytes of the file that went to the sink */
	uint64_t said_ms;          /* when ports_progress last said something; monotonic */
	struct ipc_received received;
};

/* control is taken over. */
void ports_init(struct ports *ports, int control);
void ports_finish(struct ports *ports);

/*
 * Waits for a message from who started it, into ports->received, which is finished by the next
 * call. A message of another type than wanted is ERR_PROTOCOL. ERR_CLOSED.
 */
nodiscard enum err ports_order(struct ports *ports, uint16_t wanted);

/* The same from the source. */
nodiscard enum err ports_hear(struct ports *ports);
nodiscard enum err ports_ask(struct ports *ports, uint16_t id, const void *msg);

/* The file goes on with these bytes. Waits while the sink does not read. ERR_CLOSED. */
nodiscard enum err ports_write(struct ports *ports, const uint8_t *data, size_t len);

/* How far it is, to the sink and to who started it, at most four times in a second. ERR_CLOSED. */
nodiscard enum err ports_progress(struct ports *ports, uint32_t permille, uint64_t at_us);

/* The last words, to both, as far as they listen. */
void ports_end(struct ports *ports, const struct msg_export_done *done);

#endif
