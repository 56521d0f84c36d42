/*
 * csv_rows.h - a CSV file (RFC 4180) as offices have them: UTF-8 with a byte order mark or without,
 * or CP932 as Excel writes it in Japan. It comes in pieces; nothing of it stays in memory. The
 * grammar is libcsv's, the encodings are the C library's. One thread.
 */
#ifndef SEKISHO_VAULT_CSV_ROWS_H
#define SEKISHO_VAULT_CSV_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum csv_charset { CSV_UTF8, CSV_CP932, CSV_CHARSETS };

enum {
	CSV_COLUMNS_MAX = 48,
	CSV_ROW_MAX = 65536, /* bytes of a row in UTF-8, and of one cell */
};

struct csv_rows;

/* One row with at least one cell that is not empty. row counts as a spreadsheet does, from 1.
 * cells: UTF-8 without control characters but line feeds; valid during the call. What it answers
 * but OK ends the reading. */
typedef enum err csv_rows_take(void *ctx, size_t row, char *const *cells, size_t count);

/* Before the sandbox closes: the C library loads a module for CP932. Logs what it cannot do; then
 * such files are refused. */
void csv_rows_prepare(void);

/* ERR_UNAVAILABLE: no such charset here. ERR_NOMEM. */
nodiscard enum err csv_rows_new(enum csv_charset charset, csv_rows_take *take, void *ctx,
				struct csv_rows **ret);
void csv_rows_free(struct csv_rows *rows); /* NULL is allowed; wipes */

/*
 * ERR_PROTOCOL: not in this charset. ERR_INVALID: quotes that do not match, or a control character.
 * ERR_TOO_BIG: more columns or bytes in a row than allowed. And what take answers. After an error
 * only csv_rows_row and csv_rows_free.
 */
nodiscard enum err csv_rows_add(struct csv_rows *rows, const uint8_t *data, size_t len);
nodiscard enum err csv_rows_end(struct csv_rows *rows);

/* The row at which the reading is. */
size_t csv_rows_row(const struct csv_rows *rows);

#endif
