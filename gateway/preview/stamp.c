#include "preview/stamp.h"

#include <stdio.h>
#include <time.h>

#include "base/util.h"

enum {
	FAINT_SIZE = 28,
	BAR_SIZE = 18,
	FAINT = 56,    /* of 255 */
	EVERY_Y = 170, /* pixels */
	GAP_X = 120,
	WORDS = 600,
};

static const uint32_t grey = 0x505050, dark = 0x202020, light = 0xe8e8e8;

static enum err draw_faintly(struct text *text, const struct canvas *page, const char *words)
{
	unsigned width = 0;
	enum err err = text_set_size(text, FAINT_SIZE);

	if (!err)
		err = text_measure(text, words, &width);
	for (unsigned y = EVERY_Y / 4, row = 0; !err && y < page->height; y += EVERY_Y, row++)
		for (unsigned x = row % 2 ? GAP_X : 0; !err && x < page->width; x += width + GAP_X)
			err = text_draw(text, page, x, y, words, grey, FAINT);
	return err;
}

enum err stamp_draw(struct text *text, const struct canvas *page, const struct canvas *bar,
		    const char *who, int64_t now_s)
{
	char words[WORDS], when[64] = "";
	time_t seconds = (time_t)now_s;
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	snprintf(words, sizeof(words), "%s  %s", who, when);
	enum err err = draw_faintly(text, page, words);
	canvas_fill(bar, light);
	if (!err)
		err = text_set_size(text, BAR_SIZE);
	return err ? err : text_draw(text, bar, 8, (STAMP_BAR - BAR_SIZE) / 4, words, dark, 255);
}
