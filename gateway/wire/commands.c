#include "wire/commands.h"

#include "base/util.h"

#define TEXT     COMMAND_TEXT
#define NUMBER   COMMAND_NUMBER
#define FLAG     COMMAND_FLAG
#define PASSWORD COMMAND_PASSWORD
#define FILE_IN  COMMAND_FILE_IN
#define FILE_OUT COMMAND_FILE_OUT
#define NO       COMMAND_WEB_NO
#define LOOK     COMMAND_WEB_LOOK
#define ORDER    COMMAND_WEB_ORDER

/*
 * commands.def read twice: first one array of arguments per command, then the rows that point to
 * them. A command without arguments still gets one empty entry, which the counts leave out.
 */
#define COMMAND(name, function, en, ja, web) static const struct command_arg args_##function[] = {
#define ARG(name, type, required, en, ja)    { name, type, required, en, ja },
#define DONE                                                                                       \
	{                                                                                          \
		NULL, COMMAND_TEXT, false, NULL, NULL                                              \
	}                                                                                          \
	}                                                                                          \
	;
#include "wire/commands.def"
#undef COMMAND
#undef ARG
#undef DONE

const struct command commands[] = {
#define COMMAND(name, function, en, ja, web)                                                       \
	{ name, en, ja, web, args_##function, ARRAY_SIZE(args_##function) - 1 },
#define ARG(name, type, required, en, ja)
#define DONE
#include "wire/commands.def"
#undef COMMAND
#undef ARG
#undef DONE
};

const size_t command_count = ARRAY_SIZE(commands);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (util_streq(commands[i].name, name))
			return &commands[i];
	return NULL;
}
