/*
 * shape.h - how a sealed chunk looks from outside, before anything of it is given to OpenSSL: where
 * it ends, and whether it is of exactly the structure, ciphers and tag length that seal.h makes.
 *
 * OpenSSL's CMS alone would also take other ciphers, and in some releases a tag short enough to be
 * guessed.
 */
#ifndef SEKISHO_RECORD_SHAPE_H
#define SEKISHO_RECORD_SHAPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	SHAPE_DER_MAX = 4 * 1024 * 1024, /* bytes of a sealed chunk, for readers */
	SHAPE_RECIPIENTS_MAX = 64,
	SHAPE_HEAD = 32, /* bytes that shape_head needs at most */
};

enum shape_start {
	SHAPE_CHUNK,   /* a chunk begins so */
	SHAPE_PARTIAL, /* what there is could be the beginning of one */
	SHAPE_OTHER
};

/* The beginning of a chunk: the lengths that it states, and its type. *ret_size: of the whole
 * chunk, only with SHAPE_CHUNK. */
enum shape_start shape_head(const uint8_t *data, size_t len, size_t *ret_size);

/* The bytes in shape_head's range that every chunk has and hardly anything else: its type. */
const uint8_t *shape_type(size_t *ret_len);

/* The whole of one: DER, nothing after it. ERR_PROTOCOL, ERR_TOO_BIG. */
nodiscard enum err shape_check(const uint8_t *der, size_t len, size_t *ret_recipients);

#endif
