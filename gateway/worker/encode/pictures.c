#include "worker/encode/pictures.h"

#include <endian.h>
#include <string.h>

#include "base/util.h"
#include "worker/display/parts.h"

enum {
	ENTRY = 20,          /* bytes of a picture in the table, without its clip rectangles */
	INTERVAL_US = 15000, /* between two pictures of a region at least */
	REST_US = 3000000,   /* a JPEG encoder not used for so long gives its memory back */
	USUAL_RATE = 300,    /* bytes for 1024 pixels at the usual quality */
	MIN_RATE = 20,
	CLIPS_MAX = 900,               /* of one picture; viewers take 2048 in a frame */
	PIXELS_MAX = 16 * 1024 * 1024, /* of one JPEG */
};

struct entry {
	uint8_t codec, stream, key, hidden;
	struct rect rect;
	const struct rect *clips;
	size_t clip_count;
	const uint8_t *data;
	size_t len;
};

void pictures_init(struct pictures *pictures)
{
	*pictures = (struct pictures){ .jpeg_rate = USUAL_RATE };
	buf_init(&pictures->table, PICTURES_TABLE);
	buf_init(&pictures->data, PICTURES_DATA);
}

static void end_stream(struct pictures_stream *stream)
{
	video_free(stream->video);
	*stream = (struct pictures_stream){ 0 };
}

void pictures_finish(struct pictures *pictures)
{
	for (size_t i = 0; i < REGIONS; i++)
		end_stream(&pictures->streams[i]);
	jpeg_free(pictures->jpeg);
	pictures->jpeg = NULL;
	buf_finish(&pictures->table);
	buf_finish(&pictures->data);
}

void pictures_clear(struct pictures *pictures)
{
	buf_clear(&pictures->table);
	buf_clear(&pictures->data);
	pictures->count = 0;
}

void pictures_rest(struct pictures *pictures, const struct regions *regions, uint64_t now_us)
{
	for (size_t i = 0; i < REGIONS; i++)
		if (regions->list[i].state == REGION_NONE && pictures->streams[i].video)
			end_stream(&pictures->streams[i]);
	if (!pictures->jpeg || now_us - pictures->used_us < REST_US)
		return;
	jpeg_free(pictures->jpeg);
	pictures->jpeg = NULL;
}

uint64_t pictures_rest_us(const struct pictures *pictures)
{
	return pictures->jpeg ? pictures->used_us + REST_US : 0;
}

/* The table's integers are little-endian; struct rect lies in memory as on the wire (frame.c). */
static enum err add_entry(struct pictures *pictures, const struct entry *entry)
{
	const uint16_t clips = htole16((uint16_t)entry->clip_count);
	const uint32_t len = htole32((uint32_t)entry->len);
	size_t clip_size = entry->clip_count * sizeof(*entry->clips);
	uint8_t head[ENTRY] = { entry->codec, entry->stream, entry->key, entry->hidden };
	memcpy(head + 4, &entry->rect, sizeof(entry->rect));
	memcpy(head + 12, &clips, sizeof(clips));
	memcpy(head + 16, &len, sizeof(len));
	if (pictures->table.len + ENTRY + clip_size > PICTURES_TABLE ||
	    pictures->data.len + entry->len > PICTURES_DATA)
		return ERR_FULL;
	enum err err = buf_add(&pictures->data, entry->data, entry->len);
	if (!err)
		err = buf_add(&pictures->table, head, sizeof(head));
	if (!err && clip_size)
		err = buf_add(&pictures->table, entry->clips, clip_size);
	return err;
}

/* ---- JPEG ------------------------------------------------------------------------------- */

/* As good as fits; a little worse is smaller by half. */
static unsigned quality_for(const struct pictures *pictures, size_t pixels, size_t max_bytes)
{
	size_t likely = pixels / 1024 * pictures->jpeg_rate;
	if (likely <= max_bytes)
		return JPEG_QUALITY;
	return likely / 3 * 2 <= max_bytes ? JPEG_QUALITY_LOW : JPEG_QUALITY_LEAST;
}

static size_t size_of(const struct rect *rect)
{
	return (size_t)rect->width * rect->height;
}

/* Encodes, and learns how large pictures are. */
static enum err encode(struct pictures *pictures, const struct surface *surface,
		       const struct rect *rect, unsigned quality, struct entry *ret)
{
	*ret = (struct entry){ .codec = PICTURES_JPEG, .rect = *rect };
	enum err err = pictures->jpeg ? OK : jpeg_new(&pictures->jpeg);
	if (!err)
		err = jpeg_encode(pictures->jpeg, surface, rect, quality, &ret->data, &ret->len);
	if (err)
		return err;
	if (quality == JPEG_QUALITY && size_of(rect) >= 1024) {
		size_t rate = ret->len / (size_of(rect) / 1024);
		pictures->jpeg_rate = MAX((3 * pictures->jpeg_rate + rate) / 4, (size_t)MIN_RATE);
	}
	return OK;
}

enum err pictures_add(struct pictures *pictures, const struct surface *surface, struct rect *rect,
		      size_t max_bytes, uint64_t now_us)
{
	struct entry entry;
	bool first = pictures->data.len == 0;
	if (pictures->count >= PICTURES_MAX)
		return ERR_FULL;
	pictures->used_us = now_us;
	max_bytes = MIN(max_bytes, PICTURES_DATA - pictures->data.len);
	parts_cut(rect, PIXELS_MAX);
	for (;;) {
		unsigned quality = quality_for(pictures, size_of(rect), max_bytes);
		size_t before = size_of(rect);
		enum err err = encode(pictures, surface, rect, quality, &entry);
		if (err)
			return err;
		if (entry.len <= max_bytes)
			break;
		/* A tenth less than seems to fit, so that there are few tries. */
		parts_cut(rect, before / 10 * 9 / (entry.len / (max_bytes + 1) + 1));
		if (size_of(rect) < before)
			continue;
		if (!first)
			return ERR_FULL;
		break;
	}
	pictures->count++;
	return add_entry(pictures, &entry);
}

/* ---- regions ---------------------------------------------------------------------------- */

bool pictures_due(const struct pictures *pictures, const struct region *region, size_t number,
		  uint64_t now_us, uint64_t *ret_due_us)
{
	*ret_due_us = 0;
	if (region->state != REGION_RUNNING || !region->changed)
		return false;
	*ret_due_us = pictures->streams[number].drawn_us + INTERVAL_US;
	return *ret_due_us <= now_us;
}

/* The covered parts as rectangles: runs along the rows of tiles, joined downwards. None when
 * everything is covered. false: there are too many. */
static bool find_clips(const struct damage *damage, const struct region *region, size_t number,
		       struct rect *clips, size_t *ret_count)
{
	const struct rect *box = &region->box;
	size_t count = 0, holes = 0, above = 0;
	for (unsigned row = box->y; row < (unsigned)box->y + box->height; row++) {
		size_t first = count, at = (size_t)row * damage->columns + box->x;
		for (size_t i = at; i < at + box->width; i++) {
			struct rect part = damage_covered(damage, i);
			struct rect *last = count > first ? &clips[count - 1] : NULL;
			if (damage->tiles[i].cover != number + 1) {
				holes++;
			} else if (last && last->x + last->width == part.x) {
				last->width = (uint16_t)(last->width + part.width);
			} else {
				if (count == CLIPS_MAX)
					return false;
				clips[count++] = part;
			}
		}
		/* One run in both rows: the usual case of a film with a bar beside it. */
		if (count - first == 1 && first - above == 1 && clips[first].x == clips[above].x &&
		    clips[first].width == clips[above].width &&
		    clips[above].y + clips[above].height == clips[first].y) {
			clips[above].height = (uint16_t)(clips[above].height + clips[first].height);
			count = first;
		} else {
			above = first;
		}
	}
	*ret_count = holes ? count : 0;
	return true;
}

/* The streams together have got too long, and this one has its share in it. */
static bool is_long(const struct pictures *pictures, const struct pictures_stream *stream)
{
	size_t all = 0, streams = 0;
	for (size_t i = 0; i < REGIONS; i++) {
		all += pictures->streams[i].replay;
		streams += pictures->streams[i].replay > 0;
	}
	return all >= PICTURES_REPLAY && stream->replay * streams >= all &&
	       stream->replayed >= PICTURES_REPLAY_LEAST;
}

static void count_replay(struct pictures_stream *stream, const struct rect *rect, bool key)
{
	if (key)
		stream->replay = stream->replayed = 0;
	stream->replay += size_of(rect) + PICTURES_REPLAY_EACH;
	stream->replayed++;
}

static enum err encode_h264(struct pictures *pictures, const struct surface *surface,
			    const struct rect *rect, const struct region *region, size_t number,
			    size_t budget, struct entry *ret)
{
	struct pictures_stream *stream = &pictures->streams[number];
	struct video_picture picture;
	bool key = stream->start != region->start || is_long(pictures, stream);
	enum err err = OK;
	if (stream->video && !video_fits(stream->video, rect->width, rect->height))
		end_stream(stream);
	if (!stream->video)
		err = video_new(rect->width, rect->height, budget, &stream->video);
	if (!err)
		err = video_encode(stream->video, surface, rect->x, rect->y, key, budget, &picture);
	if (err) {
		end_stream(stream);
		return err;
	}
	stream->start = region->start;
	count_replay(stream, rect, picture.key);
	*ret = (struct entry){ .codec = PICTURES_H264,
			       .stream = (uint8_t)number,
			       .key = picture.key,
			       .rect = *rect,
			       .data = picture.data,
			       .len = picture.len };
	return OK;
}

enum err pictures_add_region(struct pictures *pictures, const struct surface *surface,
			     const struct damage *damage, struct region *region, size_t number,
			     bool h264, size_t budget, uint64_t now_us)
{
	const struct rect *rect = &damage->covers[number];
	struct rect clips[CLIPS_MAX];
	struct entry entry;
	size_t count;
	if (!find_clips(damage, region, number, clips, &count))
		return ERR_FULL;
	enum err err = ERR_UNAVAILABLE;
	if (h264)
		err = encode_h264(pictures, surface, rect, region, number, budget, &entry);
	if (err) {
		pictures->used_us = now_us;
		err = encode(pictures, surface, rect, quality_for(pictures, size_of(rect), budget),
			     &entry);
	}
	if (!err) {
		entry.clips = clips;
		entry.clip_count = count;
		err = add_entry(pictures, &entry);
	}
	if (err) {
		/* What the viewer's decoder has not seen, the next picture must not build on. */
		end_stream(&pictures->streams[number]);
		return err;
	}
	pictures->streams[number].drawn_us = now_us;
	region->changed = false;
	return OK;
}

/* ---- the PC's own ----------------------------------------------------------------------- */

enum err pictures_add_unit(struct pictures *pictures, const struct pictures_unit *unit)
{
	const struct entry entry = { .codec = PICTURES_AVC420,
				     .stream = PICTURES_STREAM,
				     .key = unit->key,
				     .hidden = unit->hidden,
				     .rect = unit->rect,
				     .clips = unit->clips,
				     .clip_count = unit->hidden ? 0 : unit->clip_count,
				     .data = unit->data,
				     .len = unit->len };
	if (unit->clip_count > PICTURES_CLIPS)
		return ERR_FULL;
	return add_entry(pictures, &entry);
}
