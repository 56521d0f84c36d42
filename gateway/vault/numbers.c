#include "vault/numbers.h"

#include <string.h>
#include <utf8proc.h>

#include "base/secret.h"
#include "vault/wrap.h"
#include "wire/enums.h"

static unsigned digit(char c)
{
	return (unsigned)(c - '0');
}

/* Article 5 of the ordinance no. 85 of the Ministry of Internal Affairs of 2014: 11 minus the
 * remainder by 11 of the sum of the digits, each times its weight; 0 where the remainder is at most
 * 1. The check digit stands last. */
static bool personal(const char *digits)
{
	unsigned sum = 0;

	for (unsigned n = 1; n < NUMBERS_PERSONAL; n++)
		sum += digit(digits[NUMBERS_PERSONAL - 1 - n]) * (n <= 6 ? n + 1 : n - 5);
	return digit(digits[NUMBERS_PERSONAL - 1]) == (sum % 11 <= 1 ? 0 : 11 - sum % 11);
}

/* Article 2 of the ordinance no. 70 of the Ministry of Finance of 2014: 9 minus the remainder by 9
 * of the sum of the digits, every second one twice. The check digit stands first. */
static bool corporate(const char *digits)
{
	unsigned sum = 0;

	for (unsigned n = 1; n < NUMBERS_CORPORATE; n++)
		sum += digit(digits[NUMBERS_CORPORATE - n]) * (n % 2 == 0 ? 2 : 1);
	return digit(digits[0]) == 9 - sum % 9;
}

bool numbers_valid(const char *digits)
{
	size_t len = strlen(digits);

	if (strspn(digits, "0123456789") != len)
		return false;
	return (len == NUMBERS_PERSONAL && personal(digits)) ||
	       (len == NUMBERS_CORPORATE && corporate(digits));
}

bool numbers_right(enum protected_kind kind, const char *digits)
{
	return numbers_valid(digits) &&
	       (strlen(digits) == NUMBERS_PERSONAL || kind == KIND_CLIENT || kind == KIND_PAYEE);
}

/* What is written between the groups. U+30FC and U+FF0D: as input methods give a hyphen. */
static bool between(utf8proc_int32_t c)
{
	return c == '-' || (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0x30fc ||
	       c == 0xff0d || c == 0x3000 || utf8proc_category(c) == UTF8PROC_CATEGORY_ZS ||
	       c == '\t';
}

void numbers_plain(const char *text, char ret[NUMBERS_ROOM])
{
	utf8proc_ssize_t len = (utf8proc_ssize_t)strlen(text), step;
	utf8proc_int32_t c;
	size_t at = 0;

	for (utf8proc_ssize_t i = 0; i < len; i += step) {
		step = utf8proc_iterate((const utf8proc_uint8_t *)text + i, len - i, &c);
		if (step > 0 && c >= 0xff10 && c <= 0xff19)
			c = '0' + (c - 0xff10);
		if (step > 0 && between(c))
			continue;
		if (step <= 0 || c < '0' || c > '9' || at == NUMBERS_ROOM - 1) {
			at = 0;
			break;
		}
		ret[at++] = (char)c;
	}
	ret[at] = '\0';
}

enum err numbers_found(struct records *records, const char *digits, uint8_t ret[RECORD_FOUND])
{
	_Static_assert((int)RECORD_FOUND == (int)WRAP_MAC, "the same MAC");

	return wrap_mac(records->numbers, digits, strlen(digits), ret);
}
