/*
 * messages.h - what the broker says in English, in the user's language.
 */
#ifndef SEKISHO_CLI_MESSAGES_H
#define SEKISHO_CLI_MESSAGES_H

/* Static Japanese text for an error message of the broker, or NULL when there is none;
 * test_messages in tests/lint keeps the table complete. */
const char *message_ja(const char *en);

/* The word for a code in a list's column, the code itself where there is none: in English, in
 * columns that hold no codes, and for codes that are typed as options. */
const char *word(const char *column, const char *code);

#endif
