/*
 * program.h - what sekisho-worker-rdp and sekisho-worker-vnc have in common. They are two, so that
 * a VNC desktop neither pays for FreeRDP's libraries nor can be attacked through them.
 */
#ifndef SEKISHO_WORKER_PROGRAM_H
#define SEKISHO_WORKER_PROGRAM_H

#include "worker/worker.h"

struct program {
	enum protocol protocol;
	worker_remote_new make;
	enum err (*prepare)(void); /* before the sandbox; NULL: nothing */
};

/* The program's main: ends with the session; the exit code. */
int program_run(const struct program *program, int argc, char **argv);

#endif
