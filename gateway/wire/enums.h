/*
 * enums.h - the enumerations of enums.def and their codes.
 */
#ifndef SEKISHO_WIRE_ENUMS_H
#define SEKISHO_WIRE_ENUMS_H

#include <stdint.h>

#include "base/err.h"

#define ENUM(name)                enum name {
#define VALUE(number, NAME, code) NAME = number,
#define END(name)                                                                                  \
	}                                                                                          \
	;
#include "wire/enums.def"
#undef ENUM
#undef VALUE
#undef END

/* <name>_code(value): the code, or "unknown". <name>_parse: ERR_INVALID for an unknown code. */
#define ENUM(name)                                                                                 \
	const char *name##_code(unsigned value);                                                   \
	nodiscard enum err name##_parse(const char *code, enum name *ret);
#define VALUE(number, NAME, code)
#define END(name)
#include "wire/enums.def"
#undef ENUM
#undef VALUE
#undef END

#endif
