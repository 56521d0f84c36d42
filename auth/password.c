#include "auth/password.h"

#include <argon2.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zxcvbn.h>

#include "auth/leaked.h"
#include "base/util.h"

enum {
	MEMORY_KIB = 64 * 1024,
	PASSES = 3,
	LANES = 1,
	SALT_BYTES = 16,
	TAG_BYTES = 32,
	/* What a hash from the database may ask for at most, so that a damaged row cannot take the
	   host down. */
	MEMORY_KIB_MAX = 1024 * 1024,
	PASSES_MAX = 16,
	LANES_MAX = 4,
	/* Bits. zxcvbn's best score begins at 10^10 guesses = 33 bits; the device certificate and
	 * TOTP stand beside the password, so there is no need to ask for more than a little above
	 * that. */
	ENTROPY_MIN = 40,
	DISTINCT_MIN = 5,
	WORDS_MAX = 32,
	WORD_BYTES_MIN = 4,
};

static const struct {
	const char *en, *ja;
} rules[] = {
#define X(name, en, ja) { en, ja },
	PASSWORD_RULES(X)
#undef X
};

const char *password_rule_en(enum password_rule rule)
{
	return (size_t)rule < ARRAY_SIZE(rules) ? rules[rule].en : rules[PASSWORD_WEAK].en;
}

const char *password_rule_ja(enum password_rule rule)
{
	return (size_t)rule < ARRAY_SIZE(rules) ? rules[rule].ja : rules[PASSWORD_WEAK].ja;
}

/* The words of the person's and the office's names, cut into one text; list is NULL-terminated. */
struct words {
	char text[1024];
	const char *list[WORDS_MAX + 1];
	size_t count;
};

static void words_add(struct words *words, size_t *used, const char *name)
{
	static const char separators[] = " \t.,-_@()/";
	size_t len = name ? strlen(name) : 0;

	if (len == 0 || len >= sizeof(words->text) - *used)
		return;
	char *copy = words->text + *used;
	memcpy(copy, name, len + 1);
	*used += len + 1;
	char *rest = NULL;
	for (char *word = strtok_r(copy, separators, &rest); word && words->count < WORDS_MAX;
	     word = strtok_r(NULL, separators, &rest))
		words->list[words->count++] = word;
}

static void words_init(struct words *words, const struct password_policy *policy)
{
	size_t used = 0;

	memset(words, 0, sizeof(*words));
	words_add(words, &used, policy->account);
	words_add(words, &used, policy->full_name);
	words_add(words, &used, policy->office);
}

/* Shorter words are left to zxcvbn: "abe" must not refuse every password with "label" in it. */
static bool contains_word(const char *text, const struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		if (strlen(words->list[i]) >= WORD_BYTES_MIN && strcasestr(text, words->list[i]))
			return true;
	return false;
}

/* Characters of well-formed UTF-8: every byte that does not continue one. */
static size_t characters(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

static bool has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)text[i]))
			return true;
	return false;
}

static bool has_few_distinct(const char *text, size_t len)
{
	const char *seen[DISTINCT_MIN];
	size_t seen_len[DISTINCT_MIN], count = 0;

	for (size_t i = 0, n; i < len; i += n) {
		for (n = 1; i + n < len && ((unsigned char)text[i + n] & 0xc0) == 0x80;)
			n++;
		size_t k = 0;
		while (k < count && !(seen_len[k] == n && memcmp(seen[k], text + i, n) == 0))
			k++;
		if (k < count)
			continue;
		seen[count] = text + i;
		seen_len[count] = n;
		if (++count == DISTINCT_MIN)
			return false;
	}
	return true;
}

static enum password_rule rule_of_match(const ZxcMatch_t *match)
{
	if (match->Type & MULTIPLE_MATCH)
		return PASSWORD_SEQUENCE;
	switch ((unsigned)match->Type) {
	case DICTIONARY_MATCH:
	case DICT_LEET_MATCH:
		return PASSWORD_COMMON;
	case USER_MATCH:
	case USER_LEET_MATCH:
		return PASSWORD_NAME;
	case REPEATS_MATCH:
	case SEQUENCE_MATCH:
	case SPATIAL_MATCH:
	case DATE_MATCH:
	case YEAR_MATCH:
		return PASSWORD_SEQUENCE;
	default:
		return PASSWORD_WEAK;
	}
}

/* Names the longest part when the whole is too easy to guess. */
static enum password_rule check_entropy(const char *text, struct words *words)
{
	ZxcMatch_t *matches = NULL;
	double entropy = ZxcvbnMatch(text, words->list, &matches);
	enum password_rule rule = PASSWORD_GOOD;
	int longest = 0;

	if (!(entropy >= ENTROPY_MIN)) {
		rule = PASSWORD_WEAK;
		for (const ZxcMatch_t *match = matches; match; match = match->Next) {
			if (match->Length <= longest)
				continue;
			longest = match->Length;
			rule = rule_of_match(match);
		}
	}
	ZxcvbnFreeInfo(matches);
	return rule;
}

static enum password_rule check_text(const char *text, size_t len,
				     const struct password_policy *policy)
{
	struct words words;

	if (len > PASSWORD_BYTES_MAX)
		return PASSWORD_LONG;
	if (!util_utf8_valid(text, len) || has_control(text, len))
		return PASSWORD_CHARACTERS;
	if (characters(text, len) < policy->min_length)
		return PASSWORD_SHORT;
	if (has_few_distinct(text, len))
		return PASSWORD_SEQUENCE;
	words_init(&words, policy);
	if (contains_word(text, &words))
		return PASSWORD_NAME;
	return check_entropy(text, &words);
}

enum err password_check(const struct secret *password, const struct password_policy *policy,
			enum password_rule *ret_rule)
{
	enum password_rule rule = check_text(secret_text(password), secret_len(password), policy);

	if (rule == PASSWORD_GOOD && policy->leaked_path) {
		bool found;
		enum err err = leaked_find(policy->leaked_path, secret_text(password),
					   secret_len(password), &found);
		if (err)
			return err;
		if (found)
			rule = PASSWORD_LEAKED;
	}
	*ret_rule = rule;
	return OK;
}

static enum err err_from_argon2(int code)
{
	switch (code) {
	case ARGON2_OK:
		return OK;
	case ARGON2_VERIFY_MISMATCH:
		return ERR_LOGIN;
	case ARGON2_MEMORY_ALLOCATION_ERROR:
		return ERR_NOMEM;
	default:
		return ERR_CRYPTO;
	}
}

enum err password_hash(const struct secret *password, char ret_hash[PASSWORD_HASH_MAX])
{
	uint8_t salt[SALT_BYTES];

	if (secret_len(password) > PASSWORD_BYTES_MAX)
		return ERR_TOO_BIG;
	util_random(salt, sizeof(salt));
	return err_from_argon2(argon2id_hash_encoded(
		PASSES, MEMORY_KIB, LANES, secret_text(password), secret_len(password), salt,
		sizeof(salt), TAG_BYTES, ret_hash, PASSWORD_HASH_MAX));
}

static bool is_ours(const char *hash)
{
	unsigned memory, passes, lanes;

	return strnlen(hash, PASSWORD_HASH_MAX) < PASSWORD_HASH_MAX &&
	       sscanf(hash, "$argon2id$v=19$m=%9u,t=%9u,p=%9u$", &memory, &passes, &lanes) == 3 &&
	       memory <= MEMORY_KIB_MAX && passes <= PASSES_MAX && lanes <= LANES_MAX;
}

enum err password_verify(const struct secret *password, const char *hash)
{
	if (!is_ours(hash))
		return ERR_CRYPTO;
	if (secret_len(password) > PASSWORD_BYTES_MAX)
		return ERR_LOGIN;
	return err_from_argon2(argon2id_verify(hash, secret_text(password), secret_len(password)));
}

enum err password_verify_dummy(const struct secret *password)
{
	static const uint8_t salt[SALT_BYTES];
	uint8_t tag[TAG_BYTES];

	if (secret_len(password) > PASSWORD_BYTES_MAX)
		return ERR_LOGIN;
	enum err err = err_from_argon2(
		argon2id_hash_raw(PASSES, MEMORY_KIB, LANES, secret_text(password),
				  secret_len(password), salt, sizeof(salt), tag, sizeof(tag)));
	secret_wipe(tag, sizeof(tag));
	return err ? err : ERR_LOGIN;
}
