/*
 * import_file.h - a file that somebody sends in pieces, kept in memory under a key that is nowhere
 * else (AES-256-GCM, vault/gcm): in the clear is one piece at a time.
 */
#ifndef SEKISHO_VAULT_IMPORT_FILE_H
#define SEKISHO_VAULT_IMPORT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	IMPORT_PIECE = 45000, /* bytes, at most */
	IMPORT_BYTES = 32 * 1024 * 1024,
};

struct import_file;

nodiscard enum err import_file_new(struct import_file **ret);
void import_file_free(struct import_file *file); /* NULL is allowed */

/* ERR_TOO_BIG: a piece of more than IMPORT_PIECE, or more than IMPORT_BYTES in all. */
nodiscard enum err import_file_add(struct import_file *file, const uint8_t *data, size_t len);
size_t import_file_bytes(const struct import_file *file);

/* Piece by piece, in the order in which they came; what take answers but OK ends it. */
typedef enum err import_file_take(void *ctx, const uint8_t *data, size_t len);
nodiscard enum err import_file_read(const struct import_file *file, import_file_take *take,
				    void *ctx);

#endif
