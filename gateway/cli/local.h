/*
 * local.h - the commands that need no gateway: they are not in commands.def, because no broker
 * answers them.
 */
#ifndef SEKISHO_CLI_LOCAL_H
#define SEKISHO_CLI_LOCAL_H

#include "cli/args.h"
#include "wire/settings.h"

extern const struct command local_commands[];
extern const size_t local_command_count;

/* Every command, local ones last; NULL past the end. */
const struct command *command_at(size_t index);

/* From either table, or NULL. */
const struct command *command_lookup(const char *name);

bool local_is(const struct command *command);

/* Reads the settings file; false when it is wrong, after saying so to the person. */
bool local_settings(const struct args *args, struct settings *ret);

/* Runs a local command; returns the exit code. */
int local_run(const struct args *args);

/* Whether the settings are as they should be, and what they are, defaults included. */
int local_config_check(const struct args *args);
int local_version(const struct args *args);

#endif
