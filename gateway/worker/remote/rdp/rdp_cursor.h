/*
 * rdp_cursor.h - the PC's pointer shapes as RGBA.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_CURSOR_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_CURSOR_H

#include <freerdp/codec/color.h>
#include <freerdp/graphics.h>

/* Registers the pointer class with FreeRDP, after gdi_init. */
void rdp_cursor_register(rdpGraphics *graphics);

/*
 * Converts an RDP pointer ([MS-RDPBCGR] 2.2.9.1.1.4.4: XOR and AND mask) into width * height * 4
 * bytes of RGBA with straight alpha; palette is for 8 bits per pixel. The caller frees; NULL when
 * it is out of limits or malformed.
 */
uint8_t *rdp_cursor_convert(const rdpPointer *pointer, const gdiPalette *palette);

/* The arrow for "the system's default pointer". */
enum { RDP_ARROW_WIDTH = 12, RDP_ARROW_HEIGHT = 19 };
void rdp_cursor_arrow(uint8_t rgba[RDP_ARROW_WIDTH * RDP_ARROW_HEIGHT * 4]);

#endif
