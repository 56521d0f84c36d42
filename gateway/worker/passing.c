#include "worker/passing.h"

#include "base/util.h"

/* A rectangle of the unit as the viewer sees it. */
static struct rect in_view(const struct screen_output *output, const struct remote_unit *unit,
			   const struct rect *rect)
{
	return (struct rect){ (uint16_t)(unit->box.x + rect->x - output->part.x),
			      (uint16_t)(unit->box.y + rect->y - output->part.y), rect->width,
			      rect->height };
}

static size_t clips_in_view(const struct screen_output *output, const struct remote_unit *unit,
			    struct rect *clips)
{
	for (size_t i = 0; i < unit->clip_count; i++)
		clips[i] = in_view(output, unit, &unit->clips[i]);
	return unit->clip_count;
}

bool passing_concerns(const struct screen_output *output, const struct remote_unit *unit)
{
	return rect_overlap(&output->part, &unit->box);
}

/* The viewer can draw the unit itself. */
static bool suits(const struct screen_output *output, const struct remote_unit *unit)
{
	const struct viewer *viewer = output->viewer;
	return unit->passable && unit->clip_count <= PICTURES_CLIPS && viewer->greeted &&
	       !viewer->closing && viewer->codecs & CODEC_AVC420 && !output->source.keyframe &&
	       rect_contains(&output->part, &unit->box);
}

bool passing_take(struct screen_output *output, struct remote_unit *unit, uint64_t now_us)
{
	struct follow *follow = &output->follow;
	struct rect clips[PICTURES_CLIPS];
	bool passed;
	/* One stream at a time; another one is drawn by us until nothing of the first is left to
	 * do. */
	if (follow->running && follow->stream != unit->stream) {
		if (follow->count || films_any(&output->source.damage))
			return false;
		follow_leave(follow);
	}
	if (!suits(output, unit)) {
		follow_leave(follow);
		return false;
	}
	if (follow->running)
		passed = follow_add(follow, unit, now_us);
	else
		passed = !films_any(&output->source.damage) &&
			 follow_begin(follow, &output->screen->past, unit, now_us);
	if (passed)
		frame_film(&output->source, clips, clips_in_view(output, unit, clips), now_us);
	return passed;
}

enum err passing_send(struct screen_output *output, uint64_t now_us)
{
	const struct follow_waiting *next = follow_next(&output->follow);
	struct viewer *viewer = output->viewer;
	struct pacing *pacing = &viewer->pacing;
	struct buf *message = packets_frame(&viewer->packets);
	struct rect clips[PICTURES_CLIPS],
		all = { .width = next->unit->box.width, .height = next->unit->box.height };
	struct frame_wish wish = { .sequence = pacing_next(pacing), .now_us = now_us };
	struct pictures_unit unit = {
		.clips = clips,
		/* Of hidden ones nobody has counted the clips. */
		.clip_count = next->hidden ? 0 : clips_in_view(output, next->unit, clips),
		.rect = in_view(output, next->unit, &all),
		.data = next->unit->data,
		.len = next->unit->len,
		.key = next->unit->key,
		.hidden = next->hidden
	};
	/* What of ours is due stays due. */
	uint64_t due_us = pacing->due_us;
	enum err err = frame_next_film(&output->source, &wish, &unit, message);
	if (err)
		return err;
	follow_sent(&output->follow, now_us);
	pacing_sent(pacing, now_us, message->len, follow_next(&output->follow) != NULL);
	pacing->due_us = due_us;
	viewer_send_frame(viewer);
	return OK;
}

void passing_decoded(struct screen_output *output, const struct remote_unit *unit)
{
	if (follow_has(&output->follow, unit)) {
		if (unit->number == output->follow.last)
			frame_settle(&output->source);
		return;
	}
	for (size_t i = 0; i < unit->clip_count; i++) {
		const struct rect *clip = &unit->clips[i];
		damage_hint(&output->source.damage, unit->box.x + clip->x - output->part.x,
			    unit->box.y + clip->y - output->part.y, clip->width, clip->height);
	}
}
