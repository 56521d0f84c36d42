#include "unit/unit.h"

#include <string.h>

#include "wire/settings.h"

static const char *write_settings(const char *text)
{
	static const char path[] = "/tmp/sekisho-unit-settings.conf";

	assert_ok(util_write_file(path, text, strlen(text), 0600));
	return path;
}

static void fallbacks_are_valid(void **state)
{
	struct settings settings;
	struct config_error error;
	const char *path = write_settings("");

	(void)state;
	if (settings_read(path, &settings, &error))
		fail_msg("%s", error.text);
	assert_int_equal(settings.login_failures, 10);
	assert_int_equal(settings.gateway_listen.port, 443);
	assert_string_equal(settings.gateway_state_dir, "/var/lib/sekisho");
	unlink(path);
}

static void idle_times_in_order(void **state)
{
	struct settings settings;
	struct config_error error;
	const char *path =
		write_settings("[session]\nidle_warn_minutes = 20\nidle_lock_minutes = 19\n");

	(void)state;
	assert_err(settings_read(path, &settings, &error), ERR_INVALID);
	assert_non_null(strstr(error.text, "20, 19, 120"));
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fallbacks_are_valid),
		cmocka_unit_test(idle_times_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
