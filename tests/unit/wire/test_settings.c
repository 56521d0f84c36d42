#include "unit/folder.h"

#include <string.h>

#include "wire/settings.h"

static const char *write_settings(const char *text)
{
	static char path[UNIT_FILE];

	close(unit_file(path));
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
		fail_msg("%s: %s", error.where, error.en);
	assert_int_equal(settings.login_failures, 10);
	assert_int_equal(settings.gateway_listen.port, 443);
	assert_string_equal(settings.gateway_state_dir, "/var/lib/sekisho");
}

static void idle_times_in_order(void **state)
{
	struct settings settings;
	struct config_error error;
	const char *path =
		write_settings("[session]\nidle_warn_minutes = 20\nidle_lock_minutes = 19\n");

	(void)state;
	assert_err(settings_read(path, &settings, &error), ERR_INVALID);
	assert_string_equal(error.where, path);
	assert_non_null(strstr(error.en, "20, 19, 120"));
	assert_non_null(strstr(error.ja, "20、19、120"));
}

static void asking_for_the_client_has_three_ways(void **state)
{
	struct settings settings;
	struct config_error error;

	(void)state;
	assert_ok(settings_read(write_settings("[session]\nask_client = required\n"), &settings,
				&error));
	assert_err(
		settings_read(write_settings("[session]\nask_client = maybe\n"), &settings, &error),
		ERR_INVALID);
	assert_non_null(strstr(error.en, "maybe"));
}

static void documents_are_looked_at_on_this_machine(void **state)
{
	static const char *const good[] = { "/run/clamav/clamd.ctl", "127.0.0.1:3310",
					    "[::1]:3310" };
	static const char *const bad[] = { "clamd.ctl", "192.0.2.7:3310", "localhost:3310",
					   "127.0.0.1" };
	struct settings settings;
	struct config_error error;
	char text[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(text, sizeof(text), "[vault]\nclamd = %s\n", good[i]);
		assert_ok(settings_read(write_settings(text), &settings, &error));
		assert_string_equal(settings.vault_clamd, good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "[vault]\nclamd = %s\n", bad[i]);
		assert_err(settings_read(write_settings(text), &settings, &error), ERR_INVALID);
		assert_non_null(strstr(error.en, bad[i]));
	}
}

static bool is_japanese(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return true;
	return false;
}

static void every_setting_is_explained(void **state)
{
	(void)state;
	for (size_t i = 0; i < settings_count; i++)
		if (!*settings_keys[i].en || is_japanese(settings_keys[i].en) ||
		    !is_japanese(settings_keys[i].ja))
			fail_msg("%s.%s has no help in both languages", settings_keys[i].section,
				 settings_keys[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fallbacks_are_valid),
		cmocka_unit_test(idle_times_in_order),
		cmocka_unit_test(asking_for_the_client_has_three_ways),
		cmocka_unit_test(documents_are_looked_at_on_this_machine),
		cmocka_unit_test(every_setting_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
