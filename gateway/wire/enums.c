#include "wire/enums.h"

#include <stddef.h>

#include "base/util.h"

struct code {
	unsigned value;
	const char *code;
};

static const char *code_of(const struct code *codes, size_t count, unsigned value)
{
	for (size_t i = 0; i < count; i++)
		if (codes[i].value == value)
			return codes[i].code;
	return "unknown";
}

static enum err parse(const struct code *codes, size_t count, const char *code, unsigned *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (util_streq(codes[i].code, code)) {
			*ret = codes[i].value;
			return OK;
		}
	}
	return ERR_INVALID;
}

#define ENUM(name)                static const struct code name##_codes[] = {
#define VALUE(number, NAME, code) { number, code },
#define END(name)                                                                                  \
	}                                                                                          \
	;                                                                                          \
	const char *name##_code(unsigned value)                                                    \
	{                                                                                          \
		return code_of(name##_codes, ARRAY_SIZE(name##_codes), value);                     \
	}                                                                                          \
	enum err name##_parse(const char *code, enum name *ret)                                    \
	{                                                                                          \
		unsigned value;                                                                    \
		enum err err = parse(name##_codes, ARRAY_SIZE(name##_codes), code, &value);        \
		if (!err)                                                                          \
			*ret = (enum name)value;                                                   \
		return err;                                                                        \
	}
#include "wire/enums.def"
