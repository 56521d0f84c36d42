/*
 * handle_host.c - the menu of PCs and waking one.
 */
#include "broker/handlers.h"
#include "broker/host.h"
#include "broker/quota.h"

enum err handle_host_list(struct request *request)
{
	_cleanup_query_ struct query query;
	struct broker *broker = request->broker;
	struct host_row host;
	bool more;
	enum err err;

	host_list_granted(&query, broker->db, request->account.id);
	while (!(err = host_next(&query, &host, &more)) && more)
		host_look(broker->hosts, &host);
	if (err)
		return err;
	host_list_reply(broker, &request->to, request->account.id);
	return OK;
}

enum err handle_host_wake(struct request *request)
{
	struct broker *broker = request->broker;
	struct audit_entry entry;
	struct host_row host;
	enum err err = host_by_id(broker->db, (int64_t)request->msg->host_wake.host,
				  request->account.id, &host);

	if (!err && !host.granted)
		err = ERR_NOT_FOUND;
	if (!err && !host.has_mac)
		err = ERR_WRONG_STATE;
	if (!err)
		err = quota_take(broker, &request->to, request->account.id, QUOTA_WAKE);
	if (err)
		return err == ERR_THROTTLED ? OK : err;
	entry = request_audit(request, "host-wake", json_pack("{s:s}", "host", host.name));
	entry.host = host.id;
	err = broker_audit(broker, &entry);
	if (!err)
		err = host_wake(broker->hosts, &host);
	if (err)
		return err;
	reply_json(broker, &request->to, REPLY_ACCEPTED, "", json_object());
	return OK;
}
