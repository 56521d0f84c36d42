/*
 * vault.h - what the vault answers to the broker: its seal's life, recordings that auditors have
 * opened, and protected records. The broker decides who may; nothing is opened without its word,
 * and without it everything ends.
 */
#ifndef SEKISHO_VAULT_VAULT_H
#define SEKISHO_VAULT_VAULT_H

#include "vault/desk.h"
#include "vault/documents.h"
#include "vault/playback.h"
#include "vault/root.h"
#include "wire/channel.h"

enum { VAULT_PLAYBACKS_MAX = 16 };

struct vault_playback;

struct vault {
	struct loop *loop;
	struct channel *broker; /* NULL while there is none */
	struct house house;
	struct root root;       /* the seal of house */
	struct records records; /* open while root is */
	struct desk desk;
	struct documents documents;
	struct vault_playback *playbacks;
	int passphrase_fd; /* the file that opens it at a start, owned; -1: none is configured */
};

/* Opens the folder, and unseals the vault with the machine's secret or the passphrase in the file,
 * if there are both. A wrong one is logged and leaves it sealed. passphrase_fd is taken over. */
nodiscard enum err vault_init(struct vault *vault, struct loop *loop, const char *folder,
			      int passphrase_fd);
void vault_finish(struct vault *vault);

/* From now on this token's key may be chosen to open it. Both are borrowed. */
void vault_use_token(struct vault *vault, struct token *token, const char *uri);

/* Takes over a link to the broker in place of the one before; says how the vault is. */
nodiscard enum err vault_link(struct vault *vault, int fd);

/* The monitor's answer for an upload: a connection to the scanner, taken over, or -1. */
void vault_scanner(struct vault *vault, uint32_t stream, int fd);

#endif
