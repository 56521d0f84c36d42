/*
 * wire.h - every message that crosses a trust boundary, defined once in messages.def: between the
 * processes, from the CLI, and between worker and viewer. One table-driven codec serves them all.
 *
 * On the wire: u16 id, then the fields in order, little-endian. STR: u32 length without NUL, the
 * bytes, one NUL; well-formed UTF-8. BLOB: u32 length, the bytes. FIXED: the bytes.
 */
#ifndef SEKISHO_WIRE_WIRE_H
#define SEKISHO_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum wire_role {
	WIRE_MONITOR = 1,
	WIRE_EDGE,
	WIRE_BROKER,
	WIRE_SIGNER,
	WIRE_PROBE,
	WIRE_WORKER,
	WIRE_VIEWER,
	WIRE_ADMIN,
	WIRE_VAULT,
	WIRE_PLAYER, /* a browser that plays a recording */
	WIRE_EXPORT, /* makes a video of a recording */
	WIRE_SIEM,
	WIRE_PAGE,    /* a browser that brings or gets a document of the vault */
	WIRE_PREVIEW, /* makes pictures of a document */
	WIRE_ANY,
};

enum {
	WIRE_SESSION_ID = 16,          /* bytes */
	WIRE_DEVICE_ID = 32,           /* SHA-256 of the device's SubjectPublicKeyInfo */
	WIRE_MESSAGE_MAX = 128 * 1024, /* one encoded message between processes */
};

struct bytes {
	const uint8_t *data; /* not owned */
	size_t len;
};

enum wire_field_type {
	WIRE_U8,
	WIRE_U16,
	WIRE_I16,
	WIRE_U32,
	WIRE_U64,
	WIRE_STR,
	WIRE_BLOB,
	WIRE_FIXED
};

struct wire_field {
	const char *name;
	enum wire_field_type type;
	size_t offset; /* in the message's struct */
	size_t max;    /* STR, BLOB: most bytes; FIXED: exactly so many */
};

/*
 * On a viewer's stream, worker to edge, a packet of this one byte and no more (no message is that
 * short): the viewer broke the protocol, close with 4002. The edge takes it out, it is not for the
 * viewer.
 */
enum { WIRE_STREAM_VIOLATION = 2 };

enum wire_flags {
	WIRE_HAS_FD = 1, /* a descriptor must come with it */
	WIRE_MAY_FD = 2, /* a descriptor may come with it */
	WIRE_SECRET = 4, /* buffers that held it are wiped */
};

struct wire_type {
	uint16_t id;
	const char *name;
	enum wire_role from, to;
	unsigned flags;
	size_t size; /* of struct msg_<name> */
	const struct wire_field *fields;
	size_t field_count;
};

/* struct msg_<name>: STR is const char *, never NULL after decoding; BLOB is struct bytes. */
#define U8(name)         uint8_t name;
#define U16(name)        uint16_t name;
#define I16(name)        int16_t name;
#define U32(name)        uint32_t name;
#define U64(name)        uint64_t name;
#define STR(name, max)   const char *name;
#define BLOB(name, max)  struct bytes name;
#define FIXED(name, len) uint8_t name[len];
#define MESSAGE(id, name, from, to, flags, ...)                                                    \
	struct msg_##name {                                                                        \
		__VA_ARGS__                                                                        \
	};
#include "wire/messages.def"
#undef U8
#undef U16
#undef I16
#undef U32
#undef U64
#undef STR
#undef BLOB
#undef FIXED
#undef MESSAGE

/* MSG_<name> ids. */
enum wire_id {
#define MESSAGE(id, name, from, to, flags, ...) MSG_##name = id,
#include "wire/messages.def"
#undef MESSAGE
};

/* The largest decoded message, for a buffer on the stack. */
union wire_any {
#define MESSAGE(id, name, from, to, flags, ...) struct msg_##name name;
#include "wire/messages.def"
#undef MESSAGE
};

/* The table row, or NULL. */
const struct wire_type *wire_type(uint16_t id);

/* Calls func for every type in the order of messages.def. */
void wire_each(void (*func)(const struct wire_type *type, void *ctx), void *ctx);

/*
 * Appends the encoding of msg (a struct msg_<name>). A STR that is NULL goes as "". ERR_TOO_BIG
 * when a field or the whole is over its limit, ERR_INVALID for a string that is not UTF-8; then buf
 * is unchanged.
 */
nodiscard enum err wire_encode(uint16_t id, const void *msg, struct buf *buf);

/*
 * Decodes one whole message: every length is checked before use, nothing may be left over. ret_msg
 * points into data for strings and blobs, so data must outlive it. ERR_PROTOCOL on anything wrong.
 */
nodiscard enum err wire_decode(const uint8_t *data, size_t len, const struct wire_type **ret_type,
			       union wire_any *ret_msg);

#endif
