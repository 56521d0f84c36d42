/*
 * vnc_cursor.h - turns the two cursor encodings of RFB into RGBA with straight alpha.
 */
#ifndef SEKISHO_WORKER_REMOTE_VNC_VNC_CURSOR_H
#define SEKISHO_WORKER_REMOTE_VNC_VNC_CURSOR_H

#include <stddef.h>
#include <stdint.h>

/* Cursor (RFC 6143 §7.8.1): BGRX pixels, then a bit mask. rgba: width * height * 4 bytes. */
size_t vnc_cursor_rich_size(unsigned width, unsigned height);
void vnc_cursor_rich(const uint8_t *data, unsigned width, unsigned height, uint8_t *rgba);

/* XCursor: primary and secondary colour as RGB, then a bitmap (1: primary), then a bit mask. */
size_t vnc_cursor_two_colours_size(unsigned width, unsigned height);
void vnc_cursor_two_colours(const uint8_t *data, unsigned width, unsigned height, uint8_t *rgba);

#endif
