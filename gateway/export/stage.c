#include "export/stage.h"

#include <stdlib.h>
#include <string.h>

#include <libyuv.h>

#include "base/util.h"

static unsigned even(unsigned size)
{
	return size + size % 2;
}

/* So that the larger one just fits; at most as it is. */
static void fit(unsigned *width, unsigned *height, unsigned into_width, unsigned into_height)
{
	const uint64_t by_width = (uint64_t)*height * into_width;
	const uint64_t by_height = (uint64_t)*width * into_height;

	if (*width <= into_width && *height <= into_height)
		return;
	if (by_width > by_height) {
		*width = (unsigned)MAX(by_height / *height, 1);
		*height = into_height;
	} else {
		*height = (unsigned)MAX(by_width / *width, 1);
		*width = into_width;
	}
}

enum err stage_init(struct stage *stage, struct text *text, unsigned width, unsigned height,
		    const struct watermark_facts *facts)
{
	fit(&width, &height, STAGE_WIDTH_MAX, STAGE_HEIGHT_MAX);
	*stage = (struct stage){ .width = even(MAX(width, (unsigned)STAGE_WIDTH_MIN)),
				 .desktop = even(height) };
	enum err err = watermark_new(text, stage->width, facts, &stage->watermark);
	if (err)
		return err;
	stage->height = stage->desktop + even(watermark_bar(stage->watermark));
	stage->pixels = calloc((size_t)stage->width * stage->height, sizeof(*stage->pixels));
	if (!stage->pixels)
		stage_finish(stage);
	return stage->pixels ? OK : ERR_NOMEM;
}

void stage_finish(struct stage *stage)
{
	watermark_free(stage->watermark);
	free(stage->pixels);
	free(stage->scaled);
	*stage = (struct stage){ 0 };
}

/* ---- the desktop ----------------------------------------------------------------------------- */

/* Where the monitors lie, and how much smaller than they are. */
struct layout {
	unsigned x, y, width, height; /* of all of them on the stage */
	unsigned whole, whole_height; /* as they are */
};

static unsigned placed(const struct layout *layout, unsigned at)
{
	return (unsigned)((uint64_t)at * layout->width / layout->whole);
}

static enum err draw_scaled(struct stage *stage, const struct picture *picture,
			    const struct canvas *to)
{
	const size_t count = (size_t)to->width * to->height;

	if (stage->scaled_room < count) {
		free(stage->scaled);
		stage->scaled = malloc(count * sizeof(*stage->scaled));
		stage->scaled_room = stage->scaled ? count : 0;
	}
	if (!stage->scaled)
		return ERR_NOMEM;
	if (ARGBScale((const uint8_t *)picture->pixels, (int)(picture->width * 4),
		      (int)picture->width, (int)picture->height, (uint8_t *)stage->scaled,
		      (int)(to->width * 4), (int)to->width, (int)to->height, kFilterBox))
		return ERR_NOMEM;
	for (size_t y = 0; y < to->height; y++)
		memcpy(to->pixels + y * to->stride, stage->scaled + y * to->width,
		       to->width * sizeof(*to->pixels));
	return OK;
}

static enum err draw_picture(struct stage *stage, const struct picture *picture,
			     const struct canvas *to)
{
	if (to->width != picture->width || to->height != picture->height)
		return to->width && to->height ? draw_scaled(stage, picture, to) : OK;
	for (size_t y = 0; y < to->height; y++)
		memcpy(to->pixels + y * to->stride, picture->pixels + y * picture->width,
		       to->width * sizeof(*to->pixels));
	return OK;
}

static void draw_pointer(const struct scene *scene, const struct layout *layout, unsigned from,
			 unsigned viewer, const struct canvas *desktop)
{
	if (!scene->pointer.known || scene->pointer.viewer != viewer)
		return;
	pointer_draw(&scene->viewers[viewer].shape, desktop,
		     layout->x + placed(layout, from + scene->pointer.x),
		     layout->y + placed(layout, scene->pointer.y), scene->pointer.buttons != 0);
}

static enum err draw_scene(struct stage *stage, const struct scene *scene,
			   const struct canvas *desktop)
{
	struct layout layout = { 0 };
	enum err err = OK;

	scene_size(scene, &layout.whole, &layout.whole_height);
	layout.width = layout.whole;
	layout.height = layout.whole_height;
	if (!layout.whole)
		return OK;
	fit(&layout.width, &layout.height, desktop->width, desktop->height);
	layout.x = (desktop->width - layout.width) / 2;
	layout.y = (desktop->height - layout.height) / 2;
	for (unsigned i = 0, from = 0; !err && i < SCENE_VIEWERS; i++) {
		const struct picture *picture = &scene->viewers[i].picture;
		if (!scene_shows(scene, i))
			continue;
		const unsigned left = placed(&layout, from);
		const struct canvas to = canvas_part(desktop, layout.x + left, layout.y,
						     placed(&layout, from + picture->width) - left,
						     placed(&layout, picture->height));
		err = draw_picture(stage, picture, &to);
		draw_pointer(scene, &layout, from, i, desktop);
		from += picture->width;
	}
	return err;
}

/* ---- the whole ------------------------------------------------------------------------------- */

enum err stage_draw(struct stage *stage, const struct scene *scene, bool hidden,
		    const struct watermark_moment *moment)
{
	const struct canvas all = { stage->pixels, stage->width, stage->height, stage->width };
	const struct canvas desktop = canvas_part(&all, 0, 0, stage->width, stage->desktop);
	const struct canvas bar =
		canvas_part(&all, 0, stage->desktop, stage->width, stage->height - stage->desktop);

	canvas_fill(&desktop, 0);
	enum err err = hidden ? OK : draw_scene(stage, scene, &desktop);
	return err ? err : watermark_draw(stage->watermark, &desktop, &bar, moment);
}
