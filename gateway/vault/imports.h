/*
 * imports.h - files of records that people have brought and others decide about. They are kept
 * sealed in memory (import_file.h), for half an hour at most, and gone with the vault's seal.
 */
#ifndef SEKISHO_VAULT_IMPORTS_H
#define SEKISHO_VAULT_IMPORTS_H

#include "vault/import_rows.h"

enum {
	IMPORTS_MAX = 8,
	IMPORTS_OF_ONE = 2,
	IMPORT_S = 30 * 60,
	IMPORT_ERRORS = 5000, /* that are told; all are counted */
	IMPORT_PAGE = 50,
	IMPORT_PAGE_BYTES = 60000,
};

struct import {
	uint64_t id; /* 0: free */
	struct desk_person by;
	int64_t until; /* s since 1970 */
	struct import_rules rules;
	struct import_file *file;
	bool looked, asked;       /* through; for approval */
	bool busy;                /* a job goes through it; with until 0 that ends */
	unsigned readers;         /* so many show rows of it */
	enum csv_charset charset; /* that and the next when it was looked through */
	size_t rows, errors;
	json_t *wrong; /* rows of errors, at most IMPORT_ERRORS */
};

struct imports {
	uint64_t last_id;
	struct import all[IMPORTS_MAX];
};

/* Forgets those whose time is over, and finds one. ERR_NOT_FOUND. */
nodiscard enum err imports_find(struct records *records, uint64_t id, int64_t now_s,
				struct import **ret);
void imports_expire(struct records *records, int64_t now_s);

/* ERR_FULL: IMPORTS_MAX, or IMPORTS_OF_ONE of one person. */
nodiscard enum err imports_add(struct records *records, const struct desk_person *who,
			       int64_t now_s, struct import **ret);
/* One that a job goes through is dropped when that has ended. */
void imports_drop(struct import *import);

/* All of them; NULL is allowed. */
void imports_free(struct imports *imports);

/* Looks all of it through. sample (NULL allowed): an array to which the first rows are added. ret:
 * columns and charset; import_reading_finish in every case. */
nodiscard enum err imports_look(struct records *records, struct import *import, json_t *sample,
				struct import_reading *ret);

/* Rows as they would be entered, after that one of the spreadsheet's, at most IMPORT_PAGE, for
 * somebody to look at: no number but whether there is one. Adds them to rows; ret_next: after which
 * to go on, 0: those were all. A job. */
nodiscard enum err imports_show(struct records *records, struct import *import,
				const struct desk_person *who, size_t after, json_t *rows,
				size_t *ret_next);

/* Enters all of it or nothing, in transactions of its own (vault/staging.h); then it is dropped.
 * ret_first: of the records that it made, whose numbers have no gap. ERR_WRONG_STATE: something is
 * wrong with it now. */
nodiscard enum err imports_enter(struct records *records, struct import *import,
				 const struct desk_ask *ask, uint64_t *ret_first);

#endif
