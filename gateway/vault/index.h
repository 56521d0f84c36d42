/*
 * index.h - all records by their names, in memory while the vault is open: for lists and for search
 * over many. A name is looked for as it is read: wide and narrow, katakana and hiragana, big and
 * small letters are the same, blanks do not count.
 *
 * A change is noted within a transaction and seen after its commit. What is in here is nobody's to
 * see before grants_may_see has been asked.
 */
#ifndef SEKISHO_VAULT_INDEX_H
#define SEKISHO_VAULT_INDEX_H

#include "store/vault/record_rows.h"

struct index_entry {
	uint64_t id, client, parent;
	int64_t removed;
	uint8_t kind, state; /* enum protected_kind, enum protected_state */
	bool has_number;
	bool damaged;            /* what it says cannot be opened */
	const char *name, *kana; /* "" when nobody has entered any, or it is disposed of */
	const char *folded;      /* both, as index_fold's */
	const char *key;         /* what lists are in order of: the folded reading, or name */
	char *text;              /* all of these */
};

struct index;

nodiscard enum err index_new(struct index **ret);
/* Wipes all names. NULL is allowed. */
void index_free(struct index *index);

/* Notes how a record is now; name and kana NULL: as they were. ERR_NOMEM, ERR_INVALID: no UTF-8. */
nodiscard enum err index_note(struct index *index, const struct record_row *row, const char *name,
			      const char *kana, bool damaged);
/* After the commit, which makes them count, and after a roll back. */
void index_keep(struct index *index);
void index_drop(struct index *index);

/*
 * Notes of new records put aside instead: they count, all at once and soon, with index_take_back.
 * index_set_aside after a commit, in place of index_keep; *aside NULL: none yet. On an error the
 * notes are dropped. index_make_room before the commit of the last; index_take_back frees.
 */
struct index_aside;
nodiscard enum err index_set_aside(struct index *index, struct index_aside **aside);
nodiscard enum err index_make_room(struct index *index, const struct index_aside *aside);
void index_take_back(struct index *index, struct index_aside *aside);
void index_aside_free(struct index_aside *aside); /* NULL is allowed; wipes */

/* NULL: there is none. Entries are borrowed until the next index_keep. */
const struct index_entry *index_find(const struct index *index, uint64_t id);

/* In the order of lists: by reading, then by number. index_place: where one is. */
size_t index_count(const struct index *index);
const struct index_entry *index_at(const struct index *index, size_t place);
size_t index_place(const struct index *index, const struct index_entry *entry);

/* As names are compared; index_text_free. ERR_INVALID: no UTF-8. */
nodiscard enum err index_fold(const char *text, char **ret);
void index_text_free(char **text);
/* Does its name or reading have that in it? "" is in each. */
bool index_has(const struct index_entry *entry, const char *folded);

#endif
