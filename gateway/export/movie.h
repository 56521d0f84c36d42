/*
 * movie.h - pictures become a fragmented MP4 (ISO/IEC 14496-12) with H.264 in it, which goes out as
 * it is made: nothing is kept but a second of it, and what came out before a cut can be played.
 */
#ifndef SEKISHO_EXPORT_MOVIE_H
#define SEKISHO_EXPORT_MOVIE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { MOVIE_WIDTH_MAX = 3840, MOVIE_HEIGHT_MAX = 2624 };

struct movie;

/* Takes the file's bytes as they come; what it answers but OK ends the movie. */
typedef enum err movie_write(void *ctx, const uint8_t *data, size_t len);

/*
 * width and height: even, at most as above. title and comment: shown by players, UTF-8.
 * ERR_INVALID, ERR_NOMEM, ERR_INTERNAL, and what write answers.
 */
nodiscard enum err movie_new(unsigned width, unsigned height, const char *title,
			     const char *comment, movie_write *write, void *ctx,
			     struct movie **ret);
void movie_free(struct movie *movie); /* NULL is allowed; nothing more is written */

/* A picture, 0x00RRGGBB row by row, that is shown from at_ms on: later than the one before. */
nodiscard enum err movie_add(struct movie *movie, const uint32_t *pixels, uint64_t at_ms);

/* The last picture is shown until end_ms; then the file is whole. */
nodiscard enum err movie_end(struct movie *movie, uint64_t end_ms);

#endif
