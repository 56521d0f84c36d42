/*
 * life.h - who may do what with a request, in one table: nobody decides what he asked for, and
 * nobody approves what he entered.
 */
#ifndef SEKISHO_VAULT_LIFE_H
#define SEKISHO_VAULT_LIFE_H

#include <stdbool.h>

#include "base/err.h"
#include "wire/enums.h"

enum life_act { LIFE_SUBMIT, LIFE_APPROVE, LIFE_REFUSE, LIFE_WITHDRAW, LIFE_ACTS };

/* Somebody's part in a request. */
struct life_part {
	bool manages; /* duty MA */
	bool asked;   /* it is his */
	bool entered; /* something of what would be approved is from him */
	bool edits;   /* may change the record */
};

/*
 * Whether he may; ret_next is the state afterwards. ready: nothing but approval is missing.
 * ERR_WRONG_STATE: it is decided, not ready yet, or ready already; ERR_DENIED: not he. What is
 * wrong with the state is said first: it is no secret to whoever sees the request.
 */
nodiscard enum err life_may(enum request_kind kind, enum request_state state, bool ready,
			    enum life_act act, const struct life_part *part,
			    enum request_state *ret_next);

#endif
