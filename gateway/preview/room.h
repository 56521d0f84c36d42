/*
 * room.h - where LibreOffice is shut in: a file system of its own that is memory and goes with the
 * process, no network, no other files but programs' and fonts', no other process, limited time,
 * memory and sizes, no right to anything.
 */
#ifndef SEKISHO_PREVIEW_ROOM_H
#define SEKISHO_PREVIEW_ROOM_H

#include "base/err.h"

/* Its folder, the only one in which something can be written. In no other process it is this one.
 */
#define ROOM "/tmp"

/*
 * For good, and before any second thread. It takes user namespaces, Landlock and seccomp, whatever
 * gateway.require_landlock says: where one of them is missing the error is logged, and nothing of
 * the document must be looked at.
 */
nodiscard enum err room_enter(void);

#endif
