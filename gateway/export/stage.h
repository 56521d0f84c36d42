/*
 * stage.h - one picture of the video: the monitors side by side, the pointer, and the watermark.
 * The video has one size; a desktop that becomes larger is made smaller, a smaller one lies in the
 * middle.
 */
#ifndef SEKISHO_EXPORT_STAGE_H
#define SEKISHO_EXPORT_STAGE_H

#include "export/scene.h"
#include "export/watermark.h"

enum { STAGE_WIDTH_MIN = 320, STAGE_WIDTH_MAX = 3840, STAGE_HEIGHT_MAX = 2160 };

struct stage {
	unsigned width, height; /* of the video, both even */
	unsigned desktop;       /* height of what is above the bar */
	uint32_t *pixels;       /* owned; 0x00RRGGBB, row by row */
	struct watermark *watermark;
	uint32_t *scaled; /* owned */
	size_t scaled_room;
};

/* For desktops of this size. text is borrowed. ERR_NOMEM, ERR_INVALID. */
nodiscard enum err stage_init(struct stage *stage, struct text *text, unsigned width,
			      unsigned height, const struct watermark_facts *facts);
void stage_finish(struct stage *stage);

/* Into pixels. hidden: without the scene, which is that of a later time. */
nodiscard enum err stage_draw(struct stage *stage, const struct scene *scene, bool hidden,
			      const struct watermark_moment *moment);

#endif
