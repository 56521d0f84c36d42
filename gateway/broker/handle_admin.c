/*
 * handle_admin.c - what administrators may do in the portal: the orders that commands.def opens to
 * it. Who may ask at all is dispatch.c's to say.
 */
#include <string.h>

#include "broker/admin.h"
#include "broker/handlers.h"

static void answer_portal(struct admin_call *call, unsigned status, json_t *body)
{
	reply_json(call->broker, &call->caller.to, status, "", json_incref(body));
}

static void run(struct request *request, enum admin_way way, const char *command,
		struct bytes arguments)
{
	struct admin_caller caller = {
		.way = way,
		.answer = answer_portal,
		.to = request->to,
		.device = request->device.id,
	};

	snprintf(caller.account, sizeof(caller.account), "%s", request->account.name);
	snprintf(caller.address, sizeof(caller.address), "%s", request->head->address);
	admin_run(request->broker, &caller, command, arguments);
}

enum err handle_admin_look(struct request *request)
{
	char arguments[48] = "{}";
	uint64_t after = request->msg->admin_look.after;

	if (after > INT64_MAX)
		return ERR_INVALID;
	if (after)
		snprintf(arguments, sizeof(arguments), "{\"after\":%llu}",
			 (unsigned long long)after);
	run(request, ADMIN_PORTAL_LOOK, request->msg->admin_look.command,
	    (struct bytes){ (const uint8_t *)arguments, strlen(arguments) });
	return OK;
}

enum err handle_admin_order(struct request *request)
{
	run(request, ADMIN_PORTAL_ORDER, request->msg->admin_order.command,
	    request->msg->admin_order.arguments);
	return OK;
}
