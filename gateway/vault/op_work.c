/* Operation 91: how far it has come what somebody asked for that takes long. */
#include "vault/desk.h"

static json_t *row_of(const struct job *job)
{
	const struct work_progress at =
		job->work ? work_progress(job->work) : (struct work_progress){ 0 };

	return json_pack("{s:s, s:I, s:I, s:b}", "op", record_op_find(job->op)->words, "done",
			 (json_int_t)at.done, "total", (json_int_t)at.total, "waiting", !job->work);
}

enum err op_work_list(struct records *records, const struct desk_ask *ask, struct desk_reply *reply)
{
	json_t *rows = json_array();
	enum err err = desk_members(ask, reply, NULL);

	for (const struct job *job = records->jobs ? records->jobs->first : NULL; !err && job;
	     job = job->next)
		if (job->account == ask->who.account)
			json_array_append_new(rows, row_of(job));
	reply->body = json_pack("{s:o}", "rows", rows);
	return err || reply->body ? err : ERR_NOMEM;
}
