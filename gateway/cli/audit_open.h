/*
 * audit_open.h - the log that an audit command means: what --file names, or the gateway's own; with
 * the verifier key and what was kept elsewhere.
 */
#ifndef SEKISHO_CLI_AUDIT_OPEN_H
#define SEKISHO_CLI_AUDIT_OPEN_H

#include "audit/export.h"
#include "cli/args.h"

enum { AUDIT_ANCHORS = 2, AUDIT_KEYS = 8 };

struct audit_log {
	struct db *db;                /* NULL: a folder */
	struct export_reader *folder; /* NULL: a database */
	char path[ARGS_PATH_MAX + 1];
	struct note_key keys[AUDIT_KEYS]; /* the newest last */
	size_t key_count;
	struct audit_note anchors[AUDIT_ANCHORS];
	size_t anchor_count;
};

/* The argument's text, or NULL. */
const char *audit_value(const struct args *args, const char *name);

/*
 * The exit code: EXIT_DONE, or another after telling the person what is wrong. The caller closes
 * in every case.
 */
int audit_log_open(const struct args *args, struct audit_log *log);
void audit_log_close(struct audit_log *log);

/* Tells what is wrong; message NULL: the error's own text. Returns EXIT_REFUSED. */
int audit_refuse(const struct args *args, enum err err, const char *field, const char *message);

#endif
