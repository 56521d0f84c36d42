#include <inttypes.h>

#include "base/log.h"
#include "broker/glass.h"
#include "broker/quota.h"
#include "broker/records.h"
#include "store/records.h"

int64_t records_glass(const struct request *request, const struct record_op *op)
{
	return op->flags & OP_GLASS ? glass_of(request->broker, &request->account) : 0;
}

enum err records_append(struct request *request, struct db *db, const char *event, json_t *detail,
			int64_t *ret_seq)
{
	const struct audit_entry entry = request_audit(request, event, detail);
	enum err err = detail ? audit_append(db, &entry) : ERR_NOMEM;

	return err ? err : audit_row_last(db, ret_seq);
}

/* One that is too long loses its lists; which records it was is known by record_entry. */
json_t *records_short(json_t *whole)
{
	json_t *detail = json_copy(whole), *value;
	const char *name;
	void *next;

	if (!detail || json_dumpb(detail, NULL, 0, JSON_COMPACT) <= AUDIT_DETAIL_MAX)
		return detail;
	json_object_foreach_safe(detail, next, name, value)
	{
		if (json_is_array(value))
			json_object_del(detail, name);
	}
	json_object_set_new(detail, "cut", json_true());
	return detail;
}

enum err records_refusal(struct request *request, const struct record_op *op, uint64_t record,
			 enum err why, const char *field)
{
	int64_t seq = 0, glass = records_glass(request, op);
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = request->broker->db;
	enum err err = db_tx_begin(&tx, db);

	if (!err)
		err = records_append(
			request, db, "record-refused",
			json_pack("{s:o*, s:s, s:o*, s:s, s:s*}", "glass",
				  glass ? json_integer(glass) : NULL, "op", op->words, "record",
				  record ? json_integer((json_int_t)record) : NULL, "error",
				  err_code(why), "field", field && *field ? field : NULL),
			&seq);
	if (!err && record && record <= INT64_MAX)
		err = record_entry_add(db, record, seq);
	return err ? err : db_tx_commit(&tx);
}

enum err records_refused(struct request *request, const struct record_op *op, uint64_t record,
			 enum err why, const char *field)
{
	enum err err =
		quota_take(request->broker, &request->to, request->account.id, QUOTA_RECORD_NO);

	if (err)
		return err;
	log_warn("record-refused", "user=%s op=%s error=%s", request->account.name, op->name,
		 err_code(why));
	return records_refusal(request, op, record, why, field);
}

/* By break-glass not even a list is seen without an entry. */
enum err records_looked(struct request *request, const struct record_op *op, int64_t glass,
			uint64_t record)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = request->broker->db;
	int64_t seq;
	enum err err = db_tx_begin(&tx, db);

	if (!err)
		err = records_append(request, db, "glass-look",
				     json_pack("{s:I, s:s, s:o*}", "glass", (json_int_t)glass, "op",
					       op->words, "record",
					       record ? json_integer((json_int_t)record) : NULL),
				     &seq);
	if (!err && record && record <= INT64_MAX)
		err = record_entry_add(db, record, seq);
	return err ? err : db_tx_commit(&tx);
}
