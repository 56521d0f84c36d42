/*
 * der.h - whether bytes of a peer are DER (X.690 §10, §11) before OpenSSL, which also takes much of
 * BER, reads them: what has one meaning has one encoding.
 */
#ifndef SEKISHO_CERTS_DER_H
#define SEKISHO_CERTS_DER_H

#include <stdbool.h>

#include "wire/wire.h"

enum {
	DER_DEPTH_MAX = 16,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_SEQUENCE = 0x30,
};

/*
 * Exactly one value: lengths definite and minimal, tag numbers below 31, nothing after it, and the
 * simple types inside as DER wants them. The order within a SET OF is not looked at.
 */
bool der_is_strict(struct bytes data);

/* Takes the value at the start of *rest, which must have that tag, and moves *rest behind it. */
bool der_take(struct bytes *rest, uint8_t tag, struct bytes *ret_content);

/* Moves *rest behind the value at its start, whatever it is. */
bool der_skip(struct bytes *rest);

#endif
