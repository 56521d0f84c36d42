#include "unit/unit.h"

#include <string.h>

#include "broker/urls.h"

static void addresses_as_people_type_them(void **state)
{
	static const struct {
		const char *name, *gateway, *enrol;
		int64_t public_port;
		uint16_t port;
	} cases[] = {
		{ "gate.example.jp", "https://gate.example.jp/", "https://gate.example.jp:8443/", 0,
		  443 },
		{ "gate.example.jp", "https://gate.example.jp:10443/",
		  "https://gate.example.jp:8443/", 0, 10443 },
		{ "gate.example.jp", "https://gate.example.jp/", "https://gate.example.jp:8443/",
		  443, 10443 },
		{ "2001:db8::1", "https://[2001:db8::1]/", "https://[2001:db8::1]:8443/", 0, 443 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct settings settings = { .gateway_public_port = cases[i].public_port };
		char url[URLS_MAX];

		snprintf(settings.gateway_name, sizeof(settings.gateway_name), "%s", cases[i].name);
		settings.gateway_listen.port = cases[i].port;
		settings.gateway_enrol_listen.port = 8443;
		urls_gateway(&settings, url);
		assert_string_equal(url, cases[i].gateway);
		urls_enrol(&settings, url);
		assert_string_equal(url, cases[i].enrol);
		settings.gateway_enrol_public_port = 443;
		urls_enrol(&settings, url);
		assert_null(strstr(url, "8443"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_as_people_type_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
