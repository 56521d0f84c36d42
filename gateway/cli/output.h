/*
 * output.h - the files that commands write from the broker's answer, their FILE_OUT arguments.
 */
#ifndef SEKISHO_CLI_OUTPUT_H
#define SEKISHO_CLI_OUTPUT_H

#include <jansson.h>

#include "cli/args.h"

enum { OUTPUT_WHY = ARGS_PATH_MAX + 128 };

/* Whether a file or folder can be made there: before an order is given whose answer would then have
 * nowhere to go. ERR_EXISTS: it is there already, and may be somebody's only copy. */
nodiscard enum err output_check(const char *path);

/* Why path could not be made, and where: in room, or the error's own text. */
const char *output_why(enum err err, const char *path, char room[OUTPUT_WHY]);

/* show_refusal, that says output_why when field is a file that was to be made and message NULL. */
void output_refuse(const struct args *args, enum err err, const char *field, const char *message);

/* The same for all that the command line names; *ret_name is the argument that is wrong. */
nodiscard enum err output_check_all(const struct args *args, const char **ret_name);

/*
 * Writes what the answer has for them, mode 0600 unless it is for everybody. In the answer the
 * file's name takes the place of what was written, as "file". *ret_name as above; what could not be
 * written is still in body.
 */
nodiscard enum err output_write_all(const struct args *args, json_t *body, const char **ret_name);

#endif
