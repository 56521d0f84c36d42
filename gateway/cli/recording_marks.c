#include "cli/recording_marks.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

enum { LINE_MAX_BYTES = 64 * 1024, SESSION_HEX = 2 * CHUNK_SESSION };

static bool take_count(const json_t *from, const char *name, uint64_t *ret)
{
	const json_t *value = json_object_get(from, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(value);
	return true;
}

static bool take_mark(const json_t *from, struct verify_mark *ret)
{
	const char *hash = json_string_value(json_object_get(from, "hash"));
	const json_t *last = json_object_get(from, "last");

	*ret = (struct verify_mark){ .last = json_is_true(last) || json_integer_value(last) == 1 };
	return take_count(from, "chunks", &ret->chunks) && take_count(from, "size", &ret->size) &&
	       hash && util_unhex(hash, ret->hash, sizeof(ret->hash)) == OK &&
	       (json_is_boolean(last) || json_is_integer(last));
}

static enum err add(struct recording_marks *marks, const struct verify_mark *mark)
{
	const size_t room = marks->room ? 2 * marks->room : 64;

	if (marks->count == MARKS_MAX)
		return ERR_TOO_BIG;
	if (marks->count == marks->room) {
		struct verify_mark *more = reallocarray(marks->marks, room, sizeof(*more));
		if (!more)
			return ERR_NOMEM;
		marks->marks = more;
		marks->room = room;
	}
	marks->marks[marks->count++] = *mark;
	return OK;
}

/* Of which recording a mark is: it must be the one that is asked for, or the only one. */
static enum err check_session(struct recording_marks *marks, const char *session, bool *ret_other)
{
	uint8_t id[CHUNK_SESSION];

	*ret_other = false;
	if (util_unhex(session, id, sizeof(id)))
		return ERR_INVALID;
	if (marks->session_known)
		*ret_other = memcmp(id, marks->session, sizeof(id)) != 0;
	memcpy(marks->session, id, sizeof(id));
	marks->session_known = true;
	return OK;
}

/* An entry of the log keeps the mark as its detail: an object, or the text of one. */
enum err recording_marks_add(struct recording_marks *marks, const json_t *detail)
{
	json_t *parsed = json_is_string(detail)
				 ? json_loadb(json_string_value(detail), json_string_length(detail),
					      JSON_REJECT_DUPLICATES, NULL)
				 : json_incref((json_t *)detail);
	struct verify_mark mark;
	enum err err = take_mark(parsed, &mark) ? add(marks, &mark) : ERR_INVALID;

	json_decref(parsed);
	return err;
}

/* For one recording: wanted, or the only one there is. */
struct wanted {
	struct recording_marks *marks;
	const char *session; /* NULL: any */
};

static enum err add_entry(const struct wanted *wanted, const json_t *entry)
{
	const char *session = json_string_value(json_object_get(entry, "session"));
	bool other = false;
	enum err err;

	/* What it said was disposed of. */
	if (json_is_true(json_object_get(entry, "disposed")))
		return OK;
	if (!session || (wanted->session && !util_streq(session, wanted->session)))
		return session ? OK : ERR_INVALID;
	err = check_session(wanted->marks, session, &other);
	if (err || other)
		return ERR_INVALID;
	return recording_marks_add(wanted->marks, json_object_get(entry, "detail"));
}

static enum err add_line(void *ctx, const json_t *line)
{
	const struct wanted *wanted = ctx;
	const char *event = json_string_value(json_object_get(line, "event"));

	if (!event)
		return recording_marks_add(wanted->marks, line);
	return util_streq(event, "recording-mark") ? add_entry(wanted, line) : OK;
}

/* ---- lines ------------------------------------------------------------------------------ */

/* What fills the room without an end goes on: no line of the log is as long. */
static enum err read_line(const char *line, recording_line_fn take, void *ctx)
{
	const size_t len = strlen(line);
	enum err err = ERR_INVALID;

	if (len == LINE_MAX_BYTES - 1 && line[len - 1] != '\n')
		return ERR_TOO_BIG;
	if (!line[strspn(line, " \t\r\n")])
		return OK;
	json_t *value = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(value))
		err = take(ctx, value);
	json_decref(value);
	return err;
}

enum err recording_log_read(const char *path, recording_line_fn take, void *ctx, size_t *ret_line)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = malloc(LINE_MAX_BYTES);
	enum err err = OK;

	*ret_line = 0;
	if (!file)
		return err_from_errno(errno);
	if (!line)
		return ERR_NOMEM;
	while (!err && fgets(line, LINE_MAX_BYTES, file)) {
		++*ret_line;
		err = read_line(line, take, ctx);
	}
	return !err && ferror(file) ? ERR_IO : err;
}

enum err recording_marks_read(const char *path, const char *session, struct recording_marks *ret)
{
	struct wanted wanted = { ret, session };

	*ret = (struct recording_marks){ 0 };
	enum err err = recording_log_read(path, add_line, &wanted, &ret->line);
	return err || ret->count ? err : ERR_NOT_FOUND;
}

void recording_marks_finish(struct recording_marks *marks)
{
	free(marks->marks);
	*marks = (struct recording_marks){ 0 };
}
