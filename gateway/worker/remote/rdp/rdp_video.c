#include "worker/remote/rdp/rdp_video.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/util.h"
#include "worker/remote/rdp/rdp.h"
#include "worker/remote/rdp/rdp_gfx.h"
#include "worker/remote/rdp/rdp_h264.h"

enum {
	COST_FIRST_US = 5000, /* of a unit, until it is known */
	PAINT_AREAS = 16,     /* one unit draws at most so many times its surface */
	BLOCK = 16,
	SLICE_BLOCKS =
		1 << 20, /* that all slices of a unit draw at most, where they are more than rows */
};

static void on_timer(struct loop_timer *timer);

void rdp_video_init(struct rdp_remote *rdp)
{
	rdp->video = (struct rdp_video){ 0 };
	loop_timer_init(rdp->remote.loop, &rdp->video.timer, on_timer);
}

static const struct rdp_video_waiting *waiting_at(const struct rdp_video *video, size_t i)
{
	return &video->waiting[(video->first + i) % RDP_VIDEO_UNITS];
}

static uint64_t cost_of(const struct rdp_surface *surface)
{
	return surface->unit_us ? surface->unit_us : COST_FIRST_US;
}

/* There is room for it. */
static void push(struct rdp_video *video, struct remote_unit *unit, uint64_t cost_us)
{
	video->waiting[(video->first + video->count) % RDP_VIDEO_UNITS] =
		(struct rdp_video_waiting){ unit, cost_us };
	video->count++;
	video->bytes += unit->len;
	video->cost_us += cost_us;
}

static struct rdp_video_waiting shift(struct rdp_video *video)
{
	const struct rdp_video_waiting first = video->waiting[video->first];
	video->first = (video->first + 1) % RDP_VIDEO_UNITS;
	video->count--;
	video->bytes -= first.unit->len;
	video->cost_us -= first.cost_us;
	return first;
}

static void forget(struct rdp_video *video)
{
	while (video->count)
		unit_unref(shift(video).unit);
}

void rdp_video_finish(struct rdp_remote *rdp)
{
	loop_timer_cancel(&rdp->video.timer);
	forget(&rdp->video);
	rdp->video.wanted = false;
}

/* ---- decoding --------------------------------------------------------------------------- */

static enum err draw(struct rdp_remote *rdp, struct rdp_surface *surface,
		     const struct remote_unit *unit)
{
	enum err err = rdp_surfaces_write(surface, (uint32_t)unit->clip.x + unit->clip.width,
					  (uint32_t)unit->clip.y + unit->clip.height);
	for (size_t i = 0; !err && i < unit->clip_count; i++) {
		const struct rect *clip = &unit->clips[i];
		uint8_t *pixels =
			surface->data + clip->y * surface->stride + (size_t)clip->x * SURFACE_PIXEL;
		err = rdp_h264_draw(surface->h264, clip, pixels, surface->stride);
	}
	for (size_t i = 0; !err && i < unit->clip_count; i++) {
		const struct rect *clip = &unit->clips[i];
		const RECTANGLE_16 drawn = { clip->x, clip->y, (UINT16)(clip->x + clip->width),
					     (UINT16)(clip->y + clip->height) };
		struct rect shown;
		(void)rdp_surfaces_show(&rdp->surfaces, surface, &drawn, &shown);
	}
	return err;
}

/* What a later unit draws over needs no pixels. */
static bool is_hidden(const struct rdp_video *video, const struct remote_unit *unit)
{
	for (size_t i = 0; i < video->count; i++)
		if (unit_hides(waiting_at(video, i)->unit, unit))
			return true;
	return false;
}

static enum err decode(struct rdp_remote *rdp, struct rdp_surface *surface,
		       const struct remote_unit *unit)
{
	struct rdp_video *video = &rdp->video;
	uint64_t begin = clock_mono_us();
	enum err err = OK;
	if (!surface->h264)
		err = rdp_h264_new(surface->width, surface->height, &surface->h264);
	if (!err)
		err = rdp_h264_decode(surface->h264, unit->data, unit->len);
	surface->unit_us = MAX((7 * cost_of(surface) + clock_mono_us() - begin) / 8, (uint64_t)1);
	return !err && !is_hidden(video, unit) ? draw(rdp, surface, unit) : err;
}

static void announce(struct rdp_remote *rdp, const struct rdp_surface *surface,
		     const struct remote_unit *unit)
{
	if (rdp->surfaces.shown)
		rdp_gfx_painted(rdp);
	if (surface->mapped)
		rdp_events(rdp)->decoded(rdp->remote.ctx, unit);
}

static struct rdp_surface *surface_of(const struct rdp_remote *rdp, const struct remote_unit *unit)
{
	const struct rdp_surfaces *surfaces = &rdp->surfaces;
	for (size_t i = 0; i < surfaces->count; i++)
		if (surfaces->list[i]->stream == unit->stream)
			return surfaces->list[i];
	return NULL;
}

static enum err decode_first(struct rdp_remote *rdp)
{
	struct rdp_video *video = &rdp->video;
	struct remote_unit *unit = shift(video).unit;
	struct rdp_surface *surface = surface_of(rdp, unit);
	enum err err = surface ? decode(rdp, surface, unit) : ERR_INTERNAL;
	if (!video->count && !video->busy)
		video->wanted = false;
	if (!err)
		announce(rdp, surface, unit);
	unit_unref(unit);
	return err;
}

enum err rdp_video_settle(struct rdp_remote *rdp)
{
	enum err err = OK;
	while (!err && rdp->video.count)
		err = decode_first(rdp);
	return err;
}

static bool touches(const struct rect *clip, unsigned left, unsigned top, unsigned right,
		    unsigned bottom)
{
	return clip->x < right && left < (unsigned)clip->x + clip->width && clip->y < bottom &&
	       top < (unsigned)clip->y + clip->height;
}

enum err rdp_video_settle_at(struct rdp_remote *rdp, uint32_t surface, unsigned left, unsigned top,
			     unsigned right, unsigned bottom)
{
	const struct rdp_video *video = &rdp->video;
	const struct rdp_surface *touched = rdp_surfaces_find(&rdp->surfaces, surface);
	for (size_t i = 0; touched && i < video->count; i++) {
		const struct remote_unit *unit = waiting_at(video, i)->unit;
		if (unit->stream == touched->stream &&
		    touches(&unit->clip, left, top, right, bottom))
			return rdp_video_settle(rdp);
	}
	return OK;
}

static void on_timer(struct loop_timer *timer)
{
	struct rdp_remote *rdp = container_of(timer, struct rdp_remote, video.timer);
	uint64_t until = clock_mono_us() + RDP_VIDEO_SLICE_US;
	enum err err = OK;
	while (!err && rdp->video.count && rdp->video.wanted && clock_mono_us() < until)
		err = decode_first(rdp);
	if (err) {
		rdp_fail(rdp, err == ERR_NOMEM ? END_GATEWAY : END_PC_PROTOCOL);
		loop_timer_set(&rdp->deadline, 0);
	} else if (rdp->video.count && rdp->video.wanted) {
		loop_timer_set(timer, 0);
	}
}

bool rdp_video_want(struct rdp_remote *rdp)
{
	struct rdp_video *video = &rdp->video;
	if (!video->count && !video->busy)
		return true;
	if (!video->wanted)
		loop_timer_set(&video->timer, 0);
	video->wanted = true;
	return false;
}

/* ---- commands --------------------------------------------------------------------------- */

/* The rectangles that are not empty. ERR_PROTOCOL for those outside, and for too many pixels. */
static enum err read_clips(const struct rdp_surface *surface, const RDPGFX_H264_METABLOCK *meta,
			   struct rect *clips, size_t *ret_count)
{
	uint64_t pixels = 0;
	size_t count = 0;
	for (UINT32 i = 0; i < meta->numRegionRects; i++) {
		const RECTANGLE_16 *from = &meta->regionRects[i];
		if (from->left > from->right || from->top > from->bottom ||
		    from->right > surface->width || from->bottom > surface->height)
			return ERR_PROTOCOL;
		if (from->left == from->right || from->top == from->bottom)
			continue;
		clips[count] =
			(struct rect){ from->left, from->top, (uint16_t)(from->right - from->left),
				       (uint16_t)(from->bottom - from->top) };
		pixels += (uint64_t)clips[count].width * clips[count].height;
		count++;
	}
	*ret_count = count;
	return pixels > (uint64_t)PAINT_AREAS * surface->width * surface->height ? ERR_PROTOCOL
										 : OK;
}

/* Viewers take clips that do not overlap, on the desktop. */
static bool has_place(const struct rdp_surface *surface, const struct remote_unit *unit)
{
	uint64_t pixels = 0;
	for (size_t i = 0; i < unit->clip_count; i++)
		pixels += (uint64_t)unit->clips[i].width * unit->clips[i].height;
	return surface->mapped && surface->x <= UINT16_MAX && surface->y <= UINT16_MAX &&
	       unit->clip_count > 0 && pixels <= (uint64_t)surface->width * surface->height;
}

/* What builds on a key unit is as large as that. */
static bool has_size(const struct rdp_surface *surface, const struct remote_unit *unit)
{
	return !unit->key || rdp_h264_fits(unit->data, unit->len, surface->width, surface->height);
}

/*
 * A slice for each row of blocks is what encoders make at most; small pictures may have more. That
 * bounds the time of one unit to some tenths of a second.
 */
static size_t most_slices(const struct rdp_surface *surface)
{
	size_t columns = surface->width / BLOCK + 1, rows = surface->height / BLOCK + 1;
	return MAX(SLICE_BLOCKS / (columns * rows), rows);
}

/* The unit, with its colours said when it is a key unit that can be passed on. */
static enum err copy_unit(const struct rect *clips, size_t count,
			  const RDPGFX_AVC420_BITMAP_STREAM *stream, struct remote_unit **ret)
{
	uint8_t *named = NULL;
	size_t len;
	bool key, passable = unit_scan(stream->data, stream->length, &key);
	enum err err;
	if (key) {
		err = rdp_h264_name_colours(stream->data, stream->length, &named, &len);
		if (err == ERR_NOMEM)
			return err;
		passable = !err && unit_scan(named, len, &key) && key;
	}
	if (key && passable)
		err = unit_new(clips, count, named, len, ret);
	else
		err = unit_new(clips, count, stream->data, stream->length, ret);
	free(named);
	if (err)
		return err;
	(*ret)->passable = passable;
	(*ret)->key = key && passable;
	return OK;
}

static enum err make_unit(struct rdp_remote *rdp, struct rdp_surface *surface,
			  const RDPGFX_AVC420_BITMAP_STREAM *stream, struct remote_unit **ret)
{
	struct rect *clips;
	size_t count;
	enum err err;
	if (stream->meta.numRegionRects > RDP_VIDEO_RECTS || stream->length == 0 ||
	    !unit_is_modest(stream->data, stream->length, most_slices(surface)))
		return ERR_PROTOCOL;
	clips = calloc(MAX(stream->meta.numRegionRects, 1u), sizeof(*clips));
	if (!clips)
		return ERR_NOMEM;
	err = read_clips(surface, &stream->meta, clips, &count);
	if (!err)
		err = copy_unit(clips, count, stream, ret);
	free(clips);
	if (err)
		return err;
	if (!surface->stream)
		surface->stream = ++rdp->video.streams;
	(*ret)->stream = surface->stream;
	(*ret)->number = ++rdp->video.numbers;
	(*ret)->box = (struct rect){ (uint16_t)surface->x, (uint16_t)surface->y,
				     (uint16_t)surface->width, (uint16_t)surface->height };
	(*ret)->passable = (*ret)->passable && has_place(surface, *ret) && has_size(surface, *ret);
	(*ret)->key = (*ret)->key && (*ret)->passable;
	return OK;
}

/* So that what waits is worth waiting: the time to decode it is what a still picture is late. */
static bool is_full(const struct rdp_video *video, uint64_t cost_us)
{
	return video->count == RDP_VIDEO_UNITS || video->bytes > RDP_VIDEO_BYTES - UNIT_BYTES ||
	       video->cost_us + cost_us > RDP_VIDEO_BACKLOG_US;
}

/* Those that the key unit makes superfluous: all of its stream, or none. */
static void drop_hidden(struct rdp_video *video, const struct remote_unit *key)
{
	size_t count = video->count;
	for (size_t i = 0; i < count; i++)
		if (waiting_at(video, i)->unit->stream == key->stream &&
		    !unit_hides(key, waiting_at(video, i)->unit))
			return;
	for (size_t i = 0; i < count; i++) {
		const struct rdp_video_waiting first = shift(video);
		if (first.unit->stream == key->stream)
			unit_unref(first.unit);
		else
			push(video, first.unit, first.cost_us);
	}
}

static enum err keep(struct rdp_remote *rdp, const struct rdp_surface *surface,
		     struct remote_unit *unit)
{
	struct rdp_video *video = &rdp->video;
	enum err err = OK;
	if (unit->key)
		drop_hidden(video, unit);
	while (!err && video->count && is_full(video, cost_of(surface)))
		err = decode_first(rdp);
	push(video, unit_ref(unit), cost_of(surface));
	video->busy = false;
	/* With a decoder that is slower than the PC the worker would wait without end. */
	return !err && video->wanted ? rdp_video_settle(rdp) : err;
}

static enum err decode_now(struct rdp_remote *rdp, struct rdp_surface *surface,
			   const struct remote_unit *unit)
{
	struct rdp_video *video = &rdp->video;
	enum err err = rdp_video_settle(rdp);
	if (!err)
		err = decode(rdp, surface, unit);
	video->busy = video->wanted = false;
	if (!err)
		announce(rdp, surface, unit);
	return err;
}

enum err rdp_video_command(struct rdp_remote *rdp, struct rdp_surface *surface,
			   const RDPGFX_SURFACE_COMMAND *command)
{
	struct rdp_video *video = &rdp->video;
	struct remote_unit *unit = NULL;
	enum err err;
	/* FreeRDP has read it, as far as lengths go. */
	if (!command->extra || !rdp->remote.config.video)
		return ERR_PROTOCOL;
	err = make_unit(rdp, surface, command->extra, &unit);
	if (err)
		return err;
	/* Until it is decoded, or waits, the worker must not think that it has all pixels. */
	video->busy = true;
	if (surface->mapped && rdp_events(rdp)->video(rdp->remote.ctx, unit) && unit->passable)
		err = keep(rdp, surface, unit);
	else
		err = decode_now(rdp, surface, unit);
	unit_unref(unit);
	return err;
}
