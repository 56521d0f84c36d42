/*
 * vault.h - what the vault answers to the broker: the house key's life, and recordings that
 * auditors have opened. The broker decides who may; nothing is opened without its word, and without
 * it everything ends.
 */
#ifndef SEKISHO_VAULT_VAULT_H
#define SEKISHO_VAULT_VAULT_H

#include "base/bucket.h"
#include "vault/playback.h"
#include "wire/channel.h"

enum {
	VAULT_PLAYBACKS_MAX = 16,
	VAULT_TRIES_PER_MINUTE = 12, /* of a passphrase, each 0.2 s of work */
};

struct vault_playback;

struct vault {
	struct loop *loop;
	struct channel *broker; /* NULL while there is none */
	struct house house;
	struct vault_playback *playbacks;
	int passphrase_fd; /* the file with the house key's, owned; -1: none is configured */
	struct bucket tries;
};

/* Opens the folder, and unseals the house with the passphrase in the file, if there are both. A
 * wrong one is logged and leaves it sealed. passphrase_fd is taken over. */
nodiscard enum err vault_init(struct vault *vault, struct loop *loop, const char *folder,
			      int passphrase_fd);
void vault_finish(struct vault *vault);

/* Takes over a link to the broker in place of the one before; says how the vault is. */
nodiscard enum err vault_link(struct vault *vault, int fd);

#endif
