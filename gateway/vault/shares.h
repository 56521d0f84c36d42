/*
 * shares.h - a key in three shares, two of which give it again (Shamir's scheme over GF(2^8), by
 * libgfshare), and the sheets of paper they are written on. The library takes any two shares for
 * right and would give a wrong key without a word: each share therefore has its digest, which the
 * vault keeps.
 */
#ifndef SEKISHO_VAULT_SHARES_H
#define SEKISHO_VAULT_SHARES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/typed.h"

enum {
	SHARES = 3,
	SHARES_NEEDED = 2,
	SHARES_KEY = 32,
	SHARES_SET = 4, /* bytes that name those which belong together */
	SHARES_DIGEST = 32,
	SHARES_ROWS = 8,
	SHARES_SHEET = SHARES_ROWS * TYPED_ROW_BYTES,
	SHARES_SHEET_TEXT = SHARES_ROWS * (TYPED_ROW + 1), /* each row with a newline after it */
};

/* What the vault keeps of the sheets. */
struct shares {
	uint8_t set[SHARES_SET];
	uint8_t digests[SHARES][SHARES_DIGEST]; /* SHA-256 */
};

/*
 * A new key and its shares, as the rows of the three sheets: SHARES * SHARES_SHEET_TEXT characters.
 * ERR_NOMEM, ERR_CRYPTO. The caller frees both.
 */
nodiscard enum err shares_make(struct shares *ret, struct secret **ret_key,
			       struct secret **ret_sheets);

/*
 * The key out of two sheets as they were typed, rows with newlines between them. ERR_CODE: one was
 * mistyped, *ret_bad says which (0, 1); ERR_EXPIRED: *ret_bad is of another set; ERR_EXISTS: twice
 * the same; ERR_LOGIN: *ret_bad is not one that was made. The caller frees.
 */
nodiscard enum err shares_join(const struct shares *shares, const char *const sheets[SHARES_NEEDED],
			       size_t *ret_bad, struct secret **ret_key);

/* Of one sheet alone: its number, 1 to SHARES. Errors as above. */
nodiscard enum err shares_check(const struct shares *shares, const char *sheet,
				unsigned *ret_number);

#endif
