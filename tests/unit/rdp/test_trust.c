#include "unit/unit.h"

#include <string.h>

#include "base/util.h"
#include "worker/remote/rdp/rdp_trust.h"

#include "unit/rdp/certificate.h"

static void test_fingerprint(void **state)
{
	uint8_t fingerprint[32];
	char text[65];

	(void)state;
	assert_ok(rdp_trust_fingerprint((const uint8_t *)certificate_pem, strlen(certificate_pem),
					fingerprint));
	util_hex(fingerprint, 32, text);
	assert_string_equal(text, certificate_sha256);
}

static void test_malformed(void **state)
{
	static const char broken[] =
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
	uint8_t fingerprint[32] = { 7 };

	(void)state;
	assert_err(rdp_trust_fingerprint((const uint8_t *)"", 0, fingerprint), ERR_INVALID);
	assert_err(rdp_trust_fingerprint((const uint8_t *)broken, strlen(broken), fingerprint),
		   ERR_INVALID);
	assert_err(rdp_trust_fingerprint((const uint8_t *)certificate_pem,
					 strlen(certificate_pem) / 2, fingerprint),
		   ERR_INVALID);
	assert_int_equal(fingerprint[0], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
