/*
 * watermark.h - what says in every picture of a video what it is and who took it out: a bar below
 * the desktop with words, and faintly over all of the desktop the auditor's name, so that cutting
 * the bar off takes nothing away.
 */
#ifndef SEKISHO_EXPORT_WATERMARK_H
#define SEKISHO_EXPORT_WATERMARK_H

#include <stdbool.h>

#include "text/text.h"
#include "wire/enums.h"

/* All UTF-8, borrowed for watermark_new alone. */
struct watermark_facts {
	bool japanese;
	const char *auditor, *purpose, *session;
	const char *person, *host; /* as the recording says */
	int64_t exported_s;        /* wall clock */
	enum verdict verdict;
	bool unlogged;
};

struct watermark;

/* text is borrowed. width: of the video. ERR_NOMEM, ERR_INVALID. */
nodiscard enum err watermark_new(struct text *text, unsigned width,
				 const struct watermark_facts *facts, struct watermark **ret);
void watermark_free(struct watermark *watermark); /* NULL is allowed */

/* How high the bar is. */
unsigned watermark_bar(const struct watermark *watermark);

/* Of a moment of the recording. */
struct watermark_moment {
	int64_t time_ms; /* wall clock, milliseconds since 1970 UTC, in the process's zone */
	bool broken;     /* the picture is not as the person saw it */
	bool unattended; /* nobody was connected */
};

/* Over the desktop, and into the bar. */
nodiscard enum err watermark_draw(struct watermark *watermark, const struct canvas *desktop,
				  const struct canvas *bar, const struct watermark_moment *moment);

#endif
