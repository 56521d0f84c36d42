/* Decodes anything; what decodes must encode to the same bytes again. */
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wire_type *type;
	union wire_any msg;
	struct buf buf;

	if (wire_decode(data, size, &type, &msg))
		return 0;
	buf_init(&buf, size);
	if (wire_encode(type->id, &msg, &buf) || buf.len != size ||
	    memcmp(buf.data, data, size) != 0)
		abort();
	buf_finish(&buf);
	return 0;
}
