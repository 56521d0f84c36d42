/*
 * exit.h - the exit codes of sekisho, as --help tells them. Amber and red are verdicts of audit
 * verify and of recording verify and decrypt.
 */
#ifndef SEKISHO_CLI_EXIT_H
#define SEKISHO_CLI_EXIT_H

enum {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,
	EXIT_USAGE = 2,
	EXIT_UNREACHABLE = 3,
	EXIT_AMBER = 4,
	EXIT_RED = 5
};

#endif
