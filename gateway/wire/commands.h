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

/* Whether administrators may use it in the portal. */
enum command_web { COMMAND_WEB_NO, COMMAND_WEB_LOOK, COMMAND_WEB_ORDER };

struct command_arg {
	const char *name; /* --name on the command line */
	enum command_arg_type type;
	bool required;
	const char *en, *ja;
};

struct command {
	const char *name; /* "user add" */
	const char *en, *ja;
	enum command_web web;
	const struct command_arg *args;
	size_t arg_count;
};

extern const struct command commands[];
extern const size_t command_count;

/* The row, or NULL. */
const struct command *command_find(const char *name);

#endif
