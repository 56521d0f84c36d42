#include "worker/remote/vnc/vnc_reader.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/remote/vnc/vnc.h"
#include "worker/remote/vnc/vnc_cursor.h"

#ifndef LIBVNCSERVER_HAVE_GNUTLS
#error "the TLS session of libvncclient must be GnuTLS's, as in Debian's build"
#endif

enum {
	FILLS_A_TURN = 64, /* 4 MiB, then others get their turn */
	PIXEL = 4,
	SCREEN = 16,
};

_Static_assert(VNC_GATHER_MAX + 0 >= UINT8_MAX * SCREEN + 0, "all screens of a desktop fit");

enum { /* RFC 6143 §7.6 */
       MESSAGE_UPDATE = 0,
       MESSAGE_BELL = 2,
       MESSAGE_CUT_TEXT = 3,
};

enum { /* RFC 6143 §7.7, 7.8; ExtendedDesktopSize from the community's RFB specification */
       ENCODING_RAW = 0,
       ENCODING_COPYRECT = 1,
       ENCODING_DESKTOP_SIZE = -223,
       ENCODING_CURSOR = -239,
       ENCODING_XCURSOR = -240,
       ENCODING_EXTENDED_DESKTOP_SIZE = -308,
       RESIZE_PROHIBITED = 1,
};

static bool on_message(struct vnc *vnc, const uint8_t *data);
static bool on_rect(struct vnc *vnc, const uint8_t *data);

static unsigned be16(const uint8_t *data)
{
	return (unsigned)data[0] << 8 | data[1];
}

static uint32_t be32(const uint8_t *data)
{
	return (uint32_t)be16(data) << 16 | be16(data + 2);
}

static bool gather(struct vnc *vnc, size_t need, vnc_part part)
{
	struct vnc_reader *reader = &vnc->reader;
	reader->mode = VNC_GATHER;
	reader->need = need;
	reader->have = 0;
	reader->part = part;
	return true;
}

static bool next_message(struct vnc *vnc)
{
	vnc->reader.in_message = false;
	return gather(vnc, 1, on_message);
}

static bool rubbish(struct vnc *vnc, const char *what, long value)
{
	log_warn("vnc-protocol", "what=\"%s\" value=%ld", what, value);
	return vnc_fail(vnc, END_PC_PROTOCOL);
}

/* ---- rectangles ------------------------------------------------------------------------- */

static bool next_rect(struct vnc *vnc)
{
	if (vnc->reader.rects-- > 0)
		return gather(vnc, 12, on_rect);
	vnc->asked = false;
	/* Before the frame is made, so that the PC gathers the next one meanwhile. */
	vnc_ask(vnc);
	if (vnc->reader.drawn)
		vnc->remote.events->frame_done(vnc->remote.ctx);
	return next_message(vnc);
}

/* Both sides are checked: a copy reads from the framebuffer too. */
static bool inside(const struct vnc *vnc, unsigned x, unsigned y, unsigned width, unsigned height)
{
	return x + width <= vnc->width && y + height <= vnc->height;
}

static void damaged(struct vnc *vnc, const struct vnc_rect *rect)
{
	if (rect->width == 0 || rect->height == 0)
		return;
	vnc->reader.drawn = true;
	vnc->remote.events->damaged(vnc->remote.ctx, (int)rect->x, (int)rect->y, (int)rect->width,
				    (int)rect->height);
}

static bool begin_raw(struct vnc *vnc)
{
	struct vnc_reader *reader = &vnc->reader;
	const struct vnc_rect *rect = &reader->rect;
	if (!inside(vnc, rect->x, rect->y, rect->width, rect->height))
		return rubbish(vnc, "rectangle outside the desktop", rect->width);
	if (rect->width == 0 || rect->height == 0)
		return next_rect(vnc);
	reader->mode = VNC_PIXELS;
	reader->need = (size_t)rect->width * rect->height * PIXEL;
	reader->done = 0;
	return true;
}

static bool on_copy(struct vnc *vnc, const uint8_t *data)
{
	const struct vnc_rect *rect = &vnc->reader.rect;
	unsigned from_x = be16(data), from_y = be16(data + 2);
	if (!inside(vnc, rect->x, rect->y, rect->width, rect->height) ||
	    !inside(vnc, from_x, from_y, rect->width, rect->height))
		return rubbish(vnc, "copy outside the desktop", rect->width);
	bool upwards = rect->y <= from_y;
	for (unsigned i = 0; i < rect->height; i++) {
		unsigned row = upwards ? i : rect->height - 1 - i;
		memmove(vnc->pixels + (size_t)(rect->y + row) * vnc->stride +
				(size_t)rect->x * PIXEL,
			vnc->pixels + (size_t)(from_y + row) * vnc->stride + (size_t)from_x * PIXEL,
			(size_t)rect->width * PIXEL);
	}
	if (rect->width && rect->height) {
		vnc->reader.drawn = true;
		vnc->remote.events->copied(vnc->remote.ctx, (int)from_x, (int)from_y, (int)rect->x,
					   (int)rect->y, (int)rect->width, (int)rect->height);
	}
	return next_rect(vnc);
}

static bool on_screens(struct vnc *vnc, const uint8_t *data)
{
	const struct vnc_rect *rect = &vnc->reader.rect;
	vnc->screen_id = be32(data);
	vnc->screen_flags = be32(data + 12);
	bool could = vnc->remote.can_resize;
	/* The status of an answer to our own request stands in y; on failure the size is the old
	 * one. Some servers, x11vnc among them, name their screens and never change them. */
	vnc->remote.can_resize = rect->y != RESIZE_PROHIBITED;
	if (rect->y != 0)
		log_info("vnc-resize-refused", "status=%u", rect->y);
	if (vnc->remote.can_resize != could)
		vnc->remote.events->able(vnc->remote.ctx);
	if ((rect->width != vnc->width || rect->height != vnc->height) &&
	    !vnc_take_size(vnc, rect->width, rect->height))
		return false;
	return next_rect(vnc);
}

static bool on_screen_count(struct vnc *vnc, const uint8_t *data)
{
	if (data[0] == 0)
		return rubbish(vnc, "desktop without screens", 0);
	return gather(vnc, (size_t)data[0] * SCREEN, on_screens);
}

static bool on_cursor(struct vnc *vnc, const uint8_t *data)
{
	struct vnc_reader *reader = &vnc->reader;
	const struct vnc_rect *rect = &reader->rect;
	vnc_cursor_rich(data, rect->width, rect->height, reader->cursor);
	vnc->remote.events->cursor(vnc->remote.ctx, rect->x, rect->y, rect->width, rect->height,
				   reader->cursor);
	return next_rect(vnc);
}

static bool on_xcursor(struct vnc *vnc, const uint8_t *data)
{
	struct vnc_reader *reader = &vnc->reader;
	const struct vnc_rect *rect = &reader->rect;
	vnc_cursor_two_colours(data, rect->width, rect->height, reader->cursor);
	vnc->remote.events->cursor(vnc->remote.ctx, rect->x, rect->y, rect->width, rect->height,
				   reader->cursor);
	return next_rect(vnc);
}

static bool begin_cursor(struct vnc *vnc, bool rich)
{
	const struct vnc_rect *rect = &vnc->reader.rect;
	if (rect->width > REMOTE_MAX_CURSOR || rect->height > REMOTE_MAX_CURSOR)
		return rubbish(vnc, "cursor too large", rect->width);
	if (rect->width == 0 || rect->height == 0) {
		vnc->remote.events->cursor(vnc->remote.ctx, 0, 0, 0, 0, NULL);
		return next_rect(vnc);
	}
	size_t need = rich ? vnc_cursor_rich_size(rect->width, rect->height)
			   : vnc_cursor_two_colours_size(rect->width, rect->height);
	return gather(vnc, need, rich ? on_cursor : on_xcursor);
}

static bool on_rect(struct vnc *vnc, const uint8_t *data)
{
	struct vnc_rect *rect = &vnc->reader.rect;
	*rect = (struct vnc_rect){ be16(data), be16(data + 2), be16(data + 4), be16(data + 6) };
	int32_t encoding = (int32_t)be32(data + 8);
	switch (encoding) {
	case ENCODING_RAW:
		return begin_raw(vnc);
	case ENCODING_COPYRECT:
		return gather(vnc, 4, on_copy);
	case ENCODING_CURSOR:
		return begin_cursor(vnc, true);
	case ENCODING_XCURSOR:
		return begin_cursor(vnc, false);
	case ENCODING_DESKTOP_SIZE:
		return vnc_take_size(vnc, rect->width, rect->height) && next_rect(vnc);
	case ENCODING_EXTENDED_DESKTOP_SIZE:
		return gather(vnc, 4, on_screen_count);
	default:
		return rubbish(vnc, "encoding that was not asked for", encoding);
	}
}

/* ---- messages --------------------------------------------------------------------------- */

static bool on_update(struct vnc *vnc, const uint8_t *data)
{
	vnc->reader.rects = be16(data + 1);
	vnc->reader.drawn = false;
	return next_rect(vnc);
}

/* The clipboard stays where it is: the text is thrown away unread. */
static bool on_cut_text(struct vnc *vnc, const uint8_t *data)
{
	uint32_t len = be32(data + 3);
	if (len > VNC_CUT_TEXT_MAX)
		return rubbish(vnc, "cut text too long", len);
	if (len == 0)
		return next_message(vnc);
	vnc->remote.events->clipboard(vnc->remote.ctx);
	vnc->reader.mode = VNC_SKIP;
	vnc->reader.need = len;
	return true;
}

static bool on_message(struct vnc *vnc, const uint8_t *data)
{
	vnc->reader.in_message = true;
	switch (data[0]) {
	case MESSAGE_UPDATE:
		return gather(vnc, 3, on_update);
	case MESSAGE_BELL:
		vnc->remote.events->bell(vnc->remote.ctx);
		return next_message(vnc);
	case MESSAGE_CUT_TEXT:
		return gather(vnc, 7, on_cut_text);
	default:
		return rubbish(vnc, "unknown message", data[0]);
	}
}

/* ---- bytes ------------------------------------------------------------------------------ */

void vnc_reader_init(struct vnc *vnc)
{
	vnc->reader.input_at = vnc->reader.input_len = 0;
	next_message(vnc);
}

/* What libvncclient read ahead while connecting comes first. */
static size_t take_read_ahead(struct vnc *vnc, uint8_t *data, size_t room)
{
	rfbClient *client = vnc->client;
	size_t len = MIN((size_t)client->buffered, room);
	if (len) {
		memcpy(data, client->bufoutptr, len);
		client->bufoutptr += len;
		client->buffered -= (unsigned)len;
	}
	return len;
}

static ssize_t receive(struct vnc *vnc, uint8_t *data, size_t room)
{
	ssize_t len;
	if (vnc->client->tlsSession) {
		do
			len = gnutls_record_recv(vnc->client->tlsSession, data, room);
		while (len == GNUTLS_E_INTERRUPTED);
		if (len == GNUTLS_E_AGAIN)
			errno = EAGAIN;
		else if (len < 0)
			errno = EIO;
		return len;
	}
	do
		len = recv(vnc->client->sock, data, room, MSG_DONTWAIT);
	while (len < 0 && errno == EINTR);
	return len;
}

/* False: nothing there for now, or failed. What is left unused moves to the front. */
static bool fill(struct vnc *vnc)
{
	struct vnc_reader *reader = &vnc->reader;
	size_t left = reader->input_len - reader->input_at;
	memmove(reader->input, reader->input + reader->input_at, left);
	reader->input_at = 0;
	reader->input_len = left;
	uint8_t *end = reader->input + left;
	size_t room = sizeof(reader->input) - left;
	ssize_t len = (ssize_t)take_read_ahead(vnc, end, room);
	if (len == 0)
		len = receive(vnc, end, room);
	if (len > 0) {
		reader->input_len += (size_t)len;
		vnc->progress_us = clock_mono_us();
		return true;
	}
	if (len == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
		vnc_fail(vnc, END_PC_CLOSED);
	return false;
}

static size_t available(const struct vnc_reader *reader)
{
	return reader->input_len - reader->input_at;
}

/* Puts whole pixels into the framebuffer, row by row. */
static bool place_pixels(struct vnc *vnc)
{
	struct vnc_reader *reader = &vnc->reader;
	const struct vnc_rect *rect = &reader->rect;
	while (reader->need && available(reader) >= PIXEL) {
		size_t row = reader->done / rect->width, column = reader->done % rect->width;
		size_t count = MIN(rect->width - column, available(reader) / PIXEL);
		memcpy(vnc->pixels + (rect->y + row) * vnc->stride + (rect->x + column) * PIXEL,
		       reader->input + reader->input_at, count * PIXEL);
		reader->input_at += count * PIXEL;
		reader->need -= count * PIXEL;
		reader->done += count;
	}
	if (reader->need)
		return true;
	damaged(vnc, rect);
	return next_rect(vnc);
}

static bool gather_part(struct vnc *vnc)
{
	struct vnc_reader *reader = &vnc->reader;
	size_t len = MIN(reader->need - reader->have, available(reader));
	memcpy(reader->gathered + reader->have, reader->input + reader->input_at, len);
	reader->input_at += len;
	reader->have += len;
	return reader->have < reader->need || reader->part(vnc, reader->gathered);
}

static bool skip(struct vnc *vnc)
{
	struct vnc_reader *reader = &vnc->reader;
	size_t len = MIN(reader->need, available(reader));
	reader->input_at += len;
	reader->need -= len;
	return reader->need || next_message(vnc);
}

static bool consume(struct vnc *vnc)
{
	switch (vnc->reader.mode) {
	case VNC_PIXELS:
		return place_pixels(vnc);
	case VNC_SKIP:
		return skip(vnc);
	case VNC_GATHER:
		return gather_part(vnc);
	}
	return false;
}

bool vnc_reader_run(struct vnc *vnc)
{
	struct vnc_reader *reader = &vnc->reader;
	for (int i = 0; i < FILLS_A_TURN; i++) {
		if (!fill(vnc))
			return false;
		/* Less than a pixel is left over for the next fill. */
		while (available(reader) >= (reader->mode == VNC_PIXELS ? PIXEL : 1u))
			if (!consume(vnc))
				return false;
	}
	return true;
}
