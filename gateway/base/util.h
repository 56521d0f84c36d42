/*
 * util.h - cleanup attributes, checked arithmetic and small string helpers used everywhere.
 */
#ifndef SEKISHO_BASE_UTIL_H
#define SEKISHO_BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#ifndef MIN /* sys/param.h has the same */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#endif
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define add_overflows(a, b, ret) __builtin_add_overflow(a, b, ret)
#define mul_overflows(a, b, ret) __builtin_mul_overflow(a, b, ret)

#define _cleanup_(f) __attribute__((cleanup(f)))

static inline void util_freep(void *p)
{
	free(*(void **)p);
}
static inline void util_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void util_fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
}
#define _cleanup_free_   _cleanup_(util_freep)
#define _cleanup_close_  _cleanup_(util_closep)
#define _cleanup_fclose_ _cleanup_(util_fclosep)

/* Moves a descriptor or pointer out of a cleanup variable. */
static inline int util_take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}
#define util_take_ptr(p)                                                                           \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

bool util_streq(const char *a, const char *b);

/* text must hold 2 * len + 1 bytes. */
void util_hex(const uint8_t *data, size_t len, char *text);

/* Exactly 2 * len lower or upper case hex digits and nothing else, or ERR_INVALID. */
nodiscard enum err util_unhex(const char *text, uint8_t *ret_data, size_t len);

/* A decimal integer in [min, max] and nothing else, or ERR_INVALID. */
nodiscard enum err util_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret);

/* Well-formed UTF-8 (RFC 3629) without NUL. */
bool util_utf8_valid(const char *text, size_t len);

/* Such a text in one line that shows as it is: no control characters (C0, DEL, C1), no line or
 * paragraph separator, and none of those that reverse the direction of what follows (UAX #9), so
 * that what a person reads in a log is what is there. */
bool util_text_plain(const char *text);

/* Nothing but blanks, also the wide one (U+3000) of Japanese keyboards, or nothing at all. */
bool util_text_blank(const char *text);

/* Fills with random bytes from the kernel; ends the process if there are none. */
void util_random(void *data, size_t len);

/*
 * Reads a whole regular file of at most max bytes; the caller frees *ret_data, which has a NUL
 * after its last byte. ERR_NOT_FOUND, ERR_TOO_BIG, ERR_IO, ERR_NOMEM.
 */
nodiscard enum err util_read_file(const char *path, size_t max, char **ret_data, size_t *ret_len);

/* Writes through a temporary file, fsync and rename, with the given mode. ERR_FULL or ERR_IO. */
nodiscard enum err util_write_file(const char *path, const void *data, size_t len, unsigned mode);

#endif
