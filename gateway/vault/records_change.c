#include "vault/records_change.h"

#include <string.h>
#include <time.h>

#include "base/util.h"
#include "vault/index.h"
#include "vault/sealing.h"
#include "wire/enums.h"

static int64_t year_of(int64_t now_s)
{
	time_t seconds = (time_t)now_s;
	struct tm tm = { 0 };

	gmtime_r(&seconds, &tm);
	return tm.tm_year + 1900;
}

/* ---- entering ---------------------------------------------------------------------------------
 */

static enum err insert_content(struct records *records, const struct record_row *row,
			       const struct content *content, const struct change_by *by)
{
	_cleanup_secret_ struct secret *data = NULL, *room = NULL;
	const struct sealing_of of = { SEALING_CONTENT, row, 0, row->version };
	struct record_sealed sealed = { .record = row->id,
					.version = row->version,
					.made = by->now_s,
					.made_by = by->account };
	enum err err = content_write(content, &data);

	if (!err)
		err = secret_new(NULL, secret_len(data) + SEALING_MORE, &room);
	if (err)
		return err;
	sealed.sealed = secret_data(room);
	sealed.sealed_len = secret_len(room);
	err = sealing_put(records, &of, secret_text(data), secret_len(data), sealed.data_key,
			  secret_data(room));
	if (!err)
		err = record_version_insert(records->db, &sealed);
	return err ? err : index_note(records->index, row, content->name, content->kana, false);
}

static enum err insert_number(struct records *records, const struct record_row *row,
			      int64_t version, const char *number, const struct change_by *by)
{
	const struct sealing_of of = { SEALING_NUMBER, row, 0, version };
	uint8_t room[RECORD_SEALED_NUMBER], found[RECORD_FOUND];
	struct record_sealed sealed = { .record = row->id,
					.version = version,
					.made = by->now_s,
					.made_by = by->account,
					.sealed = room };
	enum err err = numbers_right((enum protected_kind)row->kind, number) ? OK : ERR_INVALID;

	if (err)
		return err;
	sealed.sealed_len = strlen(number) + SEALING_MORE;
	err = sealing_put(records, &of, number, strlen(number), sealed.data_key, room);
	if (!err)
		err = numbers_found(records, number, found);
	return err ? err : record_number_insert(records->db, &sealed, found);
}

enum err record_create_as(struct records *records, uint64_t id, struct record_row *row,
			  const struct content *content, const char *number,
			  const struct change_by *by)
{
	struct record_row made = *row;
	enum err err;

	made.id = id;
	if (made.kind == KIND_CLIENT)
		made.client = made.id;
	made.version = content ? 1 : 0;
	made.number_version = number ? 1 : 0;
	made.created = by->now_s;
	made.created_by = by->account;
	err = keyring_group(&records->keyring, made.client, made.class, year_of(by->now_s),
			    &made.key);
	if (!err)
		err = records_add_row(records, &made);
	if (!err && content)
		err = insert_content(records, &made, content, by);
	if (!err && number)
		err = insert_number(records, &made, 1, number, by);
	if (!err)
		*row = made;
	return err;
}

enum err record_create(struct records *records, struct record_row *row,
		       const struct content *content, const char *number,
		       const struct change_by *by)
{
	uint64_t id = 0;
	enum err err = record_next_id(records->db, &id);

	return err ? err : record_create_as(records, id, row, content, number, by);
}

enum err record_put_version(struct records *records, struct record_row *row,
			    const struct content *content, const struct change_by *by)
{
	struct record_row changed = *row;

	changed.version++;
	enum err err = records_set_row(records, &changed);
	if (!err)
		err = insert_content(records, &changed, content, by);
	if (!err)
		*row = changed;
	return err;
}

/* Of all that there are, also those that do not count. */
static enum err last_number(struct records *records, uint64_t record, int64_t *ret)
{
	_cleanup_query_ struct query query;
	struct record_sealed sealed;
	bool more = false;

	record_number_select(&query, records->db, record, 0);
	enum err err = record_number_next(&query, &sealed, &more);
	if (!err)
		*ret = more ? sealed.version : 0;
	return err;
}

enum err record_put_number(struct records *records, const struct record_row *row,
			   const char *number, const struct change_by *by, int64_t *ret_version)
{
	int64_t version = 0;
	enum err err = last_number(records, row->id, &version);

	/* One that was destroyed may have been newer than what is left. */
	version = MAX(version, row->number_version) + 1;
	if (!err)
		err = insert_number(records, row, version, number, by);
	if (!err)
		*ret_version = version;
	return err;
}

enum err record_use_number(struct records *records, struct record_row *row, int64_t version)
{
	_cleanup_query_ struct query query;
	struct record_row changed = *row;
	struct record_sealed sealed;
	bool there = false;

	record_number_select(&query, records->db, row->id, version);
	enum err err = record_number_next(&query, &sealed, &there);
	if (!err && (!there || version <= 0))
		err = ERR_NOT_FOUND;
	changed.number_version = version;
	if (!err)
		err = records_set_row(records, &changed);
	if (!err)
		*row = changed;
	return err;
}

enum err record_drop_number(struct records *records, const struct record_row *row, int64_t version)
{
	if (version == row->number_version)
		return ERR_WRONG_STATE;
	records->doom.wiped = true;
	return record_number_delete(records->db, row->id, version);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static enum err open_content(struct records *records, const struct record_row *row,
			     struct query *query, int64_t *ret_version, struct content *ret)
{
	_cleanup_secret_ struct secret *data = NULL;
	struct record_sealed sealed;
	bool there = false;
	enum err err = record_version_next(query, &sealed, &there);

	if (err || !there)
		return err ? err : ERR_NOT_FOUND;
	const struct sealing_of of = { SEALING_CONTENT, row, 0, sealed.version };
	*ret_version = sealed.version;
	err = sealing_get(records, &of, sealed.data_key, sealed.sealed, sealed.sealed_len, &data);
	return err ? err : content_read(data, ret);
}

enum err record_get_content(struct records *records, const struct record_row *row, int64_t version,
			    struct content *ret)
{
	_cleanup_query_ struct query query = { 0 };
	bool newest = version == 0;

	if (newest)
		version = row->version;
	if (version <= 0 || version > row->version)
		return ERR_NOT_FOUND;
	record_version_select(&query, records->db, row->id, version);
	enum err err = open_content(records, row, &query, &version, ret);
	/* The row says that it is there. */
	if (err == ERR_NOT_FOUND)
		err = ERR_INVALID;
	if (err == ERR_INVALID)
		records_damaged(records, "record_version", row->id, version);
	return err;
}

static enum err open_number(struct records *records, const struct record_row *row,
			    struct query *query, char ret[NUMBERS_ROOM])
{
	const struct sealing_of of = { SEALING_NUMBER, row, 0, row->number_version };
	_cleanup_secret_ struct secret *digits = NULL;
	struct record_sealed sealed;
	bool there = false;
	enum err err = record_number_next(query, &sealed, &there);

	if (!err && !there)
		err = ERR_INVALID;
	if (!err)
		err = sealing_get(records, &of, sealed.data_key, sealed.sealed, sealed.sealed_len,
				  &digits);
	if (!err && (secret_len(digits) >= NUMBERS_ROOM || !numbers_valid(secret_text(digits))))
		err = ERR_INVALID;
	if (!err)
		memcpy(ret, secret_text(digits), secret_len(digits) + 1);
	return err;
}

enum err record_get_number(struct records *records, const struct record_row *row,
			   char ret[NUMBERS_ROOM])
{
	_cleanup_query_ struct query query = { 0 };

	if (row->number_version == 0)
		return ERR_NOT_FOUND;
	record_number_select(&query, records->db, row->id, row->number_version);
	enum err err = open_number(records, row, &query, ret);
	/* A destroyed group key: the row says that it is there. */
	if (err == ERR_NOT_FOUND)
		err = ERR_INVALID;
	if (err == ERR_INVALID)
		records_damaged(records, "record_number", row->id, row->number_version);
	return err;
}

/* ---- another group key ------------------------------------------------------------------------
 */

typedef enum err set_key(struct db *db, uint64_t record, int64_t version,
			 const uint8_t data_key[RECORD_DATA_KEY]);

/* query: the newest first; what it reads is not what is changed. */
static enum err rewrap_all(struct records *records, const struct record_row *row, uint64_t key,
			   struct query *query, set_key *set)
{
	struct record_sealed sealed;
	uint8_t data_key[SEALING_DATA_KEY];
	bool more = true;
	enum err err = OK;

	while (!err && more) {
		/* Versions and numbers have the same columns. */
		err = record_version_next(query, &sealed, &more);
		if (err || !more)
			break;
		err = sealing_rewrap(records, row->key, key, sealed.data_key, data_key);
		if (!err)
			err = set(records->db, row->id, sealed.version, data_key);
	}
	return err;
}

enum err record_rewrap(struct records *records, struct record_row *row, uint64_t key)
{
	_cleanup_query_ struct query versions, numbers;
	struct record_row changed = *row;

	record_version_select(&versions, records->db, row->id, 0);
	record_number_select(&numbers, records->db, row->id, 0);
	enum err err = rewrap_all(records, row, key, &versions, record_version_set_key);
	if (!err)
		err = rewrap_all(records, row, key, &numbers, record_number_set_key);
	changed.key = key;
	if (!err)
		err = records_set_row(records, &changed);
	if (!err)
		*row = changed;
	return err;
}
