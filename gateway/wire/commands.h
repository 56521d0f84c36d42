/*
 * commands.h - the table of commands.def.
 */
#ifndef SEKISHO_WIRE_COMMANDS_H
#define SEKISHO_WIRE_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

enum command_arg_type {
	COMMAND_TEXT,
	COMMAND_NUMBER,
	COMMAND_FLAG,
	COMMAND_PASSWORD,
	COMMAND_FILE_IN,
	COMMAND_FILE_OUT
};

struct command_arg {
	const char *name; /* --name on the command line */
	enum command_arg_type type;
	bool required;
	const char *en, *ja;
};

struct command {
	const char *name; /* "user add" */
	const char *en, *ja;
	const struct command_arg *args;
	size_t arg_count;
};

extern const struct command commands[];
extern const size_t command_count;

/* The row, or NULL. */
const struct command *command_find(const char *name);

#endif
