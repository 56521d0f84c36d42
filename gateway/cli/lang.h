/*
 * lang.h - the language of the CLI: Japanese when the locale says so, else English.
 */
#ifndef SEKISHO_CLI_LANG_H
#define SEKISHO_CLI_LANG_H

#include <stdbool.h>

/* Sets up the locale for character widths and reads LC_ALL, LC_MESSAGES and LANG, in this order. */
void lang_init(void);

bool lang_is_ja(void);

/* One of the two. */
const char *lang(const char *en, const char *ja);

#endif
