/*
 * sekisho-worker-vnc: one desktop session with a PC that speaks VNC.
 */
#include "worker/program.h"

int main(int argc, char **argv)
{
	const struct program program = { .protocol = PROTOCOL_VNC, .make = remote_vnc_new };

	return program_run(&program, argc, argv);
}
