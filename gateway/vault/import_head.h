/*
 * import_head.h - what the columns of a CSV file are, by the names in its first row: Japanese or
 * English ones, or a template's labels and keys.
 */
#ifndef SEKISHO_VAULT_IMPORT_HEAD_H
#define SEKISHO_VAULT_IMPORT_HEAD_H

#include <jansson.h>

#include "store/db.h"
#include "vault/csv_rows.h"
#include "wire/enums.h"

enum import_column {
	IMPORT_KIND,
	IMPORT_CLIENT,
	IMPORT_NAME,
	IMPORT_KANA,
	IMPORT_NUMBER,
	IMPORT_PURPOSES,
	IMPORT_CLASS,
	IMPORT_PARENT,
	IMPORT_FIELD, /* of a template */
	IMPORT_UNKNOWN,
};

enum { IMPORT_COLUMN_NAME = 128 /* bytes of it that are kept */ };

struct import_head {
	size_t count;
	struct {
		char name[IMPORT_COLUMN_NAME + 1]; /* as it stands in the file */
		enum import_column what;
		const char
			*keys[KIND_PAYEE + 1]; /* of the field in each kind's template, or NULL */
		bool twice;                    /* another before it is the same */
	} columns[CSV_COLUMNS_MAX];
	json_t *templates[KIND_PAYEE + 1]; /* of each kind */
};

/* kind: of all rows, 0: they say it themselves. import_head_finish in every case. */
nodiscard enum err import_head_read(struct db *db, int64_t kind, char *const *cells, size_t count,
				    struct import_head *ret);
void import_head_finish(struct import_head *head);

/* The column of a thing, -1: there is none. */
int import_head_find(const struct import_head *head, enum import_column what);

/* What such a column is called in messages when the file has none. */
const char *import_column_name(enum import_column what);

/* Without blanks, wide ones too, around it. In place. */
char *import_trim(char *text);

#endif
