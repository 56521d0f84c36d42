#include "unit/unit.h"

#include <string.h>

#include "worker/remote/rdp/rdp_channels.h"

static const char *requested(const char *data, size_t len)
{
	return rdp_channels_requested((const uint8_t *)data, len);
}

static void test_request(void **state)
{
	(void)state;
	assert_string_equal(requested("\x10\x05"
				      "ECHO",
				      7),
			    "ECHO");
	assert_string_equal(requested("\x11\x05\x00"
				      "ECHO",
				      8),
			    "ECHO");
	assert_string_equal(requested("\x12\x05\x00\x00\x00"
				      "ECHO",
				      10),
			    "ECHO");
	/* the priority bits do not matter */
	assert_string_equal(requested("\x1c\x05"
				      "ECHO",
				      7),
			    "ECHO");
	assert_string_equal(requested("\x10\x05"
				      "",
				      3),
			    "");
}

static void test_no_request(void **state)
{
	(void)state;
	assert_null(requested("", 0));
	assert_null(requested("\x10", 1));
	assert_null(requested("\x10\x05", 2));
	assert_null(requested("\x10\x05"
			      "ECHO",
			      6)); /* no NUL */
	assert_null(requested("\x12\x05\x00\x00", 4));
	assert_null(requested("\x13\x05"
			      "ECHO",
			      7)); /* no such size of the id */
	assert_null(requested("\x30\x05"
			      "ECHO",
			      7)); /* data */
}

static void assert_length(const char *data, size_t len, uint32_t wanted)
{
	assert_int_equal(rdp_channels_length((const uint8_t *)data, len), wanted);
}

static void test_length(void **state)
{
	(void)state;
	assert_length("\x20\x05\x07", 3, 7);
	assert_length("\x24\x05\x07\x01", 4, 0x107);
	assert_length("\x28\x05\x04\x03\x02\x01", 6, 0x1020304);
	assert_length("\x2a\x05\x05\x05\x05\xff\xff\xff\xff", 9, UINT32_MAX);
	assert_length("\x29\x05\x05\x00\x00\x00\x80", 7, 0x80000000);
	assert_length("\x68\x05\x04\x03\x02\x01", 6, 0x1020304);
	/* cut off, or sizes that do not exist: as long as can be */
	assert_length("\x28\x05\x04\x03\x02", 5, UINT32_MAX);
	assert_length("\x20", 1, UINT32_MAX);
	assert_length("\x2c\x05\x04\x03\x02\x01", 6, UINT32_MAX);
	assert_length("\x2b\x05\x04\x03\x02\x01", 6, UINT32_MAX);
	/* other messages */
	assert_length("\x30\x05\xff\xff\xff", 5, 0);
	assert_length("\x10\x05\xff\xff\xff", 5, 0);
	assert_length("", 0, 0);
}

static void test_policy(void **state)
{
	static const char *const refused[] = { "AUDIO_INPUT",
					       "ECHO",
					       "AUDIO_PLAYBACK_DVC",
					       "RDCamera_Device_Enumerator",
					       "",
					       "rdpgfx",
					       "Microsoft::Windows::RDS::Input",
					       "Microsoft::Windows::RDS::Graphics2",
					       "URBDRC",
					       "TSMF",
					       "cliprdr" };

	(void)state;
	assert_true(rdp_channels_allowed("Microsoft::Windows::RDS::Graphics", false));
	assert_true(rdp_channels_allowed("Microsoft::Windows::RDS::DisplayControl", false));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_false(rdp_channels_allowed(refused[i], false));
	/* Sound comes out where it may, and never in. */
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(rdp_channels_allowed(refused[i], true),
				 strcmp(refused[i], "AUDIO_PLAYBACK_DVC") == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_no_request),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
