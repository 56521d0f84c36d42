/*
 * config.h - reads an ini file (inih) into a struct by a table. A wrong line gives one message with
 * file, line, key, value and what is allowed, in English and Japanese, and nothing is taken over.
 */
#ifndef SEKISHO_BASE_CONFIG_H
#define SEKISHO_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum config_type {
	CONFIG_STRING, /* char[max + 1] at offset */
	CONFIG_INT,    /* int64_t */
	CONFIG_BOOL,   /* bool; true/false/yes/no/on/off/1/0 */
	CONFIG_LISTEN, /* struct config_listen; "address:port", "[v6]:port" */
};

struct config_listen {
	char address[64]; /* numeric, without brackets */
	uint16_t port;
};

struct config_key {
	const char *section;
	const char *name;
	enum config_type type;
	size_t offset;        /* in the target struct */
	int64_t min, max;     /* INT: range; STRING: length in bytes */
	const char *fallback; /* as it would stand in the file; NULL: the key must be given */
	const char *en, *ja;  /* what it is, one line each */
};

/* All of it valid UTF-8 without control characters, whatever the file holds. */
struct config_error {
	char where[400];       /* "file", "file:line" or "file:line: section.key" */
	char en[512], ja[512]; /* what is wrong, and what is allowed */
};

/* Fills in what the file's own checks cannot find; en and ja take the same arguments. */
void config_complain(struct config_error *error, const char *where, const char *en, const char *ja,
		     ...) printf_like(3, 5) printf_like(4, 5);

/* "address:port" or "[v6]:port"; the address is numeric. */
bool config_parse_listen(const char *text, struct config_listen *ret);

/*
 * Fills target (size bytes) from the fallbacks and the file. Unknown keys, doubled keys, lines over
 * inih's limit (200 bytes in Debian) and files over 64 KiB are errors. On failure target is as it
 * was and ret_error says why.
 */
nodiscard enum err config_read(const char *path, const struct config_key *keys, size_t count,
			       void *target, size_t size, struct config_error *ret_error);

/* The same from memory; name stands for the file in messages. For the fuzzer and the tests. */
nodiscard enum err config_parse(const char *name, const char *text, const struct config_key *keys,
				size_t count, void *target, size_t size,
				struct config_error *ret_error);

#endif
