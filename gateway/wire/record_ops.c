#include "wire/record_ops.h"

#include <stdbool.h>

#include "base/util.h"

const struct record_op record_ops[] = {
#define RECORD_OP(number, name, words, duties, flags, event)                                       \
	{ number, #name, words, duties, flags, event },
#include "wire/record_ops.def"
#undef RECORD_OP
};

const size_t record_op_count = ARRAY_SIZE(record_ops);

const struct record_op *record_op_find(unsigned number)
{
	for (size_t i = 0; i < record_op_count; i++)
		if (record_ops[i].number == number)
			return &record_ops[i];
	return NULL;
}

static bool same_words(const char *words, const char *given)
{
	while (*words && (*words == *given || (*words == ' ' && *given == '-'))) {
		words++;
		given++;
	}
	return *words == *given;
}

const struct record_op *record_op_by_words(const char *words)
{
	for (size_t i = 0; i < record_op_count; i++)
		if (same_words(record_ops[i].words, words))
			return &record_ops[i];
	return NULL;
}
