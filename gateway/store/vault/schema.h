/*
 * schema.h - the tables of the vault's two databases: the records, and apart from them the keys.
 */
#ifndef SEKISHO_STORE_VAULT_SCHEMA_H
#define SEKISHO_STORE_VAULT_SCHEMA_H

#include "store/migrate.h"

extern const struct migrations migrations_vault_records, migrations_vault_keys;

#endif
