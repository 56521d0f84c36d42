#include "store/accounts.h"

#include <string.h>

#include "base/clock.h"

#define ACCOUNT_COLUMNS                                                                            \
	"id, name, full_name, role, password, totp, failures, next_try_ms, locked, disabled,"      \
	" watch, duty"

bool account_name_valid(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= ACCOUNT_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len &&
	       !strchr("._-", name[0]);
}

static enum err account_load(struct query *query, struct account *ret)
{
	struct account account = {
		.id = query_col_i64(query, 0),
		.role = query_col_i64(query, 3),
		.failures = query_col_i64(query, 6),
		.next_try_ms = query_col_i64(query, 7),
		.locked = query_col_i64(query, 8) != 0,
		.disabled = query_col_i64(query, 9) != 0,
		.watch = query_col_i64(query, 10),
		.duty = query_col_i64(query, 11),
	};

	query_col_str(query, 1, account.name, sizeof(account.name));
	query_col_str(query, 2, account.full_name, sizeof(account.full_name));
	query_col_str(query, 4, account.password, sizeof(account.password));
	account.totp_len = query_col_blob(query, 5, account.totp, sizeof(account.totp));
	if (query_err(query))
		return query_err(query);
	*ret = account;
	return OK;
}

enum err account_by_name(struct db *db, const char *name, struct account *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE name = ?");
	query_str(&query, name);
	err = query_one(&query);
	return err ? err : account_load(&query, ret);
}

enum err account_by_id(struct db *db, int64_t id, struct account *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE id = ?");
	query_i64(&query, id);
	err = query_one(&query);
	return err ? err : account_load(&query, ret);
}

void account_list(struct query *query, struct db *db, int64_t after)
{
	query_init(query, db,
		   "SELECT " ACCOUNT_COLUMNS " FROM account WHERE name >"
		   " coalesce((SELECT name FROM account WHERE id = ?), '') ORDER BY name");
	query_i64(query, after);
}

enum err account_next(struct query *query, struct account *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : account_load(query, ret);
}

enum err account_add(struct db *db, const struct account *account, int64_t *ret_id)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db,
		   "INSERT INTO account (name, full_name, role, password, created)"
		   " VALUES (?, ?, ?, ?, ?)");
	query_str(&query, account->name);
	query_str(&query, account->full_name);
	query_i64(&query, account->role);
	query_str(&query, account->password);
	query_i64(&query, clock_wall_s());
	err = query_run_one(&query);
	if (err)
		return err;
	*ret_id = db_last_id(db);
	return OK;
}

enum err account_set_password(struct db *db, int64_t id, const char *password)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE account SET password = ? WHERE id = ?");
	query_str(&query, password);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err account_set_totp(struct db *db, int64_t id, const void *sealed, size_t len, int64_t step)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE account SET totp = ?, totp_last = ? WHERE id = ?");
	query_blob(&query, sealed, len);
	query_i64(&query, step);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err account_set_watch(struct db *db, int64_t id, enum account_watch watch)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE account SET watch = ? WHERE id = ?");
	query_i64(&query, watch);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err account_set_duty(struct db *db, int64_t id, enum account_duty duty)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE account SET duty = ? WHERE id = ?");
	query_i64(&query, duty);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err account_set_disabled(struct db *db, int64_t id, bool disabled)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE account SET disabled = ? WHERE id = ?");
	query_i64(&query, disabled);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err account_take_totp_step(struct db *db, int64_t id, int64_t step)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE account SET totp_last = ? WHERE id = ? AND totp_last < ?");
	query_i64(&query, step);
	query_i64(&query, id);
	query_i64(&query, step);
	return query_run_one(&query);
}

enum err account_set_tries(struct db *db, int64_t id, int64_t failures, int64_t next_try_ms)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE account SET failures = ?, next_try_ms = ? WHERE id = ?");
	query_i64(&query, failures);
	query_i64(&query, next_try_ms);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err account_set_locked(struct db *db, int64_t id, bool locked)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE account SET locked = ? WHERE id = ?");
	query_i64(&query, locked);
	query_i64(&query, id);
	return query_run_one(&query);
}
