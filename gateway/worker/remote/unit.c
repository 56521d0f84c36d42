#include "worker/remote/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* ITU-T H.264, table 7-1 */
enum {
	NAL_SLICE = 1,
	NAL_IDR = 5,
	NAL_SEI = 6,
	NAL_SPS = 7,
	NAL_PPS = 8,
	NAL_DELIMITER = 9,
	NAL_FILLER = 12,
	NAL_LAYER = 20,
	NAL_DEPTH = 21,
	NAL_TYPE = 0x1f,
	FIRST_BLOCK = 0x80, /* first_mb_in_slice is 0, which is one bit */
};

/* ---- clips ------------------------------------------------------------------------------ */

static bool extends(const struct rect *to, const struct rect *by)
{
	bool right = to->y == by->y && to->height == by->height && to->x + to->width == by->x;
	bool below = to->x == by->x && to->width == by->width && to->y + to->height == by->y;
	return right || below;
}

/* Hosts name tiles of 64 pixels, row by row: runs become one, and equal runs below each other. */
static size_t join(struct rect *clips, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		struct rect clip = clips[i];
		if (kept && extends(&clips[kept - 1], &clip) && clips[kept - 1].y == clip.y)
			clips[kept - 1].width = (uint16_t)(clips[kept - 1].width + clip.width);
		else
			clips[kept++] = clip;
	}
	count = kept;
	kept = 0;
	for (size_t i = 0; i < count; i++) {
		struct rect clip = clips[i];
		if (kept && extends(&clips[kept - 1], &clip) && clips[kept - 1].x == clip.x)
			clips[kept - 1].height = (uint16_t)(clips[kept - 1].height + clip.height);
		else
			clips[kept++] = clip;
	}
	return kept;
}

static struct rect around(const struct rect *clips, size_t count)
{
	unsigned left = UINT16_MAX, top = UINT16_MAX, right = 0, bottom = 0;
	if (count == 0)
		return (struct rect){ 0 };
	for (size_t i = 0; i < count; i++) {
		left = MIN(left, (unsigned)clips[i].x);
		top = MIN(top, (unsigned)clips[i].y);
		right = MAX(right, (unsigned)clips[i].x + clips[i].width);
		bottom = MAX(bottom, (unsigned)clips[i].y + clips[i].height);
	}
	return (struct rect){ (uint16_t)left, (uint16_t)top, (uint16_t)(right - left),
			      (uint16_t)(bottom - top) };
}

bool unit_hides(const struct remote_unit *unit, const struct remote_unit *older)
{
	return unit->clip_count == 1 && unit->stream == older->stream &&
	       rect_contains(&unit->clip, &older->clip);
}

/* ---- the unit --------------------------------------------------------------------------- */

enum err unit_new(const struct rect *clips, size_t clip_count, const uint8_t *data, size_t len,
		  struct remote_unit **ret)
{
	if (len > UNIT_BYTES)
		return ERR_TOO_BIG;
	struct remote_unit *unit = malloc(sizeof(*unit) + len + UNIT_PADDING);
	struct rect *own = calloc(MAX(clip_count, (size_t)1), sizeof(*own));
	if (!unit || !own) {
		free(unit);
		free(own);
		return ERR_NOMEM;
	}
	if (clip_count)
		memcpy(own, clips, clip_count * sizeof(*own));
	*unit = (struct remote_unit){
		.refs = 1, .clips = own, .clip_count = join(own, clip_count), .len = len
	};
	unit->clip = around(own, unit->clip_count);
	if (len)
		memcpy(unit->data, data, len);
	memset(unit->data + len, 0, UNIT_PADDING);
	*ret = unit;
	return OK;
}

struct remote_unit *unit_ref(struct remote_unit *unit)
{
	unit->refs++;
	return unit;
}

void unit_unref(struct remote_unit *unit)
{
	if (!unit || --unit->refs)
		return;
	free(unit->clips);
	free(unit);
}

/* ---- what it holds ---------------------------------------------------------------------- */

struct scan {
	unsigned keys, others, sets, pictures;
	bool strange;
};

static void note(struct scan *scan, const uint8_t *nal, const uint8_t *end)
{
	unsigned type = nal[0] & NAL_TYPE;
	if (end - nal < 2 || nal[0] & 0x80)
		scan->strange = true;
	else if (type == NAL_SPS || type == NAL_PPS)
		scan->sets |= 1u << type;
	else if (type == NAL_IDR || type == NAL_SLICE) {
		scan->keys += type == NAL_IDR;
		scan->others += type == NAL_SLICE;
		scan->pictures += (nal[1] & FIRST_BLOCK) != 0;
	} else if (type != NAL_SEI && type != NAL_DELIMITER && type != NAL_FILLER)
		scan->strange = true;
}

/* The next NAL unit at or after this place: behind its start code; NULL: there is none. */
static const uint8_t *next_nal(const uint8_t *at, const uint8_t *end)
{
	for (; end - at > 3; at++) {
		at = memchr(at, 0, (size_t)(end - at));
		if (!at || end - at <= 3)
			return NULL;
		if (at[1] == 0 && at[2] == 1)
			return at + 3;
	}
	return NULL;
}

bool unit_is_modest(const uint8_t *data, size_t len, size_t most_slices)
{
	const uint8_t *end = data + len;
	size_t nals = 0, slices = 0;
	for (const uint8_t *nal = next_nal(data, end); nal; nal = next_nal(nal, end)) {
		unsigned type = nal[0] & NAL_TYPE;
		/* Also parts of slices, and those of other layers. */
		slices += (type >= NAL_SLICE && type <= NAL_IDR) || type == NAL_LAYER ||
			  type == NAL_DEPTH;
		if (++nals > UNIT_NALS || slices > most_slices)
			return false;
	}
	return true;
}

bool unit_scan(const uint8_t *data, size_t len, bool *ret_key)
{
	const unsigned both = 1u << NAL_SPS | 1u << NAL_PPS;
	const uint8_t *end = data + len, *nal = next_nal(data, end);
	struct scan scan = { 0 };
	*ret_key = false;
	/* §B.1: nothing but zeros before the first start code */
	for (const uint8_t *at = data; nal && at < nal - 3; at++)
		scan.strange = scan.strange || *at != 0;
	for (; nal; nal = next_nal(nal, end))
		note(&scan, nal, end);
	/* A start code at the end begins an empty one, which browsers do not take. */
	if (len >= 3 && memcmp(end - 3, "\0\0\1", 3) == 0)
		scan.strange = true;
	if (scan.strange || scan.pictures != 1 || (scan.keys && scan.others) ||
	    (scan.keys && scan.sets != both) || (!scan.keys && scan.sets & 1u << NAL_SPS))
		return false;
	*ret_key = scan.keys > 0;
	return true;
}
