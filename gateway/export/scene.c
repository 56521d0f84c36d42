#include "export/scene.h"

#include <jansson.h>
#include <string.h>

#include "base/util.h"

enum { EVENT_MAX = 64 * 1024 /* bytes */ };

void scene_init(struct scene *scene)
{
	*scene = (struct scene){ 0 };
	for (size_t i = 0; i < SCENE_VIEWERS; i++)
		scene->viewers[i].picture.midway = true;
	record_joiner_init(&scene->joiner);
}

void scene_finish(struct scene *scene)
{
	for (size_t i = 0; i < SCENE_VIEWERS; i++) {
		picture_finish(&scene->viewers[i].picture);
		pointer_shape_finish(&scene->viewers[i].shape);
	}
	record_joiner_finish(&scene->joiner);
}

/* One that was never right cannot break: where reading begins, the first record may be the end of
 * something that is not there. */
static void damage(struct scene *scene, struct scene_viewer *viewer)
{
	if (viewer->right && !viewer->broken)
		scene->changed = viewer->broken = true;
	viewer->right = false;
}

void scene_damage(struct scene *scene)
{
	record_joiner_clear(&scene->joiner);
	for (size_t i = 0; i < SCENE_VIEWERS; i++)
		damage(scene, &scene->viewers[i]);
}

/* ---- messages -------------------------------------------------------------------------------- */

/* A picture that was made for the recording alone says nothing new to one that is right. */
static void take_frame(struct scene *scene, struct scene_viewer *viewer,
		       const struct msg_frame *frame, bool for_recording)
{
	if (viewer->right ? for_recording : !frame->keyframe)
		return;
	viewer->attached = true;
	scene->changed = true;
	if (scene->sizes_alone) {
		viewer->picture.width = MIN(frame->width, (unsigned)FRAME_WIDTH_MAX);
		viewer->picture.height = MIN(frame->height, (unsigned)FRAME_HEIGHT_MAX);
		return;
	}
	if (picture_apply(&viewer->picture, frame)) {
		viewer->broken = true;
		viewer->right = false;
	} else {
		viewer->broken = false;
		viewer->right = true;
	}
}

static void take_message(struct scene *scene, struct scene_viewer *viewer,
			 const struct record *record)
{
	const struct wire_type *type;
	union wire_any any;

	if (wire_decode(record->data, record->len, &type, &any) || type->from != WIRE_WORKER ||
	    type->to != WIRE_VIEWER) {
		damage(scene, viewer);
		return;
	}
	if (type->id == MSG_frame)
		take_frame(scene, viewer, &any.frame, record->kind == RECORD_KEY);
	else if (type->id == MSG_cursor && !pointer_shape_set(&viewer->shape, &any.cursor))
		scene->changed = true;
}

static void take_input(struct scene *scene, const struct record *record)
{
	const struct wire_type *type;
	union wire_any any;

	if (wire_decode(record->data, record->len, &type, &any) || type->id != MSG_pointer)
		return;
	scene->pointer.known = true;
	scene->pointer.viewer = record->viewer;
	scene->pointer.x = any.pointer.x;
	scene->pointer.y = any.pointer.y;
	scene->pointer.buttons = any.pointer.buttons;
	scene->changed = true;
}

static void take_event(struct scene *scene, struct scene_viewer *viewer,
		       const struct record *record)
{
	const size_t len = MIN(record->len, (size_t)EVENT_MAX);
	json_t *event = json_loadb((const char *)record->data, len, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(event, "event"));

	if (name && util_streq(name, "viewer-left")) {
		/* Whoever comes next begins with a keyframe. */
		viewer->attached = viewer->right = false;
		scene->changed = true;
	}
	json_decref(event);
}

enum err scene_take(struct scene *scene, const struct record *record)
{
	struct record whole;
	bool is_whole;

	if (record->viewer >= SCENE_VIEWERS || record->kind == RECORD_META ||
	    record->kind == RECORD_INDEX)
		return OK;
	struct scene_viewer *viewer = &scene->viewers[record->viewer];
	enum err err = record_joiner_add(&scene->joiner, record, &is_whole, &whole);
	if (err == ERR_TOO_BIG) {
		damage(scene, viewer);
		return OK;
	}
	if (err || !is_whole)
		return err;
	if (whole.kind == RECORD_INPUT)
		take_input(scene, &whole);
	else if (whole.kind == RECORD_EVENT)
		take_event(scene, viewer, &whole);
	else
		take_message(scene, viewer, &whole);
	return OK;
}

/* ---- what is seen ---------------------------------------------------------------------------- */

/* The first monitor's last picture stays when nobody is connected. */
bool scene_shows(const struct scene *scene, unsigned viewer)
{
	const struct scene_viewer *one = &scene->viewers[viewer];

	return one->picture.width && (viewer == 0 || one->attached);
}

void scene_size(const struct scene *scene, unsigned *ret_width, unsigned *ret_height)
{
	*ret_width = *ret_height = 0;
	for (unsigned i = 0; i < SCENE_VIEWERS; i++) {
		if (!scene_shows(scene, i))
			continue;
		*ret_width += scene->viewers[i].picture.width;
		*ret_height = MAX(*ret_height, scene->viewers[i].picture.height);
	}
}

bool scene_is_broken(const struct scene *scene)
{
	for (unsigned i = 0; i < SCENE_VIEWERS; i++) {
		const struct scene_viewer *viewer = &scene->viewers[i];
		if (scene_shows(scene, i) && (viewer->broken || picture_lacks(&viewer->picture)))
			return true;
	}
	return false;
}
