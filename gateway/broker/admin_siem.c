/*
 * admin_siem.c - sekisho siem …
 */
#include "broker/admin.h"
#include "broker/siem_link.h"

/* Members without a value are left out. */
static void set_text(json_t *result, const char *name, const char *text)
{
	if (text[0])
		json_object_set_new(result, name, json_string(text));
}

static void set_number(json_t *result, const char *name, int64_t number)
{
	if (number)
		json_object_set_new(result, name, json_integer((json_int_t)number));
}

enum err admin_siem_status(struct admin_call *call)
{
	struct siem_status status;
	enum err err = siem_link_status(call->broker->collector, &status);

	if (err)
		return err;
	call->result =
		json_pack("{s:s, s:I, s:I}", "state", status.state, "delivered",
			  (json_int_t)status.delivered, "waiting", (json_int_t)status.waiting);
	if (!call->result)
		return ERR_NOMEM;
	set_number(call->result, "delivered_at", status.delivered_s);
	set_number(call->result, "since", status.since_s);
	set_text(call->result, "trouble", status.error);
	set_text(call->result, "said", status.text);
	set_number(call->result, "failed_at", status.failed_s);
	set_text(call->result, "hint", status.en);
	set_text(call->result, "hint_ja", status.ja);
	return OK;
}
