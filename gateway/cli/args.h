/*
 * args.h - the command line against the table of commands: what was asked for, or one line that
 * says what is wrong with it.
 */
#ifndef SEKISHO_CLI_ARGS_H
#define SEKISHO_CLI_ARGS_H

#include <stdint.h>

#include "base/err.h"
#include "wire/commands.h"

enum {
	ARGS_VALUES_MAX = 16,
	ARGS_TEXT_MAX = 1024, /* bytes of one text value */
	ARGS_PATH_MAX = 4095,
	ARGS_GROUP_MAX = 32,
};

#define ARGS_CONFIG_DEFAULT "/etc/sekisho/sekisho.conf"

enum args_action { ARGS_RUN, ARGS_HELP, ARGS_VERSION };

struct args_value {
	const struct command_arg *arg;
	const char *text; /* NULL for a flag, and for a password that is to be asked for */
	int64_t number;   /* of a COMMAND_NUMBER */
};

struct args {
	enum args_action action;
	const struct command *command; /* NULL: help for everything, or for group */
	char group[ARGS_GROUP_MAX];    /* "user" in `sekisho user --help`, else "" */
	bool json;
	const char *config;
	struct args_value values[ARGS_VALUES_MAX];
	size_t value_count;
};

struct args_error {
	char text[512]; /* in the user's language */
};

/* Strings point into argv. ERR_INVALID with ret_error. Passwords are not part of a command line. */
nodiscard enum err args_parse(int argc, char *const *argv, struct args *ret,
			      struct args_error *ret_error);

/* The value of --name, or NULL. */
const struct args_value *args_find(const struct args *args, const char *name);

#endif
