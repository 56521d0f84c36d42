/*
 * jpeg_check.h - the head of a JPEG (ITU-T T.81), read before a decoder sees it: the decoder is
 * never asked for an image of another size or kind than the frame says (docs/protocol.md §4).
 */
#ifndef SEKISHO_EXPORT_JPEG_CHECK_H
#define SEKISHO_EXPORT_JPEG_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A baseline JPEG of 8 bits and one or three components with exactly this size, from its first to
 * its last marker. ERR_PROTOCOL. */
nodiscard enum err jpeg_check(const uint8_t *data, size_t len, unsigned width, unsigned height);

#endif
