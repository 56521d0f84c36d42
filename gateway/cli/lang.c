#include "cli/lang.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static bool is_ja;

void lang_init(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	const char *value = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(variables) && (!value || !*value); i++)
		value = getenv(variables[i]);
	is_ja = value && strncmp(value, "ja", 2) == 0;
	/* Names are UTF-8 whatever the locale says, and so are terminals. */
	setlocale(LC_CTYPE, "");
	if (!util_streq(nl_langinfo(CODESET), "UTF-8"))
		setlocale(LC_CTYPE, "C.UTF-8");
}

bool lang_is_ja(void)
{
	return is_ja;
}

const char *lang(const char *en, const char *ja)
{
	return is_ja ? ja : en;
}
