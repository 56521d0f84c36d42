/*
 * cli.h - the program `sekisho`: what an administrator types.
 */
#ifndef SEKISHO_CLI_CLI_H
#define SEKISHO_CLI_CLI_H

/* Returns the exit code (cli/exit.h). */
int cli_main(int argc, char **argv);

#endif
