#include "store/auditors.h"

/* AUDITOR_HOUSE of wire/enums.def, which the store does not see. */
#define HOUSE_NUMBER "2"

enum err auditor_add(struct db *db, const struct auditor_row *row, const uint8_t *der, size_t len)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "INSERT INTO auditor (name, kind, certificate, fingerprint, not_after, state,"
		   " created) VALUES (?, ?, ?, ?, ?, 1, ?)");
	query_str(&query, row->name);
	query_i64(&query, row->kind);
	query_blob(&query, der, len);
	query_blob(&query, row->fingerprint, sizeof(row->fingerprint));
	query_i64(&query, row->not_after_s);
	query_i64(&query, row->created_s);
	return query_run_one(&query);
}

#define COLUMNS "id, name, kind, fingerprint, not_after, state, created, revoked"

void auditor_list(struct query *query, struct db *db)
{
	query_init(query, db, "SELECT " COLUMNS " FROM auditor ORDER BY id");
}

static enum err load(struct query *query, struct auditor_row *ret)
{
	struct auditor_row row = {
		.id = query_col_i64(query, 0),
		.kind = query_col_i64(query, 2),
		.not_after_s = query_col_i64(query, 4),
		.state = query_col_i64(query, 5),
		.created_s = query_col_i64(query, 6),
		.revoked_s = query_col_i64(query, 7),
	};
	query_col_str(query, 1, row.name, sizeof(row.name));
	query_col_blob(query, 3, row.fingerprint, sizeof(row.fingerprint));
	if (query_err(query))
		return query_err(query);
	*ret = row;
	return OK;
}

enum err auditor_next(struct query *query, struct auditor_row *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : load(query, ret);
}

enum err auditor_certificate(struct db *db, int64_t id, struct auditor_row *ret, struct buf *der)
{
	_cleanup_query_ struct query query;
	uint8_t bytes[AUDITOR_CERTIFICATE_MAX];
	struct auditor_row row;

	query_init(&query, db,
		   "SELECT " COLUMNS ", certificate FROM auditor"
		   " WHERE id = ? AND state = 1 AND kind != " HOUSE_NUMBER);
	query_i64(&query, id);
	enum err err = query_one(&query);
	if (!err)
		err = load(&query, &row);
	if (err)
		return err;
	size_t len = query_col_blob(&query, 8, bytes, sizeof(bytes));
	err = query_err(&query);
	if (!err)
		err = buf_add(der, bytes, len);
	if (!err)
		*ret = row;
	return err;
}

enum err auditor_revoke(struct db *db, int64_t id, int64_t now_s)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE auditor SET state = 2, revoked = ? WHERE id = ? AND state = 1");
	query_i64(&query, now_s);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err auditor_houses(struct db *db, int64_t now_s, int64_t *ret_count)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db,
		   "SELECT count(*) FROM auditor WHERE kind = " HOUSE_NUMBER
		   " AND state = 1 AND not_after > ?");
	query_i64(&query, now_s);
	err = query_one(&query);
	if (!err)
		*ret_count = query_col_i64(&query, 0);
	return err;
}

enum err auditor_persons_until(struct db *db, int64_t *ret_until_s)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db,
		   "SELECT max(not_after) FROM auditor WHERE kind != " HOUSE_NUMBER
		   " AND state = 1");
	err = query_one(&query);
	if (!err && query_col_null(&query, 0))
		err = ERR_NOT_FOUND;
	if (!err)
		*ret_until_s = query_col_i64(&query, 0);
	return err;
}

enum err auditor_recipients(struct db *db, int64_t now_s, struct buf *ders, size_t *ret_count)
{
	_cleanup_query_ struct query query;
	uint8_t der[AUDITOR_CERTIFICATE_MAX];
	size_t count = 0;
	bool more;
	enum err err;

	query_init(&query, db,
		   "SELECT certificate FROM auditor WHERE state = 1 AND not_after > ? ORDER BY id");
	query_i64(&query, now_s);
	while (!(err = query_next(&query, &more)) && more) {
		size_t len = query_col_blob(&query, 0, der, sizeof(der));

		err = query_err(&query);
		if (!err)
			err = buf_add(ders, der, len);
		if (err)
			return err;
		count++;
	}
	if (!err)
		*ret_count = count;
	return err;
}
