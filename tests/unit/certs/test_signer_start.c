#include "unit/folder.h"

#include <string.h>

#include "base/util.h"
#include "certs/signer_start.h"

static enum err read_back(const char *text, size_t len, bool is_pin, char ret[300])
{
	char path[UNIT_FILE];
	_cleanup_close_ int fd = unit_file(path);
	_cleanup_secret_ struct secret *passphrase = NULL;

	/* The position is at the end now. */
	assert_int_equal(write(fd, text, len), len);
	enum err err = signer_passphrase_of(fd, is_pin, &passphrase);
	if (!err)
		snprintf(ret, 300, "%s", secret_text(passphrase));
	return err;
}

static void accept(const char *text, const char *wanted)
{
	char got[300];

	assert_ok(read_back(text, strlen(text), false, got));
	assert_string_equal(got, wanted);
}

static void refuse(const char *text, enum err wanted)
{
	char got[300];

	assert_err(read_back(text, strlen(text), false, got), wanted);
}

static void test_line_ends(void **state)
{
	(void)state;
	accept("correct horse", "correct horse");
	accept("correct horse\n", "correct horse");
	accept("correct horse\r\n", "correct horse");
	accept(" with blanks  \n", " with blanks  ");
	accept("合言葉は桜の花の咲く頃に\n", "合言葉は桜の花の咲く頃に");
	refuse("correct horse\n\n", ERR_INVALID);
	refuse("correct\nhorse\n", ERR_INVALID);
}

static void test_lengths(void **state)
{
	char text[300], got[300];

	(void)state;
	refuse("", ERR_INVALID);
	refuse("\n", ERR_INVALID);
	refuse("seven77\n", ERR_INVALID);
	accept("eight888\n", "eight888");
	memset(text, 'x', sizeof(text));
	text[256] = '\0';
	accept(text, text);
	text[256] = '\n';
	assert_ok(read_back(text, 257, false, got));
	text[256] = 'x';
	assert_err(read_back(text, 257, false, got), ERR_TOO_BIG);
	assert_err(read_back(text, 300, false, got), ERR_TOO_BIG);
	/* PINs have a rule of the token's own. */
	assert_ok(read_back("1234\n", 5, true, got));
	assert_err(read_back("\n", 1, true, got), ERR_INVALID);
}

static void test_bytes(void **state)
{
	char got[300];

	(void)state;
	refuse("not UTF-8: \xff\xfe", ERR_INVALID);
	assert_err(read_back("with\0a NUL", 10, false, got), ERR_INVALID);
}

static void test_base_url(void **state)
{
	struct settings settings = { .gateway_name = "gateway.example",
				     .gateway_enrol_listen.port = 8443 };
	char url[SIGNER_URL_BYTES];

	(void)state;
	assert_ok(signer_base_url(&settings, url));
	assert_string_equal(url, "https://gateway.example:8443");
	settings.gateway_enrol_public_port = 9443;
	snprintf(settings.gateway_name, sizeof(settings.gateway_name), "2001:db8::1");
	assert_ok(signer_base_url(&settings, url));
	assert_string_equal(url, "https://[2001:db8::1]:9443");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_base_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
