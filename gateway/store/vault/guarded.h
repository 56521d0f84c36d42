/*
 * guarded.h - the tables whose rows carry a MAC, each in the same way: mac is the last column and
 * is over all others. What a MAC is made of, and when, is vault/guard's.
 */
#ifndef SEKISHO_STORE_VAULT_GUARDED_H
#define SEKISHO_STORE_VAULT_GUARDED_H

#include "store/db.h"

enum { GUARDED_MAC = 32, GUARDED_COLUMNS = 24, GUARDED_KEYS = 4 };

enum guarded_table {
	GUARDED_RECORD,   /* id */
	GUARDED_REQUEST,  /* id */
	GUARDED_DISPOSAL, /* record */
	GUARDED_GROUP,    /* id */
	GUARDED_MEMBER,   /* grp, member */
	GUARDED_GRANT,    /* subject_kind, subject, object_kind, object */
	GUARDED_DOCUMENT, /* id */
	GUARDED_COPY,     /* id */
	GUARDED_STAGING,  /* first */
	GUARDED_TABLES
};

const char *guarded_name(enum guarded_table table);
/* How many columns are its key; they are its first. */
size_t guarded_keys(enum guarded_table table);

/* One row by its key, or with keys NULL all rows in the order of the key: query_next, then
 * query_fields. */
void guarded_select(struct query *query, struct db *db, enum guarded_table table,
		    const int64_t *keys);

/* ERR_NOT_FOUND. */
nodiscard enum err guarded_set_mac(struct db *db, enum guarded_table table, const int64_t *keys,
				   const uint8_t mac[GUARDED_MAC]);

#endif
