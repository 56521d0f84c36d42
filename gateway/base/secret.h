/*
 * secret.h - passwords and keys in locked memory that is wiped when freed and left out of core
 * dumps. There is no way to print one.
 */
#ifndef SEKISHO_BASE_SECRET_H
#define SEKISHO_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct secret;

/* A copy of len bytes (0 allowed) with a NUL after them; data NULL: zeros. ERR_NOMEM; the caller
 * frees. */
nodiscard enum err secret_new(const void *data, size_t len, struct secret **ret);
/* len random bytes. */
nodiscard enum err secret_random(size_t len, struct secret **ret);
/* Reads a file of at most max bytes straight into locked memory. Errors as util_read_file. */
nodiscard enum err secret_read_file(const char *path, size_t max, struct secret **ret);

/* NULL is allowed. */
void secret_free(struct secret *secret);
void secret_freep(struct secret **secret);
#define _cleanup_secret_ __attribute__((cleanup(secret_freep)))

uint8_t *secret_data(struct secret *secret);
/* The bytes as a NUL-terminated string. */
const char *secret_text(const struct secret *secret);
size_t secret_len(const struct secret *secret);

/* Wipes memory that is not a struct secret; never optimised away. */
void secret_wipe(void *data, size_t len);

/*
 * malloc and free for libraries that copy secrets into memory of their own: every block is wiped
 * when it is freed. Blocks of the one must not be given to the free of the other.
 */
void *secret_malloc(size_t size);
void secret_malloc_free(void *data);

/* Constant time in the content. */
bool secret_equal(const void *a, const void *b, size_t len);

#endif
