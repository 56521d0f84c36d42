/*
 * passing.h - passes the PC's H.264 on to one viewer, and keeps its picture right beside it. Part
 * of screen.h.
 */
#ifndef SEKISHO_WORKER_PASSING_H
#define SEKISHO_WORKER_PASSING_H

#include "worker/screen.h"

/* The viewer sees some of where the unit's pictures lie. */
bool passing_concerns(const struct screen_output *output, const struct remote_unit *unit);

/* A unit has come. True: the viewer gets it, and needs no pixels of it until they are still. */
bool passing_take(struct screen_output *output, struct remote_unit *unit, uint64_t now_us);

/* Sends the unit whose turn it is; there is one, and the viewer takes a frame. ERR_FULL, ERR_NOMEM.
 */
nodiscard enum err passing_send(struct screen_output *output, uint64_t now_us);

/* The framebuffer shows the unit. */
void passing_decoded(struct screen_output *output, const struct remote_unit *unit);

#endif
