#include "worker/remote/rdp/rdp_rfx.h"

#include <stdbool.h>
#include <string.h>

#include "base/util.h"

/* Block types: [MS-RDPRFX] 2.2.2.1.1, and for progressive [MS-RDPEGFX] 2.2.4.2. */
enum {
	RFX_CONTEXT_BLOCK = 0xccc3, /* from here on blocks carry a codec and a channel */
	RFX_REGION = 0xccc6,
	RFX_EXTENSION = 0xccc7,
	RFX_TILE_BLOCK = 0xcac3,
	PROGRESSIVE_FRAME_BEGIN = 0xccc1,
	PROGRESSIVE_FRAME_END = 0xccc2,
	PROGRESSIVE_REGION = 0xccc4,
	PROGRESSIVE_TILE_FIRST = 0xccc5,
	PROGRESSIVE_TILE_LAST = 0xccc7,
	BLOCK_HEADER = 6,
	RECT_BYTES = 8,
	QUANT_BYTES = 5,
	PROGRESSIVE_QUANT_BYTES = 16,
	TILE_PLACE = 3, /* in a tile: after its three quantisation indices */
};

struct reader {
	const uint8_t *data;
	size_t len;
};

/* Where the pixels go. */
struct target {
	uint32_t left, top, width, height;
	uint32_t right, bottom; /* of the rectangles, on the surface */
	uint32_t tiles;         /* of a progressive message so far */
};

/* The rectangles of a region, from upper edge to lower. */
struct spans {
	uint16_t top[RDP_RFX_MAX_RECTS], bottom[RDP_RFX_MAX_RECTS];
	size_t count;
};

static bool skip(struct reader *reader, size_t len)
{
	if (reader->len < len)
		return false;
	reader->data += len;
	reader->len -= len;
	return true;
}

static bool take_u16(struct reader *reader, uint32_t *ret)
{
	const uint8_t *data = reader->data;

	if (!skip(reader, 2))
		return false;
	*ret = (uint32_t)(data[0] | data[1] << 8);
	return true;
}

static bool take_u8(struct reader *reader, uint32_t *ret)
{
	const uint8_t *data = reader->data;

	if (!skip(reader, 1))
		return false;
	*ret = *data;
	return true;
}

/* The next block's type, and its body without the header. */
static bool take_block(struct reader *reader, uint32_t *ret_type, struct reader *ret_body)
{
	struct reader body = *reader;
	uint32_t low, high, len;

	if (!take_u16(&body, ret_type) || !take_u16(&body, &low) || !take_u16(&body, &high))
		return false;
	len = low | high << 16;
	if (len < BLOCK_HEADER || !skip(reader, len))
		return false;
	*ret_body = (struct reader){ body.data, len - BLOCK_HEADER };
	return true;
}

static size_t spanning(const struct spans *spans, uint16_t y)
{
	size_t count = 0;

	for (size_t i = 0; i < spans->count; i++)
		count += spans->top[i] <= y && y < spans->bottom[i];
	return count;
}

/* A few stripes that cross as many others make a list of all crossings. */
static bool few_pieces(const struct spans *spans)
{
	uint8_t edges[(UINT16_MAX + 1) / 8] = { 0 };
	size_t pieces = 0;

	for (size_t i = 0; i < 2 * spans->count; i++) {
		uint16_t y = i % 2 ? spans->bottom[i / 2] : spans->top[i / 2];

		if (edges[y / 8] & 1 << y % 8)
			continue;
		edges[y / 8] = (uint8_t)(edges[y / 8] | 1 << y % 8);
		pieces += spanning(spans, y);
	}
	return pieces <= RDP_RFX_MAX_PIECES;
}

static bool check_rects(struct reader *reader, uint32_t count, struct target *target)
{
	struct spans spans = { .count = count };
	uint32_t x, y, width, height;

	if (count > RDP_RFX_MAX_RECTS)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!take_u16(reader, &x) || !take_u16(reader, &y) || !take_u16(reader, &width) ||
		    !take_u16(reader, &height) || target->left + x + width > UINT16_MAX ||
		    target->top + y + height > UINT16_MAX)
			return false;
		target->right = MAX(target->right, target->left + x + width);
		target->bottom = MAX(target->bottom, target->top + y + height);
		spans.top[i] = (uint16_t)y;
		spans.bottom[i] = (uint16_t)(y + height);
	}
	return few_pieces(&spans);
}

static uint32_t tiles_over(uint32_t size)
{
	return (size + RDP_RFX_TILE - 1) / RDP_RFX_TILE;
}

/* Whole tiles that begin inside the target. */
static bool check_tiles(struct reader *reader, uint32_t count, uint32_t first_type,
			uint32_t last_type, const struct target *target)
{
	uint32_t columns = tiles_over(target->width), rows = tiles_over(target->height);
	struct reader body;
	uint32_t type, x, y;

	if (count > columns * rows)
		return false;
	while (count-- > 0)
		if (!take_block(reader, &type, &body) || type < first_type || type > last_type ||
		    !skip(&body, TILE_PLACE) || !take_u16(&body, &x) || !take_u16(&body, &y) ||
		    x >= columns || y >= rows)
			return false;
	return true;
}

static bool check_region(struct reader *body, struct target *target)
{
	uint32_t flags, count;

	return take_u8(body, &flags) && take_u16(body, &count) && check_rects(body, count, target);
}

/* TS_RFX_TILESET ([MS-RDPRFX] 2.2.2.3.4) */
static bool check_tileset(struct reader *body, const struct target *target)
{
	uint32_t quants, tile_size, count;

	if (!skip(body, 6) || !take_u8(body, &quants) || !take_u8(body, &tile_size) ||
	    !take_u16(body, &count))
		return false;
	/* Windows Server 2012 sends sets without tiles. */
	return count == 0 || (skip(body, 4 + (size_t)quants * QUANT_BYTES) &&
			      check_tiles(body, count, RFX_TILE_BLOCK, RFX_TILE_BLOCK, target));
}

enum err rdp_rfx_check(const uint8_t *data, size_t len, uint32_t left, uint32_t top, uint32_t width,
		       uint32_t height)
{
	struct target target = { .left = left, .top = top, .width = width, .height = height };
	struct reader reader = { data, len }, body;
	uint32_t type;

	/* FreeRDP leaves fewer bytes than a header unread too. */
	while (reader.len > BLOCK_HEADER) {
		bool ok = take_block(&reader, &type, &body);

		if (ok && type >= RFX_CONTEXT_BLOCK && type <= RFX_EXTENSION)
			ok = skip(&body, 2);
		if (ok && type == RFX_REGION)
			ok = check_region(&body, &target);
		else if (ok && type == RFX_EXTENSION)
			ok = check_tileset(&body, &target);
		if (!ok)
			return ERR_PROTOCOL;
	}
	return OK;
}

/* RFX_PROGRESSIVE_REGION ([MS-RDPEGFX] 2.2.4.2.1.4) */
static bool check_progressive_region(struct reader *body, struct target *target)
{
	uint32_t tile_size, rects, quants, progressive, flags, tiles;

	return take_u8(body, &tile_size) && take_u16(body, &rects) && take_u8(body, &quants) &&
	       take_u8(body, &progressive) && take_u8(body, &flags) && take_u16(body, &tiles) &&
	       skip(body, 4) && check_rects(body, rects, target) &&
	       skip(body, quants * QUANT_BYTES + progressive * PROGRESSIVE_QUANT_BYTES) &&
	       check_tiles(body, tiles, PROGRESSIVE_TILE_FIRST, PROGRESSIVE_TILE_LAST, target) &&
	       (target->tiles += tiles) <=
		       RDP_RFX_TILES_AGAIN * tiles_over(target->width) * tiles_over(target->height);
}

enum err rdp_rfx_check_progressive(const uint8_t *data, size_t len, uint32_t width, uint32_t height)
{
	struct target target = { .width = width, .height = height };
	struct reader reader = { data, len }, body;
	bool in_frame = false;
	uint32_t type;

	while (reader.len >= BLOCK_HEADER) {
		if (!take_block(&reader, &type, &body))
			return ERR_PROTOCOL;
		if (type == PROGRESSIVE_FRAME_BEGIN || type == PROGRESSIVE_FRAME_END)
			in_frame = type == PROGRESSIVE_FRAME_BEGIN;
		else if (type == PROGRESSIVE_REGION &&
			 (!in_frame || !check_progressive_region(&body, &target)))
			return ERR_PROTOCOL;
	}
	return target.right <= width && target.bottom <= height ? OK : ERR_PROTOCOL;
}
