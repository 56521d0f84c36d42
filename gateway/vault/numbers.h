/*
 * numbers.h - Personal Numbers (twelve digits) and Corporate Numbers (thirteen) with their check
 * digits, and the MAC by which the vault finds one without opening all.
 */
#ifndef SEKISHO_VAULT_NUMBERS_H
#define SEKISHO_VAULT_NUMBERS_H

#include <stdbool.h>

#include "vault/records.h"

enum { NUMBERS_PERSONAL = 12, NUMBERS_CORPORATE = 13, NUMBERS_ROOM = 16 };

/* Whether a record of that kind may have it: a client or payee may be a company. Digits alone. */
bool numbers_right(enum protected_kind kind, const char *digits);

/* Its check digit is right, whosever it is. */
bool numbers_valid(const char *digits);

/* The digits without what people and input methods put around them: wide ones become plain, blanks
 * and hyphens go. "" when there is anything else, or too much. */
void numbers_plain(const char *text, char ret[NUMBERS_ROOM]);

/* HMAC-SHA256 under a key of the vault's own. ERR_CRYPTO. */
nodiscard enum err numbers_found(struct records *records, const char *digits,
				 uint8_t ret[RECORD_FOUND]);

#endif
