#include "cli/recording_marks.h"

#include <errno.h>
#include <jansson.h>
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
static json_t *detail_of(const json_t *entry)
{
	json_t *detail = json_object_get(entry, "detail");

	if (json_is_string(detail))
		return json_loadb(json_string_value(detail), json_string_length(detail),
				  JSON_REJECT_DUPLICATES, NULL);
	return json_incref(detail);
}

static enum err add_entry(struct recording_marks *marks, const json_t *entry, const char *wanted)
{
	const char *session = json_string_value(json_object_get(entry, "session"));
	struct verify_mark mark;
	bool other = false;
	enum err err;

	/* What it said was disposed of. */
	if (json_is_true(json_object_get(entry, "disposed")))
		return OK;
	if (!session || (wanted && !util_streq(session, wanted)))
		return session ? OK : ERR_INVALID;
	err = check_session(marks, session, &other);
	if (err || other)
		return ERR_INVALID;
	json_t *detail = detail_of(entry);
	err = take_mark(detail, &mark) ? add(marks, &mark) : ERR_INVALID;
	json_decref(detail);
	return err;
}

static enum err add_line(struct recording_marks *marks, const char *line, size_t len,
			 const char *wanted)
{
	json_t *value = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *event = json_string_value(json_object_get(value, "event"));
	struct verify_mark mark;
	enum err err = OK;

	if (!json_is_object(value))
		err = ERR_INVALID;
	else if (event)
		err = util_streq(event, "recording-mark") ? add_entry(marks, value, wanted) : OK;
	else
		err = take_mark(value, &mark) ? add(marks, &mark) : ERR_INVALID;
	json_decref(value);
	return err;
}

/* What fills the room without an end goes on: no line of the log is as long. */
static enum err read_line(struct recording_marks *marks, char *line, const char *session)
{
	const size_t len = strlen(line);

	marks->line++;
	if (len == LINE_MAX_BYTES - 1 && line[len - 1] != '\n')
		return ERR_TOO_BIG;
	return line[strspn(line, " \t\r\n")] ? add_line(marks, line, len, session) : OK;
}

enum err recording_marks_read(const char *path, const char *session, struct recording_marks *ret)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = malloc(LINE_MAX_BYTES);
	enum err err = OK;

	*ret = (struct recording_marks){ 0 };
	if (!file)
		return err_from_errno(errno);
	if (!line)
		return ERR_NOMEM;
	while (!err && fgets(line, LINE_MAX_BYTES, file))
		err = read_line(ret, line, session);
	if (!err && ferror(file))
		err = ERR_IO;
	return err || ret->count ? err : ERR_NOT_FOUND;
}

void recording_marks_finish(struct recording_marks *marks)
{
	free(marks->marks);
	*marks = (struct recording_marks){ 0 };
}
