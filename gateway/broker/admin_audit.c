/*
 * admin_audit.c - sekisho audit …: reading the audit log.
 */
#include "audit/audit.h"
#include "broker/admin.h"
#include "broker/checkpoint.h"

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

/* What administrators have to see: nobody may have to look for it among everything else. */
enum err admin_audit_alarms(struct admin_call *call)
{
	_cleanup_query_ struct query query = { 0 };
	struct audit_row row;
	bool more;
	enum err err = admin_columns(call, "seq,time,event,account,device,address,session,detail");

	if (err)
		return err;
	audit_row_alarms(&query, call->broker->db, AUDIT_LIST_DEFAULT);
	while (!(err = audit_row_next(&query, &row, &more)) && more) {
		err = admin_row(call, row_json(&row));
		if (err)
			break;
	}
	return err;
}

enum err admin_audit_key(struct admin_call *call)
{
	const char *key = checkpoint_key(call->broker->checkpoints);

	if (!key[0])
		return admin_wrong(call, ERR_UNAVAILABLE, "key", "the signer has not told it yet");
	call->result = json_pack("{s:s}", "key", key);
	return call->result ? OK : ERR_NOMEM;
}
