/*
 * words.h - codes of the broker's lists in the user's language.
 */
#ifndef SEKISHO_CLI_WORDS_H
#define SEKISHO_CLI_WORDS_H

/* The word for a code in a list's column, the code itself where there is none: in English, in
 * columns that hold no codes, and for codes that are typed as options. */
const char *word(const char *column, const char *code);

#endif
