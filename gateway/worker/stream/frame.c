#include "worker/stream/frame.h"

#include <endian.h>

#include "base/util.h"
#include "wire/wire.h"

/* struct rect and struct copy are uint16_t in the order of the wire; only a big-endian machine
 * would have to swap. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "rectangles go to the wire as they lie in memory");
_Static_assert(sizeof(struct rect) == 8, "no padding in struct rect");
_Static_assert(sizeof(struct copy) == 12, "no padding in struct copy");

enum err frame_source_init(struct frame_source *source, const struct surface *surface)
{
	*source = (struct frame_source){ .surface = surface, .keyframe = true };
	damage_init(&source->damage);
	return lossless_new(&source->lossless);
}

void frame_source_finish(struct frame_source *source)
{
	damage_finish(&source->damage);
	lossless_free(source->lossless);
	source->lossless = NULL;
}

enum err frame_source_resize(struct frame_source *source)
{
	source->keyframe = true;
	return damage_resize(&source->damage, source->surface);
}

void frame_source_refresh(struct frame_source *source)
{
	source->keyframe = true;
	damage_all(&source->damage);
}

/* A desktop of noise larger than one message: a black keyframe goes first, the pixels follow in
 * parts. */
static enum err encode_keyframe(struct frame_source *source, const struct rect *rects, size_t count,
				struct lossless_data *ret)
{
	enum err err = lossless_encode(source->lossless, source->surface, rects, count, false, ret);
	if (err != ERR_TOO_BIG)
		return err;
	err = lossless_encode(source->lossless, source->surface, rects, count, true, ret);
	if (!err)
		damage_all(&source->damage);
	return err;
}

enum err frame_next(struct frame_source *source, const struct frame_wish *wish, struct buf *message,
		    bool *ret_empty)
{
	struct damage_parts parts;
	struct lossless_data data = { 0 };
	size_t most = source->keyframe ? SIZE_MAX : (size_t)LOSSLESS_SAFE_PIXELS;
	if (wish->budget && !source->keyframe)
		most = MIN(most, wish->budget);
	damage_take(&source->damage, source->surface, most, &parts);
	*ret_empty = parts.rect_count == 0 && parts.copy_count == 0;
	if (*ret_empty)
		return OK;
	enum err err = OK;
	if (source->keyframe)
		err = encode_keyframe(source, parts.rects, parts.rect_count, &data);
	else if (parts.rect_count)
		err = lossless_encode(source->lossless, source->surface, parts.rects,
				      parts.rect_count, false, &data);
	if (err)
		return err;
	struct msg_frame frame = {
		.sequence = wish->sequence,
		.time_us = wish->now_us,
		.keyframe = source->keyframe,
		.width = (uint16_t)source->surface->width,
		.height = (uint16_t)source->surface->height,
		.copies = { (const uint8_t *)parts.copies,
			    parts.copy_count * sizeof(*parts.copies) },
		.rects = { (const uint8_t *)parts.rects, parts.rect_count * sizeof(*parts.rects) },
		.raw_size = data.raw_size,
		.data = { data.data, data.len },
	};
	err = wire_encode(MSG_frame, &frame, message);
	if (err)
		return err;
	source->keyframe = false;
	source->asked_us = wish->now_us;
	return OK;
}

uint64_t frame_refresh_us(const struct frame_source *source)
{
	return damage_waiting(&source->damage) ? source->asked_us : 0;
}
