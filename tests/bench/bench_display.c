/*
 * bench_display.c - how long damage and encoding take at 1920×1080 on three kinds of content and
 * while it scrolls: CPU time of the best round, bytes of the average one. Not part of the unit
 * tests: the numbers decide design questions and are read by people.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "worker/display/damage.h"
#include "worker/display/parts.h"
#include "worker/display/surface.h"
#include "worker/encode/lossless.h"

enum { WIDTH = 1920, HEIGHT = 1080, ROUNDS = 30, GLYPHS = 64 };

static uint32_t state = 1;

static uint64_t cpu_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint32_t next_random(void)
{
	state = state * 1664525u + 1013904223u;
	return state >> 8;
}

static void put(struct surface *surface, unsigned x, unsigned y, uint32_t pixel)
{
	memcpy(surface->data + y * surface->stride + (size_t)x * SURFACE_PIXEL, &pixel,
	       sizeof(pixel));
}

/* White cells with grey lines and anti-aliased glyphs, most cells filled with a few digits. */
static void draw_spreadsheet(struct surface *surface)
{
	static uint8_t glyphs[GLYPHS][12][7];
	for (size_t g = 0; g < GLYPHS; g++)
		for (size_t i = 0; i < sizeof(glyphs[g]); i++)
			((uint8_t *)glyphs[g])[i] =
				next_random() % 3 ? 255 : (uint8_t)next_random();
	for (unsigned y = 0; y < HEIGHT; y++)
		for (unsigned x = 0; x < WIDTH; x++)
			put(surface, x, y, x % 96 == 0 || y % 20 == 0 ? 0xd4d4d4 : 0xffffff);
	for (unsigned y = 4; y + 12 < HEIGHT; y += 20)
		for (unsigned x = 8; x + 96 <= WIDTH; x += 96)
			for (unsigned c = 0; c < next_random() % 9; c++) {
				size_t g = next_random() % GLYPHS;
				for (unsigned gy = 0; gy < 12; gy++)
					for (unsigned gx = 0; gx < 7; gx++)
						put(surface, x + c * 8 + gx, y + gy,
						    glyphs[g][gy][gx] * 0x010101u);
			}
}

static void draw_gradient(struct surface *surface)
{
	for (unsigned y = 0; y < HEIGHT; y++)
		for (unsigned x = 0; x < WIDTH; x++)
			put(surface, x, y,
			    (x * 255 / WIDTH) << 16 | (y * 255 / HEIGHT) << 8 | ((x + y) & 255));
}

static void draw_noise(struct surface *surface)
{
	for (unsigned y = 0; y < HEIGHT; y++)
		for (unsigned x = 0; x < WIDTH; x++)
			put(surface, x, y, next_random() & 0x3f3f3f);
}

static void best(uint64_t *us, uint64_t since)
{
	*us = MIN(*us, cpu_us() - since);
}

static void report(const char *what, uint64_t us, size_t bytes)
{
	printf("%-24s %7.2f ms %8.0f MP/s %9zu KB\n", what, (double)us / 1000,
	       (double)WIDTH * HEIGHT / (double)MAX(us, 1u), bytes / 1024);
}

/* Everything exactly, as for a viewer without pictures. */
static size_t take(struct damage *damage, const struct surface *surface, struct parts *parts)
{
	static uint64_t now_us;
	damage_look(damage, surface, now_us += 1000);
	size_t copies = damage->copies.count;
	for (size_t i = 0; i < (size_t)damage->columns * damage->rows; i++)
		damage->tiles[i].way = damage->tiles[i].rows ? WAY_EXACT : WAY_NONE;
	parts_clear(parts);
	parts_take(parts, damage, WAY_EXACT, SIZE_MAX);
	for (size_t i = 0; i < parts->count; i++)
		parts_sent(damage, &parts->list[i], false, 0);
	damage_settle(damage);
	return copies;
}

static void measure(const char *name, struct surface *surface, struct damage *damage,
		    struct parts *parts, struct lossless *lossless)
{
	struct lossless_data data = { 0 };
	uint64_t look = UINT64_MAX, all = UINT64_MAX, encode = UINT64_MAX;
	char line[64];

	for (int i = 0; i < ROUNDS; i++) {
		damage_all(damage);
		uint64_t start = cpu_us();
		take(damage, surface, parts);
		best(&all, start);
		start = cpu_us();
		if (lossless_encode(lossless, surface, parts->list, parts->count, LOSSLESS_ANY,
				    &data))
			abort();
		best(&encode, start);
		damage_hint(damage, 0, 0, WIDTH, HEIGHT);
		start = cpu_us();
		take(damage, surface, parts);
		best(&look, start);
		if (parts->count)
			abort();
	}
	snprintf(line, sizeof(line), "%s: encode", name);
	report(line, encode, data.len);
	snprintf(line, sizeof(line), "%s: all damaged", name);
	report(line, all, 0);
	snprintf(line, sizeof(line), "%s: nothing changed", name);
	report(line, look, 0);
}

/* A part of the page shown in a part of the desktop, scrolled. */
static void show(struct surface *surface, const struct surface *page, struct rect at,
		 unsigned scrolled)
{
	for (unsigned y = at.y; y < (unsigned)at.y + at.height; y++)
		memcpy(surface->data + y * surface->stride + (size_t)at.x * SURFACE_PIXEL,
		       surface_at(page, at.x, (y + scrolled) % HEIGHT),
		       (size_t)at.width * SURFACE_PIXEL);
}

/* Everything is looked at, as after an update of the whole desktop. */
static void scroll(const char *name, struct surface *surface, const struct surface *page,
		   struct damage *damage, struct parts *parts, struct lossless *lossless,
		   struct rect at, unsigned step)
{
	struct lossless_data data = { 0 };
	uint64_t taken = UINT64_MAX, encode = UINT64_MAX;
	size_t bytes = 0, copies = 0;
	char line[64];

	for (unsigned i = 1; i <= ROUNDS; i++) {
		show(surface, page, at, i * step);
		damage_hint(damage, 0, 0, WIDTH, HEIGHT);
		uint64_t start = cpu_us();
		copies = take(damage, surface, parts);
		best(&taken, start);
		start = cpu_us();
		if (parts->count && lossless_encode(lossless, surface, parts->list, parts->count,
						    LOSSLESS_ANY, &data))
			abort();
		best(&encode, start);
		bytes += data.len + copies * sizeof(struct copy);
	}
	snprintf(line, sizeof(line), "%s: damage", name);
	report(line, taken, 0);
	snprintf(line, sizeof(line), "%s: encode", name);
	report(line, encode, bytes / ROUNDS);
	printf("%24s %zu copies, %zu rectangles\n", "", copies, parts->count);
}

/* A letter changes. */
static void type(struct surface *surface, struct damage *damage, struct parts *parts)
{
	enum { LETTERS = 1000 };
	uint64_t taken = UINT64_MAX;
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = cpu_us();
		for (uint32_t letter = 0; letter < LETTERS; letter++) {
			put(surface, 1005, 507, letter);
			damage_hint(damage, 1000, 500, 9, 15);
			take(damage, surface, parts);
		}
		best(&taken, start);
	}
	printf("%-24s %7.2f us\n", "a letter: damage", (double)taken / LETTERS);
}

int main(void)
{
	struct surface surface, page;
	struct damage damage;
	struct parts parts;
	struct lossless *lossless;
	surface_init(&surface);
	surface_init(&page);
	damage_init(&damage);
	if (surface_resize(&surface, WIDTH, HEIGHT) || surface_resize(&page, WIDTH, HEIGHT) ||
	    damage_resize(&damage, &surface) || parts_init(&parts, &damage) ||
	    lossless_new(&lossless))
		return 1;
	draw_spreadsheet(&surface);
	measure("spreadsheet", &surface, &damage, &parts, lossless);
	draw_gradient(&surface);
	measure("gradient", &surface, &damage, &parts, lossless);
	draw_noise(&surface);
	measure("noise", &surface, &damage, &parts, lossless);
	struct rect whole = { 0, 0, WIDTH, HEIGHT }, window = { 200, 150, 1300, 800 };
	draw_spreadsheet(&page);
	scroll("whole page", &surface, &page, &damage, &parts, lossless, whole, 40);
	scroll("window", &surface, &page, &damage, &parts, lossless, window, HEIGHT - 40);
	type(&surface, &damage, &parts);
	draw_noise(&page);
	scroll("other noise", &surface, &page, &damage, &parts, lossless, whole, HEIGHT / 2 + 1);
	lossless_free(lossless);
	parts_finish(&parts);
	damage_finish(&damage);
	surface_finish(&page);
	surface_finish(&surface);
	return 0;
}
