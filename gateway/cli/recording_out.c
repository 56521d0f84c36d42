#include "cli/recording_out.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "wire/wire.h"

enum { JSON_ROOM = 64 * 1024 };

/* ---- files ----------------------------------------------------------------------------------- */

static enum err create(int folder, const char *name, FILE **ret)
{
	_cleanup_close_ int fd =
		openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_from_errno(errno);
	FILE *file = fdopen(fd, "w");
	if (!file)
		return ERR_NOMEM;
	(void)util_take_fd(&fd);
	*ret = file;
	return OK;
}

enum err recording_out_begin(struct recording_out *out, const char *path)
{
	_cleanup_close_ int folder = -1;
	enum err err;

	*out = (struct recording_out){ 0 };
	if (mkdir(path, 0700))
		return err_from_errno(errno);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return err_from_errno(errno);
	err = create(folder, "plain.bin", &out->plain);
	return err ? err : create(folder, "records.jsonl", &out->records);
}

static enum err sync_file(FILE *file)
{
	if (fflush(file) || fsync(fileno(file)))
		return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
	return OK;
}

enum err recording_out_end(struct recording_out *out)
{
	enum err err = sync_file(out->plain);

	return err ? err : sync_file(out->records);
}

void recording_out_finish(struct recording_out *out)
{
	util_fclosep(&out->plain);
	util_fclosep(&out->records);
	out->plain = out->records = NULL;
}

/* ---- records --------------------------------------------------------------------------------- */

static const char *kind_name(enum record_kind kind)
{
	static const char *const names[] = {
		[RECORD_META] = "meta",   [RECORD_SENT] = "sent",   [RECORD_KEY] = "key",
		[RECORD_INPUT] = "input", [RECORD_EVENT] = "event", [RECORD_INDEX] = "index"
	};

	return names[kind];
}

static int64_t integer_at(const uint8_t *at, enum wire_field_type type)
{
	switch (type) {
	case WIRE_U8:
		return *at;
	case WIRE_U16:
		return *(const uint16_t *)(const void *)at;
	case WIRE_I16:
		return *(const int16_t *)(const void *)at;
	case WIRE_U32:
		return *(const uint32_t *)(const void *)at;
	case WIRE_U64:
		return (int64_t)MIN(*(const uint64_t *)(const void *)at, (uint64_t)INT64_MAX);
	case WIRE_STR:
	case WIRE_BLOB:
	case WIRE_FIXED:
	default:
		return 0;
	}
}

/* Numbers and texts; of pictures and sound the size. */
static json_t *field_value(const struct wire_field *field, const uint8_t *at)
{
	switch (field->type) {
	case WIRE_STR:
		return json_string(*(const char *const *)(const void *)at);
	case WIRE_BLOB:
		return json_integer((json_int_t)((const struct bytes *)(const void *)at)->len);
	case WIRE_FIXED:
		return json_integer((json_int_t)field->max);
	case WIRE_U8:
	case WIRE_U16:
	case WIRE_I16:
	case WIRE_U32:
	case WIRE_U64:
	default:
		return json_integer(integer_at(at, field->type));
	}
}

/* A message of the viewer's stream; NULL for one that came in pieces, or is none. */
static json_t *message_json(const struct record *record, const char **ret_name)
{
	const struct wire_type *type;
	union wire_any message;

	if (record->more || wire_decode(record->data, record->len, &type, &message))
		return NULL;
	json_t *fields = json_object();
	for (size_t i = 0; i < type->field_count; i++) {
		const struct wire_field *field = &type->fields[i];
		json_object_set_new(fields, field->name,
				    field_value(field, (const uint8_t *)&message + field->offset));
	}
	*ret_name = type->name;
	return fields;
}

static json_t *object_json(const struct record *record)
{
	json_t *value = record->more || record->len > JSON_ROOM
				? NULL
				: json_loadb((const char *)record->data, record->len, 0, NULL);

	if (json_is_object(value))
		return value;
	json_decref(value);
	return NULL;
}

static json_t *record_json(const struct chunk_head *head, const struct record *record,
			   uint64_t offset)
{
	const char *name = NULL;
	json_t *content = NULL, *line;

	if (record->kind == RECORD_META || record->kind == RECORD_EVENT)
		content = object_json(record);
	else if (record->kind != RECORD_INDEX)
		content = message_json(record, &name);
	line = json_pack("{s:I, s:I, s:I, s:s, s:i, s:I, s:I, s:s*, s:o*}", "chunk",
			 (json_int_t)head->sequence, "time_ms",
			 (json_int_t)(head->time_ms + (record->at_us - head->start_us) / 1000),
			 "at_us", (json_int_t)record->at_us, "kind", kind_name(record->kind),
			 "viewer", (int)record->viewer, "offset", (json_int_t)offset, "size",
			 (json_int_t)record->len, "message", name, "content", content);
	if (line && record->more)
		json_object_set_new(line, "more", json_true());
	return line;
}

static enum err put_line(struct recording_out *out, json_t *line)
{
	const bool written = line && json_dumpf(line, out->records, JSON_COMPACT) == 0 &&
			     fputc('\n', out->records) != EOF;

	json_decref(line);
	out->count++;
	return written ? OK : line ? ERR_IO : ERR_NOMEM;
}

enum err recording_out_add(struct recording_out *out, const uint8_t *plain, size_t len)
{
	struct chunk_reader reader;
	struct record record;
	enum err err = chunk_parse(plain, len, &reader);

	if (!err && fwrite(plain, 1, len, out->plain) != len)
		err = ERR_IO;
	while (!err && chunk_next(&reader, &record))
		err = put_line(out, record_json(&reader.head, &record,
						out->offset + (uint64_t)(record.data - plain)));
	if (!err)
		out->offset += len;
	return err;
}
