/*
 * document_sum.h - the sum of a document on its way between a page and the vault: SHA-256 of the
 * SHA-256s of its pieces of DOCUMENT_PIECE bytes, of which the last may be shorter. So a browser,
 * whose Web Crypto takes only what is whole, never holds more than one piece.
 */
#ifndef SEKISHO_VAULT_DOCUMENT_SUM_H
#define SEKISHO_VAULT_DOCUMENT_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { DOCUMENT_SUM = 32 };

struct document_sum;

/* ERR_NOMEM, ERR_CRYPTO. */
nodiscard enum err document_sum_new(struct document_sum **ret);
/* The next bytes, however they are cut. ERR_CRYPTO. */
nodiscard enum err document_sum_add(struct document_sum *sum, const void *data, size_t len);
/* Once, of all that was added. ERR_CRYPTO. */
nodiscard enum err document_sum_end(struct document_sum *sum, uint8_t ret[DOCUMENT_SUM]);
/* NULL is allowed. */
void document_sum_free(struct document_sum *sum);

#endif
