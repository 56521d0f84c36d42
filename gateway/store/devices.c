#include "store/devices.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "store/certificates.h"

/* join: how to find the row of the table of certificates. */
#define DEVICE_SELECT(join)                                                                        \
	"SELECT device.id, device.name, owner, account.name, device.state, device.failures,"       \
	" device.next_try_ms, seen, seen_address, device.created, device.revoked, revoked_why,"    \
	" retired, disposal, retired_by, remark, c.id, c.device_key, c.not_before, c.not_after,"   \
	" EXISTS (SELECT 1 FROM certificate o WHERE o.device = device.id AND o.id < c.id"          \
	" AND o.state = 1 AND o.device_key <> c.device_key)"                                       \
	" FROM device JOIN account ON account.id = device.owner " join " "

#define NEWEST                                                                                     \
	"LEFT JOIN certificate c ON c.id ="                                                        \
	" (SELECT max(id) FROM certificate n WHERE n.device = device.id)"

static void device_load_certificate(struct query *query, struct device *ret)
{
	if (query_col_null(query, 16))
		return;
	ret->certificate = query_col_i64(query, 16);
	query_col_blob(query, 17, ret->key, sizeof(ret->key));
	ret->not_before_s = query_col_i64(query, 18);
	ret->not_after_s = query_col_i64(query, 19);
	ret->supersedes = query_col_i64(query, 20) != 0;
}

static enum err device_load(struct query *query, struct device *ret)
{
	struct device device = {
		.id = query_col_i64(query, 0),
		.owner = query_col_i64(query, 2),
		.state = query_col_i64(query, 4),
		.failures = query_col_i64(query, 5),
		.next_try_ms = query_col_i64(query, 6),
		.seen_s = query_col_i64(query, 7),
		.created_s = query_col_i64(query, 9),
		.revoked_s = query_col_i64(query, 10),
		.retired_s = query_col_i64(query, 12),
		.disposal = query_col_i64(query, 13),
	};

	query_col_str(query, 1, device.name, sizeof(device.name));
	query_col_str(query, 3, device.owner_name, sizeof(device.owner_name));
	query_col_str(query, 8, device.seen_address, sizeof(device.seen_address));
	query_col_str(query, 11, device.revoked_why, sizeof(device.revoked_why));
	query_col_str(query, 14, device.retired_by, sizeof(device.retired_by));
	query_col_str(query, 15, device.remark, sizeof(device.remark));
	device_load_certificate(query, &device);
	if (query_err(query))
		return query_err(query);
	*ret = device;
	return OK;
}

enum err device_by_key(struct db *db, const uint8_t key[DEVICE_KEY], struct device *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db,
		   DEVICE_SELECT(
			   "JOIN certificate c ON c.device = device.id") "WHERE c.device_key = ? "
									 "AND c.state = 1 ORDER BY "
									 "c.id DESC LIMIT 1");
	query_blob(&query, key, DEVICE_KEY);
	err = query_one(&query);
	return err ? err : device_load(&query, ret);
}

enum err device_by_id(struct db *db, int64_t id, struct device *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, DEVICE_SELECT(NEWEST) "WHERE device.id = ?");
	query_i64(&query, id);
	err = query_one(&query);
	return err ? err : device_load(&query, ret);
}

void device_list(struct query *query, struct db *db, int64_t after)
{
	query_init(query, db, DEVICE_SELECT(NEWEST) "WHERE device.id > ? ORDER BY device.id");
	query_i64(query, after);
}

enum err device_next(struct query *query, struct device *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : device_load(query, ret);
}

/* A key that came with a renewal is in the table of certificates only. */
static enum err device_insert(struct db *db, const struct device *device, int64_t *ret_id)
{
	_cleanup_query_ struct query query;
	int64_t changes;
	enum err err;

	query_init(&query, db,
		   "INSERT INTO device (device_key, name, owner, state, created)"
		   " SELECT ?1, ?2, ?3, 1, ?4"
		   " WHERE NOT EXISTS (SELECT 1 FROM certificate WHERE device_key = ?1)");
	query_blob(&query, device->key, sizeof(device->key));
	query_str(&query, device->name);
	query_i64(&query, device->owner);
	query_i64(&query, clock_wall_s());
	err = query_run(&query, &changes);
	if (err)
		return err;
	if (changes != 1)
		return ERR_EXISTS;
	*ret_id = db_last_id(db);
	return OK;
}

enum err device_add(struct db *db, const struct device *device, int64_t *ret_id)
{
	int64_t id;
	enum err err = device_insert(db, device, &id);

	if (!err)
		err = device_owner_add(db, id, device->owner);
	if (!err)
		*ret_id = id;
	return err;
}

/* ---- owners ----------------------------------------------------------------------------- */

static enum err device_count_where(struct db *db, const char *sql, int64_t first, int64_t second,
				   int64_t *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, sql);
	query_i64(&query, first);
	query_i64(&query, second);
	err = query_one(&query);
	if (err)
		return err;
	*ret = query_col_i64(&query, 0);
	return query_err(&query);
}

enum err device_owner_add(struct db *db, int64_t device, int64_t account)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "INSERT INTO device_owner (device, account) VALUES (?, ?)");
	query_i64(&query, device);
	query_i64(&query, account);
	return query_run_one(&query);
}

enum err device_owner_remove(struct db *db, int64_t device, int64_t account)
{
	_cleanup_query_ struct query query;
	bool is_owner;
	enum err err;

	query_init(&query, db,
		   "DELETE FROM device_owner WHERE device = ?1 AND account = ?2"
		   " AND (SELECT count(*) FROM device_owner WHERE device = ?1) > 1");
	query_i64(&query, device);
	query_i64(&query, account);
	err = query_run_one(&query);
	if (err != ERR_NOT_FOUND)
		return err;
	err = device_has_owner(db, device, account, &is_owner);
	return err ? err : is_owner ? ERR_WRONG_STATE : ERR_NOT_FOUND;
}

enum err device_has_owner(struct db *db, int64_t device, int64_t account, bool *ret)
{
	int64_t count = 0;
	enum err err = device_count_where(
		db, "SELECT count(*) FROM device_owner WHERE device = ? AND account = ?", device,
		account, &count);

	if (!err)
		*ret = count > 0;
	return err;
}

enum err device_is_owned(struct db *db, int64_t device, bool *ret)
{
	int64_t count = 0;
	enum err err = device_count_where(
		db,
		"SELECT count(*) FROM device_owner JOIN account ON account.id = account"
		" WHERE device = ? AND disabled = ?",
		device, 0, &count);

	if (!err)
		*ret = count > 0;
	return err;
}

enum err device_count(struct db *db, int64_t account, int64_t now_s, int64_t *ret)
{
	return device_count_where(
		db,
		"SELECT count(*) FROM device WHERE owner = ? AND state <> 2 AND EXISTS (SELECT 1"
		" FROM certificate c WHERE c.device = device.id AND c.state = 1 AND c.not_after > "
		"?)",
		account, now_s, ret);
}

enum err device_owners(struct db *db, int64_t device, char *ret_text, size_t size)
{
	_cleanup_query_ struct query query;
	char name[DEVICE_ACCOUNT_MAX + 1] = "";
	size_t len = 0;
	bool more;
	enum err err;

	assert(size > 0);
	*ret_text = '\0';
	query_init(&query, db,
		   "SELECT name FROM device_owner JOIN account ON account.id = account"
		   " WHERE device = ? ORDER BY name");
	query_i64(&query, device);
	while (!(err = query_next(&query, &more)) && more) {
		query_col_str(&query, 0, name, sizeof(name));
		if (len + strlen(name) + 3 > size)
			break;
		len += (size_t)snprintf(ret_text + len, size - len, "%s%s", len ? ", " : "", name);
	}
	return err ? err : query_err(&query);
}

/* ---- state ------------------------------------------------------------------------------ */

enum err device_set_state(struct db *db, int64_t id, enum device_state state)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE device SET state = ? WHERE id = ? AND state <> 2");
	query_i64(&query, state);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err device_revoke(struct db *db, int64_t id, const char *why, int64_t now_s)
{
	_cleanup_query_ struct query query;
	enum err err;

	assert(db_in_transaction(db));
	query_init(&query, db,
		   "UPDATE device SET state = 2, revoked = ?, revoked_why = substr(?, 1, 200)"
		   " WHERE id = ? AND state <> 2");
	query_i64(&query, now_s);
	query_str(&query, why);
	query_i64(&query, id);
	err = query_run_one(&query);
	return err ? err : certificate_end(db, id, 0, CERTIFICATE_REVOKED, CRL_CESSATION, now_s);
}

enum err device_retire(struct db *db, int64_t id, enum disposal disposal, const char *by,
		       const char *remark, int64_t now_s)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE device SET retired = ?, disposal = ?, retired_by = ?,"
		   " remark = substr(?, 1, 200) WHERE id = ? AND state = 2 AND retired = 0");
	query_i64(&query, now_s);
	query_i64(&query, disposal);
	query_str(&query, by);
	query_str(&query, remark);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err device_set_tries(struct db *db, int64_t id, int64_t failures, int64_t next_try_ms)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE device SET failures = ?, next_try_ms = ? WHERE id = ?");
	query_i64(&query, failures);
	query_i64(&query, next_try_ms);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err device_set_seen(struct db *db, int64_t id, int64_t seen_s, const char *address)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE device SET seen = ?, seen_address = ? WHERE id = ?");
	query_i64(&query, seen_s);
	query_str(&query, address);
	query_i64(&query, id);
	return query_run_one(&query);
}
