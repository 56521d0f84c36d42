#include "store/invites.h"

#define INVITE_SELECT                                                                              \
	"SELECT invite.id, code, account, account.name, full_name, invite.name, invite.state,"     \
	" preapproved, invited_by, invite.created, expires, kind, device_key, key_type,"           \
	" key_place, asked, asked_address, decided, decided_by, reason, device"                    \
	" FROM invite JOIN account ON account.id = account "

/* ENROL_… of wire/enums.def, which the store does not see. */
#define OPEN      "1"
#define PENDING   "2"
#define APPROVED  "3"
#define REFUSED   "4"
#define ISSUED    "5"
#define WITHDRAWN "6"

static void invite_load_text(struct query *query, struct invite *ret)
{
	query_col_blob(query, 1, ret->code, sizeof(ret->code));
	query_col_str(query, 3, ret->account_name, sizeof(ret->account_name));
	query_col_str(query, 4, ret->full_name, sizeof(ret->full_name));
	query_col_str(query, 5, ret->name, sizeof(ret->name));
	query_col_str(query, 8, ret->invited_by, sizeof(ret->invited_by));
	if (!query_col_null(query, 12))
		query_col_blob(query, 12, ret->key, sizeof(ret->key));
	query_col_str(query, 13, ret->key_type, sizeof(ret->key_type));
	query_col_str(query, 16, ret->asked_address, sizeof(ret->asked_address));
	query_col_str(query, 18, ret->decided_by, sizeof(ret->decided_by));
	query_col_str(query, 19, ret->reason, sizeof(ret->reason));
}

static enum err invite_load(struct query *query, struct invite *ret)
{
	struct invite invite = {
		.id = query_col_i64(query, 0),
		.account = query_col_i64(query, 2),
		.state = query_col_i64(query, 6),
		.preapproved = query_col_i64(query, 7) != 0,
		.created_s = query_col_i64(query, 9),
		.expires_s = query_col_i64(query, 10),
		.kind = query_col_i64(query, 11),
		.key_place = query_col_i64(query, 14),
		.asked_s = query_col_i64(query, 15),
		.decided_s = query_col_i64(query, 17),
		.device = query_col_null(query, 20) ? 0 : query_col_i64(query, 20),
	};

	invite_load_text(query, &invite);
	if (query_err(query))
		return query_err(query);
	*ret = invite;
	return OK;
}

enum err invite_add(struct db *db, const struct invite *invite, int64_t *ret_id)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(
		&query, db,
		"INSERT INTO invite (code, account, name, state, preapproved, invited_by, created,"
		" expires) VALUES (?, ?, ?, " OPEN ", ?, ?, ?, ?)");
	query_blob(&query, invite->code, sizeof(invite->code));
	query_i64(&query, invite->account);
	query_str(&query, invite->name);
	query_i64(&query, invite->preapproved);
	query_str(&query, invite->invited_by);
	query_i64(&query, invite->created_s);
	query_i64(&query, invite->expires_s);
	err = query_run_one(&query);
	if (err)
		return err;
	*ret_id = db_last_id(db);
	return OK;
}

enum err invite_by_code(struct db *db, const uint8_t code[INVITE_CODE], struct invite *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, INVITE_SELECT "WHERE code = ?");
	query_blob(&query, code, INVITE_CODE);
	err = query_one(&query);
	return err ? err : invite_load(&query, ret);
}

enum err invite_by_id(struct db *db, int64_t id, struct invite *ret)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, INVITE_SELECT "WHERE invite.id = ?");
	query_i64(&query, id);
	err = query_one(&query);
	return err ? err : invite_load(&query, ret);
}

enum err invite_csr(struct db *db, int64_t id, uint8_t *ret_csr, size_t *ret_len)
{
	_cleanup_query_ struct query query;
	enum err err;

	query_init(&query, db, "SELECT csr FROM invite WHERE id = ? AND csr IS NOT NULL");
	query_i64(&query, id);
	err = query_one(&query);
	if (err)
		return err;
	*ret_len = query_col_blob(&query, 0, ret_csr, INVITE_CSR_MAX);
	return query_err(&query);
}

void invite_list(struct query *query, struct db *db, int64_t since_s, int64_t before)
{
	query_init(query, db,
		   INVITE_SELECT "WHERE invite.created >= ?1 AND (?2 = 0 OR invite.id < ?2)"
				 " ORDER BY invite.id DESC");
	query_i64(query, since_s);
	query_i64(query, before);
}

enum err invite_next(struct query *query, struct invite *ret, bool *ret_more)
{
	enum err err = query_next(query, ret_more);

	return err || !*ret_more ? err : invite_load(query, ret);
}

/* ---- from state to state ---------------------------------------------------------------- */

enum err invite_ask(struct db *db, const struct invite *invite, const uint8_t *csr, size_t len)
{
	_cleanup_query_ struct query query;
	bool file = invite->kind == INVITE_FILE;

	query_init(&query, db,
		   "UPDATE invite SET state = CASE preapproved WHEN 1 THEN " APPROVED
		   " ELSE " PENDING " END,"
		   " kind = ?, csr = ?, device_key = ?, key_type = ?, key_place = ?, asked = ?,"
		   " asked_address = ? WHERE id = ? AND state = " OPEN " AND expires > ?");
	query_i64(&query, invite->kind);
	if (file) {
		query_null(&query);
		query_null(&query);
	} else {
		query_blob(&query, csr, len);
		query_blob(&query, invite->key, sizeof(invite->key));
	}
	query_str(&query, invite->key_type);
	query_i64(&query, invite->key_place);
	query_i64(&query, invite->asked_s);
	query_str(&query, invite->asked_address);
	query_i64(&query, invite->id);
	query_i64(&query, invite->asked_s);
	return query_run_one(&query);
}

enum err invite_decide(struct db *db, int64_t id, bool approve, const char *by, const char *reason,
		       int64_t now_s)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE invite SET state = CASE ? WHEN 1 THEN " APPROVED " ELSE " REFUSED
		   " END, decided = ?,"
		   " decided_by = ?, reason = substr(?, 1, 200) WHERE id = ? AND state = " PENDING);
	query_i64(&query, approve);
	query_i64(&query, now_s);
	query_str(&query, by);
	query_str(&query, reason);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err invite_issued(struct db *db, int64_t id, int64_t device)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE invite SET state = " ISSUED
		   ", device = ? WHERE id = ? AND state = " APPROVED);
	query_i64(&query, device);
	query_i64(&query, id);
	return query_run_one(&query);
}

enum err invite_withdraw(struct db *db, int64_t id, const char *by, int64_t now_s)
{
	_cleanup_query_ struct query query;

	query_init(&query, db,
		   "UPDATE invite SET state = " WITHDRAWN ", decided = ?, decided_by = ?"
		   " WHERE id = ? AND state IN (" OPEN ", " PENDING ", " APPROVED ")");
	query_i64(&query, now_s);
	query_str(&query, by);
	query_i64(&query, id);
	return query_run_one(&query);
}
