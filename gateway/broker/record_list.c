#include "broker/record_list.h"

#include <stdlib.h>
#include <string.h>

#include "store/records.h"

enum err record_list_add(struct record_list *list, struct bytes records)
{
	size_t count = records.len / sizeof(*list->ids);

	if (!count || records.len % sizeof(*list->ids) || count > RECORD_LIST_MAX - list->count)
		return ERR_PROTOCOL;
	uint64_t *ids = reallocarray(list->ids, list->count + count, sizeof(*ids));
	if (!ids)
		return ERR_NOMEM;
	memcpy(ids + list->count, records.data, records.len);
	list->ids = ids;
	for (; count; count--, list->count++)
		if (!ids[list->count] || ids[list->count] > INT64_MAX)
			return ERR_PROTOCOL;
	return OK;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "it copies integers as they lie");

enum err record_list_note(const struct record_list *list, struct db *db, int64_t seq)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < list->count; i++)
		err = record_entry_add(db, list->ids[i], seq);
	return err;
}

enum err record_list_note_alone(const struct record_list *list, struct db *db, int64_t seq)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum err err = db_tx_begin(&tx, db);

	if (!err)
		err = record_list_note(list, db, seq);
	return err ? err : db_tx_commit(&tx);
}

void record_list_finish(struct record_list *list)
{
	free(list->ids);
	*list = (struct record_list){ 0 };
}
