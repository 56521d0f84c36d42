#include "store/certificates.h"

#define CERTIFICATE_SELECT                                                                         \
	"SELECT id, device, device_key, serial, issuer, not_before, not_after, key_type,"          \
	" key_place, state, revoked, reason, issued FROM certificate "

static enum err certificate_load(struct query *query, struct certificate *ret)
{
	struct certificate certificate = {
		.id = query_col_i64(query, 0),
		.device = query_col_i64(query, 1),
		.issuer = query_col_i64(query, 4),
		.not_before_s = query_col_i64(query, 5),
		.not_after_s = query_col_i64(query, 6),
		.key_place = query_col_i64(query, 8),
		.state = query_col_i64(query, 9),
		.revoked_s = query_col_i64(query, 10),
		.reason = query_col_i64(query, 11),
		.issued_s = query_col_i64(query, 12),
	};

	query_col_blob(query, 2, certificate.key, sizeof(certificate.key));
	query_col_blob(query, 3, certificate.serial, sizeof(certificate.serial));
	query_col_str(query, 7, certificate.key_type, sizeof(certificate.key_type));
	if (query_err(query))
		return query_err(query);
	*ret = certificate;
	return OK;
}

enum err certificate_add(struct db *db, const struct certificate *certificate, int64_t *ret_id)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db,
		   "INSERT INTO certificate (device, device_key, serial, issuer, not_before,"
		   " not_after, key_type, key_place, state, issued)"
		   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?)");
	query_i64(&query, certificate->device);
	query_blob(&query, certificate->key, sizeof(certificate->key));
	query_blob(&query, certificate->serial, sizeof(certificate->serial));
	query_i64(&query, certificate->issuer);
	query_i64(&query, certificate->not_before_s);
	query_i64(&query, certificate->not_after_s);
	query_str(&query, certificate->key_type);
	query_i64(&query, certificate->key_place);
	query_i64(&query, certificate->issued_s);
	err = query_run_one(&query);
	if (err)
		return err;
	*ret_id = db_last_id(db);
	return OK;
}

enum err certificate_newest(struct db *db, int64_t device, struct certificate *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, CERTIFICATE_SELECT "WHERE device = ? ORDER BY id DESC LIMIT 1");
	query_i64(&query, device);
	err = query_one(&query);
	return err ? err : certificate_load(&query, ret);
}

/* The table of devices is asked too: it holds the first key of each. */
enum err certificate_key_owner(struct db *db, const uint8_t key[DEVICE_KEY], int64_t *ret_device)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db,
		   "SELECT coalesce((SELECT device FROM certificate WHERE device_key = ?1 LIMIT 1),"
		   " (SELECT id FROM device WHERE device_key = ?1), 0)");
	query_blob(&query, key, DEVICE_KEY);
	err = query_one(&query);
	if (err)
		return err;
	*ret_device = query_col_i64(&query, 0);
	return query_err(&query);
}

enum err certificate_end(struct db *db, int64_t device, int64_t keep, enum certificate_state state,
			 enum crl_reason reason, int64_t now_s)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE certificate SET state = ?, reason = ?, revoked = ?"
		   " WHERE device = ? AND id <> ? AND state = 1");
	query_i64(&query, state);
	query_i64(&query, reason);
	query_i64(&query, now_s);
	query_i64(&query, device);
	query_i64(&query, keep);
	return query_run(&query, NULL);
}

enum err certificate_supersede(struct db *db, int64_t device, int64_t seen, int64_t now_s)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE certificate SET state = 2, reason = 4, revoked = ?1"
		   " WHERE device = ?2 AND id < ?3 AND state = 1 AND device_key <>"
		   " (SELECT device_key FROM certificate WHERE id = ?3)");
	query_i64(&query, now_s);
	query_i64(&query, device);
	query_i64(&query, seen);
	return query_run(&query, NULL);
}

enum err certificate_drop_unseen(struct db *db, int64_t device, int64_t used,
				 const uint8_t key[DEVICE_KEY], int64_t now_s, int64_t *ret_count)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE certificate SET state = 2, reason = 4, revoked = ?"
		   " WHERE device = ? AND id > ? AND state = 1 AND device_key <> ?");
	query_i64(&query, now_s);
	query_i64(&query, device);
	query_i64(&query, used);
	query_blob(&query, key, DEVICE_KEY);
	return query_run(&query, ret_count);
}

enum err certificate_count_issued(struct db *db, int64_t device, int64_t from_s, int64_t until_s,
				  int64_t *ret_count)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db,
		   "SELECT count(*) FROM certificate WHERE device = ? AND issued > ? AND issued <= "
		   "?");
	query_i64(&query, device);
	query_i64(&query, from_s);
	query_i64(&query, until_s);
	err = query_one(&query);
	if (err)
		return err;
	*ret_count = query_col_i64(&query, 0);
	return query_err(&query);
}

void certificate_list_revoked(struct query *query, struct db *db, int64_t issuer, int64_t now_s)
{
	query_init(query, db,
		   CERTIFICATE_SELECT "WHERE issuer = ? AND state <> 1 AND not_after > ?"
				      " ORDER BY state = 3 DESC, revoked DESC, id DESC");
	query_i64(query, issuer);
	query_i64(query, now_s);
}

enum err certificate_next(struct query *query, struct certificate *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : certificate_load(query, ret);
}
