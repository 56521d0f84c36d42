/*
 * due.h - until when a record has to be kept: years of the calendar from the day on which they
 * begin. Dates are days since 1970-01-01.
 */
#ifndef SEKISHO_VAULT_DUE_H
#define SEKISHO_VAULT_DUE_H

#include <stdint.h>

#include "base/err.h"

enum {
	DUE_AHEAD = 2 * 366, /* days: a period may begin after the filing that is still to come */
	DUE_BIN = 30,        /* days in the bin after which what was never needed may go */
};

/*
 * The first day on which what is kept for so many years from started on is not kept any more: the
 * same day so many years later, and 1 March for 29 February in a year without it, as the period
 * then ends with February (Civil Code of Japan, article 143 (2)).
 */
int64_t due_date(int64_t started, unsigned years);

/* The day that it is at the office: in the process's zone (base/clock.h). */
int64_t due_today(int64_t now_s);

/* ERR_INVALID: before 1970, or more than DUE_AHEAD after today. */
nodiscard enum err due_started_check(int64_t started, int64_t today);

#endif
