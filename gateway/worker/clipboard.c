#include "worker/clipboard.h"

#include <stdio.h>

#include "base/clock.h"
#include "worker/attach.h"
#include "worker/session.h"

/* times: how often it was tried since the event before. */
static void note(struct worker *worker, enum clipboard_way way, unsigned times)
{
	char detail[64];
	snprintf(detail, sizeof(detail), "{\"way\":\"%s\",\"times\":%u}", clipboard_way_code(way),
		 times);
	if (worker->clipboard.entries++ < CLIPBOARD_ENTRIES)
		session_event(worker, "clipboard-blocked", detail);
	else
		session_happens_so(worker, 0, "clipboard-blocked", detail);
}

/* Some VNC servers offer each selection of text, so not everything is worth a line. */
void clipboard_tried(struct worker *worker, enum clipboard_way way)
{
	uint64_t now_us = clock_mono_us(), *noted_us = &worker->clipboard.ways[way].noted_us;
	unsigned *times = &worker->clipboard.ways[way].times;
	++*times;
	/* A page that was told to paste says so itself. */
	if (way == CLIPBOARD_PC)
		attach_tell_once(worker, NOTICE_CLIPBOARD);
	if (*noted_us && now_us - *noted_us < CLIPBOARD_NOTE_US)
		return;
	note(worker, way, *times);
	*noted_us = now_us;
	*times = 0;
}
