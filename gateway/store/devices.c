#include "store/devices.h"

#include "base/clock.h"

#define DEVICE_SELECT                                                                              \
	"SELECT device.id, device_key, device.name, owner, account.name, serial, not_after, "      \
	"state,"                                                                                   \
	" device.failures, device.next_try_ms, seen, seen_address"                                 \
	" FROM device JOIN account ON account.id = device.owner "

static enum err device_load(struct query *query, struct device *ret)
{
	struct device device = {
		.id = query_col_i64(query, 0),
		.owner = query_col_i64(query, 3),
		.not_after_s = query_col_i64(query, 6),
		.state = query_col_i64(query, 7),
		.failures = query_col_i64(query, 8),
		.next_try_ms = query_col_i64(query, 9),
		.seen_s = query_col_i64(query, 10),
	};

	query_col_blob(query, 1, device.key, sizeof(device.key));
	query_col_str(query, 2, device.name, sizeof(device.name));
	query_col_str(query, 4, device.owner_name, sizeof(device.owner_name));
	device.serial_len = query_col_blob(query, 5, device.serial, sizeof(device.serial));
	query_col_str(query, 11, device.seen_address, sizeof(device.seen_address));
	if (query_err(query))
		return query_err(query);
	*ret = device;
	return OK;
}

enum err device_by_key(struct db *db, const uint8_t key[DEVICE_KEY], struct device *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, DEVICE_SELECT "WHERE device_key = ?");
	query_blob(&query, key, DEVICE_KEY);
	err = query_one(&query);
	return err ? err : device_load(&query, ret);
}

enum err device_by_id(struct db *db, int64_t id, struct device *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, DEVICE_SELECT "WHERE device.id = ?");
	query_i64(&query, id);
	err = query_one(&query);
	return err ? err : device_load(&query, ret);
}

void device_list(struct query *query, struct db *db)
{
	query_init(query, db, DEVICE_SELECT "ORDER BY device.id");
}

enum err device_next(struct query *query, struct device *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : device_load(query, ret);
}

enum err device_add(struct db *db, const struct device *device, int64_t *ret_id)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db,
		   "INSERT INTO device (device_key, name, owner, serial, not_after, state, created)"
		   " VALUES (?, ?, ?, ?, ?, 1, ?)");
	query_blob(&query, device->key, sizeof(device->key));
	query_str(&query, device->name);
	query_i64(&query, device->owner);
	query_blob(&query, device->serial, device->serial_len);
	query_i64(&query, device->not_after_s);
	query_i64(&query, clock_wall_s());
	err = query_run_one(&query);
	if (err)
		return err;
	*ret_id = db_last_id(db);
	return OK;
}

enum err device_set_state(struct db *db, int64_t id, enum device_state state)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE device SET state = ? WHERE id = ? AND state <> 2");
	query_i64(&query, state);
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
