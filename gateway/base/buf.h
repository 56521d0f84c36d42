/*
 * buf.h - one growable byte buffer with a ceiling.
 */
#ifndef SEKISHO_BASE_BUF_H
#define SEKISHO_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
	uint8_t *data; /* owned; NULL while nothing was ever added */
	size_t len;
	size_t room; /* allocated */
	size_t max;  /* the ceiling, fixed at init */
};

void buf_init(struct buf *buf, size_t max);

/* Frees without wiping; use buf_wipe first when it held a secret. */
void buf_finish(struct buf *buf);

/* Empties but keeps the memory. */
void buf_clear(struct buf *buf);

/* Overwrites all allocated bytes with zero and empties. */
void buf_wipe(struct buf *buf);

/* ERR_TOO_BIG past the ceiling, ERR_NOMEM; on failure the buffer is as it was. */
nodiscard enum err buf_add(struct buf *buf, const void *data, size_t len);
nodiscard enum err buf_printf(struct buf *buf, const char *fmt, ...) printf_like(2, 3);

/* Makes room for len more bytes and returns where they go; the caller then adds to buf->len. */
nodiscard enum err buf_reserve(struct buf *buf, size_t len, uint8_t **ret_end);

/* Cleanup attribute for a struct buf on the stack. */
#define _cleanup_buf_ __attribute__((cleanup(buf_finish)))

#endif
