/*
 * root_renew.h - a new root key with everything that is under it, in one step. For root.c alone.
 */
#ifndef SEKISHO_VAULT_ROOT_RENEW_H
#define SEKISHO_VAULT_ROOT_RENEW_H

#include "vault/root.h"

/* What is to become of something that opens the vault. */
enum root_fate { ROOT_KEEP, ROOT_MAKE, ROOT_DROP };

struct root_renewal {
	const struct secret *old;        /* root key; NULL: this is the first */
	const struct secret *passphrase; /* of the new one */
	const struct secret *house;      /* as house_encode's; NULL: that of the file */
	const struct secret *pin;        /* to make the token */
	enum root_fate sheets, machine, token;
	struct secret *secret; /* out: sheets, or a machine's secret; owned */
};

/*
 * Afterwards root has the new key in place of the one before, on the disk and in memory; on an
 * error it has the old one in both. But when the new file is in place and only its folder could not
 * be flushed, both are the new one, and the error is told all the same. Errors of root_init, and of
 * token_seal_open.
 */
nodiscard enum err root_renew(struct root *root, struct root_renewal *renewal);
void root_renewal_finish(struct root_renewal *renewal);

/* What a machine's secret opens the root key with. ERR_INVALID: text is none. The caller frees. */
nodiscard enum err root_machine_opener(const struct secret *text, struct secret **ret);

#endif
