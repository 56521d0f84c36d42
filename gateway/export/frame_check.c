#include "export/frame_check.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "export/apart.h"
#include "wire/enums.h"

enum { ENTRY = 20, ENTRY_RECT = 4, ENTRY_CLIPS = 12, ENTRY_ZERO = 14, ENTRY_LENGTH = 16 };

static unsigned u16(const uint8_t *data)
{
	return (unsigned)data[0] | (unsigned)data[1] << 8;
}

static uint32_t u32(const uint8_t *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return le32toh(value);
}

struct area frame_area(const uint8_t *data)
{
	return (struct area){ u16(data), u16(data + 2), u16(data + 4), u16(data + 6) };
}

/* Numbers of 16 bits: none of these sums and products can overflow. */
static bool inside(struct area a, struct area outer)
{
	return a.width && a.height && a.x >= outer.x && a.y >= outer.y &&
	       a.x + a.width <= outer.x + outer.width && a.y + a.height <= outer.y + outer.height;
}

static size_t pixels_of(struct area a)
{
	return (size_t)a.width * a.height;
}

static struct area desktop_of(const struct msg_frame *frame)
{
	return (struct area){ 0, 0, frame->width, frame->height };
}

/* ---- copies and rectangles -------------------------------------------------------------- */

static enum err check_copies(const struct msg_frame *frame, struct frame_plan *plan)
{
	const struct area desktop = desktop_of(frame);

	if (frame->copies.len % FRAME_COPY || (plan->resized && frame->copies.len))
		return ERR_PROTOCOL;
	for (size_t at = 0; at < frame->copies.len; at += FRAME_COPY) {
		const uint8_t *copy = frame->copies.data + at;
		const struct area to = frame_area(copy + 4);
		const struct area from = { u16(copy), u16(copy + 2), to.width, to.height };
		if (!inside(from, desktop) || !inside(to, desktop))
			return ERR_PROTOCOL;
		plan->copied += pixels_of(to);
	}
	return plan->copied <= FRAME_COPY_AREAS * pixels_of(desktop) ? OK : ERR_PROTOCOL;
}

static enum err check_rects(const struct msg_frame *frame, struct frame_plan *plan)
{
	const struct area desktop = desktop_of(frame);

	if (frame->rects.len % FRAME_RECT || frame->rects.len > FRAME_RECTS_MAX * FRAME_RECT)
		return ERR_PROTOCOL;
	for (size_t at = 0; at < frame->rects.len; at += FRAME_RECT) {
		const struct area a = frame_area(frame->rects.data + at);
		if (!inside(a, desktop))
			return ERR_PROTOCOL;
		plan->drawn += pixels_of(a);
	}
	if (plan->drawn > pixels_of(desktop) || frame->raw_size != 3 * plan->drawn)
		return ERR_PROTOCOL;
	return frame->keyframe && plan->drawn != pixels_of(desktop) ? ERR_PROTOCOL : OK;
}

/* ---- pictures --------------------------------------------------------------------------- */

static bool kind_is_right(const uint8_t *entry)
{
	const bool film = entry[0] == CODEC_H264 || entry[0] == CODEC_AVC420;

	return (film || entry[0] == CODEC_JPEG) && entry[1] < (film ? FRAME_STREAMS : 1) &&
	       entry[2] <= film && entry[3] <= (entry[0] == CODEC_AVC420) &&
	       !u16(entry + ENTRY_ZERO);
}

static enum err add_part(struct frame_plan *plan, struct area area)
{
	if (plan->part_count == FRAME_PARTS_MAX)
		return ERR_PROTOCOL;
	plan->parts[plan->part_count++] = (struct frame_part){ area, plan->picture_count };
	return OK;
}

/* Only these parts of a picture are drawn; without any, all of it, and of a hidden one nothing. */
static enum err take_clips(struct frame_plan *plan, struct frame_picture *picture,
			   const uint8_t *clips, size_t count)
{
	size_t covered = 0;
	enum err err = OK;

	picture->first_part = plan->part_count;
	if (!count && !picture->hidden)
		err = add_part(plan, picture->area);
	for (size_t i = 0; !err && i < count; i++) {
		const struct area clip = frame_area(clips + i * FRAME_RECT);
		covered += pixels_of(clip);
		err = inside(clip, picture->area) ? add_part(plan, clip) : ERR_PROTOCOL;
	}
	picture->part_count = plan->part_count - picture->first_part;
	return !err && covered > pixels_of(picture->area) ? ERR_PROTOCOL : err;
}

static enum err take_picture(struct frame_plan *plan, const struct msg_frame *frame,
			     const uint8_t *entry, size_t clips, size_t used)
{
	struct frame_picture *picture = &plan->pictures[plan->picture_count];

	*picture = (struct frame_picture){
		.codec = entry[0],
		.stream = entry[1],
		.key = entry[2],
		.hidden = entry[3],
		.area = frame_area(entry + ENTRY_RECT),
		.data = frame->picture_data.data + used,
		.len = u32(entry + ENTRY_LENGTH),
	};
	if (!kind_is_right(entry) || !inside(picture->area, desktop_of(frame)) || !picture->len ||
	    picture->len > frame->picture_data.len - used || (picture->hidden && clips))
		return ERR_PROTOCOL;
	plan->pictured += pixels_of(picture->area);
	enum err err = take_clips(plan, picture, entry + ENTRY, clips);
	plan->picture_count++;
	return err;
}

static enum err check_pictures(const struct msg_frame *frame, struct frame_plan *plan)
{
	size_t used = 0, parts = 0;
	enum err err = OK;

	if (frame->keyframe && frame->pictures.len)
		return ERR_PROTOCOL;
	for (size_t at = 0; !err && at < frame->pictures.len;) {
		const uint8_t *entry = frame->pictures.data + at;
		size_t left = frame->pictures.len - at;
		if (left < ENTRY)
			return ERR_PROTOCOL;
		size_t clips = u16(entry + ENTRY_CLIPS);
		parts += 1 + clips;
		if (clips * FRAME_RECT > left - ENTRY || parts > FRAME_PARTS_MAX)
			return ERR_PROTOCOL;
		err = take_picture(plan, frame, entry, clips, used);
		used += u32(entry + ENTRY_LENGTH);
		at += ENTRY + clips * FRAME_RECT;
	}
	if (err)
		return err;
	return used == frame->picture_data.len && plan->pictured <= pixels_of(desktop_of(frame))
		       ? OK
		       : ERR_PROTOCOL;
}

/* A stream has one picture in a frame. */
static bool streams_are_apart(const struct frame_plan *plan)
{
	unsigned streams = 0;

	for (size_t i = 0; i < plan->picture_count; i++) {
		const struct frame_picture *picture = &plan->pictures[i];
		const unsigned bit = picture->codec == CODEC_JPEG ? 0 : 1u << picture->stream;
		if (streams & bit)
			return false;
		streams |= bit;
	}
	return true;
}

/* What a picture draws overlaps neither what others draw nor the rectangles. */
static enum err check_apart(const struct msg_frame *frame, const struct frame_plan *plan)
{
	const size_t rects = frame->rects.len / FRAME_RECT;

	if (!streams_are_apart(plan))
		return ERR_PROTOCOL;
	if (!plan->part_count)
		return OK;
	_cleanup_free_ struct apart_area *areas = calloc(plan->part_count + rects, sizeof(*areas));
	if (!areas)
		return ERR_NOMEM;
	for (size_t i = 0; i < plan->part_count; i++)
		areas[i] = (struct apart_area){ plan->parts[i].area,
						(uint16_t)plan->parts[i].picture };
	for (size_t i = 0; i < rects; i++)
		areas[plan->part_count + i] =
			(struct apart_area){ frame_area(frame->rects.data + i * FRAME_RECT),
					     FRAME_PARTS_MAX };
	return apart_check(areas, plan->part_count + rects);
}
_Static_assert(FRAME_RECTS_MAX + FRAME_PARTS_MAX <= UINT16_MAX, "apart_check counts so far");

/* ---- the whole -------------------------------------------------------------------------- */

enum err frame_check(const struct msg_frame *frame, unsigned width, unsigned height,
		     struct frame_plan *ret)
{
	ret->picture_count = ret->part_count = 0;
	ret->copied = ret->drawn = ret->pictured = 0;
	ret->resized = frame->width != width || frame->height != height;
	if (!frame->width || !frame->height || frame->width > FRAME_WIDTH_MAX ||
	    frame->height > FRAME_HEIGHT_MAX || frame->keyframe > 1 ||
	    (ret->resized && !frame->keyframe))
		return ERR_PROTOCOL;
	enum err err = check_copies(frame, ret);
	if (!err)
		err = check_rects(frame, ret);
	if (!err)
		err = check_pictures(frame, ret);
	return err ? err : check_apart(frame, ret);
}
