#include "vault/document_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"

enum {
	NONCE = 12,
	PATH_BYTES = 400,
	/* The kernel begins with the disk so much before the end, so that the last flush is short
	 * and others need not wait for it. */
	FLUSH_EVERY = 4 * 1024 * 1024,
};

static const char label[] = "sekisho document 1"; /* with its NUL */
static const char part[] = ".part";

struct bound { /* what a piece is bound to; all of it bytes */
	char label[sizeof(label)];
	uint8_t document[8], version[8], piece[8], last;
};

/* One way of a cipher, for all pieces of a file. */
struct sealer {
	EVP_CIPHER_CTX *cipher;
	struct bound bound;
	uint64_t piece;
	uint8_t *data; /* DOCUMENT_PIECE + DOCUMENT_TAG */
};

static void put_u64(uint8_t ret[8], uint64_t value)
{
	for (int i = 0; i < 8; i++)
		ret[i] = (uint8_t)(value >> (56 - 8 * i));
}

static enum err sealer_init(struct sealer *sealer, const struct document_place *place,
			    const struct secret *key, int encrypt)
{
	if (secret_len(key) != DOCUMENT_KEY)
		return ERR_INVALID;
	memcpy(sealer->bound.label, label, sizeof(label));
	put_u64(sealer->bound.document, place->document);
	put_u64(sealer->bound.version, place->version);
	sealer->data = malloc(DOCUMENT_PIECE + DOCUMENT_TAG);
	sealer->cipher = EVP_CIPHER_CTX_new();
	if (!sealer->data || !sealer->cipher)
		return ERR_NOMEM;
	return EVP_CipherInit_ex2(sealer->cipher, EVP_aes_256_gcm(),
				  (const uint8_t *)secret_text(key), NULL, encrypt, NULL) == 1
		       ? OK
		       : ERR_CRYPTO;
}

static void sealer_finish(struct sealer *sealer)
{
	if (sealer->data)
		secret_wipe(sealer->data, DOCUMENT_PIECE + DOCUMENT_TAG);
	free(sealer->data);
	EVP_CIPHER_CTX_free(sealer->cipher); /* wipes the key */
}

/* The next piece begins: its nonce, and what it is bound to. */
static bool begin_piece(struct sealer *sealer, bool last)
{
	uint8_t nonce[NONCE] = { 0 };
	int len;

	put_u64(nonce + NONCE - 8, sealer->piece);
	put_u64(sealer->bound.piece, sealer->piece);
	sealer->bound.last = last;
	sealer->piece++;
	return EVP_CipherInit_ex2(sealer->cipher, NULL, NULL, nonce, -1, NULL) == 1 &&
	       EVP_CipherUpdate(sealer->cipher, NULL, &len, (const uint8_t *)&sealer->bound,
				sizeof(sealer->bound)) == 1;
}

/* data[0..len) in its place, with the tag behind it. */
static enum err seal_piece(struct sealer *sealer, size_t len, bool last)
{
	int done, rest;

	if (!begin_piece(sealer, last) ||
	    EVP_CipherUpdate(sealer->cipher, sealer->data, &done, sealer->data, (int)len) != 1 ||
	    EVP_CipherFinal_ex(sealer->cipher, sealer->data + done, &rest) != 1 ||
	    EVP_CIPHER_CTX_ctrl(sealer->cipher, EVP_CTRL_AEAD_GET_TAG, DOCUMENT_TAG,
				sealer->data + len) != 1)
		return ERR_CRYPTO;
	return OK;
}

/* ERR_INVALID: it is another piece, or was changed; then nothing of it is left in memory. */
static enum err open_piece(struct sealer *sealer, size_t len, bool last)
{
	int done, rest;

	if (!begin_piece(sealer, last) ||
	    EVP_CIPHER_CTX_ctrl(sealer->cipher, EVP_CTRL_AEAD_SET_TAG, DOCUMENT_TAG,
				sealer->data + len) != 1 ||
	    EVP_CipherUpdate(sealer->cipher, sealer->data, &done, sealer->data, (int)len) != 1)
		return ERR_CRYPTO;
	if (EVP_CipherFinal_ex(sealer->cipher, sealer->data + done, &rest) == 1)
		return OK;
	secret_wipe(sealer->data, len);
	return ERR_INVALID;
}

static enum err path_of(const struct document_place *place, const char *end, char path[PATH_BYTES])
{
	int len = snprintf(path, PATH_BYTES, "%s/%" PRIu64 "-%" PRIu64 "%s", place->folder,
			   place->document, place->version, end);

	return len > 0 && len < PATH_BYTES ? OK : ERR_TOO_BIG;
}

/* A name is on the disk when its folder is. */
static enum err sync_folder(const char *folder)
{
	_cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? err_from_errno(errno) : OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

struct document_writer {
	struct document_place place;
	char path[PATH_BYTES], part[PATH_BYTES];
	int fd;
	struct sealer sealer;
	uint64_t size, written, flushed;
	size_t filled; /* of the piece in the making */
	bool failed, ended;
};

static enum err writer_open(struct document_writer *writer, const struct secret *key)
{
	enum err err = path_of(&writer->place, "", writer->path);

	if (!err)
		err = path_of(&writer->place, part, writer->part);
	if (!err)
		err = sealer_init(&writer->sealer, &writer->place, key, 1);
	if (err)
		return err;
	if (unlink(writer->part) < 0 && errno != ENOENT)
		return err_from_errno(errno);
	writer->fd = open(writer->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return writer->fd < 0 ? err_from_errno(errno) : OK;
}

enum err document_writer_new(const struct document_place *place, const struct secret *key,
			     struct document_writer **ret)
{
	struct document_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return ERR_NOMEM;
	writer->place = *place;
	writer->fd = -1;
	enum err err = writer_open(writer, key);
	if (err) {
		document_writer_free(writer);
		return err;
	}
	*ret = writer;
	return OK;
}

static enum err write_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t written = write(fd, data, len);
		if (written < 0 && errno != EINTR)
			return err_from_errno(errno);
		if (written > 0) {
			data += written;
			len -= (size_t)written;
		}
	}
	return OK;
}

static enum err write_piece(struct document_writer *writer, bool last)
{
	size_t len = writer->filled + DOCUMENT_TAG;
	enum err err = seal_piece(&writer->sealer, writer->filled, last);

	if (!err)
		err = write_all(writer->fd, writer->sealer.data, len);
	if (err)
		return err;
	writer->written += len;
	writer->filled = 0;
	if (writer->written - writer->flushed < FLUSH_EVERY)
		return OK;
	/* Where the file system cannot, the last flush takes longer. */
	if (sync_file_range(writer->fd, (off_t)writer->flushed,
			    (off_t)(writer->written - writer->flushed), SYNC_FILE_RANGE_WRITE) < 0)
		log_debug("document-flush", "error=\"%s\"", strerror(errno));
	writer->flushed = writer->written;
	return OK;
}

static enum err add(struct document_writer *writer, const uint8_t *data, size_t len)
{
	enum err err = OK;

	/* A piece that is full waits for more, as the last one is another than the rest. */
	while (!err && len) {
		if (writer->filled == DOCUMENT_PIECE)
			err = write_piece(writer, false);
		if (err)
			break;
		size_t step = MIN(len, DOCUMENT_PIECE - writer->filled);
		memcpy(writer->sealer.data + writer->filled, data, step);
		writer->filled += step;
		writer->size += step;
		data += step;
		len -= step;
	}
	return err;
}

enum err document_writer_add(struct document_writer *writer, const void *data, size_t len)
{
	if (writer->failed || writer->ended)
		return ERR_WRONG_STATE;
	enum err err =
		len > DOCUMENT_BYTES_MAX - writer->size ? ERR_TOO_BIG : add(writer, data, len);
	writer->failed = err != OK;
	return err;
}

enum err document_writer_end(struct document_writer *writer)
{
	if (writer->failed || writer->ended)
		return ERR_WRONG_STATE;
	writer->failed = true;
	enum err err = write_piece(writer, true);
	if (err)
		return err;
	if (fsync(writer->fd) < 0 || rename(writer->part, writer->path) < 0)
		return err_from_errno(errno);
	writer->ended = true;
	err = sync_folder(writer->place.folder);
	if (err && unlink(writer->path) < 0)
		log_error("document-left", "file=\"%s\" error=\"%s\"", writer->path,
			  strerror(errno));
	writer->failed = err != OK;
	return err;
}

void document_writer_free(struct document_writer *writer)
{
	if (!writer)
		return;
	if (writer->fd >= 0 && !writer->ended && unlink(writer->part) < 0)
		log_error("document-left", "file=\"%s\" error=\"%s\"", writer->part,
			  strerror(errno));
	util_closep(&writer->fd);
	sealer_finish(&writer->sealer);
	free(writer);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct document_reader {
	int fd;
	struct sealer sealer;
	uint64_t left; /* bytes of the document that were not read */
	bool over;
};

/* The last piece is full where the size is a multiple of one. */
static uint64_t file_size(uint64_t size)
{
	uint64_t pieces = size ? (size + DOCUMENT_PIECE - 1) / DOCUMENT_PIECE : 1;

	return size + pieces * DOCUMENT_TAG;
}

static enum err reader_open(struct document_reader *reader, const struct document_place *place,
			    const struct secret *key)
{
	char path[PATH_BYTES];
	struct stat status;
	enum err err = path_of(place, "", path);

	if (!err)
		err = sealer_init(&reader->sealer, place, key, 0);
	if (err)
		return err;
	reader->fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (reader->fd < 0 || fstat(reader->fd, &status) < 0)
		return err_from_errno(errno);
	return S_ISREG(status.st_mode) && (uint64_t)status.st_size == file_size(reader->left)
		       ? OK
		       : ERR_INVALID;
}

enum err document_reader_new(const struct document_place *place, const struct secret *key,
			     uint64_t size, struct document_reader **ret)
{
	if (size > DOCUMENT_BYTES_MAX)
		return ERR_INVALID;
	struct document_reader *reader = calloc(1, sizeof(*reader));
	if (!reader)
		return ERR_NOMEM;
	reader->fd = -1;
	reader->left = size;
	enum err err = reader_open(reader, place, key);
	if (err) {
		document_reader_free(reader);
		return err;
	}
	*ret = reader;
	return OK;
}

static enum err read_all(int fd, uint8_t *data, size_t len)
{
	while (len) {
		ssize_t got = read(fd, data, len);
		if (got == 0)
			return ERR_INVALID; /* it became shorter */
		if (got < 0 && errno != EINTR)
			return err_from_errno(errno);
		if (got > 0) {
			data += got;
			len -= (size_t)got;
		}
	}
	return OK;
}

enum err document_reader_next(struct document_reader *reader, const uint8_t **ret, size_t *ret_len)
{
	size_t len = (size_t)MIN(reader->left, (uint64_t)DOCUMENT_PIECE);
	bool last = reader->left == len;
	enum err err = OK;

	if (!reader->over)
		err = read_all(reader->fd, reader->sealer.data, len + DOCUMENT_TAG);
	if (!err && !reader->over)
		err = open_piece(&reader->sealer, len, last);
	if (err)
		return err;
	reader->left -= len;
	reader->over = last;
	*ret = reader->sealer.data;
	*ret_len = len;
	return OK;
}

void document_reader_free(struct document_reader *reader)
{
	if (!reader)
		return;
	util_closep(&reader->fd);
	sealer_finish(&reader->sealer);
	free(reader);
}

/* ---- the folder ------------------------------------------------------------------------------ */

enum err document_file_remove(const struct document_place *place)
{
	char path[PATH_BYTES];
	enum err err = path_of(place, "", path);

	if (err)
		return err;
	return unlink(path) < 0 && errno != ENOENT ? err_from_errno(errno) : OK;
}

/* "<number>-<number>" and nothing else, as path_of writes it. */
static bool read_name(const char *name, struct document_place *ret)
{
	char again[2 * 20 + 2];

	if (sscanf(name, "%" SCNu64 "-%" SCNu64, &ret->document, &ret->version) != 2)
		return false;
	snprintf(again, sizeof(again), "%" PRIu64 "-%" PRIu64, ret->document, ret->version);
	return util_streq(again, name);
}

static bool is_part(const char *name)
{
	size_t len = strlen(name), end = strlen(part);

	return len > end && util_streq(name + len - end, part);
}

static void dir_closep(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static enum err sweep(DIR *dir, bool (*keep)(void *ctx, uint64_t document, uint64_t version),
		      void *ctx)
{
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct document_place place = { 0 };
		bool leftover = is_part(entry->d_name);
		if (entry->d_name[0] == '.')
			continue;
		if (!leftover && !read_name(entry->d_name, &place)) {
			log_warn("document-strange", "file=\"%s\"", entry->d_name);
			continue;
		}
		if (!leftover && keep(ctx, place.document, place.version))
			continue;
		log_info("document-leftover", "file=\"%s\"", entry->d_name);
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			return err_from_errno(errno);
	}
	return OK;
}

enum err document_file_sweep(const char *folder,
			     bool (*keep)(void *ctx, uint64_t document, uint64_t version),
			     void *ctx)
{
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return err_from_errno(errno);
	_cleanup_(dir_closep) DIR *dir = opendir(folder);
	return dir ? sweep(dir, keep, ctx) : err_from_errno(errno);
}
