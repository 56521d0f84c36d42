/*
 * grants_decide.h - which grant counts: one person's rows in, his rights to any record out, without
 * a database. The nearest object that has any row for the person counts (the record, its parent,
 * its client, groups of its client, everything); there a row of his own before those of his groups;
 * among several of a kind the highest: by level, then the number right, then the document role in
 * the order of enum document_role. One row counts, never a mixture of two.
 */
#ifndef SEKISHO_VAULT_GRANTS_DECIDE_H
#define SEKISHO_VAULT_GRANTS_DECIDE_H

#include "store/vault/grants.h"

/* Each includes those before it. */
enum grant_level {
	GRANT_NONE,
	GRANT_VIEW,
	GRANT_EDIT,
	GRANT_EXPORT,
	GRANT_PERMISSIONS,
	GRANT_LEVELS,
};

enum document_role {
	DOCUMENT_NO_ROLE,
	DOCUMENT_CO_OWNER,
	DOCUMENT_EDITOR,
	DOCUMENT_VIEWER_UPLOADER,
	DOCUMENT_PREVIEWER_UPLOADER,
	DOCUMENT_VIEWER,
	DOCUMENT_PREVIEWER,
	DOCUMENT_UPLOADER,
	DOCUMENT_ROLES,
};

enum document_right {
	DOCUMENT_UPLOAD = 1 << 0,
	DOCUMENT_DOWNLOAD = 1 << 1,
	DOCUMENT_PREVIEW = 1 << 2,
	DOCUMENT_LINK = 1 << 3, /* point others to it, who need rights of their own */
	DOCUMENT_EDIT = 1 << 4, /* a new version of one that is there */
	DOCUMENT_DELETE = 1 << 5,
	DOCUMENT_OWN = 1 << 6, /* decide about others' document roles */
};

/* Bits of enum document_right; the table is in docs/architecture.md. 0: no such role. */
uint8_t grants_document_rights(unsigned role);

/* May documents of the record be treated so? All of the bits of right have to be there. */
bool grants_document_may(const struct grant_rights *rights, uint8_t right);

enum { GRANT_PRESETS = 5 };

/* Lv1 to Lv5. ERR_INVALID: there is no such preset. */
nodiscard enum err grants_preset(unsigned preset, struct grant_rights *ret);

/* No level, or known ones; without a level there is neither a number right nor a document role. */
bool grants_rights_valid(const struct grant_rights *rights);

/* Is there nothing in small that is not in large? */
bool grants_rights_within(const struct grant_rights *small, const struct grant_rights *large);

bool grants_rights_same(const struct grant_rights *a, const struct grant_rights *b);

/* Do they have the same subject and object? */
bool grants_row_same(const struct grant_row *a, const struct grant_row *b);

/* Where a record is. parent 0: it has none. A client is in itself. */
struct grant_place {
	uint64_t record, parent, client;
};

/* What is seen beside what rows give. */
enum grants_sight {
	SIGHT_GIVEN, /* nothing */
	SIGHT_ALL,   /* everything, masked: who manages */
	SIGHT_GLASS, /* everything with its numbers, documents as previews: break-glass */
};

/* What one person's rows say about all records; never changes once it is made. */
struct grants_view;

/*
 * rows: those of the person himself and of the groups that he is in, no others, and each (subject,
 * object) once. members: of groups of clients; all those that rows have as object must be complete.
 * Both are copied. ERR_NOMEM.
 */
nodiscard enum err grants_view_new(const struct grant_row *rows, size_t count,
				   const struct grant_member *members, size_t member_count,
				   enum grants_sight sight, struct grants_view **ret);
/* The same view for one more owner, who frees it as well. */
struct grants_view *grants_view_share(struct grants_view *view);
/* Gone with its last owner. NULL is allowed. */
void grants_view_free(struct grants_view *view);
void grants_view_freep(struct grants_view **view);
#define _cleanup_grants_view_ _cleanup_(grants_view_freep)

/* The rights to the record at place. ret_row (NULL allowed): the row that counts, NULL if there is
 * none; it lives as long as the view. */
void grants_decide(const struct grants_view *view, const struct grant_place *place,
		   struct grant_rights *ret, const struct grant_row **ret_row);

/* May the record be in the person's lists, counts and searches? Some hundred nanoseconds. */
bool grants_may_see(const struct grants_view *view, const struct grant_place *place);

/* All rows that the view was made of, in no order that means anything. */
size_t grants_view_rows(const struct grants_view *view, const struct grant_row **ret_rows);

#endif
