/*
 * record_local.h - what people ask about records and the broker knows itself, without the vault.
 */
#ifndef SEKISHO_BROKER_RECORD_LOCAL_H
#define SEKISHO_BROKER_RECORD_LOCAL_H

#include "broker/dispatch.h"
#include "wire/record_ops.h"

/* body: an object. The answer is the caller's, *ret_field a constant. */
typedef enum err record_local(struct request *request, const json_t *body, json_t **ret,
			      const char **ret_field);

#define RECORD_OP(number, name, words, duties, flags, event) extern record_local local_##name;
#include "wire/record_ops.def"
#undef RECORD_OP

/* The handler of an operation that has OP_LOCAL; NULL for others. */
record_local *record_local_find(unsigned number);

/* Who did what with a record, the newest first: docs/protocol.md §9. after: from where a page
 * before ended, 0: the newest. */
nodiscard enum err record_local_history(struct request *request, uint64_t record, int64_t after,
					json_t **ret);
/* The member "after" of a body that the vault looks at; 0 when there is none. */
int64_t record_local_after(struct bytes body);

#endif
