#include "vault/document_sum.h"

#include <string.h>

#include "base/util.h"
#include "unit/unit.h"
#include "vault/document_file.h"

static uint8_t data[700000];

/* Made with sha256sum of the pieces, and of these sums in binary. */
static void it_is_that_of_the_pieces(void **state)
{
	static const struct {
		size_t len;
		const char *sum;
	} all[] = {
		{ 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ 1, "1406e05881e299367766d313e26c05564ec91bf721d31726bd6e46e60689539a" },
		{ DOCUMENT_PIECE,
		  "181388ec6a804344b5a80a72bbdb4e3dde60402b9c03459b31679da0cd282d14" },
		{ DOCUMENT_PIECE + 1,
		  "eb61e137a6531a984c723923a13e407036d2ea0fa0868faa143ec225fe425f36" },
		{ 2 * DOCUMENT_PIECE,
		  "bb7e1c60f11a79d84b0b3541d27fb276e8274473b8c69cda9b5c7294532282e3" },
		{ sizeof(data),
		  "84ef96ce2165e2ba7e1c5168b6f3bf56c6bdd8b161e1f27e971427de60c7d116" },
	};
	/* As messages are cut, as pieces are, across their ends, and not at all. */
	static const size_t steps[] = { 60000, DOCUMENT_PIECE, 1021, sizeof(data) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (size_t k = 0; k < ARRAY_SIZE(steps); k++) {
			struct document_sum *sum;
			uint8_t got[DOCUMENT_SUM];
			char hex[2 * DOCUMENT_SUM + 1];

			assert_ok(document_sum_new(&sum));
			for (size_t at = 0; at < all[i].len; at += steps[k])
				assert_ok(document_sum_add(sum, data + at,
							   MIN(steps[k], all[i].len - at)));
			assert_ok(document_sum_end(sum, got));
			util_hex(got, sizeof(got), hex);
			assert_string_equal(hex, all[i].sum);
			document_sum_free(sum);
		}
	document_sum_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(it_is_that_of_the_pieces) };

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
