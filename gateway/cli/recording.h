/*
 * recording.h - `sekisho recording verify` and `recording decrypt`: a recording's file in the
 * auditor's own hands, without any gateway.
 */
#ifndef SEKISHO_CLI_RECORDING_H
#define SEKISHO_CLI_RECORDING_H

#include "cli/args.h"

enum { RECORDING_VERIFY_ARGS = 5, RECORDING_DECRYPT_ARGS = 6 };

extern const struct command_arg recording_verify_args[RECORDING_VERIFY_ARGS];
extern const struct command_arg recording_decrypt_args[RECORDING_DECRYPT_ARGS];

/*
 * Both return the exit code: EXIT_DONE when nothing is wrong with the recording, which without
 * --marks means no more than that nothing was found; EXIT_REFUSED when it is cut or was tampered
 * with.
 */
int recording_verify(const struct args *args);
int recording_decrypt(const struct args *args);

#endif
