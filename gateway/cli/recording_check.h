/*
 * recording_check.h - `sekisho recording check`: all recordings of a folder against an export of
 * the audit log, so that one that is gone, or was put there, is found too.
 */
#ifndef SEKISHO_CLI_RECORDING_CHECK_H
#define SEKISHO_CLI_RECORDING_CHECK_H

#include "cli/args.h"

enum { RECORDING_CHECK_ARGS = 2 };

extern const struct command_arg recording_check_args[RECORDING_CHECK_ARGS];

/* The exit code: the worst verdict's, as of recording verify; or why there is none. */
int recording_check(const struct args *args);

#endif
