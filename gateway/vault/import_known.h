/*
 * import_known.h - what names and numbers in an import mean: clients, employees, purposes, classes
 * by name, and numbers that are there already; those of the file itself, too.
 */
#ifndef SEKISHO_VAULT_IMPORT_KNOWN_H
#define SEKISHO_VAULT_IMPORT_KNOWN_H

#include "vault/desk.h"
#include "vault/grants_decide.h"

struct import_known {
	struct records *records;
	struct desk_person who;
	struct grants_view *view;
	json_t *rules;     /* purposes and classes by their names */
	json_t *clients;   /* folded name: id */
	json_t *employees; /* client and folded name, or number: id; NULL until it is needed */
	json_t *numbers;   /* of the file: kind, client and digits */
	enum err (*on_pause)(void *ctx); /* set after import_known_open, as import_rows' */
	void *ctx;
};

/* import_known_finish in every case. */
nodiscard enum err import_known_open(struct import_known *known, struct records *records,
				     const struct desk_person *who);
/* Pauses, too: what on_pause answers. */
nodiscard enum err import_known_finish(struct import_known *known);

/* Each 0 when there is none, or when the name does not say which. */
nodiscard enum err import_known_purpose(struct import_known *known, const char *name,
					uint64_t *ret);
nodiscard enum err import_known_class(struct import_known *known, const char *name, uint64_t *ret);
nodiscard enum err import_known_client(struct import_known *known, const char *name, uint64_t *ret);
/* An employee of that client, by name or number: one whom he may change, and by a person's number
 * with the right to it. */
nodiscard enum err import_known_parent(struct import_known *known, uint64_t client,
				       const char *name, uint64_t *ret);

/* May he enter records of that client; 0: clients? */
bool import_known_may(const struct import_known *known, uint64_t client);

enum import_double { IMPORT_NEW, IMPORT_IN_FILE, IMPORT_IN_VAULT };
/* Whether the same client has that number for that kind already, as far as he may know; it has it
 * from then on. */
nodiscard enum err import_known_number(struct import_known *known, int64_t kind, uint64_t client,
				       const char *digits, enum import_double *ret);

/* A record of the file, under which others may be. */
nodiscard enum err import_known_add(struct import_known *known, int64_t kind, uint64_t client,
				    const char *name, const char *digits, uint64_t id);

#endif
