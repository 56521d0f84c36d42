#include "cli/completion.h"

#include <string.h>

#include "cli/local.h"

/* Names in the table are letters, digits, '-' and one space, so the script needs no quotes. */

static void put_words(FILE *out)
{
	const struct command *command;

	/* First words, each once: commands of a group stand together in the table. */
	size_t last_len = 0;
	const char *last = "";
	fputs("\tlocal first='", out);
	for (size_t i = 0; (command = command_at(i)); i++) {
		size_t len = strcspn(command->name, " ");
		if (len != last_len || strncmp(command->name, last, len) != 0)
			fprintf(out, "%.*s ", (int)len, command->name);
		last = command->name;
		last_len = len;
	}
	fputs("--help --version'\n", out);
}

static void put_second_words(FILE *out)
{
	const struct command *command;

	fputs("\tcase \"${words[0]:-}\" in\n", out);
	for (size_t i = 0; (command = command_at(i)); i++) {
		size_t len = strcspn(command->name, " ");
		if (command->name[len])
			fprintf(out, "\t%.*s) second+='%s ' ;;&\n", (int)len, command->name,
				command->name + len + 1);
	}
	fputs("\tesac\n", out);
}

static void put_options(FILE *out)
{
	const struct command *command;

	fputs("\tcase \"${words[0]:-} ${words[1]:-}\" in\n", out);
	for (size_t i = 0; (command = command_at(i)); i++) {
		/* A command of one word is followed by nothing, or by an option. */
		fprintf(out, "\t'%s'%s) options='", command->name,
			strchr(command->name, ' ') ? "" : "\\ *");
		for (size_t k = 0; k < command->arg_count; k++)
			if (command->args[k].type != COMMAND_PASSWORD || !command->args[k].required)
				fprintf(out, "--%s ", command->args[k].name);
		fputs("' complete=1 ;;\n", out);
	}
	fputs("\tesac\n", out);
}

static void put_file_options(FILE *out)
{
	const struct command *command;

	fputs("\tcase \"$previous\" in\n\t--config", out);
	for (size_t i = 0; (command = command_at(i)); i++)
		for (size_t k = 0; k < command->arg_count; k++)
			if (command->args[k].type == COMMAND_FILE_IN ||
			    command->args[k].type == COMMAND_FILE_OUT)
				fprintf(out, "|--%s", command->args[k].name);
	fputs(")\n\t\tcompopt -o filenames\n\t\tmapfile -t COMPREPLY < <(compgen -f -- "
	      "\"$current\")\n"
	      "\t\treturn\n\t\t;;\n\tesac\n",
	      out);
}

void completion_bash(FILE *out)
{
	fputs("# Completion of sekisho for bash: source <(sekisho completion bash)\n"
	      "_sekisho() {\n"
	      "\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal second='' options='' complete='' skip='' word\n"
	      "\tlocal words=()\n",
	      out);
	put_words(out);
	put_file_options(out);
	fputs("\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	      "\t\tif [ -n \"$skip\" ]; then skip=''; continue; fi\n"
	      "\t\tcase \"$word\" in\n"
	      "\t\t--config) skip=1 ;;\n"
	      "\t\t-*) ;;\n"
	      "\t\t*) words+=(\"$word\") ;;\n"
	      "\t\tesac\n"
	      "\tdone\n",
	      out);
	put_second_words(out);
	put_options(out);
	fputs("\toptions+='--json --config --help'\n"
	      "\tif [ ${#words[@]} -eq 0 ]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$first\" -- \"$current\")\n"
	      "\telif [ -n \"$complete\" ]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n"
	      "\telif [ ${#words[@]} -eq 1 ]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$second\" -- \"$current\")\n"
	      "\tfi\n"
	      "}\n"
	      "complete -F _sekisho sekisho\n",
	      out);
}
