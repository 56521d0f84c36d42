/*
 * Takes anything as one sealed chunk. What shape_check accepts OpenSSL reads to the last byte, and
 * writes it again as it was: it has one meaning.
 */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "record/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_so)
{
	if (!is_so)
		abort();
}

static void read_and_write(const uint8_t *data, size_t size, size_t recipients)
{
	const uint8_t *at = data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)size);
	unsigned char *again = NULL;

	/* A point that is not on the curve is refused while it is read. */
	if (!cms) {
		ERR_clear_error();
		return;
	}
	expect(at == data + size);
	expect(sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms)) == (int)recipients);
	expect(i2d_CMS_ContentInfo(cms, &again) == (int)size);
	expect(memcmp(again, data, size) == 0);
	OPENSSL_free(again);
	CMS_ContentInfo_free(cms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t recipients = 0, stated = 0;
	const enum shape_start start = shape_head(data, size, &stated);

	if (start == SHAPE_CHUNK)
		expect(stated && stated <= SHAPE_DER_MAX);
	if (start == SHAPE_PARTIAL)
		expect(size < SHAPE_HEAD);
	if (shape_check(data, size, &recipients))
		return 0;
	expect(start == SHAPE_CHUNK && stated == size);
	expect(recipients >= 1 && recipients <= SHAPE_RECIPIENTS_MAX);
	read_and_write(data, size, recipients);
	return 0;
}
