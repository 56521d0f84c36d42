#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/util.h"

/* One mapping per secret: nothing else shares its pages, so locking and wiping are exact. */
struct secret {
	size_t len;
	size_t mapped;
	uint8_t data[];
};

static enum err allocate(size_t len, struct secret **ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), need;
	struct secret *secret;

	if (add_overflows(len, sizeof(struct secret) + 1 + page - 1, &need))
		return ERR_TOO_BIG;
	need -= need % page;
	secret = mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (secret == MAP_FAILED)
		return ERR_NOMEM;
	/* Both may be refused (RLIMIT_MEMLOCK, old kernels); the wipe on free holds in any case. */
	if (mlock(secret, need) < 0 || madvise(secret, need, MADV_DONTDUMP) < 0)
		errno = 0;
	secret->len = len;
	secret->mapped = need;
	*ret = secret;
	return OK;
}

enum err secret_new(const void *data, size_t len, struct secret **ret)
{
	enum err err = allocate(len, ret);

	if (!err && len && data)
		memcpy((*ret)->data, data, len);
	return err;
}

enum err secret_random(size_t len, struct secret **ret)
{
	enum err err = allocate(len, ret);

	if (!err)
		util_random((*ret)->data, len);
	return err;
}

enum err secret_read_file(const char *path, size_t max, struct secret **ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_secret_ struct secret *secret = NULL;
	struct stat st;
	enum err err;

	if (fd < 0)
		return err_from_errno(errno);
	if (fstat(fd, &st) < 0)
		return ERR_IO;
	if (!S_ISREG(st.st_mode))
		return ERR_INVALID;
	if (st.st_size < 0 || (uintmax_t)st.st_size > max)
		return ERR_TOO_BIG;
	err = allocate((size_t)st.st_size, &secret);
	if (err)
		return err;
	for (size_t at = 0; at < secret->len;) {
		ssize_t got = read(fd, secret->data + at, secret->len - at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_IO;
		at += (size_t)got;
	}
	*ret = util_take_ptr(secret);
	return OK;
}

void secret_free(struct secret *secret)
{
	size_t mapped;

	if (!secret)
		return;
	mapped = secret->mapped;
	explicit_bzero(secret, mapped);
	munmap(secret, mapped);
}

void secret_freep(struct secret **secret)
{
	secret_free(*secret);
	*secret = NULL;
}

uint8_t *secret_data(struct secret *secret)
{
	return secret->data;
}

const char *secret_text(const struct secret *secret)
{
	return (const char *)secret->data;
}

size_t secret_len(const struct secret *secret)
{
	return secret->len;
}

void secret_wipe(void *data, size_t len)
{
	explicit_bzero(data, len);
}

/* The size in front, so that it is known how much to wipe. */
union block {
	size_t size;
	max_align_t align;
};

void *secret_malloc(size_t size)
{
	union block *block;
	size_t total;

	if (add_overflows(size, sizeof(*block), &total))
		return NULL;
	block = malloc(total);
	if (!block)
		return NULL;
	block->size = size;
	return block + 1;
}

void secret_malloc_free(void *data)
{
	union block *block;

	if (!data)
		return;
	block = (union block *)data - 1;
	secret_wipe(data, block->size);
	free(block);
}

bool secret_equal(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t different = 0;

	for (size_t i = 0; i < len; i++)
		different |= x[i] ^ y[i];
	return different == 0;
}
