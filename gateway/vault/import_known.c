#include "vault/import_known.h"

#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "store/vault/rule_rows.h"
#include "vault/grants.h"
#include "vault/index.h"
#include "vault/jobs.h"
#include "vault/numbers.h"
#include "vault/staging.h"

enum { KEY_BYTES = 2048 };

/* Two of one name are nobody. */
static enum err put(json_t *map, const char *key, uint64_t id)
{
	const json_t *old = json_object_get(map, key);

	if (old && json_integer_value(old) != (json_int_t)id)
		id = 0;
	return json_object_set_new(map, key, json_integer((json_int_t)id)) ? ERR_NOMEM : OK;
}

static uint64_t get(const json_t *map, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(map, key));
}

/* A sort of thing, whose it is, and the name as names are compared. ERR_INVALID: longer than any
 * name. */
static enum err key_of(char sort, uint64_t client, const char *name, char ret[KEY_BYTES])
{
	char *folded = NULL;
	enum err err = index_fold(name, &folded);

	if (!err) {
		int len = snprintf(ret, KEY_BYTES, "%c%llu %s", sort, (unsigned long long)client,
				   folded);

		err = len < 0 || len >= KEY_BYTES ? ERR_INVALID : OK;
	}
	index_text_free(&folded);
	return err;
}

/* A name out of the index is as names are compared already. */
static enum err put_entry(json_t *map, char sort, const struct index_entry *entry)
{
	const char *folded = strchr(entry->folded, '\n') + 1;
	char key[KEY_BYTES];
	enum err err = OK;
	int len = snprintf(key, sizeof(key), "%c%llu %s", sort, (unsigned long long)entry->client,
			   folded);

	if (len < 0 || len >= (int)sizeof(key))
		err = ERR_INVALID;
	if (!err && *folded)
		err = put(map, key, entry->id);
	secret_wipe(key, sizeof(key));
	return err;
}

static enum err put_name(json_t *map, char sort, uint64_t client, const char *name, uint64_t id)
{
	char key[KEY_BYTES];
	enum err err = *name ? key_of(sort, client, name, key) : OK;

	if (!err && *name)
		err = put(map, key, id);
	secret_wipe(key, sizeof(key));
	return err;
}

static enum err get_name(const json_t *map, char sort, uint64_t client, const char *name,
			 uint64_t *ret)
{
	char key[KEY_BYTES];
	enum err err = key_of(sort, client, name, key);

	*ret = err ? 0 : get(map, key);
	secret_wipe(key, sizeof(key));
	return err == ERR_INVALID ? OK : err;
}

/* ---- rules -------------------------------------------------------------------------------------
 */

static enum err read_purposes(struct import_known *known)
{
	_cleanup_query_ struct query query;
	struct purpose_row row;
	bool more = true;
	enum err err = OK;

	purpose_select(&query, known->records->db);
	while (!err && more) {
		err = purpose_next(&query, &row, &more);
		if (!err && more && !row.retired)
			err = put_name(known->rules, 'p', 0, row.name, row.id);
		if (!err && more && !row.retired && !util_streq(row.name, row.name_en))
			err = put_name(known->rules, 'p', 0, row.name_en, row.id);
	}
	return err;
}

static enum err read_classes(struct import_known *known)
{
	_cleanup_query_ struct query query;
	struct class_row row;
	bool more = true;
	enum err err = OK;

	class_select(&query, known->records->db);
	while (!err && more) {
		err = class_next(&query, &row, &more);
		if (!err && more && !row.retired)
			err = put_name(known->rules, 'c', 0, row.name, row.id);
		if (!err && more && !row.retired && !util_streq(row.name, row.name_en))
			err = put_name(known->rules, 'c', 0, row.name_en, row.id);
	}
	return err;
}

enum err import_known_purpose(struct import_known *known, const char *name, uint64_t *ret)
{
	return get_name(known->rules, 'p', 0, name, ret);
}

enum err import_known_class(struct import_known *known, const char *name, uint64_t *ret)
{
	return get_name(known->rules, 'c', 0, name, ret);
}

/* ---- records -----------------------------------------------------------------------------------
 */

bool import_known_may(const struct import_known *known, uint64_t client)
{
	struct grant_rights rights = { 0 };

	/* There is nothing nearer than everything for a client that is not there yet. */
	grants_decide(known->view, &(struct grant_place){ client, 0, client }, &rights, NULL);
	return rights.level >= GRANT_EDIT;
}

static enum err read_clients(struct import_known *known)
{
	const struct index *index = known->records->index;
	enum err err = OK;

	for (size_t i = 0; !err && i < index_count(index); i++) {
		const struct index_entry *entry = index_at(index, i);

		if (entry->kind == KIND_CLIENT && entry->state == STATE_ACTIVE && !entry->removed &&
		    import_known_may(known, entry->id))
			err = put_name(known->clients, 'k', 0, entry->name, entry->id);
	}
	return err;
}

static struct grant_rights rights_at(const struct import_known *known, uint64_t record,
				     uint64_t parent, uint64_t client)
{
	struct grant_rights rights = { 0 };

	grants_decide(known->view, &(struct grant_place){ record, parent, client }, &rights, NULL);
	return rights;
}

/* Those whose dependants he may enter; the others are none for him. */
static enum err read_employees(struct import_known *known)
{
	const struct index *index = known->records->index;
	enum err err = OK;

	if (known->employees)
		return OK;
	known->employees = json_object();
	for (size_t i = 0; !err && i < index_count(index); i++) {
		const struct index_entry *entry = index_at(index, i);

		if (entry->kind == KIND_EMPLOYEE && entry->state <= STATE_ACTIVE &&
		    !entry->removed &&
		    rights_at(known, entry->id, 0, entry->client).level >= GRANT_EDIT)
			err = put_entry(known->employees, 'e', entry);
		if (!err && jobs_is_over(known->records))
			err = known->on_pause(known->ctx);
	}
	return known->employees ? err : ERR_NOMEM;
}

enum err import_known_client(struct import_known *known, const char *name, uint64_t *ret)
{
	return get_name(known->clients, 'k', 0, name, ret);
}

/* Whose a person's number is is for those who have the right to it; a Corporate Number is public.
 */
static bool may_find(const struct import_known *known, const struct record_row *row,
		     const char *digits, unsigned level)
{
	const struct grant_rights rights = rights_at(known, row->id, row->parent, row->client);

	return rights.level >= level && (rights.number || strlen(digits) != NUMBERS_PERSONAL);
}

/* The first record of a kind and client in the vault that has the number, of those where he has at
 * least that level. */
static enum err find_number(const struct import_known *known, int64_t kind, uint64_t client,
			    const char *digits, unsigned level, uint64_t *ret)
{
	struct records *records = known->records;
	_cleanup_query_ struct query query;
	uint8_t found[RECORD_FOUND];
	struct record_row row;
	bool more = true;
	enum err err = numbers_found(records, digits, found);

	*ret = 0;
	if (err)
		return err;
	record_number_find(&query, records->db, found);
	while (!err && more && !*ret) {
		err = query_next(&query, &more);
		if (!err && more)
			err = record_by_id(records->db, (uint64_t)query_col_i64(&query, 0), &row);
		if (!err && more && !staging_has(records, row.id) && row.kind == kind &&
		    (kind == KIND_CLIENT || row.client == client) && !row.disposed &&
		    row.state != STATE_REFUSED && may_find(known, &row, digits, level))
			*ret = row.id;
	}
	return err;
}

static void number_key(char sort, int64_t kind, uint64_t client, const char *digits, char ret[64])
{
	snprintf(ret, 64, "%c%lld %llu %s", sort, (long long)kind, (unsigned long long)client,
		 digits);
}

enum err import_known_number(struct import_known *known, int64_t kind, uint64_t client,
			     const char *digits, enum import_double *ret)
{
	uint64_t there = 0;
	enum err err = OK;
	char key[64];

	number_key('n', kind, kind == KIND_CLIENT ? 0 : client, digits, key);
	*ret = json_object_get(known->numbers, key) ? IMPORT_IN_FILE : IMPORT_NEW;
	if (*ret == IMPORT_NEW)
		err = find_number(known, kind, client, digits, GRANT_VIEW, &there);
	if (!err && there)
		*ret = IMPORT_IN_VAULT;
	if (!err && json_object_set_new(known->numbers, key, json_true()))
		err = ERR_NOMEM;
	secret_wipe(key, sizeof(key));
	return err;
}

static enum err parent_by_number(struct import_known *known, uint64_t client, const char *digits,
				 uint64_t *ret)
{
	char key[64];

	number_key('d', KIND_EMPLOYEE, client, digits, key);
	*ret = get(known->employees, key);
	secret_wipe(key, sizeof(key));
	return *ret ? OK : find_number(known, KIND_EMPLOYEE, client, digits, GRANT_EDIT, ret);
}

enum err import_known_parent(struct import_known *known, uint64_t client, const char *name,
			     uint64_t *ret)
{
	char digits[NUMBERS_ROOM];
	enum err err = read_employees(known);

	numbers_plain(name, digits);
	if (!err && *digits)
		err = parent_by_number(known, client, digits, ret);
	else if (!err)
		err = get_name(known->employees, 'e', client, name, ret);
	secret_wipe(digits, sizeof(digits));
	return err;
}

enum err import_known_add(struct import_known *known, int64_t kind, uint64_t client,
			  const char *name, const char *digits, uint64_t id)
{
	enum err err = OK;
	char key[64];

	if (kind == KIND_CLIENT)
		return put_name(known->clients, 'k', 0, name, id);
	if (kind != KIND_EMPLOYEE)
		return OK;
	err = read_employees(known);
	if (!err)
		err = put_name(known->employees, 'e', client, name, id);
	if (!err && *digits) {
		number_key('d', kind, client, digits, key);
		err = put(known->employees, key, id);
		secret_wipe(key, sizeof(key));
	}
	return err;
}

/* ---- life --------------------------------------------------------------------------------------
 */

enum err import_known_open(struct import_known *known, struct records *records,
			   const struct desk_person *who)
{
	*known = (struct import_known){ .records = records, .who = *who };
	known->rules = json_object();
	known->clients = json_object();
	known->numbers = json_object();
	enum err err = known->rules && known->clients && known->numbers ? OK : ERR_NOMEM;

	if (!err)
		err = grants_view_open(records, who, &known->view);
	if (!err)
		err = read_purposes(known);
	if (!err)
		err = read_classes(known);
	return err ? err : read_clients(known);
}

/* Of many things, so that nobody waits long for it either. */
static void empty(const struct import_known *known, json_t *map, enum err *ret)
{
	json_t *value;
	const char *key;
	void *next;

	json_object_foreach_safe(map, next, key, value)
	{
		json_object_del(map, key);
		if (!*ret && known->on_pause && jobs_is_over(known->records))
			*ret = known->on_pause(known->ctx);
	}
	json_decref(map);
}

enum err import_known_finish(struct import_known *known)
{
	enum err err = OK;

	grants_view_free(known->view);
	json_decref(known->rules);
	empty(known, known->clients, &err);
	empty(known, known->employees, &err);
	empty(known, known->numbers, &err);
	*known = (struct import_known){ 0 };
	return err;
}
