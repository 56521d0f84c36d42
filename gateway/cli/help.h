/*
 * help.h - `--help`, for everything, a group or one command, from the table.
 */
#ifndef SEKISHO_CLI_HELP_H
#define SEKISHO_CLI_HELP_H

#include <stdio.h>

#include "cli/args.h"

void help_print(FILE *out, const struct args *args);

#endif
