/*
 * stamp.h - what says in a picture who saw it and when: faintly all over it, so that cutting
 * something off takes nothing away, and in a bar below.
 */
#ifndef SEKISHO_PREVIEW_STAMP_H
#define SEKISHO_PREVIEW_STAMP_H

#include "text/text.h"

enum { STAMP_BAR = 36 /* how high the bar is */ };

/* page: what is drawn on; bar: as wide, STAMP_BAR high. now_s: in the process's zone. ERR_NOMEM. */
nodiscard enum err stamp_draw(struct text *text, const struct canvas *page,
			      const struct canvas *bar, const char *who, int64_t now_s);

#endif
