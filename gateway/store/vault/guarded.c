#include "store/vault/guarded.h"

/* One table: its name, how many columns are its key, and the condition on them. */
#define TABLES(X)                                                                                  \
	X(GUARDED_RECORD, "record", 1, "id = ?", "id")                                             \
	X(GUARDED_REQUEST, "request", 1, "id = ?", "id")                                           \
	X(GUARDED_DISPOSAL, "disposal", 1, "record = ?", "record")                                 \
	X(GUARDED_GROUP, "grant_group", 1, "id = ?", "id")                                         \
	X(GUARDED_MEMBER, "grant_member", 2, "grp = ? AND member = ?", "grp, member")              \
	X(GUARDED_GRANT, "grant_row", 4,                                                           \
	  "subject_kind = ? AND subject = ? AND object_kind = ? AND object = ?",                   \
	  "subject_kind, subject, object_kind, object")                                            \
	X(GUARDED_DOCUMENT, "document", 1, "id = ?", "id")                                         \
	X(GUARDED_COPY, "grant_copy", 1, "id = ?", "id")                                           \
	X(GUARDED_STAGING, "staging", 1, "first = ?", "first")

static const struct {
	const char *name;
	size_t keys;
	const char *one, *all, *set;
} tables[GUARDED_TABLES] = {
#define X(id, name, keys, condition, order)                                                        \
	[id] = { name, keys, "SELECT * FROM " name " WHERE " condition,                            \
		 "SELECT * FROM " name " ORDER BY " order,                                         \
		 "UPDATE " name " SET mac = ? WHERE " condition },
	TABLES(X)
#undef X
};

const char *guarded_name(enum guarded_table table)
{
	return tables[table].name;
}

size_t guarded_keys(enum guarded_table table)
{
	return tables[table].keys;
}

static void bind_keys(struct query *query, enum guarded_table table, const int64_t *keys)
{
	for (size_t i = 0; i < tables[table].keys; i++)
		query_i64(query, keys[i]);
}

void guarded_select(struct query *query, struct db *db, enum guarded_table table,
		    const int64_t *keys)
{
	query_init(query, db, keys ? tables[table].one : tables[table].all);
	if (keys)
		bind_keys(query, table, keys);
}

enum err guarded_set_mac(struct db *db, enum guarded_table table, const int64_t *keys,
			 const uint8_t mac[GUARDED_MAC])
{
	_cleanup_query_ struct query query;

	query_init(&query, db, tables[table].set);
	query_blob(&query, mac, GUARDED_MAC);
	bind_keys(&query, table, keys);
	return query_run_one(&query);
}
