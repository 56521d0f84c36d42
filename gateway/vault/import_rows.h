/*
 * import_rows.h - the rows of a CSV file as records that somebody wants to enter: what is wrong
 * with each, and each that is right. Nothing is changed here.
 */
#ifndef SEKISHO_VAULT_IMPORT_ROWS_H
#define SEKISHO_VAULT_IMPORT_ROWS_H

#include "vault/desk.h"
#include "vault/import_file.h"
#include "vault/import_head.h"
#include "vault/records_change.h"

enum { IMPORT_ROWS = 100000 };

/* For rows that do not say; 0: they have to. */
struct import_rules {
	int64_t kind;
	uint64_t client, class;
	uint64_t purposes[RECORD_PURPOSES];
	size_t purpose_count;
};

/* One that is right. client and parent may be of the same file; then they are not there yet, unless
 * take has set id for them. */
struct import_row {
	size_t row; /* as a spreadsheet counts */
	struct record_row record;
	struct content content;
	const char *number; /* "" : none */
	const char *client_text,
		*parent_text; /* as they stand in the file; a parent may be a number */
};

/* error: what docs/protocol.md calls it. row 0: of the file. column: "" : none. */
typedef enum err import_error_take(void *ctx, size_t row, const char *column, const char *error);
/* May set row->record.id: other rows refer to it then. ERR_FULL: no more rows are wanted. */
typedef enum err import_row_take(void *ctx, struct import_row *row);
/* Between two rows, when the slice of the job is over (vault/jobs.h); an error ends it. */
typedef enum err import_pause(void *ctx);

struct import_reading {
	struct records *records;
	struct desk_person who; /* who brought it */
	const struct import_rules *rules;
	import_error_take *on_error;
	import_row_take *on_row;
	import_pause *on_pause;
	void *ctx;
	bool charset_known; /* charset is what it is in */
	enum csv_charset charset;
	/* What there is: */
	struct import_head head;
	size_t rows;
	size_t errors;
};

/* Reads all of it, in whichever of the charsets it is; what an attempt in the wrong one has given
 * is taken back with on_restart. import_reading_finish in every case. ERR_NOMEM and what on_row and
 * the database answer: what is wrong with the file is told to on_error. */
nodiscard enum err import_read(struct import_reading *reading, const struct import_file *file,
			       void (*on_restart)(void *ctx));
void import_reading_finish(struct import_reading *reading);

#endif
