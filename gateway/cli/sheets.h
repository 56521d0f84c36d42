/*
 * sheets.h - the vault's recovery sheets: three pages of paper for three people, made once, and
 * typed row by row on the day they are needed.
 */
#ifndef SEKISHO_CLI_SHEETS_H
#define SEKISHO_CLI_SHEETS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/secret.h"

enum {
	SHEETS = 3,
	SHEETS_ROWS = 8,
	SHEETS_PAGE_MAX = 64 * 1024, /* bytes */
};

/* Says what is going to happen and what has to be at hand, to a person at a terminal. */
void sheets_explain(FILE *out, bool recovers);

/* Whether the broker's answer has sheets. */
bool sheets_are(const json_t *body);

/* Their rows as text. */
void sheets_print(FILE *out, const json_t *body);

/* Appends one page of HTML that needs nothing else, in Japanese and English, for A4; number: 1 to
 * SHEETS. buf takes at least SHEETS_PAGE_MAX. ERR_PROTOCOL: the answer lacks something. */
nodiscard enum err sheets_page(const json_t *body, unsigned number, struct buf *buf);

/* Makes the folder, with the three pages in it, for their owner alone. ERR_EXISTS, ERR_IO. */
nodiscard enum err sheets_write(const json_t *body, const char *folder);

/* At a terminal: waits until they are printed, and then deletes the pages and the folder. */
void sheets_finish(FILE *out, const char *folder);

/*
 * One sheet, row by row: at a terminal each is asked for until it is right; else the first wrong
 * one is ERR_CODE, with *ret_row. ERR_CLOSED: no more came. The caller frees.
 */
nodiscard enum err sheets_ask(const char *label, unsigned *ret_row, struct secret **ret);

#endif
