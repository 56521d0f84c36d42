/*
 * document_upload.h - a document on its way into the vault (docs/protocol.md §9): sealed as it
 * comes, compared with what was announced, shown to the scanner where there is one, and only then
 * made known. Broken off at any moment nothing of it is left.
 */
#ifndef SEKISHO_VAULT_DOCUMENT_UPLOAD_H
#define SEKISHO_VAULT_DOCUMENT_UPLOAD_H

#include "vault/document_file.h"
#include "vault/document_stream.h"
#include "vault/scan.h"

struct document_upload_facts {
	uint8_t sha256[DOCUMENT_SHA256];
	bool infected;
	char found[SCAN_NAME_MAX]; /* by what */
};

struct document_upload_order {
	struct document_place place;
	struct secret *key; /* of the file, taken over in every case */
	uint64_t account, record, size;
	bool scan; /* first show it to the scanner */
	/* All of it is on the disk: make it known. On an error the file goes. */
	enum err (*store)(void *ctx, const struct document_upload_facts *facts);
	void (*free_ctx)(
		void *ctx); /* afterwards, in any case; not when document_upload_new fails */
	void *ctx;
	/* Asks for a connection to the scanner, which document_upload_scanner then brings. */
	enum err (*want_scanner)(void *ctx, uint32_t number);
	void *want_ctx;
};

/* ERR_FULL: too many go on; errors of document_writer_new. */
nodiscard enum err document_upload_new(struct document_streams *all,
				       const struct document_upload_order *order,
				       uint32_t *ret_number);

/* fd, not blocking, is taken over in every case; -1: the scanner cannot be reached. */
void document_upload_scanner(struct document_streams *all, uint32_t number, int fd);

#endif
