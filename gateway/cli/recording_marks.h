/*
 * recording_marks.h - the marks of one recording from an export of the audit log.
 */
#ifndef SEKISHO_CLI_RECORDING_MARKS_H
#define SEKISHO_CLI_RECORDING_MARKS_H

#include "record/verify.h"

enum { MARKS_MAX = 100 * 1000 };

struct recording_marks {
	struct verify_mark *marks; /* owned */
	size_t count, room;
	uint8_t session[CHUNK_SESSION];
	bool session_known;
	size_t line; /* of a line that is wrong */
};

/*
 * JSON lines: entries as `sekisho audit export` writes them, of which those with another event than
 * "recording-mark" are passed over; or marks alone, {"chunks","size","hash","last"}. session, 32
 * hex digits: only those of this one; NULL: of the only one there is. ERR_INVALID: a line is no
 * JSON object or no whole mark, or the marks are of several sessions; see line. ERR_NOT_FOUND:
 * there is no mark. ERR_TOO_BIG, and what reading a file says. The caller finishes, also after an
 * error.
 */
nodiscard enum err recording_marks_read(const char *path, const char *session,
					struct recording_marks *ret);
void recording_marks_finish(struct recording_marks *marks);

#endif
