/*
 * output.h - the files that commands write from the broker's answer, their FILE_OUT arguments.
 */
#ifndef SEKISHO_CLI_OUTPUT_H
#define SEKISHO_CLI_OUTPUT_H

#include <jansson.h>

#include "cli/args.h"

/* Whether a file can be made there: before an order is given whose answer would then have nowhere
 * to go. ERR_EXISTS: it is there already, and may be somebody's only copy. */
nodiscard enum err output_check(const char *path);

/* The same for all that the command line names; *ret_name is the argument that is wrong. */
nodiscard enum err output_check_all(const struct args *args, const char **ret_name);

/*
 * Writes what the answer has for them, mode 0600 unless it is for everybody. In the answer the
 * file's name takes the place of what was written, as "file". *ret_name as above; what could not be
 * written is still in body.
 */
nodiscard enum err output_write_all(const struct args *args, json_t *body, const char **ret_name);

#endif
