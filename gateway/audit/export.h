/*
 * export.h - a log as a folder of its own: C2SP tlog-tiles, and entries and checkpoints as JSON
 * lines (docs/audit.md). It is a log that verify.h can check without the database.
 */
#ifndef SEKISHO_AUDIT_EXPORT_H
#define SEKISHO_AUDIT_EXPORT_H

#include <jansson.h>

#include "audit/verify.h"

/*
 * Writes the first size entries, and the checkpoints of these, into folder, which is made here and
 * must not be there (ERR_EXISTS). vkey: a text for the file verifier-key, NULL: none. ERR_INVALID:
 * there are no such entries, or they have gaps. ERR_FULL, ERR_IO. What was written stays.
 */
nodiscard enum err export_write(struct db *db, uint64_t size, const char *vkey, const char *folder);

/* A folder as a source for verify_log. */
struct export_reader;
nodiscard enum err export_open(const char *folder, struct export_reader **ret);
void export_close(struct export_reader *reader);
struct verify_source export_source(struct export_reader *reader);

/* One entry as an object of entries.jsonl, and back. ERR_INVALID. */
nodiscard enum err export_entry(const struct audit_row *row, json_t **ret);
nodiscard enum err export_entry_read(const json_t *object, struct audit_row *ret);

#endif
