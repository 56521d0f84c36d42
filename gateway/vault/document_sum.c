#include "vault/document_sum.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/util.h"
#include "vault/document_file.h"

struct document_sum {
	EVP_MD_CTX *all, *piece;
	size_t in_piece; /* bytes that it has */
};

enum err document_sum_new(struct document_sum **ret)
{
	struct document_sum *sum = calloc(1, sizeof(*sum));

	if (!sum)
		return ERR_NOMEM;
	sum->all = EVP_MD_CTX_new();
	sum->piece = EVP_MD_CTX_new();
	if (!sum->all || !sum->piece || EVP_DigestInit_ex2(sum->all, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestInit_ex2(sum->piece, EVP_sha256(), NULL) != 1) {
		document_sum_free(sum);
		return ERR_CRYPTO;
	}
	*ret = sum;
	return OK;
}

static enum err end_piece(struct document_sum *sum)
{
	uint8_t digest[DOCUMENT_SUM];

	sum->in_piece = 0;
	return EVP_DigestFinal_ex(sum->piece, digest, NULL) == 1 &&
			       EVP_DigestUpdate(sum->all, digest, sizeof(digest)) == 1 &&
			       EVP_DigestInit_ex2(sum->piece, EVP_sha256(), NULL) == 1
		       ? OK
		       : ERR_CRYPTO;
}

enum err document_sum_add(struct document_sum *sum, const void *data, size_t len)
{
	const uint8_t *at = data;
	enum err err = OK;

	while (!err && len) {
		size_t part = MIN(len, DOCUMENT_PIECE - sum->in_piece);

		if (EVP_DigestUpdate(sum->piece, at, part) != 1)
			return ERR_CRYPTO;
		sum->in_piece += part;
		at += part;
		len -= part;
		if (sum->in_piece == DOCUMENT_PIECE)
			err = end_piece(sum);
	}
	return err;
}

enum err document_sum_end(struct document_sum *sum, uint8_t ret[DOCUMENT_SUM])
{
	enum err err = sum->in_piece ? end_piece(sum) : OK;

	if (!err && EVP_DigestFinal_ex(sum->all, ret, NULL) != 1)
		err = ERR_CRYPTO;
	return err;
}

void document_sum_free(struct document_sum *sum)
{
	if (!sum)
		return;
	EVP_MD_CTX_free(sum->all);
	EVP_MD_CTX_free(sum->piece);
	free(sum);
}
