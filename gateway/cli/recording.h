/*
 * recording.h - `sekisho recording verify` and `recording decrypt`: a recording's file in the
 * auditor's own hands, without any gateway.
 */
#ifndef SEKISHO_CLI_RECORDING_H
#define SEKISHO_CLI_RECORDING_H

#include "cli/args.h"
#include "record/verify.h"

enum { RECORDING_VERIFY_ARGS = 5, RECORDING_DECRYPT_ARGS = 6 };

extern const struct command_arg recording_verify_args[RECORDING_VERIFY_ARGS];
extern const struct command_arg recording_decrypt_args[RECORDING_DECRYPT_ARGS];

/*
 * Both return the exit code: EXIT_DONE when the marks prove the recording to its end, or, of
 * decrypt without --marks, when all of it opened and nothing is wrong; EXIT_AMBER when it is cut or
 * nothing proves it; EXIT_RED when it was tampered with; else why there is no verdict.
 */
int recording_verify(const struct args *args);
int recording_decrypt(const struct args *args);

/* "intact", "cut", "tampered" or "unproven". */
const char *recording_verdict_code(enum verify_verdict verdict);

#endif
