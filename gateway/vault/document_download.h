/*
 * document_download.h - a document on its way out of the vault to a page (docs/protocol.md §9): one
 * piece is opened at a time, and sent no faster than the page takes it.
 */
#ifndef SEKISHO_VAULT_DOCUMENT_DOWNLOAD_H
#define SEKISHO_VAULT_DOCUMENT_DOWNLOAD_H

#include "vault/document_file.h"
#include "vault/document_stream.h"

struct document_download_order {
	struct document_reader *reader; /* taken over in every case */
	uint64_t account, record, size;
};

/* ERR_FULL: too many go on. ERR_NOMEM, ERR_CRYPTO. */
nodiscard enum err document_download_new(struct document_streams *all,
					 const struct document_download_order *order,
					 uint32_t *ret_number);

#endif
