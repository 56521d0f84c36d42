#include "export/watermark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

enum {
	FIELDS = 5,
	FIELD_BYTES = 1400,
	LINES_MAX = 8,
	EM_MIN = 12, /* pixels of an em */
	EM_MAX = 22,
	EM_SHARE = 96, /* of the width */
	MARGIN = 8,
	FAINT = 38, /* opacity of what lies over the desktop, of 255 */
	STAMP_BYTES = 64,
};

static const uint32_t ground = 0x1b212b, words_colour = 0xf2f4f7, warning_colour = 0xffb454;

/* A pixel over the desktop. */
struct faint {
	uint32_t at;
	uint8_t opacity;
};

struct watermark {
	struct text *text;
	bool japanese, unlogged;
	enum verdict verdict;
	unsigned width, size, line; /* line: pixels */
	char fields[FIELDS][FIELD_BYTES];
	unsigned line_of[FIELDS], x_of[FIELDS]; /* where in the bar each stands */
	unsigned moment_lines, lines;
	char over[FIELD_BYTES]; /* the desktop */
	struct faint *faint;    /* owned; for a desktop of this size */
	size_t faint_count, faint_room;
	unsigned faint_width, faint_height;
};

static const char *say(const struct watermark *watermark, const char *en, const char *ja)
{
	return watermark->japanese ? ja : en;
}

/* ISO 8601 with a blank, and the zone's distance from UTC. */
static void stamp(int64_t time_s, char ret[STAMP_BYTES])
{
	const time_t when = time_s;
	struct tm parts;
	char zone[8];

	if (!localtime_r(&when, &parts)) {
		snprintf(ret, STAMP_BYTES, "-");
		return;
	}
	strftime(zone, sizeof(zone), "%z", &parts);
	const size_t len = strftime(ret, STAMP_BYTES, "%Y-%m-%d %H:%M:%S ", &parts);
	snprintf(ret + len, STAMP_BYTES - len, "%.3s:%s", zone,
		 zone + MIN(strlen(zone), (size_t)3));
}

/* ---- the bar --------------------------------------------------------------------------------- */

static void put_field(struct watermark *watermark, size_t number, const char *name,
		      const char *value)
{
	snprintf(watermark->fields[number], FIELD_BYTES, "%s: %.1200s", name, value);
}

static void fill_fields(struct watermark *watermark, const struct watermark_facts *facts)
{
	char exported[STAMP_BYTES], by[FIELD_BYTES / 2];

	stamp(facts->exported_s, exported);
	snprintf(by, sizeof(by), "%.256s, %s", facts->auditor, exported);
	put_field(watermark, 0, say(watermark, "Exported by", "書き出し"), by);
	put_field(watermark, 1, say(watermark, "Session", "セッション"), facts->session);
	put_field(watermark, 2, say(watermark, "Person", "利用者"), facts->person);
	put_field(watermark, 3, say(watermark, "PC", "PC"), facts->host);
	put_field(watermark, 4, say(watermark, "Purpose", "目的"), facts->purpose);
	snprintf(watermark->over, FIELD_BYTES, "%.256s  %.10s", facts->auditor, exported);
}

/* Where the next words of the moment go. */
struct pen {
	const struct canvas *bar; /* NULL: they are only placed */
	unsigned x, line;
};

static enum err put_words(struct watermark *watermark, struct pen *pen, const char *words,
			  uint32_t colour)
{
	unsigned width = 0;
	enum err err = text_measure(watermark->text, words, &width);

	if (pen->x > MARGIN && pen->x + width > watermark->width - MARGIN) {
		pen->line++;
		pen->x = MARGIN;
	}
	if (!err && pen->bar)
		err = text_draw(watermark->text, pen->bar, pen->x,
				MARGIN / 2 + pen->line * watermark->line, words, colour, 255);
	pen->x += width + 3 * MARGIN;
	return err;
}

/* The time, and what restricts what is seen: all that can, the more lines it needs the higher the
 * bar. */
static enum err put_moment(struct watermark *watermark, struct pen *pen,
			   const struct watermark_moment *moment)
{
	const struct {
		bool wanted;
		const char *words;
	} warnings[] = {
		{ moment->broken,
		  say(watermark, "PICTURE DAMAGED: not as it was seen", "映像の破損あり") },
		{ watermark->verdict == VERDICT_RED,
		  say(watermark, "RECORDING TAMPERED WITH", "録画に改ざんあり") },
		{ watermark->verdict == VERDICT_AMBER,
		  say(watermark, "Not proven to its end", "末尾までの証明なし") },
		{ watermark->unlogged, say(watermark, "Exported offline, not in the audit log",
					   "オフライン書き出し（監査ログに記録なし）") },
		{ moment->unattended, say(watermark, "Nobody connected", "接続中の画面なし") },
	};
	char when[STAMP_BYTES];

	stamp(moment->time_ms / 1000, when);
	enum err err = put_words(watermark, pen, when, words_colour);
	for (size_t i = 0; !err && i < ARRAY_SIZE(warnings); i++)
		if (warnings[i].wanted)
			err = put_words(watermark, pen, warnings[i].words, warning_colour);
	return err;
}

static enum err place_moment(struct watermark *watermark)
{
	const struct watermark_moment most = { .broken = true, .unattended = true };
	struct pen pen = { .x = MARGIN };
	enum err err = put_moment(watermark, &pen, &most);

	watermark->moment_lines = pen.line + 1;
	return err;
}

/* One after another, on as many lines as they need, below what the moment says. */
static enum err place_fields(struct watermark *watermark)
{
	unsigned line = watermark->moment_lines, x = MARGIN;
	enum err err = OK;

	for (size_t i = 0; !err && i < FIELDS; i++) {
		unsigned width = 0;
		err = text_measure(watermark->text, watermark->fields[i], &width);
		if (x > MARGIN && x + width > watermark->width - MARGIN && line < LINES_MAX - 1) {
			line++;
			x = MARGIN;
		}
		watermark->line_of[i] = line;
		watermark->x_of[i] = x;
		x += width + 3 * MARGIN;
	}
	watermark->lines = line + 1;
	return err;
}

enum err watermark_new(struct text *text, unsigned width, const struct watermark_facts *facts,
		       struct watermark **ret)
{
	struct watermark *watermark = calloc(1, sizeof(*watermark));

	if (!watermark)
		return ERR_NOMEM;
	watermark->text = text;
	watermark->width = width;
	watermark->japanese = facts->japanese;
	watermark->unlogged = facts->unlogged;
	watermark->verdict = facts->verdict;
	watermark->size = MIN(MAX(width / EM_SHARE, (unsigned)EM_MIN), (unsigned)EM_MAX);
	fill_fields(watermark, facts);
	enum err err = width > 4 * MARGIN ? text_set_size(text, watermark->size) : ERR_INVALID;
	if (!err) {
		watermark->line = text_line(text);
		err = place_moment(watermark);
		if (!err)
			err = place_fields(watermark);
	}
	if (err)
		watermark_free(watermark);
	else
		*ret = watermark;
	return err;
}

void watermark_free(struct watermark *watermark)
{
	if (!watermark)
		return;
	free(watermark->faint);
	free(watermark);
}

unsigned watermark_bar(const struct watermark *watermark)
{
	return watermark->lines * watermark->line + MARGIN;
}

static enum err draw_bar(struct watermark *watermark, const struct canvas *bar,
			 const struct watermark_moment *moment)
{
	struct pen pen = { .bar = bar, .x = MARGIN };

	canvas_fill(bar, ground);
	enum err err = text_set_size(watermark->text, watermark->size);
	if (!err)
		err = put_moment(watermark, &pen, moment);
	for (size_t i = 0; !err && i < FIELDS; i++)
		err = text_draw(watermark->text, bar, watermark->x_of[i],
				MARGIN / 2 + watermark->line_of[i] * watermark->line,
				watermark->fields[i], words_colour, 255);
	return err;
}

/* ---- over the desktop ------------------------------------------------------------------------ */

static enum err remember(struct watermark *watermark, uint32_t at, uint8_t opacity)
{
	if (watermark->faint_count == watermark->faint_room) {
		const size_t room = watermark->faint_room ? 2 * watermark->faint_room : 4096;
		struct faint *more = realloc(watermark->faint, room * sizeof(*more));
		if (!more)
			return ERR_NOMEM;
		watermark->faint = more;
		watermark->faint_room = room;
	}
	watermark->faint[watermark->faint_count++] = (struct faint){ at, opacity };
	return OK;
}

/* The words again and again, each line set off from the one above. */
static enum err tile(struct watermark *watermark, const struct canvas *mask)
{
	unsigned width = 0, row = 0;
	enum err err =
		text_set_size(watermark->text, MIN(2 * watermark->size, (unsigned)TEXT_SIZE_MAX));

	if (!err)
		err = text_measure(watermark->text, watermark->over, &width);
	const unsigned line = text_line(watermark->text), step = width + 4 * line;
	for (unsigned y = line; !err && y < mask->height; y += 5 * line, row++)
		for (unsigned x = row % 2 ? step / 2 : line; !err && x < mask->width; x += step)
			err = text_draw(watermark->text, mask, x, y, watermark->over, 0xffffff,
					255);
	return err;
}

static enum err prepare(struct watermark *watermark, const struct canvas *desktop)
{
	const size_t count = (size_t)desktop->width * desktop->height;
	_cleanup_free_ uint32_t *pixels = NULL;

	if (watermark->faint_width == desktop->width && watermark->faint_height == desktop->height)
		return OK;
	pixels = calloc(count, sizeof(*pixels));
	const struct canvas mask = { pixels, desktop->width, desktop->height, desktop->width };
	enum err err = pixels ? tile(watermark, &mask) : ERR_NOMEM;
	watermark->faint_count = 0;
	for (size_t i = 0; !err && i < count; i++)
		if (pixels[i])
			err = remember(watermark, (uint32_t)i,
				       (uint8_t)((pixels[i] & 255) * FAINT / 255));
	watermark->faint_width = err ? 0 : desktop->width;
	watermark->faint_height = desktop->height;
	return err;
}

/* Darker where it is bright, brighter where it is dark: it shows on everything. */
static uint32_t faded(uint32_t pixel, unsigned opacity)
{
	const unsigned light =
		(2 * (pixel >> 16 & 255) + 5 * (pixel >> 8 & 255) + (pixel & 255)) / 8;
	const unsigned towards = light < 128 ? 255 : 0;
	uint32_t ret = 0;

	for (unsigned shift = 0; shift <= 16; shift += 8)
		ret |= ((pixel >> shift & 255) * (255 - opacity) + towards * opacity) / 255
		       << shift;
	return ret;
}

static enum err draw_over(struct watermark *watermark, const struct canvas *desktop)
{
	enum err err = prepare(watermark, desktop);

	for (size_t i = 0; !err && i < watermark->faint_count; i++) {
		const struct faint *faint = &watermark->faint[i];
		uint32_t *pixel = &desktop->pixels[faint->at / desktop->width * desktop->stride +
						   faint->at % desktop->width];
		*pixel = faded(*pixel, faint->opacity);
	}
	return err;
}

enum err watermark_draw(struct watermark *watermark, const struct canvas *desktop,
			const struct canvas *bar, const struct watermark_moment *moment)
{
	enum err err = draw_over(watermark, desktop);

	return err ? err : draw_bar(watermark, bar, moment);
}
