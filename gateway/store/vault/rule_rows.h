/*
 * rule_rows.h - the office's own lists: what records may be used for, how long they are kept, which
 * free fields they have.
 */
#ifndef SEKISHO_STORE_VAULT_RULE_ROWS_H
#define SEKISHO_STORE_VAULT_RULE_ROWS_H

#include "store/db.h"

enum {
	RULES_MAX = 200, /* purposes, and classes */
	RULE_NAME = 128, /* characters */
	RULE_START = 256,
	RULE_NAME_BYTES = 4 * RULE_NAME + 1,
	RULE_START_BYTES = 4 * RULE_START + 1,
	TEMPLATE_BYTES = 16384,
};

struct purpose_row {
	uint64_t id;
	char name[RULE_NAME_BYTES], name_en[RULE_NAME_BYTES];
	bool retired;
	int64_t records; /* how many have it */
};

/* ERR_EXISTS: there is one of this name. ERR_FULL: RULES_MAX are there. */
nodiscard enum err purpose_insert(struct db *db, const char *name, const char *name_en,
				  uint64_t *ret);
nodiscard enum err purpose_set_retired(struct db *db, uint64_t id, bool retired);
/* Without records, which takes no time. */
nodiscard enum err purpose_by_id(struct db *db, uint64_t id, struct purpose_row *ret);
/* All, by id: purpose_next. */
void purpose_select(struct query *query, struct db *db);
nodiscard enum err purpose_next(struct query *query, struct purpose_row *ret, bool *ret_more);

struct class_row {
	uint64_t id;
	char name[RULE_NAME_BYTES], name_en[RULE_NAME_BYTES];
	char start[RULE_START_BYTES], start_en[RULE_START_BYTES];
	int64_t years;
	bool retired;
};

/* As of purposes. row->id is not looked at. */
nodiscard enum err class_insert(struct db *db, const struct class_row *row, uint64_t *ret);
/* All but years. */
nodiscard enum err class_update(struct db *db, const struct class_row *row);
nodiscard enum err class_by_id(struct db *db, uint64_t id, struct class_row *ret);
void class_select(struct query *query, struct db *db);
nodiscard enum err class_next(struct query *query, struct class_row *ret, bool *ret_more);

/* fields: a JSON array. */
nodiscard enum err template_put(struct db *db, int64_t kind, const char *fields);
/* ret has TEMPLATE_BYTES + 1; "[]" when there is none. */
nodiscard enum err template_get(struct db *db, int64_t kind, char *ret);

#endif
