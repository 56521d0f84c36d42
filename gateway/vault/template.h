/*
 * template.h - the office's own fields of a kind of record (docs/protocol.md §9): which there are,
 * and whether what somebody entered fits them.
 */
#ifndef SEKISHO_VAULT_TEMPLATE_H
#define SEKISHO_VAULT_TEMPLATE_H

#include <jansson.h>

#include "store/vault/rule_rows.h"

enum { TEMPLATE_FIELDS = 32, TEMPLATE_KEY = 32, TEMPLATE_LABEL = 128, TEMPLATE_VALUE = 1024 };

/* An array of fields, as somebody has sent it. */
bool template_valid(const json_t *fields);

/* Of a kind of record; the caller frees. ERR_INVALID: the row is damaged. */
nodiscard enum err template_of(struct db *db, int64_t kind, json_t **ret);

/* values: an object of texts. Each is one line of at most TEMPLATE_VALUE characters and has a field
 * in the template or in old (NULL allowed: what the record has already); none that is required is
 * missing. ERR_INVALID. */
nodiscard enum err template_fit(const json_t *fields, const json_t *values, const json_t *old);

#endif
