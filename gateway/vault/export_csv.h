/*
 * export_csv.h - records as a CSV file (RFC 4180, UTF-8 with a byte order mark), with the columns
 * that an import takes (import_head.h).
 */
#ifndef SEKISHO_VAULT_EXPORT_CSV_H
#define SEKISHO_VAULT_EXPORT_CSV_H

#include "record/envelope.h"
#include "vault/exports.h"

/* Writes all of it into the envelope. who: exports; clients and employees that he may not see have
 * no name in it. */
nodiscard enum err export_csv(struct records *records, const struct desk_person *who,
			      const struct export_rows *rows, bool numbers,
			      struct envelope *envelope);

#endif
