/*
 * documents.h - documents of records: rows with their guard, and what is known of each version,
 * sealed under the record's group key (vault/sealing): its name, its SHA-256, what a scanner found
 * in it, and the key of its file. A version's row is there when all of its file is on the disk, and
 * when a row goes its file does: what is left of either is swept away at the next unsealing.
 */
#ifndef SEKISHO_VAULT_DOCUMENTS_H
#define SEKISHO_VAULT_DOCUMENTS_H

#include "store/vault/document_rows.h"
#include "vault/document_file.h"
#include "vault/document_stream.h"
#include "vault/records.h"
#include "vault/scan.h"

enum {
	DOCUMENTS_FOLDER = 400,
	DOCUMENT_NAME = 255, /* characters */
};

/* What operations with documents need beside the records. */
struct documents {
	struct document_streams streams;
	char folder[DOCUMENTS_FOLDER]; /* of their files */
	bool scan;                     /* each is shown to the scanner first */
	/* Asks for a connection to it, for the stream. */
	enum err (*want_scanner)(void *ctx, uint32_t stream);
	/* As of struct document_preview_order. */
	enum err (*spawn_preview)(void *ctx, uint32_t stream, int fd);
	void (*kill_preview)(void *ctx, uint32_t stream);
	void *ctx;
};

/* folder: the vault's. streams.closed and what is asked for is set by the caller. ERR_TOO_BIG. */
nodiscard enum err documents_init(struct documents *documents, struct loop *loop,
				  const char *folder);

/* After the unsealing: removes files without a row. */
nodiscard enum err documents_sweep(struct documents *documents, struct records *records);

/* ---- rows ------------------------------------------------------------------------------------ */

/* ERR_NOT_FOUND; ERR_INVALID: it was changed behind the vault's back. */
nodiscard enum err documents_row(struct records *records, uint64_t id, struct document_row *ret);
/* Within a transaction. */
nodiscard enum err documents_add_row(struct records *records, const struct document_row *row);
nodiscard enum err documents_set_row(struct records *records, const struct document_row *row);

/* ---- versions -------------------------------------------------------------------------------- */

struct document_facts {
	uint8_t key[DOCUMENT_KEY]; /* of the file: wipe it */
	uint8_t sha256[DOCUMENT_SHA256];
	char name[4 * DOCUMENT_NAME + 1];
	char found[SCAN_NAME_MAX]; /* by the scanner; "": nothing, or there was none */
};

/* Within a transaction: the version's row. version->data_key, sealed and quarantined are filled in
 * here. */
nodiscard enum err documents_add_version(struct records *records, const struct record_row *record,
					 struct document_version_row *version,
					 const struct document_facts *facts);
/* version 0: the newest that may be had. ret_version's sealed is NULL. ERR_NOT_FOUND; ERR_INVALID:
 * it is not what was sealed there. */
nodiscard enum err documents_version(struct records *records, const struct record_row *record,
				     const struct document_row *document, int64_t version,
				     struct document_version_row *ret_version,
				     struct document_facts *ret_facts);
/* Of a row that is being read. */
nodiscard enum err documents_facts(struct records *records, const struct record_row *record,
				   const struct document_version_row *version,
				   struct document_facts *ret);

#endif
