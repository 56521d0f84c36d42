#include "base/typed.h"

#include <ctype.h>
#include <string.h>

#include "base/secret.h"

enum { CHARACTERS = 8, CHECKS = 2, GROUP = 4 };

/*
 * The largest prime that two characters hold. A wrong character changes the remainder, as 32 has
 * an inverse; so does an exchange of two, as no power of 32 up to the 10th is 1 (ISO/IEC 7064's
 * pure systems, with this modulus).
 */
enum { MODULUS = 1021 };

/* https://www.crockford.com/base32.html: no I, L, O and U. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static unsigned check_of(uint64_t value, unsigned row)
{
	/* 2^40 is the weight of the row's number. */
	return (unsigned)((value + ((uint64_t)row << 40)) % MODULUS);
}

void typed_put(const uint8_t bytes[TYPED_ROW_BYTES], unsigned row, char ret[TYPED_ROW + 1])
{
	uint64_t value = 0;
	size_t at = 0;

	for (size_t i = 0; i < TYPED_ROW_BYTES; i++)
		value = value << 8 | bytes[i];
	unsigned check = check_of(value, row);
	for (unsigned i = 0; i < CHARACTERS; i++) {
		if (i && i % GROUP == 0)
			ret[at++] = '-';
		ret[at++] = alphabet[value >> (5 * (CHARACTERS - 1 - i)) & 31];
	}
	ret[at++] = '-';
	ret[at++] = alphabet[check >> 5];
	ret[at++] = alphabet[check & 31];
	ret[at] = '\0';
	secret_wipe(&value, sizeof(value));
}

/* What the character stands for; -1: nothing. */
static int meant(char typed)
{
	char upper = (char)toupper((unsigned char)typed);
	const char *at;

	if (upper == 'O')
		return 0;
	if (upper == 'I' || upper == 'L')
		return 1;
	at = upper ? strchr(alphabet, upper) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

enum err typed_get(const char *text, size_t len, unsigned row, uint8_t ret[TYPED_ROW_BYTES])
{
	uint64_t value = 0;
	unsigned count = 0, check = 0;
	enum err err = OK;

	for (size_t i = 0; i < len && !err; i++) {
		int digit = meant(text[i]);

		if (text[i] == ' ' || text[i] == '-')
			continue;
		if (digit < 0 || count == CHARACTERS + CHECKS)
			err = ERR_CODE;
		else if (count++ < CHARACTERS)
			value = value << 5 | (unsigned)digit;
		else
			check = check << 5 | (unsigned)digit;
	}
	if (!err && (count != CHARACTERS + CHECKS || check != check_of(value, row)))
		err = ERR_CODE;
	for (size_t i = 0; i < TYPED_ROW_BYTES && !err; i++)
		ret[i] = (uint8_t)(value >> (8 * (TYPED_ROW_BYTES - 1 - i)));
	secret_wipe(&value, sizeof(value));
	return err;
}
