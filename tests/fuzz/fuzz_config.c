/* Parses anything as the gateway's settings; what is accepted holds to the table's limits. */
#include <stdlib.h>
#include <string.h>

#include "wire/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct config_key *key, const struct settings *settings)
{
	const char *at = (const char *)settings + key->offset;
	int64_t number;

	if (key->type == CONFIG_STRING && strlen(at) > (size_t)key->max)
		abort();
	if (key->type == CONFIG_INT) {
		memcpy(&number, at, sizeof(number));
		if (number < key->min || number > key->max)
			abort();
	}
}

static bool is_text(const char *text)
{
	return *text && util_utf8_valid(text, strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_error error;
	struct settings settings;
	char *text;

	if (memchr(data, 0, size))
		return 0;
	text = strndup((const char *)data, size);
	if (!text)
		return 0;
	if (config_parse("fuzz", text, settings_keys, settings_count, &settings, sizeof(settings),
			 &error) == OK)
		for (size_t i = 0; i < settings_count; i++)
			check(&settings_keys[i], &settings);
	else if (!is_text(error.where) || !is_text(error.en) || !is_text(error.ja))
		abort();
	free(text);
	return 0;
}
