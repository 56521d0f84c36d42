/*
 * root.h - the vault's seal: the root key (AES-256), under which the house key is kept. On the disk
 * the root key is under the passphrase, and besides under what else opens it: two of the three
 * sheets, a machine's secret, a token. Sealed means that neither key is in memory.
 *
 * Whatever is changed makes a new root key, which takes the place of the one before in a single
 * step: either all of it is on the disk, or all is as it was.
 */
#ifndef SEKISHO_VAULT_ROOT_H
#define SEKISHO_VAULT_ROOT_H

#include "certs/pkcs11.h"
#include "vault/house.h"
#include "vault/keyring.h"
#include "vault/root_file.h"
#include "vault/tries.h"
#include "wire/enums.h"

enum {
	ROOT_PASSPHRASE_MIN = 8,
	ROOT_PASSPHRASE_MAX = 256, /* bytes */
	ROOT_MACHINE_TEXT = 96,    /* of a machine's secret, with NUL */
	ROOT_SECRET_MAX = SHARES * SHARES_SHEET_TEXT + 1,
};

struct root {
	const char *folder;      /* borrowed */
	struct house *house;     /* borrowed; opened and sealed with the root key */
	struct keyring *keyring; /* borrowed; follows each new root key; NULL: there is none */
	struct token *token;     /* borrowed; NULL: none is configured */
	const char *token_uri;   /* borrowed; "" */
	struct root_file file;   /* once there is one */
	bool made, damaged;      /* it is there; it is, but cannot be read */
	/* Of root keys: the one that keys.db had at the opening, and the highest that the broker
	 * knows of; 0: none. */
	int64_t kept, floor;
	struct secret *key; /* NULL: sealed, or there is none */
	struct tries tries;
	struct wrap_cost cost; /* of the next passphrase; wrap_cost but in tests */
};

/* Reads what there is; sealed. house is open for its certificate already. A damaged file is logged,
 * and nothing is done with it. */
nodiscard enum err root_open(struct root *root, const char *folder, struct house *house);
void root_finish(struct root *root);

enum vault_state root_state(const struct root *root);

/* What the broker knows; it never goes back. ERR_EXPIRED: what is on the disk is older, and was
 * sealed: somebody has put it back, with what opened it then. */
nodiscard enum err root_floor(struct root *root, uint64_t generation);

/*
 * Makes root key, house key and sheets; afterwards it is open. ERR_EXISTS: there are some, which
 * are never replaced. ERR_INVALID: the passphrase is too short or too long. ret_sheets as
 * shares_make's. ERR_IO, ERR_FULL, ERR_CRYPTO, ERR_NOMEM.
 */
nodiscard enum err root_init(struct root *root, const struct secret *passphrase,
			     struct secret **ret_sheets);

/*
 * Opens it; OK also when it is open already and the passphrase is right. A house key that was kept
 * without a root key gets one here. ERR_NOT_FOUND: there is nothing to open. ERR_LOGIN: the
 * passphrase is wrong. ERR_THROTTLED: too many were, just now. ERR_INVALID: the file is damaged.
 * ERR_EXPIRED: it is older than the vault was.
 */
nodiscard enum err root_unseal(struct root *root, const struct secret *passphrase);

/* The same by what systemd hands over at a start: a machine's secret, or else a passphrase. */
nodiscard enum err root_unseal_machine(struct root *root, const struct secret *secret);

/* The same by the token's PIN. ERR_UNAVAILABLE: no token is configured. ERR_NOT_FOUND: it was not
 * chosen for this vault. */
nodiscard enum err root_unseal_token(struct root *root, const struct secret *pin);

/* Wipes the keys. */
void root_seal(struct root *root);

struct root_order {
	enum vault_act order;
	const struct secret *passphrase;   /* of today; NULL for VAULT_RECOVER */
	const struct secret *second;       /* a new passphrase, or a PIN */
	const char *sheets[SHARES_NEEDED]; /* for VAULT_RECOVER; [0] for VAULT_CHECK */
};

struct root_answer {
	struct secret *secret; /* sheets as shares_make's, or a machine's secret; NULL: none */
	unsigned number;       /* of a sheet: the one checked; or what is wrong: 1 or 2 as given */
};

/*
 * Every other change; afterwards it is open. Of VAULT_RECOVER: ERR_CODE, ERR_EXPIRED, ERR_EXISTS,
 * ERR_LOGIN as of shares_join, with number set; ERR_NOT_FOUND: there are no sheets, or no such
 * opener to remove. Else errors of root_init and root_unseal. Two sheets open also what is older
 * than the broker knows, if all of the folder is. The caller frees the answer's secret.
 */
nodiscard enum err root_change(struct root *root, const struct root_order *order,
			       struct root_answer *ret);

#endif
