#include "certs/der.h"

enum {
	TAG_NUMBER = 0x1f,
	TAG_CONSTRUCTED = 0x20,
	TAG_CLASS = 0xc0,
	TYPE_BOOLEAN = 1,
	TYPE_INTEGER = 2,
	TYPE_NULL = 5,
	TYPE_SEQUENCE = 16,
	TYPE_SET = 17,
	LENGTH_BYTES_MAX = 3,
};

static bool take_length(struct bytes *rest, size_t *ret)
{
	if (rest->len == 0)
		return false;
	size_t first = rest->data[0], count = first & 0x7f, len = 0;
	rest->data++, rest->len--;
	if (first < 0x80) {
		*ret = first;
		return true;
	}
	/* 0 would be the indefinite form of BER. */
	if (count == 0 || count > LENGTH_BYTES_MAX || count > rest->len || rest->data[0] == 0)
		return false;
	for (size_t i = 0; i < count; i++)
		len = len << 8 | rest->data[i];
	rest->data += count;
	rest->len -= count;
	*ret = len;
	return len >= 0x80;
}

static bool take_any(struct bytes *rest, uint8_t *ret_tag, struct bytes *ret_content)
{
	struct bytes after = *rest;
	size_t len = 0;

	if (after.len == 0 || (after.data[0] & TAG_NUMBER) == TAG_NUMBER)
		return false;
	*ret_tag = after.data[0];
	after.data++, after.len--;
	if (!take_length(&after, &len) || len > after.len)
		return false;
	*ret_content = (struct bytes){ after.data, len };
	*rest = (struct bytes){ after.data + len, after.len - len };
	return true;
}

bool der_take(struct bytes *rest, uint8_t tag, struct bytes *ret_content)
{
	struct bytes after = *rest, content;
	uint8_t found;

	if (!take_any(&after, &found, &content) || found != tag)
		return false;
	*rest = after;
	*ret_content = content;
	return true;
}

bool der_skip(struct bytes *rest)
{
	struct bytes content;
	uint8_t tag;

	return take_any(rest, &tag, &content);
}

static bool is_integer(struct bytes value)
{
	if (value.len == 0)
		return false;
	if (value.len == 1)
		return true;
	/* Not nine equal bits in front (X.690 §8.3.2). */
	return !(value.data[0] == 0x00 && value.data[1] < 0x80) &&
	       !(value.data[0] == 0xff && value.data[1] >= 0x80);
}

static bool is_bit_string(struct bytes value)
{
	if (value.len == 0 || value.data[0] > 7 || (value.len == 1 && value.data[0] != 0))
		return false;
	unsigned unused = (1U << value.data[0]) - 1;
	return value.len == 1 || (value.data[value.len - 1] & unused) == 0;
}

static bool is_simple(uint8_t type, struct bytes value)
{
	switch (type) {
	case 0: /* ends the indefinite form of BER */
		return false;
	case TYPE_BOOLEAN:
		return value.len == 1 && (value.data[0] == 0x00 || value.data[0] == 0xff);
	case TYPE_INTEGER:
		return is_integer(value);
	case DER_BIT_STRING:
		return is_bit_string(value);
	case TYPE_NULL:
		return value.len == 0;
	default:
		return true;
	}
}

static bool are_strict(struct bytes rest, unsigned depth)
{
	struct bytes value = { 0 };
	uint8_t tag = 0;

	if (depth > DER_DEPTH_MAX)
		return false;
	while (rest.len > 0) {
		if (!take_any(&rest, &tag, &value))
			return false;
		bool constructed = tag & TAG_CONSTRUCTED, universal = !(tag & TAG_CLASS);
		uint8_t type = tag & TAG_NUMBER;
		/* Strings in pieces are BER. */
		if (universal && constructed != (type == TYPE_SEQUENCE || type == TYPE_SET))
			return false;
		if (constructed ? !are_strict(value, depth + 1)
				: universal && !is_simple(type, value))
			return false;
	}
	return true;
}

bool der_is_strict(struct bytes data)
{
	struct bytes rest = data;

	return der_skip(&rest) && rest.len == 0 && are_strict(data, 0);
}
