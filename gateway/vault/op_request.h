/*
 * op_request.h - what the handlers of requests share.
 */
#ifndef SEKISHO_VAULT_OP_REQUEST_H
#define SEKISHO_VAULT_OP_REQUEST_H

#include "vault/requests.h"

enum { REQUESTS_AT_ONCE = 100 };

/* A request with its record, as somebody sees it. */
struct request_case {
	struct request_row request;
	struct record_row row;
	struct life_part part;
};

/* ERR_NOT_FOUND also when he may not see the record. */
nodiscard enum err request_case_get(struct records *records, const struct desk_person *who,
				    uint64_t request, struct request_case *ret);

/* Those of the body's "requests", each in turn; the first also sets what the audit log says the
 * whole is about, with the list in the detail. */
typedef enum err request_case_do(struct records *records, const struct desk_ask *ask,
				 struct desk_reply *reply, struct request_case *one);
nodiscard enum err request_cases(struct records *records, const struct desk_ask *ask,
				 struct desk_reply *reply, request_case_do *act);

#endif
