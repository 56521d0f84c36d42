/*
 * typed.h - bytes as rows of characters that people copy by hand: Crockford's base32 in groups of
 * four, and at the end of each row two check characters. They find every wrong character, every two
 * that changed places, and rows that did.
 *
 *     4T0K-9M2X-7C
 */
#ifndef SEKISHO_BASE_TYPED_H
#define SEKISHO_BASE_TYPED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	TYPED_ROW_BYTES = 5, /* that a row stands for */
	TYPED_ROW = 12,      /* characters of a row, without NUL */
};

/* The row of this number, from 0 on; ret is NUL-terminated. */
void typed_put(const uint8_t bytes[TYPED_ROW_BYTES], unsigned row, char ret[TYPED_ROW + 1]);

/*
 * A row as somebody typed it: small letters, blanks and hyphens anywhere, and O, I, L for 0, 1, 1
 * are taken. text ends at len. ERR_CODE: something is wrong in it, or it is another row.
 */
nodiscard enum err typed_get(const char *text, size_t len, unsigned row,
			     uint8_t ret[TYPED_ROW_BYTES]);

#endif
