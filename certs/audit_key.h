/*
 * audit_key.h - the key that signs the audit log's checkpoints, and the memory of what it signed
 * last: <folder>/audit/ with key.pem, vkey and checkpoint (docs/audit.md). It signs no tree that
 * did not grow from that one, so that whoever holds the database cannot have two pasts.
 */
#ifndef SEKISHO_CERTS_AUDIT_KEY_H
#define SEKISHO_CERTS_AUDIT_KEY_H

#include <openssl/evp.h>

#include "audit/tlog/note.h"
#include "base/bucket.h"
#include "base/secret.h"
#include "certs/ca_folder.h"
#include "wire/wire.h"

enum { AUDIT_KEY_SIGNS_PER_MINUTE = 120 };

struct audit_key {
	char folder[CA_PATH];
	char name[NOTE_NAME_MAX + 1]; /* for a new key */
	bool is_there;                /* the three below are */
	struct note_key key;
	struct checkpoint last;
	struct buf note;   /* of last */
	EVP_PKEY *private; /* NULL: locked */
	struct bucket signs;
};

/*
 * Takes up what is there, or makes it where nothing is and may_make says so: with a passphrase the
 * key is encrypted under it, and one that lies there in the clear is from now on. A passphrase that
 * is missing or wrong leaves it locked. What is damaged is logged, and stays out of use: CAs go on
 * working without it. Errors: ERR_TOO_BIG, a folder's name.
 */
nodiscard enum err audit_key_open(struct audit_key *audit, const char *folder,
				  const char *gateway_name, const struct secret *passphrase,
				  bool may_make);
void audit_key_finish(struct audit_key *audit);

/*
 * After the CAs were made, unlocked or rotated with this passphrase (NULL: none). is_new: their
 * keys are under it from now on, and so is this one.
 */
void audit_key_follow(struct audit_key *audit, const struct secret *passphrase, bool is_new);

/*
 * Signs, and has it on disk before the return; a tree that was signed already is not signed again.
 * The note is audit->note. ERR_LOCKED, ERR_THROTTLED; ERR_WRONG_STATE: order->old is not what was
 * signed last. ERR_DENIED (logged): the tree does not hold all of that one. ERR_INVALID: the proof
 * is no proof. ERR_FULL, ERR_IO, ERR_CRYPTO.
 */
nodiscard enum err audit_key_sign(struct audit_key *audit, const struct msg_sign_checkpoint *order,
				  uint64_t mono_ms);

#endif
