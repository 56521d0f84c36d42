#include "wire/wire.h"

#include <string.h>

#include "base/util.h"

/* this: the message's struct, named inside the block that MESSAGE opens. */
#define U8(name)         { #name, WIRE_U8, offsetof(this, name), 1 },
#define U16(name)        { #name, WIRE_U16, offsetof(this, name), 2 },
#define I16(name)        { #name, WIRE_I16, offsetof(this, name), 2 },
#define U32(name)        { #name, WIRE_U32, offsetof(this, name), 4 },
#define U64(name)        { #name, WIRE_U64, offsetof(this, name), 8 },
#define STR(name, max)   { #name, WIRE_STR, offsetof(this, name), max },
#define BLOB(name, max)  { #name, WIRE_BLOB, offsetof(this, name), max },
#define FIXED(name, len) { #name, WIRE_FIXED, offsetof(this, name), len },

const struct wire_type *wire_type(uint16_t wanted)
{
	switch (wanted) {
#define MESSAGE(id_, name_, from_, to_, flags_, ...)                                               \
	case id_: {                                                                                \
		typedef struct msg_##name_ this;                                                   \
		static const struct wire_field fields[] = { __VA_ARGS__ };                         \
		static const struct wire_type type = {                                             \
			id_, #name_, from_, to_, flags_, sizeof(this), fields, ARRAY_SIZE(fields)  \
		};                                                                                 \
		return &type;                                                                      \
	}
#include "wire/messages.def"
#undef MESSAGE
	default:
		return NULL;
	}
}

void wire_each(void (*func)(const struct wire_type *type, void *ctx), void *ctx)
{
	static const uint16_t ids[] = {
#define MESSAGE(id, name, from, to, flags, ...) id,
#include "wire/messages.def"
#undef MESSAGE
	};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		func(wire_type(ids[i]), ctx);
}

static enum err put_number(struct buf *buf, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	return buf_add(buf, bytes, size);
}

static uint64_t get_number(const uint8_t *data, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)data[i] << (8 * i);
	return value;
}

static enum err put_string(struct buf *buf, const char *text, size_t max)
{
	size_t len;
	enum err err;

	if (!text)
		text = "";
	len = strlen(text);
	if (len > max)
		return ERR_TOO_BIG;
	if (!util_utf8_valid(text, len))
		return ERR_INVALID;
	err = put_number(buf, len, 4);
	return err ? err : buf_add(buf, text, len + 1);
}

static enum err put_field(struct buf *buf, const struct wire_field *field, const void *at)
{
	struct bytes blob;
	const char *text;
	uint64_t number = 0;
	enum err err;

	switch (field->type) {
	case WIRE_U8:
	case WIRE_U16:
	case WIRE_I16:
	case WIRE_U32:
	case WIRE_U64:
		/* Little-endian hosts only; asserted below. */
		memcpy(&number, at, field->max);
		return put_number(buf, number, field->max);
	case WIRE_STR:
		memcpy(&text, at, sizeof(text));
		return put_string(buf, text, field->max);
	case WIRE_BLOB:
		memcpy(&blob, at, sizeof(blob));
		if (blob.len > field->max)
			return ERR_TOO_BIG;
		err = put_number(buf, blob.len, 4);
		return err ? err : buf_add(buf, blob.data, blob.len);
	case WIRE_FIXED:
		return buf_add(buf, at, field->max);
	}
	return ERR_INTERNAL;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "put_field and get_field copy integers as they lie");

enum err wire_encode(uint16_t id, const void *msg, struct buf *buf)
{
	const struct wire_type *type = wire_type(id);
	size_t before = buf->len;
	enum err err;

	if (!type)
		return ERR_INTERNAL;
	err = put_number(buf, id, 2);
	for (size_t i = 0; !err && i < type->field_count; i++)
		err = put_field(buf, &type->fields[i], (const char *)msg + type->fields[i].offset);
	if (err)
		buf->len = before;
	return err;
}

struct reader {
	const uint8_t *data;
	size_t left;
};

static bool take(struct reader *reader, size_t len, const uint8_t **ret)
{
	if (len > reader->left)
		return false;
	*ret = reader->data;
	reader->data += len;
	reader->left -= len;
	return true;
}

static bool take_length(struct reader *reader, size_t max, size_t *ret)
{
	const uint8_t *at;

	if (!take(reader, 4, &at))
		return false;
	*ret = (size_t)get_number(at, 4);
	return *ret <= max;
}

static bool get_string(struct reader *reader, size_t max, void *to)
{
	const uint8_t *at;
	const char *text;
	size_t len;

	if (!take_length(reader, max, &len) || !take(reader, len + 1, &at))
		return false;
	text = (const char *)at;
	if (at[len] != 0 || !util_utf8_valid(text, len))
		return false;
	memcpy(to, &text, sizeof(text));
	return true;
}

static bool get_field(struct reader *reader, const struct wire_field *field, void *to)
{
	struct bytes blob;
	const uint8_t *at;

	switch (field->type) {
	case WIRE_U8:
	case WIRE_U16:
	case WIRE_I16:
	case WIRE_U32:
	case WIRE_U64:
	case WIRE_FIXED:
		if (!take(reader, field->max, &at))
			return false;
		memcpy(to, at, field->max);
		return true;
	case WIRE_STR:
		return get_string(reader, field->max, to);
	case WIRE_BLOB:
		if (!take_length(reader, field->max, &blob.len) ||
		    !take(reader, blob.len, &blob.data))
			return false;
		memcpy(to, &blob, sizeof(blob));
		return true;
	}
	return false;
}

enum err wire_decode(const uint8_t *data, size_t len, const struct wire_type **ret_type,
		     union wire_any *ret_msg)
{
	struct reader reader = { data, len };
	const struct wire_type *type;
	const uint8_t *at;

	if (!take(&reader, 2, &at))
		return ERR_PROTOCOL;
	type = wire_type((uint16_t)get_number(at, 2));
	if (!type)
		return ERR_PROTOCOL;
	for (size_t i = 0; i < type->field_count; i++)
		if (!get_field(&reader, &type->fields[i], (char *)ret_msg + type->fields[i].offset))
			return ERR_PROTOCOL;
	if (reader.left)
		return ERR_PROTOCOL;
	*ret_type = type;
	return OK;
}
