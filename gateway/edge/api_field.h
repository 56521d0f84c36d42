/*
 * api_field.h - what a route's body may hold: the rows of api.c's tables, by which api_fill.c
 * reads.
 */
#ifndef SEKISHO_EDGE_API_FIELD_H
#define SEKISHO_EDGE_API_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One field of a body and where its value goes. A row without a name is the last. */
struct api_field {
	const char *name;
	enum {
		FIELD_STRING,
		FIELD_BYTES, /* a string that goes as BLOB */
		FIELD_U16,
		FIELD_U64,
		FIELD_BOOL,
		FIELD_LAYOUT,
		FIELD_PLACE,
		FIELD_OBJECT,
		FIELD_WHOLE, /* the body as it is */
	} type;
	bool optional;
	int64_t min, max;               /* of a number; bytes of a string */
	size_t offset;                  /* in the message */
	const struct api_field *fields; /* OBJECT */
};

#endif
