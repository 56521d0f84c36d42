/*
 * recording_marks.h - the marks of recordings from an export of the audit log.
 */
#ifndef SEKISHO_CLI_RECORDING_MARKS_H
#define SEKISHO_CLI_RECORDING_MARKS_H

#include <jansson.h>

#include "record/verify.h"

enum { MARKS_MAX = 100 * 1000 };

struct recording_marks {
	struct verify_mark *marks; /* owned */
	size_t count, room;
	uint8_t session[CHUNK_SESSION];
	bool session_known;
	size_t line; /* of a line that is wrong */
};

/* line: an object. */
typedef enum err (*recording_line_fn)(void *ctx, const json_t *line);

/* Gives every line of the log to take, until that fails. ret_line: the number of the last.
 * ERR_INVALID: no JSON object. ERR_TOO_BIG, and what reading a file says. */
nodiscard enum err recording_log_read(const char *path, recording_line_fn take, void *ctx,
				      size_t *ret_line);

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
/* One mark: an entry's detail, or the mark alone. ERR_INVALID, ERR_TOO_BIG, ERR_NOMEM. */
nodiscard enum err recording_marks_add(struct recording_marks *marks, const json_t *detail);
void recording_marks_finish(struct recording_marks *marks);

#endif
