/*
 * kit.h - LibreOffice as a library (LibreOfficeKit), without windows, macros, links and a past.
 */
#ifndef SEKISHO_PREVIEW_KIT_H
#define SEKISHO_PREVIEW_KIT_H

#include "base/buf.h"
#include "wire/enums.h"

/* In a room (room.h), once in a process. As office_to_pdf. */
enum document_end kit_to_pdf(const struct buf *document, struct buf *ret_pdf);

#endif
