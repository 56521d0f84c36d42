/*
 * password.h - which passwords are good enough, and how they are kept: Argon2id (RFC 9106) in PHC
 * strings.
 *
 * No global state: every function may run on any thread. One hash or verification takes 64 MiB and
 * some hundred milliseconds, so callers keep them off the event loop and cap how many run at once.
 */
#ifndef SEKISHO_AUTH_PASSWORD_H
#define SEKISHO_AUTH_PASSWORD_H

#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"

enum {
	PASSWORD_BYTES_MAX = 256,
	PASSWORD_HASH_MAX = 128, /* of the PHC string, NUL included */
};

/* X(name, English, Japanese) */
#define PASSWORD_RULES(X)                                                                          \
	X(PASSWORD_GOOD, "the password is good", "このパスワードは使えます")                       \
	X(PASSWORD_SHORT, "the password is too short", "パスワードが短すぎます")                   \
	X(PASSWORD_LONG, "the password is longer than 256 bytes",                                  \
	  "パスワードが長すぎます（256 バイトまで）")                                              \
	X(PASSWORD_CHARACTERS, "the password has characters that cannot be used",                  \
	  "パスワードに使えない文字が含まれています")                                              \
	X(PASSWORD_NAME, "the password contains the name of the person or the office",             \
	  "パスワードに氏名・アカウント名・事務所名が含まれています")                              \
	X(PASSWORD_SEQUENCE, "the password is a sequence, a repetition or a date",                 \
	  "パスワードが連続した文字、繰り返し、または日付です")                                    \
	X(PASSWORD_COMMON, "the password is made of common words or passwords",                    \
	  "パスワードがよく使われる単語やパスワードです")                                          \
	X(PASSWORD_WEAK, "the password is too easy to guess",                                      \
	  "パスワードが推測されやすいものです")                                                    \
	X(PASSWORD_LEAKED, "the password is in a list of leaked passwords",                        \
	  "パスワードが流出済みパスワードの一覧にあります")

enum password_rule {
#define X(name, en, ja) name,
	PASSWORD_RULES(X)
#undef X
};

/* Static strings, never NULL. */
const char *password_rule_en(enum password_rule rule);
const char *password_rule_ja(enum password_rule rule);

struct password_policy {
	size_t min_length; /* characters, not bytes */
	/* Words the password must not contain; NULL or "" are left out. */
	const char *account, *full_name, *office;
	/* Sorted lines of "SHA1[:count]" in hexadecimal, as Have I Been Pwned offers them; NULL for
	 * none. */
	const char *leaked_path;
};

/*
 * ret_rule is PASSWORD_GOOD or the first rule that the password breaks. Fails only when the leaked
 * list cannot be read (ERR_IO, ERR_NOT_FOUND, ERR_INVALID for a malformed line); then no password
 * may be set.
 */
nodiscard enum err password_check(const struct secret *password,
				  const struct password_policy *policy,
				  enum password_rule *ret_rule);

/* ret_hash is a NUL-terminated PHC string with a fresh 16-byte salt. ERR_NOMEM, ERR_TOO_BIG,
 * ERR_CRYPTO. */
nodiscard enum err password_hash(const struct secret *password, char ret_hash[PASSWORD_HASH_MAX]);

/* OK, ERR_LOGIN for a wrong password, ERR_CRYPTO for a hash that is not ours, ERR_NOMEM. */
nodiscard enum err password_verify(const struct secret *password, const char *hash);

/* For accounts that do not exist: takes as long as password_verify and never answers OK. */
nodiscard enum err password_verify_dummy(const struct secret *password);

#endif
