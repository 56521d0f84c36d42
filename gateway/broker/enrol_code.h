/*
 * enrol_code.h - codes of invitations: 28 characters of Crockford's base32, 140 random bits. Only a
 * SHA-256 of one is ever kept.
 */
#ifndef SEKISHO_BROKER_ENROL_CODE_H
#define SEKISHO_BROKER_ENROL_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	ENROL_CODE_LEN = 28,
	ENROL_CODE_GROUP = 4,
	ENROL_CODE_GROUPED = ENROL_CODE_LEN + ENROL_CODE_LEN / ENROL_CODE_GROUP - 1,
	ENROL_CODE_HASH = 32,
};

/* A new random text of len characters of the alphabet; ret has room for a NUL. */
void enrol_code_random(char *ret, size_t len);

/* In groups of four with hyphens, as people read it. */
void enrol_code_group(const char *code, char *ret, size_t size);

/*
 * The hash of a code as a person typed it: small letters, blanks, hyphens and O, I, L for 0, 1, 1
 * are taken. ERR_CODE: it cannot be one.
 */
nodiscard enum err enrol_code_hash(const char *typed, uint8_t ret[ENROL_CODE_HASH]);

#endif
