/*
 * admin_vault.h - why the vault would not, in words, for admin_vault.c alone.
 */
#ifndef SEKISHO_BROKER_ADMIN_VAULT_H
#define SEKISHO_BROKER_ADMIN_VAULT_H

#include "broker/admin.h"

/* Whether the order makes a new root key when it succeeds. */
bool admin_vault_renews(const char *name);

/* Notes what is wrong, and returns err. number: of the sheet that is, 0 if none is. */
enum err admin_vault_refused(struct admin_call *call, enum err err, unsigned number);

#endif
