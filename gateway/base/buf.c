#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .max = max };
}

void buf_finish(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ .max = buf->max };
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
}

void buf_wipe(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->room);
	buf->len = 0;
}

enum err buf_reserve(struct buf *buf, size_t len, uint8_t **ret_end)
{
	size_t need, room;
	uint8_t *data;

	if (add_overflows(buf->len, len, &need) || need > buf->max)
		return ERR_TOO_BIG;
	if (need > buf->room) {
		room = MIN(MAX(MAX(need, buf->room + buf->room / 2), (size_t)64), buf->max);
		data = malloc(room);
		if (!data)
			return ERR_NOMEM;
		if (buf->data) {
			/* realloc would leave an unwiped copy of what may be a secret. */
			memcpy(data, buf->data, buf->len);
			explicit_bzero(buf->data, buf->room);
			free(buf->data);
		}
		buf->data = data;
		buf->room = room;
	}
	*ret_end = buf->data + buf->len;
	return OK;
}

enum err buf_add(struct buf *buf, const void *data, size_t len)
{
	uint8_t *end;
	enum err err;

	if (!len)
		return OK;
	err = buf_reserve(buf, len, &end);
	if (err)
		return err;
	memcpy(end, data, len);
	buf->len += len;
	return OK;
}

enum err buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list args;
	uint8_t *end;
	enum err err;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		return ERR_INVALID;
	err = buf_reserve(buf, (size_t)len + 1, &end);
	if (err)
		return err;
	va_start(args, fmt);
	vsnprintf((char *)end, (size_t)len + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)len;
	return OK;
}
