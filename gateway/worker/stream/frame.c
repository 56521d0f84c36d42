#include "worker/stream/frame.h"

#include <endian.h>

#include "base/util.h"
#include "wire/enums.h"
#include "wire/wire.h"
#include "worker/display/forget.h"
#include "worker/encode/plan.h"

enum {
	USUAL_RATE = 600, /* bytes for 1024 exact pixels, until it is known */
	MIN_RATE = 20,
	MAX_RATE = 3 * 1024,
	NOISY_RATE = 1000,   /* text has less */
	REFRESH_RATE = 1600, /* the same of what was approximate: photos */
	/* Pixels made exact in one frame, and the desktop's share when it is large: what changes
	 * meanwhile must not wait long. */
	REFRESH_PIXELS = 512 * 1024,
	REFRESH_SHARE = 8,
	/* Bytes of a region's picture of 1920×1080 at most, and of a smaller one. */
	VIDEO_BYTES = 60000,
	VIDEO_BYTES_MIN = 15000,
	VIDEO_PIXELS = 1920 * 1080,
	EXACT_SHARE = 4,         /* of a budget, for exact pixels beside pictures */
	LARGE_REST_US = 2000000, /* after a large frame its memory goes back */
};

/* struct rect and struct copy are uint16_t in the order of the wire; only a big-endian machine
 * would have to swap. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "rectangles go to the wire as they lie in memory");
_Static_assert(sizeof(struct rect) == 8, "no padding in struct rect");
_Static_assert(sizeof(struct copy) == 12, "no padding in struct copy");
_Static_assert((int)PICTURES_JPEG == (int)CODEC_JPEG && (int)PICTURES_H264 == (int)CODEC_H264 &&
		       (int)PICTURES_AVC420 == (int)CODEC_AVC420,
	       "pictures.h says what enums.def says");

enum err frame_source_init(struct frame_source *source, const struct surface *surface)
{
	*source = (struct frame_source){ .surface = surface,
					 .keyframe = true,
					 .exact_rate = USUAL_RATE };
	damage_init(&source->damage);
	pictures_init(&source->pictures);
	return lossless_new(&source->lossless);
}

/* What belongs to one size of the desktop. */
static void forget(struct frame_source *source)
{
	parts_finish(&source->exact);
	parts_finish(&source->lossy);
	regions_finish(&source->regions);
}

void frame_source_finish(struct frame_source *source)
{
	forget(source);
	pictures_finish(&source->pictures);
	damage_finish(&source->damage);
	lossless_free(source->lossless);
	source->lossless = NULL;
}

enum err frame_source_resize(struct frame_source *source)
{
	source->keyframe = true;
	forget(source);
	enum err err = damage_resize(&source->damage, source->surface);
	if (!err)
		err = parts_init(&source->exact, &source->damage);
	if (!err)
		err = parts_init(&source->lossy, &source->damage);
	if (!err)
		err = regions_init(&source->regions, &source->damage);
	return err;
}

void frame_source_refresh(struct frame_source *source)
{
	source->keyframe = true;
	damage_all(&source->damage);
	films_forget(&source->damage);
}

/* ---- the message ------------------------------------------------------------------------ */

static enum err add_message(const struct frame_source *source, const struct frame_wish *wish,
			    const struct parts *parts, const struct lossless_data *data,
			    struct buf *message)
{
	const struct copies *copies = &source->damage.copies;
	const struct pictures *pictures = &source->pictures;
	struct msg_frame frame = {
		.sequence = wish->sequence,
		.time_us = wish->now_us,
		.keyframe = source->keyframe,
		.width = (uint16_t)source->surface->width,
		.height = (uint16_t)source->surface->height,
		.copies = { (const uint8_t *)copies->list, copies->count * sizeof(*copies->list) },
		.rects = { (const uint8_t *)parts->list, parts->count * sizeof(*parts->list) },
		.raw_size = data->raw_size,
		.data = { data->data, data->len },
		.pictures = { pictures->table.data, pictures->table.len },
		.picture_data = { pictures->data.data, pictures->data.len },
	};
	return wire_encode(MSG_frame, &frame, message);
}

/* ---- the encoder's memory --------------------------------------------------------------- */

static void note_large(struct frame_source *source, const struct lossless_data *data,
		       uint64_t now_us)
{
	if (data->raw_size > LOSSLESS_SPARE)
		source->large_us = now_us;
}

static void rest_encoder(struct frame_source *source, uint64_t now_us)
{
	if (!source->large_us || now_us - source->large_us < LARGE_REST_US)
		return;
	lossless_rest(source->lossless);
	source->large_us = 0;
}

/* ---- keyframes -------------------------------------------------------------------------- */

/*
 * One rectangle for all. A desktop of noise is larger than a message: a black keyframe goes first,
 * the pixels follow in parts.
 */
static enum err next_keyframe(struct frame_source *source, const struct frame_wish *wish,
			      struct buf *message)
{
	struct damage *damage = &source->damage;
	struct lossless_data data = { 0 };
	struct parts *parts = &source->exact;
	regions_stop(&source->regions, damage, source->surface, wish->now_us);
	damage_look(damage, source->surface, wish->now_us);
	parts_clear(parts);
	parts->list[parts->count++] = (struct rect){ .width = (uint16_t)source->surface->width,
						     .height = (uint16_t)source->surface->height };
	enum err err = lossless_encode(source->lossless, source->surface, parts->list, 1,
				       LOSSLESS_ANY, &data);
	bool blank = err == ERR_TOO_BIG;
	if (blank)
		err = lossless_encode(source->lossless, source->surface, parts->list, 1,
				      LOSSLESS_BLANK, &data);
	if (!err)
		err = add_message(source, wish, parts, &data, message);
	if (err)
		return err;
	note_large(source, &data, wish->now_us);
	parts_sent_all(damage);
	damage_settle(damage);
	if (blank)
		damage_all(damage);
	source->keyframe = false;
	return OK;
}

/* ---- pictures --------------------------------------------------------------------------- */

/* What is left of the budget when so many bytes are the frame's already; of no budget, all. */
static size_t left_of(size_t budget, size_t spent)
{
	if (!budget)
		return SIZE_MAX;
	return budget > spent ? budget - spent : 0;
}

static size_t video_budget(const struct frame_source *source, size_t number, size_t budget)
{
	const struct rect *rect = &source->damage.covers[number];
	uint64_t area = (uint64_t)rect->width * rect->height;
	size_t most = MAX((size_t)(area * VIDEO_BYTES / VIDEO_PIXELS), (size_t)VIDEO_BYTES_MIN);
	return budget ? MIN(most, budget / 2) : most;
}

static enum err add_regions(struct frame_source *source, const struct frame_wish *wish)
{
	for (size_t i = 0; i < REGIONS; i++) {
		struct region *region = &source->regions.list[i];
		uint64_t due_us;
		if (!pictures_due(&source->pictures, region, i, wish->now_us, &due_us))
			continue;
		enum err err =
			pictures_add_region(&source->pictures, source->surface, &source->damage,
					    region, i, source->codecs & CODEC_H264,
					    video_budget(source, i, wish->budget), wish->now_us);
		if (err == ERR_FULL)
			regions_refuse(&source->regions, &source->damage, source->surface, i,
				       wish->now_us);
		else if (err)
			return err;
	}
	return OK;
}

/* What is too small for a picture stays in the list. */
static enum err add_lossy(struct frame_source *source, const struct frame_wish *wish)
{
	struct pictures *pictures = &source->pictures;
	struct parts *lossy = &source->lossy;
	size_t most = wish->budget ? wish->budget - wish->budget / EXACT_SHARE : SIZE_MAX;
	size_t kept = 0;
	parts_clear(lossy);
	parts_take(lossy, &source->damage, WAY_LOSSY, SIZE_MAX);
	for (size_t i = 0; i < lossy->count; i++) {
		struct rect rect = lossy->list[i];
		if ((size_t)rect.width * rect.height < PLAN_PICTURE_MIN ||
		    pictures->count == PICTURES_MAX) {
			lossy->list[kept++] = rect;
			continue;
		}
		enum err err = pictures_add(pictures, source->surface, &rect,
					    most - MIN(most, pictures->data.len), wish->now_us);
		if (err && err != ERR_FULL)
			return err;
		if (!err)
			parts_sent(&source->damage, &rect, true, wish->now_us);
	}
	lossy->count = kept;
	return OK;
}

/* ---- exact pixels ----------------------------------------------------------------------- */

static void add_small(struct parts *parts, const struct parts *small, size_t max_pixels)
{
	for (size_t i = 0; i < small->count; i++) {
		size_t pixels = (size_t)small->list[i].width * small->list[i].height;
		if (parts->pixels + pixels > max_pixels && parts->count > 0)
			return;
		parts->list[parts->count++] = small->list[i];
		parts->pixels += pixels;
	}
}

/* New changes first, small ones before large ones, then what makes approximate pixels exact, which
 * is photos. */
static enum lossless_content take_exact(struct frame_source *source, size_t most)
{
	struct parts *parts = &source->exact;
	size_t pixels = LOSSLESS_SAFE_PIXELS, piece = REFRESH_PIXELS;
	size_t desktop = (size_t)source->surface->width * source->surface->height;
	if (most != SIZE_MAX)
		pixels = MIN(pixels, most * 1024 / source->exact_rate);
	parts_take(parts, &source->damage, WAY_EXACT, pixels);
	add_small(parts, &source->lossy, pixels);
	parts_take(parts, &source->damage, WAY_LATER, pixels);
	enum lossless_content content = most == SIZE_MAX ? LOSSLESS_ANY : LOSSLESS_TIGHT;
	size_t fresh = parts->pixels;
	if (source->exact_rate > NOISY_RATE)
		content = LOSSLESS_PHOTO;
	if (fresh >= pixels)
		return content;
	piece = MIN(MAX(piece, desktop / REFRESH_SHARE), pixels - parts->pixels);
	if (most != SIZE_MAX)
		piece = MIN(piece, (pixels - parts->pixels) * source->exact_rate / REFRESH_RATE);
	if (piece || parts->count == 0)
		parts_take(parts, &source->damage, WAY_REFRESH, parts->pixels + piece);
	return parts->pixels > 2 * fresh ? LOSSLESS_PHOTO : content;
}

static void learn_rate(struct frame_source *source, size_t len, size_t pixels)
{
	size_t rate = MIN(len * 1024 / pixels, (size_t)MAX_RATE);
	source->exact_rate = MAX((3 * source->exact_rate + rate) / 4, (size_t)MIN_RATE);
}

/* Encodes what was taken, and less of it while that is too large. */
static enum err add_exact(struct frame_source *source, size_t most, struct lossless_data *data)
{
	struct parts *parts = &source->exact;
	enum lossless_content content = take_exact(source, most);
	while (parts->count) {
		enum err err = lossless_encode(source->lossless, source->surface, parts->list,
					       parts->count, content, data);
		if (err)
			return err;
		size_t pixels = parts->pixels;
		learn_rate(source, data->len, pixels);
		if (data->len <= most ||
		    !parts_trim(parts, pixels / 8 * 7 / (data->len / (most + 1) + 1)))
			break;
	}
	return OK;
}

static void sent_exact(struct frame_source *source)
{
	for (size_t i = 0; i < source->exact.count; i++)
		parts_sent(&source->damage, &source->exact.list[i], false, 0);
}

/* ---- frames ----------------------------------------------------------------------------- */

static bool is_empty(const struct frame_source *source)
{
	return source->exact.count == 0 && source->pictures.table.len == 0 &&
	       source->damage.copies.count == 0;
}

static enum err next_changes(struct frame_source *source, const struct frame_wish *wish,
			     struct buf *message, bool *ret_empty)
{
	struct damage *damage = &source->damage;
	struct lossless_data data = { 0 };
	struct plan plan = { .now_us = wish->now_us,
			     .budget = wish->budget,
			     .jpeg = source->codecs & CODEC_JPEG };
	damage_look(damage, source->surface, wish->now_us);
	if (films_any(damage))
		regions_forget(&source->regions, damage, source->surface, wish->now_us);
	else if (source->codecs & (CODEC_JPEG | CODEC_H264))
		regions_update(&source->regions, damage, source->surface, wish->now_us,
			       wish->budget != 0);
	else
		regions_stop(&source->regions, damage, source->surface, wish->now_us);
	pictures_rest(&source->pictures, &source->regions, wish->now_us);
	rest_encoder(source, wish->now_us);
	plan_ways(damage, &source->regions, source->surface, &plan);
	parts_clear(&source->exact);
	enum err err = add_regions(source, wish);
	if (!err)
		err = add_lossy(source, wish);
	size_t most = left_of(wish->budget, source->pictures.data.len);
	most = MAX(most, wish->budget / EXACT_SHARE);
	if (!err)
		err = add_exact(source, most, &data);
	if (err)
		return err;
	note_large(source, &data, wish->now_us);
	*ret_empty = is_empty(source);
	if (!*ret_empty)
		err = add_message(source, wish, &source->exact, &data, message);
	sent_exact(source);
	damage_settle(damage);
	return err;
}

enum err frame_next(struct frame_source *source, const struct frame_wish *wish, struct buf *message,
		    bool *ret_empty)
{
	source->asked_us = wish->now_us;
	*ret_empty = true;
	if (!source->damage.tiles)
		return OK;
	pictures_clear(&source->pictures);
	if (!source->keyframe)
		return next_changes(source, wish, message, ret_empty);
	*ret_empty = false;
	return next_keyframe(source, wish, message);
}

/* ---- the PC's own video ----------------------------------------------------------------- */

void frame_film(struct frame_source *source, const struct rect *clips, size_t count,
		uint64_t now_us)
{
	struct damage *damage = &source->damage;
	if (!films_any(damage))
		regions_forget(&source->regions, damage, source->surface, now_us);
	for (size_t i = 0; i < count; i++)
		films_draw(damage, &clips[i], now_us);
}

enum err frame_next_film(struct frame_source *source, const struct frame_wish *wish,
			 const struct pictures_unit *unit, struct buf *message)
{
	const struct lossless_data none = { 0 };
	pictures_clear(&source->pictures);
	parts_clear(&source->exact);
	enum err err = pictures_add_unit(&source->pictures, unit);
	if (!err)
		err = add_message(source, wish, &source->exact, &none, message);
	/* What was moved before the unit has been, and what is moved after touches nothing of it.
	 */
	if (!err)
		copies_clear(&source->damage.copies);
	return err;
}

bool frame_can_join(const struct frame_source *source)
{
	return source->damage.tiles && !source->keyframe && !films_any(&source->damage);
}

void frame_join(struct frame_source *source)
{
	forget_unlike(&source->damage, source->surface);
	regions_renew(&source->regions);
}

void frame_settle(struct frame_source *source)
{
	films_settle(&source->damage, source->surface);
}

bool frame_waits(const struct frame_source *source, uint64_t now_us)
{
	return source->keyframe || films_awaited(&source->damage, now_us, PLAN_REFRESH_US);
}

/* The earlier of two times, of which 0 is never. */
static uint64_t sooner(uint64_t one, uint64_t other)
{
	if (!one || !other)
		return one | other;
	return MIN(one, other);
}

uint64_t frame_refresh_us(const struct frame_source *source)
{
	const struct damage *damage = &source->damage;
	size_t tiles = (size_t)damage->columns * damage->rows;
	if (damage_waiting(damage))
		return source->asked_us;
	uint64_t due = sooner(pictures_rest_us(&source->pictures),
			      regions_due_us(&source->regions, damage));
	due = sooner(due, films_due_us(damage, PLAN_REFRESH_US));
	due = sooner(due, source->large_us ? source->large_us + LARGE_REST_US : 0);
	for (size_t i = 0; i < tiles; i++)
		if (damage->tiles[i].lossy && !damage->tiles[i].filmed)
			due = sooner(due, damage->tiles[i].lossy_us + PLAN_REFRESH_US);
	for (size_t i = 0; i < REGIONS; i++) {
		uint64_t picture_us;
		(void)pictures_due(&source->pictures, &source->regions.list[i], i, 0, &picture_us);
		due = sooner(due, picture_us);
	}
	return due;
}
