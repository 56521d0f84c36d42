/*
 * sekisho-worker-rdp: one desktop session with a PC that speaks RDP.
 */
#include "worker/program.h"
#include "worker/remote/rdp/rdp_library.h"

int main(int argc, char **argv)
{
	const struct program program = {
		.protocol = PROTOCOL_RDP,
		.make = remote_rdp_new,
		/* Maps OpenSSL's legacy provider, which the sandbox would not let it. */
		.prepare = rdp_library_init,
	};

	return program_run(&program, argc, argv);
}
