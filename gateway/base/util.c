#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

bool util_streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

void util_hex(const uint8_t *data, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	text[2 * len] = 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err util_unhex(const char *text, uint8_t *ret_data, size_t len)
{
	if (strlen(text) != 2 * len)
		return ERR_INVALID;
	for (size_t i = 0; i < 2 * len; i++)
		if (hex_digit(text[i]) < 0)
			return ERR_INVALID;
	for (size_t i = 0; i < len; i++)
		ret_data[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return OK;
}

enum err util_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	intmax_t value;

	if (!*digits || strspn(digits, "0123456789") != strlen(digits))
		return ERR_INVALID;
	errno = 0;
	value = strtoimax(text, NULL, 10);
	if (errno || value < min || value > max)
		return ERR_INVALID;
	*ret = value;
	return OK;
}

/* The length of the sequence that starts here, or 0: RFC 3629 §4, shortest forms, no surrogates. */
static size_t utf8_sequence(const unsigned char *s, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (s[0] < 0x80)
		return s[0] ? 1 : 0;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (left < len)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool util_utf8_valid(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t step = utf8_sequence((const unsigned char *)text + at, len - at);

		if (!step)
			return false;
		at += step;
	}
	return true;
}

/* The code point that begins here, in valid UTF-8. */
static uint32_t code_point(const unsigned char *at, size_t len)
{
	static const uint32_t heads[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = at[0] & heads[len];

	for (size_t i = 1; i < len; i++)
		code = code << 6 | (at[i] & 0x3f);
	return code;
}

static bool is_plain(uint32_t code)
{
	static const struct {
		uint32_t from, to;
	} others[] = {
		{ 0, 0x1f },        { 0x7f, 0x9f },     { 0x061c, 0x061c }, { 0x200e, 0x200f },
		{ 0x2028, 0x202e }, { 0x2066, 0x2069 }, { 0xfff9, 0xfffb },
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (code >= others[i].from && code <= others[i].to)
			return false;
	return true;
}

bool util_text_plain(const char *text)
{
	size_t len = strlen(text), at = 0;

	while (at < len) {
		const unsigned char *here = (const unsigned char *)text + at;
		size_t step = utf8_sequence(here, len - at);

		if (!step || !is_plain(code_point(here, step)))
			return false;
		at += step;
	}
	return true;
}

bool util_text_blank(const char *text)
{
	static const char wide[] = "\xe3\x80\x80";
	size_t step = 1;

	for (; *text && step; text += step)
		step = *text == ' ' ? 1 : strncmp(text, wide, strlen(wide)) == 0 ? strlen(wide) : 0;
	return !*text;
}

void util_random(void *data, size_t len)
{
	uint8_t *at = data;

	while (len) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		at += got;
		len -= (size_t)got;
	}
}

enum err util_read_file(const char *path, size_t max, char **ret_data, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *data = NULL;
	struct stat st;
	size_t len = 0;

	if (fd < 0)
		return err_from_errno(errno);
	if (fstat(fd, &st) < 0)
		return ERR_IO;
	if (!S_ISREG(st.st_mode))
		return ERR_INVALID;
	if (st.st_size < 0 || (uintmax_t)st.st_size > max)
		return ERR_TOO_BIG;
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return ERR_NOMEM;
	while (len < (size_t)st.st_size) {
		ssize_t got = read(fd, data + len, (size_t)st.st_size - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ERR_IO;
		if (!got)
			break;
		len += (size_t)got;
	}
	data[len] = 0;
	*ret_data = util_take_ptr(data);
	*ret_len = len;
	return OK;
}

static enum err write_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t done = write(fd, data, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_from_errno(errno);
		data += done;
		len -= (size_t)done;
	}
	return fsync(fd) < 0 ? err_from_errno(errno) : OK;
}

/* The rename itself is durable only once the directory is. */
static enum err sync_directory_of(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	_cleanup_close_ int fd = -1;

	snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) : 1,
		 slash ? path : ".");
	fd = open(directory[0] ? directory : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return err_from_errno(errno);
	return OK;
}

enum err util_write_file(const char *path, const void *data, size_t len, unsigned mode)
{
	char temporary[PATH_MAX];
	_cleanup_close_ int fd = -1;
	enum err err;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
		return ERR_TOO_BIG;
	if (unlink(temporary) < 0 && errno != ENOENT)
		return err_from_errno(errno);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
	if (fd < 0)
		return err_from_errno(errno);
	err = write_all(fd, data, len);
	if (!err && rename(temporary, path) < 0)
		err = err_from_errno(errno);
	if (err) {
		unlink(temporary);
		return err;
	}
	return sync_directory_of(path);
}
