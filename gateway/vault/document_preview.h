/*
 * document_preview.h - pages of a document as pictures on their way to a browser: sekisho-preview,
 * which the monitor starts for this one document and person, gets the document once, and gives a
 * picture with the person's name in it whenever the browser asks for a page, until the stream ends.
 * The document itself does not go to the browser. What comes from that process is hostile: a
 * document may have taken it over.
 */
#ifndef SEKISHO_VAULT_DOCUMENT_PREVIEW_H
#define SEKISHO_VAULT_DOCUMENT_PREVIEW_H

#include "vault/document_file.h"
#include "vault/document_stream.h"

enum {
	PREVIEW_PICTURE_MAX = 16 * 1024 * 1024, /* bytes of a PNG */
	PREVIEW_PAGE_MAX = 100000,
	PREVIEW_WAIT_S = 90, /* for a picture, also when LibreOffice opens the file */
	PREVIEWS_OF_ONE = 2, /* person */
	PREVIEWS_MAX = 4,    /* the monitor starts a few more (monitor/helper.c) */
};

struct document_preview_order {
	struct document_reader *reader; /* taken over in every case */
	uint64_t account, record, size;
	/* Whether the person may still see the document, asked for each page. */
	bool (*may)(void *look);
	void *look; /* taken over in every case, with free() */
	/* Has sekisho-preview started with that descriptor, which is taken over, and ended. */
	enum err (*spawn)(void *ctx, uint32_t stream, int fd);
	void (*kill)(void *ctx, uint32_t stream);
	void *ctx;
};

/* Where there are too many, the one whose person has asked for no page for the longest time ends.
 * ERR_FULL: all of them are at work. ERR_NOMEM. */
nodiscard enum err document_preview_new(struct document_streams *all,
					const struct document_preview_order *order,
					uint32_t *ret_number);

#endif
