/*
 * Takes anything as the records of a recording that is exported: frames with their pictures,
 * cursors, inputs and events. Each record is kind, viewer (a byte each) and length (u32), then its
 * payload. Whatever it is, the picture has as many pixels as it says, and is whole when it is
 * right.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "export/scene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Larger desktops are as right, but slow. */
enum { MOST_PIXELS = 512 * 1024, HEAD = 6, MORE = 0x80 };

static bool is_slow(const struct record *record)
{
	const struct wire_type *type;
	union wire_any any;

	return wire_decode(record->data, record->len, &type, &any) == OK && type->id == MSG_frame &&
	       (size_t)any.frame.width * any.frame.height > MOST_PIXELS;
}

static void check(const struct scene *scene)
{
	unsigned width, height;

	scene_size(scene, &width, &height);
	for (unsigned i = 0; i < SCENE_VIEWERS; i++) {
		const struct picture *picture = &scene->viewers[i].picture;
		const size_t count = (size_t)picture->width * picture->height;
		if (scene->viewers[i].right && (!count || scene->viewers[i].broken))
			abort();
		/* ASan sees whether they are there. */
		if (count && (picture->pixels[count - 1] & 0xff000000))
			abort();
		if (count && picture->kinds[count - 1] > PICTURE_MISSING)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scene scene;

	scene_init(&scene);
	for (size_t at = 0; size - at >= HEAD;) {
		uint32_t len;
		memcpy(&len, data + at + 2, sizeof(len));
		len = (uint32_t)MIN((size_t)len, size - at - HEAD);
		const struct record record = {
			.kind = (enum record_kind)(RECORD_META + (data[at] & ~MORE) % RECORD_INDEX),
			.more = data[at] & MORE,
			.viewer = data[at + 1] % RECORD_VIEWERS,
			.data = data + at + HEAD,
			.len = len,
		};
		if (data[at + 1] == 0xff)
			scene_damage(&scene);
		else if (!is_slow(&record) && scene_take(&scene, &record))
			abort();
		check(&scene);
		at += HEAD + len;
	}
	scene_finish(&scene);
	return 0;
}
