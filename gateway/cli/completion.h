/*
 * completion.h - the bash completion script, written from the table.
 */
#ifndef SEKISHO_CLI_COMPLETION_H
#define SEKISHO_CLI_COMPLETION_H

#include <stdio.h>

void completion_bash(FILE *out);

#endif
