#include "store/vault/schema.h"

#include "base/util.h"

MIGRATION(vault_records_0001, "records/0001_records.sql");
MIGRATION(vault_records_0002, "records/0002_staging.sql");
MIGRATION(vault_keys_0001, "keys/0001_keys.sql");

static const char *const records[] = { vault_records_0001, vault_records_0002 };
static const char *const keys[] = { vault_keys_0001 };

const struct migrations migrations_vault_records = { records, ARRAY_SIZE(records) };
const struct migrations migrations_vault_keys = { keys, ARRAY_SIZE(keys) };
