#include "vault/import_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "vault/gcm.h"

struct piece {
	uint8_t *data; /* sealed */
	size_t len;
	uint8_t tag[GCM_TAG];
};

struct import_file {
	struct secret *key;
	struct piece *pieces;
	size_t count, room, bytes;
};

enum err import_file_new(struct import_file **ret)
{
	struct import_file *file = calloc(1, sizeof(*file));
	enum err err = file ? secret_random(GCM_KEY, &file->key) : ERR_NOMEM;

	if (err)
		import_file_free(file);
	else
		*ret = file;
	return err;
}

void import_file_free(struct import_file *file)
{
	if (!file)
		return;
	for (size_t i = 0; i < file->count; i++)
		free(file->pieces[i].data);
	free(file->pieces);
	secret_free(file->key);
	free(file);
}

/* The piece's number: none is sealed twice. */
static void nonce_of(size_t number, uint8_t ret[GCM_NONCE])
{
	memset(ret, 0, GCM_NONCE);
	memcpy(ret, &number, sizeof(number));
}

static enum err grow(struct import_file *file)
{
	size_t room = file->room ? 2 * file->room : 16;
	struct piece *grown;

	if (file->count < file->room)
		return OK;
	grown = reallocarray(file->pieces, room, sizeof(*grown));
	if (!grown)
		return ERR_NOMEM;
	file->pieces = grown;
	file->room = room;
	return OK;
}

enum err import_file_add(struct import_file *file, const uint8_t *data, size_t len)
{
	const struct gcm_bound bound = { 0 };
	struct piece piece = { .len = len };
	uint8_t nonce[GCM_NONCE];
	enum err err;

	if (len > IMPORT_PIECE || len > IMPORT_BYTES - file->bytes)
		return ERR_TOO_BIG;
	if (len == 0)
		return OK;
	err = grow(file);
	if (err)
		return err;
	piece.data = malloc(len);
	if (!piece.data)
		return ERR_NOMEM;
	nonce_of(file->count, nonce);
	err = gcm_put((const uint8_t *)secret_text(file->key), nonce, &bound, data, len, piece.data,
		      piece.tag);
	if (err) {
		free(piece.data);
		return err;
	}
	file->pieces[file->count++] = piece;
	file->bytes += len;
	return OK;
}

size_t import_file_bytes(const struct import_file *file)
{
	return file->bytes;
}

enum err import_file_read(const struct import_file *file, import_file_take *take, void *ctx)
{
	const struct gcm_bound bound = { 0 };
	_cleanup_secret_ struct secret *room = NULL;
	uint8_t nonce[GCM_NONCE];
	enum err err = secret_random(IMPORT_PIECE, &room);

	for (size_t i = 0; !err && i < file->count; i++) {
		const struct piece *piece = &file->pieces[i];

		nonce_of(i, nonce);
		err = gcm_get((const uint8_t *)secret_text(file->key), nonce, &bound, piece->data,
			      piece->len, piece->tag, secret_data(room));
		if (!err)
			err = take(ctx, secret_data(room), piece->len);
	}
	return err;
}
