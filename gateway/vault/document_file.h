/*
 * document_file.h - a document's bytes on the disk: pieces of one size under AES-256-GCM (NIST SP
 * 800-38D) with the data key of one version of one document. The nonce is the piece's number, and
 * what a piece is bound to are document, version, number and whether it is the last: nothing can be
 * cut, swapped, repeated, appended or moved to another document without being found. No more than
 * one piece is ever in memory, and none of it in the clear on the disk.
 *
 * The file is <folder>/<document>-<version>, and with .part behind it until all of it is on the
 * disk. It is there before the version's row is; document_file_sweep removes those that got no row.
 */
#ifndef SEKISHO_VAULT_DOCUMENT_FILE_H
#define SEKISHO_VAULT_DOCUMENT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

enum {
	DOCUMENT_PIECE = 256 * 1024, /* plain; docs/performance.md */
	DOCUMENT_TAG = 16,
	DOCUMENT_KEY = 32,
	DOCUMENT_SHA256 = 32, /* of all its bytes */
	DOCUMENT_BYTES_MAX = 100 * 1024 * 1024,
};

/* Which one. folder is borrowed for as long as what is made of it. */
struct document_place {
	const char *folder;
	uint64_t document, version;
};

struct document_writer;

/* A new file in place of leftovers. key is DOCUMENT_KEY bytes and used for nothing else, ever; it
 * is not needed afterwards. ERR_INVALID: it has another length; ERR_FULL, ERR_IO, ERR_CRYPTO,
 * ERR_NOMEM. */
nodiscard enum err document_writer_new(const struct document_place *place, const struct secret *key,
				       struct document_writer **ret);
/* ERR_TOO_BIG: more than DOCUMENT_BYTES_MAX. After any error the writer can only be freed. */
nodiscard enum err document_writer_add(struct document_writer *writer, const void *data,
				       size_t len);
/* All of it is on the disk under its name when this returns OK; it stays there. */
nodiscard enum err document_writer_end(struct document_writer *writer);
/* Removes the file unless it has ended. NULL is allowed. */
void document_writer_free(struct document_writer *writer);

struct document_reader;

/* size: of the document, as its row says. ERR_NOT_FOUND; ERR_INVALID: the file has not the size
 * that such a document has; ERR_IO, ERR_CRYPTO, ERR_NOMEM. */
nodiscard enum err document_reader_new(const struct document_place *place, const struct secret *key,
				       uint64_t size, struct document_reader **ret);
/* The next piece, valid until the next call; len 0 when there is no more (an empty document has one
 * piece of 0 bytes, which is checked, too). ERR_INVALID: it is not what was written there. */
nodiscard enum err document_reader_next(struct document_reader *reader, const uint8_t **ret,
					size_t *ret_len);
/* Wipes the piece. NULL is allowed. */
void document_reader_free(struct document_reader *reader);

/* One that is not there counts as removed. ERR_IO. */
nodiscard enum err document_file_remove(const struct document_place *place);

/* Makes the folder if there is none, and removes what no row names: ends of broken writes, and
 * files for which keep(ctx, document, version) says no. Names of another form are left alone and
 * logged. ERR_IO. */
nodiscard enum err document_file_sweep(const char *folder,
				       bool (*keep)(void *ctx, uint64_t document, uint64_t version),
				       void *ctx);

#endif
