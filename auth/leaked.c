#include "auth/leaked.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/secret.h"
#include "base/util.h"

enum {
	HASH_BYTES = 20, /* SHA-1: the format of the lists that exist, not a protection */
	HASH_DIGITS = 2 * HASH_BYTES,
	LINE_MAX_BYTES = 64, /* digits, ':', a count, CR LF */
};

/* A line of the file; next is the offset of the one after it. */
struct line {
	char text[LINE_MAX_BYTES + 1];
	off_t start, next;
};

static enum err read_at(int fd, off_t offset, char *data, size_t room, size_t *ret_len)
{
	ssize_t got;

	do
		got = pread(fd, data, room, offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return ERR_IO;
	*ret_len = (size_t)got;
	return OK;
}

/* The first line that starts at offset or later; ret->start is -1 when there is none before end. */
static enum err line_from(int fd, off_t offset, off_t end, struct line *ret)
{
	char data[2 * LINE_MAX_BYTES + 2];
	size_t len, skip = 0;
	/* A line starts at offset when the byte before ends another one. */
	off_t from = offset > 0 ? offset - 1 : 0;
	enum err err = read_at(fd, from, data, sizeof(data), &len);

	if (err)
		return err;
	if (offset > 0) {
		const char *newline = memchr(data, '\n', MIN(len, (size_t)LINE_MAX_BYTES + 1));
		if (!newline && len > LINE_MAX_BYTES)
			return ERR_INVALID;
		skip = newline ? (size_t)(newline - data) + 1 : len;
	}
	ret->start = from + (off_t)skip;
	if (ret->start >= end || skip >= len) {
		ret->start = -1;
		return OK;
	}
	const char *newline = memchr(data + skip, '\n', len - skip);
	size_t text_len = newline ? (size_t)(newline - data) - skip : len - skip;
	if (text_len > LINE_MAX_BYTES)
		return ERR_INVALID;
	memcpy(ret->text, data + skip, text_len);
	ret->text[text_len] = '\0';
	ret->next = ret->start + (off_t)text_len + 1;
	return OK;
}

static bool is_hash_line(const char *text)
{
	size_t digits = strspn(text, "0123456789abcdefABCDEF");

	return digits == HASH_DIGITS && strchr(":\r", text[digits]);
}

/* Bisects over byte offsets; low is always the start of a line. */
static enum err search(int fd, off_t size, const char *digits, bool *ret_found)
{
	off_t low = 0, high = size;
	struct line line;

	while (low < high) {
		off_t middle = low + (high - low) / 2;
		enum err err = line_from(fd, middle, high, &line);
		if (err)
			return err;
		if (line.start < 0) {
			high = middle;
			continue;
		}
		if (!is_hash_line(line.text))
			return ERR_INVALID;
		int order = strncasecmp(digits, line.text, HASH_DIGITS);
		if (order == 0) {
			*ret_found = true;
			return OK;
		}
		if (order > 0)
			low = line.next;
		else
			high = middle;
	}
	*ret_found = false;
	return OK;
}

enum err leaked_find(const char *path, const char *password, size_t len, bool *ret_found)
{
	uint8_t hash[HASH_BYTES];
	char digits[HASH_DIGITS + 1];
	struct stat status;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_from_errno(errno);
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return ERR_IO;
	if (!EVP_Digest(password, len, hash, NULL, EVP_sha1(), NULL))
		return ERR_CRYPTO;
	util_hex(hash, sizeof(hash), digits);
	enum err err = search(fd, status.st_size, digits, ret_found);
	secret_wipe(hash, sizeof(hash));
	secret_wipe(digits, sizeof(digits));
	return err;
}
