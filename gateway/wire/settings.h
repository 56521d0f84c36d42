/*
 * settings.h - the configuration that every process reads; it holds no secrets.
 */
#ifndef SEKISHO_WIRE_SETTINGS_H
#define SEKISHO_WIRE_SETTINGS_H

#include "base/config.h"
#include "base/util.h"

#define SETTINGS_STRING(field, max) char field[(max) + 1];
#define SETTINGS_INT(field, max)    int64_t field;
#define SETTINGS_BOOL(field, max)   bool field;
#define SETTINGS_LISTEN(field, max) struct config_listen field;

enum { SETTINGS_PATH = 300 };

/* One member per line of settings.def, named section_field. */
struct settings {
#define SETTING(section, field, type, min, max, fallback, en, ja)                                  \
	SETTINGS_##type(section##_##field, max)
#include "wire/settings.def"
#undef SETTING
};

/* The table, for config check and docs. */
extern const struct config_key settings_keys[];
extern const size_t settings_count;

/*
 * Reads and checks, also across keys (warn < lock < logoff). On failure ret_error says file, line,
 * what is wrong and what is allowed.
 */
nodiscard enum err settings_read(const char *path, struct settings *ret,
				 struct config_error *ret_error);

/* The folder of the recordings. */
void settings_recordings(const struct settings *settings, char ret_path[SETTINGS_PATH]);

#endif
