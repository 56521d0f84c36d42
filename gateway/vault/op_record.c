/* Operations 1 to 19: the records themselves. */
#include "vault/desk.h"
#include "vault/grants.h"

/* Who may see a record may see who looked at it; the broker adds that. */
enum err op_record_history(struct records *records, const struct desk_ask *ask,
			   struct desk_reply *reply)
{
	enum err err = desk_members(ask, reply, "record", "after", NULL);

	if (!err)
		err = desk_id(ask, reply, "record", &reply->record);
	return err ? err : grants_need(records, &ask->who, reply->record, GRANT_VIEW);
}
