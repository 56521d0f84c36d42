#include "audit/audit.h"

#include <ctype.h>
#include <string.h>

#include "audit/entry.h"
#include "base/clock.h"

enum { CATCH_UP_ROWS = 4096 /* in one transaction */ };

/* ---- the tree --------------------------------------------------------------------------- */

static enum err node_read(void *ctx, unsigned level, uint64_t index, uint8_t ret_hash[TREE_HASH])
{
	return audit_node_read(ctx, level, index, ret_hash);
}

static enum err node_add(void *ctx, unsigned level, uint64_t index, const uint8_t hash[TREE_HASH])
{
	return audit_node_add(ctx, level, index, hash);
}

struct tree_store audit_tree(struct db *db)
{
	return (struct tree_store){ node_read, node_add, db };
}

enum err audit_size(struct db *db, uint64_t *ret_size)
{
	return audit_node_leaves(db, ret_size);
}

static enum err add_leaf(struct db *db, const struct audit_row *row)
{
	const struct tree_store store = audit_tree(db);
	uint8_t leaf[TREE_HASH];
	enum err err = entry_leaf(row, leaf);

	return err ? err : tree_append(&store, (uint64_t)row->seq - 1, leaf);
}

static enum err catch_up_some(struct db *db, int64_t from, bool *ret_more)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum err err = db_tx_begin(&tx, db);

	if (err)
		return err;
	{
		_cleanup_query_ struct query query;
		struct audit_row row;

		audit_row_list(&query, db, from);
		for (int i = 0; i < CATCH_UP_ROWS; i++) {
			err = audit_row_next(&query, &row, ret_more);
			if (!err && *ret_more)
				err = add_leaf(db, &row);
			if (err || !*ret_more)
				break;
		}
	}
	return err ? err : db_tx_commit(&tx);
}

enum err audit_catch_up(struct db *db)
{
	uint64_t size;
	int64_t last;
	bool more = true;
	enum err err = audit_row_last(db, &last);

	while (!err && more) {
		err = audit_size(db, &size);
		if (err || (int64_t)size >= last)
			break;
		err = catch_up_some(db, (int64_t)size + 1, &more);
	}
	return err;
}

/* ---- appending -------------------------------------------------------------------------- */

static enum err copy_text(char *ret, size_t size, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len >= size || (len && !util_utf8_valid(text, len)))
		return ERR_INVALID;
	memcpy(ret, text ? text : "", len);
	ret[len] = '\0';
	return OK;
}

/* The leaf is a text of lines. */
static enum err copy_event(char *ret, size_t size, const char *event)
{
	for (const char *at = event; *at; at++)
		if (iscntrl((unsigned char)*at))
			return ERR_INVALID;
	return copy_text(ret, size, event);
}

/* A detail is worth less than the entry: one that is too long must not keep the entry from being
 * made. */
static enum err copy_detail(const json_t *detail, char *ret, size_t size)
{
	size_t len;

	if (!detail)
		return copy_text(ret, size, "{}");
	len = json_dumpb(detail, ret, size - 1, JSON_COMPACT | JSON_SORT_KEYS);
	if (len == 0)
		return ERR_NOMEM;
	if (len >= size)
		return copy_text(ret, size, "{\"cut\":true}");
	ret[len] = '\0';
	return OK;
}

static enum err fill(struct audit_row *row, const struct audit_entry *entry)
{
	enum err err = copy_event(row->event, sizeof(row->event), entry->event);

	if (!err)
		err = copy_text(row->account, sizeof(row->account), entry->account);
	if (!err)
		err = copy_text(row->address, sizeof(row->address), entry->address);
	if (!err)
		err = copy_text(row->session, sizeof(row->session), entry->session);
	if (!err)
		err = copy_detail(entry->detail, row->detail, sizeof(row->detail));
	row->version = AUDIT_SALTED;
	row->time_ms = clock_wall_ms();
	row->device = entry->device;
	row->host = entry->host;
	util_random(row->salt, sizeof(row->salt));
	return err ? err : entry_commitment(row, NULL, row->commitment);
}

/* Number and place in the tree go together: entries that are no leaves yet, or leaves without
 * entries, are not added to. */
static enum err next_number(struct db *db, int64_t *ret_seq)
{
	uint64_t size;
	int64_t last;
	enum err err = audit_row_last(db, &last);

	if (!err)
		err = audit_size(db, &size);
	if (!err && size != (uint64_t)last)
		err = ERR_WRONG_STATE;
	if (!err)
		*ret_seq = last + 1;
	return err;
}

enum err audit_append(struct db *db, const struct audit_entry *entry)
{
	struct audit_row row = { 0 };
	enum err err = db_in_transaction(db) ? fill(&row, entry) : ERR_WRONG_STATE;

	json_decref(entry->detail);
	if (!err)
		err = next_number(db, &row.seq);
	if (!err)
		err = audit_row_add(db, &row);
	return err ? err : add_leaf(db, &row);
}

/* ---- disposal --------------------------------------------------------------------------- */

enum err audit_dispose(struct db *db, int64_t first, int64_t last, const struct audit_entry *entry)
{
	struct audit_entry said = *entry;
	int64_t newest;
	enum err err = db_in_transaction(db) ? audit_row_last(db, &newest) : ERR_WRONG_STATE;

	json_decref(entry->detail);
	if (!err && (first < 1 || first > last || last > newest))
		err = ERR_INVALID;
	for (int64_t seq = first; !err && seq <= last; seq++) {
		err = audit_row_dispose(db, seq);
		if (err == ERR_WRONG_STATE)
			err = OK; /* by an earlier disposal */
	}
	if (err)
		return err;
	said.event = AUDIT_EVENT_DISPOSED;
	said.detail = json_pack("{s:I, s:I}", "first", (json_int_t)first, "last", (json_int_t)last);
	return audit_append(db, &said);
}
