/*
 * scene.h - what a recording shows as of a time: its records (docs/recording.md), one after
 * another, become the pictures of two monitors and the pointer. All of it is hostile: what cannot
 * be read leaves the picture as it is until the next keyframe.
 */
#ifndef SEKISHO_EXPORT_SCENE_H
#define SEKISHO_EXPORT_SCENE_H

#include "export/picture.h"
#include "export/pointer.h"
#include "record/chunk.h"

enum { SCENE_VIEWERS = 2 /* monitors, side by side */ };

struct scene_viewer {
	struct picture picture; /* without a desktop until the first keyframe */
	struct pointer_shape shape;
	bool right;    /* the picture is what the person saw, so frames may build on it */
	bool broken;   /* something could not be read since it was right */
	bool attached; /* the person's window is open */
};

struct scene {
	struct scene_viewer viewers[SCENE_VIEWERS];
	struct record_joiner joiner;
	struct {
		bool known;
		unsigned viewer, x, y, buttons;
	} pointer;
	bool changed;     /* it looks different; for the owner to clear */
	bool sizes_alone; /* only the sizes of desktops are looked at, in picture.width and height
			   */
};

void scene_init(struct scene *scene);
void scene_finish(struct scene *scene);

/* The next record. ERR_NOMEM. */
nodiscard enum err scene_take(struct scene *scene, const struct record *record);

/* Something before the next record is not there. */
void scene_damage(struct scene *scene);

/* Whether a monitor's picture is to be seen. */
bool scene_shows(const struct scene *scene, unsigned viewer);

/* All that is to be seen, side by side; 0 × 0 while there is no picture. */
void scene_size(const struct scene *scene, unsigned *ret_width, unsigned *ret_height);

/* Some of what is to be seen is not as the person saw it. */
bool scene_is_broken(const struct scene *scene);

#endif
