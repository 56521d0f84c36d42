/*
 * frame.h - assembles the messages that carry pixels: what brings a viewer's picture to the
 * desktop's, within what its link takes.
 */
#ifndef SEKISHO_WORKER_STREAM_FRAME_H
#define SEKISHO_WORKER_STREAM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "worker/display/damage.h"
#include "worker/display/films.h"
#include "worker/display/parts.h"
#include "worker/display/regions.h"
#include "worker/display/surface.h"
#include "worker/encode/lossless.h"
#include "worker/encode/pictures.h"

/* What a viewer shows of one desktop; embedded in its owner. */
struct frame_source {
	const struct surface *surface; /* not owned */
	struct damage damage;          /* against what the viewer has */
	struct lossless *lossless;     /* owned */
	/* Bits of enum codec that every viewer of this decodes; without CODEC_JPEG or CODEC_H264
	 * all is lossless. May be set at any time. */
	unsigned codecs;
	bool keyframe;     /* the next frame must be one */
	uint64_t asked_us; /* when frame_next was last asked */
	uint64_t large_us; /* when the last large frame was encoded; 0: none since the rest */
	size_t exact_rate; /* bytes that 1024 exact pixels took of late */
	struct parts exact, lossy; /* of one frame */
	struct regions regions;
	struct pictures pictures;
};

/* surface: may be a part of a larger one, e.g. one monitor. */
nodiscard enum err frame_source_init(struct frame_source *source, const struct surface *surface);
void frame_source_finish(struct frame_source *source);

/* The surface has a new size: the next frame is a keyframe. */
nodiscard enum err frame_source_resize(struct frame_source *source);

/* The next frame is a keyframe, e.g. for a new viewer. */
void frame_source_refresh(struct frame_source *source);

struct frame_wish {
	uint32_t sequence;
	uint64_t now_us; /* monotonic; also for the viewer's statistics */
	/* Bytes that the viewer's link takes in good time; 0: no limit. Kept as far as one tile
	 * allows: the rest stays dirty and waits. Keyframes ignore it, and single pictures of a
	 * video may exceed it. */
	size_t budget;
};

/*
 * Appends MSG_frame with what is dirty now; ret_empty: the hints were wrong, nothing changed and
 * nothing was appended. On an error the viewer has lost its state: send it a keyframe.
 */
nodiscard enum err frame_next(struct frame_source *source, const struct frame_wish *wish,
			      struct buf *message, bool *ret_empty);

/*
 * H.264 of the PC that the viewer decodes itself. frame_film: it will get these clips of the
 * surface, in its order with everything that is told before and after. frame_next_film: appends
 * MSG_frame with the unit, whose clips were told in time unless it is hidden, and with the copies
 * that wait. ERR_FULL, ERR_NOMEM.
 */
void frame_film(struct frame_source *source, const struct rect *clips, size_t count,
		uint64_t now_us);
nodiscard enum err frame_next_film(struct frame_source *source, const struct frame_wish *wish,
				   const struct pictures_unit *unit, struct buf *message);

/*
 * Somebody else gets a picture of the whole surface now, and from here on the viewer's frames:
 * false when that cannot be, because a keyframe is due anyway or H.264 of the PC is on its way.
 */
bool frame_can_join(const struct frame_source *source);
void frame_join(struct frame_source *source);

/* The surface has caught up with all clips that were told. */
void frame_settle(struct frame_source *source);

/* frame_next must wait for that. */
bool frame_waits(const struct frame_source *source, uint64_t now_us);

/*
 * When frame_next should be asked although the PC draws nothing, because the viewer has lossy
 * pixels that are to be made exact, or less than the whole; monotonic, 0: never. May change with
 * every call of frame_next.
 */
uint64_t frame_refresh_us(const struct frame_source *source);

#endif
