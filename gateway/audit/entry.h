/*
 * entry.h - how an entry becomes a leaf of the tree (docs/audit.md). The leaf says when and what
 * happened; whom it was about is hashed into its commitment, together with a random salt, so that
 * nobody can guess it from the hash once entry and salt are gone.
 */
#ifndef SEKISHO_AUDIT_ENTRY_H
#define SEKISHO_AUDIT_ENTRY_H

#include "audit/tlog/tree.h"
#include "store/audit_rows.h"

enum { ENTRY_LEAF_MAX = 256 /* bytes of its text */ };

/*
 * What the commitment has to be. prev: the commitment of the entry before, zero for the first; for
 * version 1 only. ERR_INVALID: a version that there is not. ERR_CRYPTO, ERR_NOMEM.
 */
nodiscard enum err entry_commitment(const struct audit_row *row, const uint8_t prev[AUDIT_HASH],
				    uint8_t ret_commitment[AUDIT_HASH]);

/* The leaf's bytes, a text of lines. ERR_INVALID: the event has a line feed. */
nodiscard enum err entry_leaf_text(const struct audit_row *row, char ret_text[ENTRY_LEAF_MAX]);

/* The hash of the leaf. */
nodiscard enum err entry_leaf(const struct audit_row *row, uint8_t ret_hash[TREE_HASH]);

#endif
