#include "store/hosts.h"

#include "base/clock.h"

#define HOST_SELECT                                                                                \
	"SELECT host.id, name, protocol, security, address, port, mac, broadcast, pin,"            \
	" host_grant.account, host_grant.view_only, host_credential.account, audio,"               \
	" video, retention FROM host "

#define HOST_JOIN                                                                                  \
	" host_grant ON host_grant.host = host.id AND host_grant.account = ?"                      \
	" LEFT JOIN host_credential ON host_credential.host = host.id"                             \
	" AND host_credential.account = host_grant.account "

static enum err host_load(struct query *query, struct host_row *ret)
{
	struct host_row host = {
		.id = query_col_i64(query, 0),
		.protocol = query_col_i64(query, 2),
		.security = query_col_i64(query, 3),
		.port = query_col_i64(query, 5),
		.granted = !query_col_null(query, 9),
		.view_only = query_col_i64(query, 10) != 0,
		.has_credential = !query_col_null(query, 11),
		.audio = query_col_i64(query, 12) != 0,
		.video = query_col_i64(query, 13) != 0,
	};

	query_col_str(query, 1, host.name, sizeof(host.name));
	query_col_str(query, 4, host.address, sizeof(host.address));
	host.has_mac = query_col_blob(query, 6, host.mac, sizeof(host.mac)) == sizeof(host.mac);
	query_col_str(query, 7, host.broadcast, sizeof(host.broadcast));
	query_col_str(query, 14, host.retention, sizeof(host.retention));
	host.has_pin = query_col_blob(query, 8, host.pin, sizeof(host.pin)) == sizeof(host.pin);
	if (query_err(query))
		return query_err(query);
	*ret = host;
	return OK;
}

enum err host_by_id(struct db *db, int64_t id, int64_t account, struct host_row *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, HOST_SELECT "LEFT JOIN" HOST_JOIN "WHERE host.id = ?");
	query_i64(&query, account);
	query_i64(&query, id);
	err = query_one(&query);
	return err ? err : host_load(&query, ret);
}

enum err host_by_name(struct db *db, const char *name, struct host_row *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, HOST_SELECT "LEFT JOIN" HOST_JOIN "WHERE name = ?");
	query_i64(&query, 0);
	query_str(&query, name);
	err = query_one(&query);
	return err ? err : host_load(&query, ret);
}

void host_list(struct query *query, struct db *db)
{
	query_init(query, db, HOST_SELECT "LEFT JOIN" HOST_JOIN "ORDER BY name");
	query_i64(query, 0);
}

void host_list_granted(struct query *query, struct db *db, int64_t account)
{
	query_init(query, db, HOST_SELECT "JOIN" HOST_JOIN "ORDER BY name");
	query_i64(query, account);
}

enum err host_next(struct query *query, struct host_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : host_load(query, ret);
}

static void query_blob_or_null(struct query *query, const void *data, size_t len)
{
	if (len)
		query_blob(query, data, len);
	else
		query_null(query);
}

enum err host_add(struct db *db, const struct host_row *host, const void *tls_ca, size_t tls_ca_len,
		  int64_t *ret_id)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(
		&query, db,
		"INSERT INTO host (name, protocol, security, address, port, mac, broadcast, tls_ca,"
		" created, audio, video) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	query_str(&query, host->name);
	query_i64(&query, host->protocol);
	query_i64(&query, host->security);
	query_str(&query, host->address);
	query_i64(&query, host->port);
	query_blob_or_null(&query, host->mac, host->has_mac ? sizeof(host->mac) : 0);
	query_str(&query, host->broadcast);
	query_blob_or_null(&query, tls_ca, tls_ca ? tls_ca_len : 0);
	query_i64(&query, clock_wall_s());
	query_i64(&query, host->audio);
	query_i64(&query, host->video);
	err = query_run_one(&query);
	if (err)
		return err;
	*ret_id = db_last_id(db);
	return OK;
}

enum err host_set_retention(struct db *db, int64_t id, const char *name)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE host SET retention = ? WHERE id = ?");
	query_str(&query, name);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err host_remove(struct db *db, int64_t id)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM host WHERE id = ?");
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err host_tls_ca(struct db *db, int64_t id, uint8_t *ret_data, size_t *ret_len)
{
	_cleanup_query_ struct query query;
	enum err err;
	size_t len;

	query_init(&query, db, "SELECT tls_ca FROM host WHERE id = ?");
	query_i64(&query, id);
	err = query_one(&query);
	if (err)
		return err;
	len = query_col_blob(&query, 0, ret_data, HOST_TLS_CA_MAX);
	if (query_err(&query))
		return query_err(&query);
	*ret_len = len;
	return OK;
}

enum err host_set_streams(struct db *db, int64_t id, bool audio, bool video)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE host SET audio = ?, video = ? WHERE id = ?");
	query_i64(&query, audio);
	query_i64(&query, video);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err host_set_pin(struct db *db, int64_t id, const uint8_t pin[HOST_PIN])
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE host SET pin = ? WHERE id = ? AND pin IS NULL");
	query_blob(&query, pin, HOST_PIN);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err host_forget_pin(struct db *db, int64_t id)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "UPDATE host SET pin = NULL WHERE id = ?");
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err host_grant(struct db *db, int64_t account, int64_t host, bool view_only)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO host_grant (account, host, view_only) VALUES (?, ?, ?)"
		   " ON CONFLICT (account, host) DO UPDATE SET view_only = excluded.view_only");
	query_i64(&query, account);
	query_i64(&query, host);
	query_i64(&query, view_only);
	return query_run_one(&query);
}

enum err host_deny(struct db *db, int64_t account, int64_t host)
{
	_cleanup_query_ struct query query = { 0 };
	enum err err;

	err = host_credential_delete(db, account, host);
	if (err)
		return err;
	query_init(&query, db, "DELETE FROM host_grant WHERE account = ? AND host = ?");
	query_i64(&query, account);
	query_i64(&query, host);
	return query_run_one(&query);
}

enum err host_credential_get(struct db *db, int64_t account, int64_t host,
			     struct host_credential *ret)
{
	_cleanup_query_ struct query query;
	struct host_credential credential = { 0 };
	enum err err;

	query_init(&query, db,
		   "SELECT user_name, domain, password FROM host_credential"
		   " WHERE account = ? AND host = ?");
	query_i64(&query, account);
	query_i64(&query, host);
	err = query_one(&query);
	if (err)
		return err;
	credential.user_len = query_col_blob(&query, 0, credential.user, HOST_SEALED_MAX);
	credential.domain_len = query_col_blob(&query, 1, credential.domain, HOST_SEALED_MAX);
	credential.password_len = query_col_blob(&query, 2, credential.password, HOST_SEALED_MAX);
	if (query_err(&query))
		return query_err(&query);
	*ret = credential;
	return OK;
}

enum err host_credential_set(struct db *db, int64_t account, int64_t host,
			     const struct host_credential *credential)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO host_credential (account, host, user_name, domain, password)"
		   " VALUES (?, ?, ?, ?, ?) ON CONFLICT (account, host) DO UPDATE SET"
		   " user_name = excluded.user_name, domain = excluded.domain,"
		   " password = excluded.password");
	query_i64(&query, account);
	query_i64(&query, host);
	query_blob(&query, credential->user, credential->user_len);
	query_blob(&query, credential->domain, credential->domain_len);
	query_blob(&query, credential->password, credential->password_len);
	return query_run_one(&query);
}

enum err host_credential_delete(struct db *db, int64_t account, int64_t host)
{
	_cleanup_query_ struct query query;

	query_init(&query, db, "DELETE FROM host_credential WHERE account = ? AND host = ?");
	query_i64(&query, account);
	query_i64(&query, host);
	return query_run(&query, NULL);
}
