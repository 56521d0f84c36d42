/*
 * document_preview.h - a page of a document as a picture on its way to a browser: sekisho-preview,
 * which the monitor starts for this one page, gets the document and gives the picture with the
 * person's name in it. The document itself does not go to the browser. What comes from that process
 * is hostile: a document may have taken it over.
 */
#ifndef SEKISHO_VAULT_DOCUMENT_PREVIEW_H
#define SEKISHO_VAULT_DOCUMENT_PREVIEW_H

#include "vault/document_file.h"
#include "vault/document_stream.h"

enum {
	PREVIEW_PICTURE_MAX = 16 * 1024 * 1024, /* bytes of a PNG */
	PREVIEW_PAGE_MAX = 100000,
	PREVIEW_WAIT_S = 90, /* for the picture, also when LibreOffice opens the file */
	PREVIEWS_OF_ONE = 2, /* person; the monitor starts four */
};

struct document_preview_order {
	struct document_reader *reader; /* taken over in every case */
	uint64_t account, record, size;
	uint32_t page;
	/* Has sekisho-preview started with that descriptor, which is taken over, and ended. */
	enum err (*spawn)(void *ctx, uint32_t stream, int fd);
	void (*kill)(void *ctx, uint32_t stream);
	void *ctx;
};

/* ERR_FULL: too many go on. ERR_NOMEM, ERR_CRYPTO. */
nodiscard enum err document_preview_new(struct document_streams *all,
					const struct document_preview_order *order,
					uint32_t *ret_number);

#endif
