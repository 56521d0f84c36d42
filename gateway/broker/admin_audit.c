/*
 * admin_audit.c - sekisho audit …: reading and checking the audit log.
 */
#include "audit/verify.h"
#include "broker/admin.h"

enum { AUDIT_LIST_DEFAULT = 20, AUDIT_LIST_MAX = 200 };

static json_t *row_json(const struct audit_row *row)
{
	return json_pack("[I, I, s, s, I, s, s, s]", (json_int_t)row->seq,
			 (json_int_t)(row->time_ms / 1000), row->event, row->account,
			 (json_int_t)row->device, row->address, row->session, row->detail);
}

enum err admin_audit_list(struct admin_call *call)
{
	int64_t last = admin_number(call, "last", AUDIT_LIST_DEFAULT), newest;
	_cleanup_query_ struct query query = { 0 };
	struct audit_row row;
	bool more;
	enum err err;

	if (last < 1 || last > AUDIT_LIST_MAX)
		return admin_wrong(call, ERR_INVALID, "last", "1 to 200");
	err = audit_row_last(call->broker->db, &newest);
	if (!err)
		err = admin_columns(call, "seq,time,event,account,device,address,session,detail");
	if (err)
		return err;
	audit_row_list(&query, call->broker->db, newest > last ? newest - last + 1 : 1);
	while (!(err = audit_row_next(&query, &row, &more)) && more) {
		err = admin_row(call, row_json(&row));
		if (err)
			break;
	}
	return err;
}

enum err admin_audit_verify(struct admin_call *call)
{
	const struct verify_wish wish = { .key = NULL };
	struct verify_db reader = { .db = NULL };
	const struct verify_source source = verify_db_source(&reader, call->broker->db);
	char root[2 * TREE_HASH + 1], entry[32];
	struct log_verdict verdict;
	enum err err = verify_log(&source, &wish, &verdict);

	verify_db_finish(&reader);
	if (err)
		return err;
	if (verify_color(verdict.finding) == VERIFY_RED) {
		snprintf(entry, sizeof(entry), "entry %llu", (unsigned long long)verdict.first_bad);
		return admin_wrong(call, ERR_INTERNAL, entry,
				   "was changed, or an entry before it was taken out");
	}
	util_hex(verdict.root, sizeof(verdict.root), root);
	call->result =
		json_pack("{s:I, s:s}", "entries", (json_int_t)verdict.entries, "newest", root);
	return call->result ? OK : ERR_NOMEM;
}
