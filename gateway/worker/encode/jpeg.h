/*
 * jpeg.h - a part of the surface as a JPEG: baseline, 4:2:0.
 */
#ifndef SEKISHO_WORKER_ENCODE_JPEG_H
#define SEKISHO_WORKER_ENCODE_JPEG_H

#include <stddef.h>

#include "worker/display/surface.h"

enum { JPEG_QUALITY = 80, JPEG_QUALITY_LOW = 60, JPEG_QUALITY_LEAST = 40 };

struct jpeg;

nodiscard enum err jpeg_new(struct jpeg **ret);
void jpeg_free(struct jpeg *jpeg);

/* Inside the surface. The data belong to the encoder until its next call. ERR_NOMEM. */
nodiscard enum err jpeg_encode(struct jpeg *jpeg, const struct surface *surface,
			       const struct rect *rect, unsigned quality, const uint8_t **ret_data,
			       size_t *ret_len);

#endif
