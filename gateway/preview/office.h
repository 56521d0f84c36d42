/*
 * office.h - a file of an office program (Word, Excel, PowerPoint, OpenDocument, RTF) as a PDF, by
 * LibreOffice. That is millions of lines which read what a stranger sent: they run in a process of
 * their own, shut in (room.h), which ends with this one file; what comes from it is hostile.
 */
#ifndef SEKISHO_PREVIEW_OFFICE_H
#define SEKISHO_PREVIEW_OFFICE_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/enums.h"

enum {
	OFFICE_FILE_MAX = 32 * 1024 * 1024, /* bytes */
	OFFICE_PDF_MAX = 64 * 1024 * 1024,
};

/*
 * Starts that process, which waits. Before the sandbox closes, and before there is any second
 * thread. ret_fd: the caller's; the process ends when it is closed, and with the caller.
 */
nodiscard enum err office_start(int *ret_fd);

/* By its first bytes. */
bool office_is(const uint8_t *data, size_t len);

/*
 * Only once for each start. NONE; FORMAT: LibreOffice can make nothing of it; PASSWORD; PROGRAM: it
 * is not installed, or cannot be shut in here; LIMITS: too large, or it took too much time or
 * memory. The log says which it was.
 */
enum document_end office_to_pdf(int fd, const struct buf *document, struct buf *ret_pdf);

#endif
