/*
 * note.h - C2SP signed notes with Ed25519, and the checkpoints of a log that are such notes:
 * c2sp.org/signed-note, c2sp.org/tlog-checkpoint.
 *
 * A verifier key is the text "name+0123abcd+base64": the key's name, its id, and the byte 1 with
 * the 32 bytes of the public key.
 */
#ifndef SEKISHO_AUDIT_TLOG_NOTE_H
#define SEKISHO_AUDIT_TLOG_NOTE_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/tlog/tree.h"
#include "base/buf.h"
#include "base/err.h"

enum {
	NOTE_MAX = 2048, /* bytes of a whole note */
	NOTE_NAME_MAX = 280,
	NOTE_PUBLIC = 32,
	NOTE_ID = 4,
	NOTE_KEY_TEXT = 400, /* of a verifier key, with its NUL */
	NOTE_BASE64 = 45,    /* of a hash, with its NUL */
};

struct note_key {
	char name[NOTE_NAME_MAX + 1];
	uint8_t id[NOTE_ID];
	uint8_t public[NOTE_PUBLIC];
};

/* Of an Ed25519 key. ERR_INVALID: a name that may not be, or another kind of key. */
nodiscard enum err note_key_of(const char *name, EVP_PKEY *key, struct note_key *ret);

/* Line feeds at the end are allowed. ERR_INVALID. */
nodiscard enum err note_key_parse(const char *text, struct note_key *ret);
nodiscard enum err note_key_format(const struct note_key *key, char ret_text[NOTE_KEY_TEXT]);

/* Appends the whole note to buf. text ends with a line feed. */
nodiscard enum err note_sign(const struct note_key *key, EVP_PKEY *private, const char *text,
			     struct buf *buf);

/*
 * The length of the text, its last line feed included, when the key has signed it. ERR_INVALID: no
 * note. ERR_NOT_FOUND: not signed by this key. ERR_CRYPTO: its signature is false.
 */
nodiscard enum err note_open(const char *note, size_t len, const struct note_key *key,
			     size_t *ret_text_len);

/* The 32 bytes as base64 with a NUL, and back: ERR_INVALID unless it is the one way to write them.
 */
nodiscard enum err note_base64(const uint8_t hash[TREE_HASH], char ret_text[NOTE_BASE64]);
nodiscard enum err note_unbase64(const char *text, size_t len, uint8_t ret_hash[TREE_HASH]);

/* ---- checkpoints ------------------------------------------------------------------------ */

struct checkpoint {
	uint64_t size;
	uint8_t root[TREE_HASH];
};

/* Appends the note: its origin is the key's name. */
nodiscard enum err checkpoint_sign(const struct checkpoint *checkpoint, const struct note_key *key,
				   EVP_PKEY *private, struct buf *buf);

/* Errors of note_open; ERR_INVALID also when the origin is not the key's name. */
nodiscard enum err checkpoint_open(const char *note, size_t len, const struct note_key *key,
				   struct checkpoint *ret);

/* The same without looking at signatures, for who has no key. */
nodiscard enum err checkpoint_read(const char *note, size_t len, struct checkpoint *ret);

#endif
