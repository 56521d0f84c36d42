/*
 * pc.h - the session's PC: connecting to it and what it tells.
 */
#ifndef SEKISHO_WORKER_PC_H
#define SEKISHO_WORKER_PC_H

struct loop_timer;

/* The worker's connect_timer: connects, then ends the session when no picture comes. */
void pc_connect_due(struct loop_timer *timer);

#endif
