/*
 * exit.h - the exit codes of sekisho, as --help tells them.
 */
#ifndef SEKISHO_CLI_EXIT_H
#define SEKISHO_CLI_EXIT_H

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

#endif
