/*
 * audit.h - `sekisho audit verify`, `audit export` and `audit stamp`: the audit log in a database's
 * file or an exported folder, without any gateway.
 */
#ifndef SEKISHO_CLI_AUDIT_H
#define SEKISHO_CLI_AUDIT_H

#include "cli/args.h"

enum { AUDIT_VERIFY_ARGS = 5, AUDIT_EXPORT_ARGS = 4, AUDIT_STAMP_ARGS = 5 };

extern const struct command_arg audit_verify_args[AUDIT_VERIFY_ARGS];
extern const struct command_arg audit_export_args[AUDIT_EXPORT_ARGS];
extern const struct command_arg audit_stamp_args[AUDIT_STAMP_ARGS];

/* All return the exit code; audit_verify EXIT_DONE for green, EXIT_AMBER and EXIT_RED. */
int audit_verify(const struct args *args);
int audit_export(const struct args *args);
int audit_stamp(const struct args *args);

#endif
