#include "vault/due.h"

#include <time.h>

enum { DAY_S = 86400 };

int64_t due_date(int64_t started, unsigned years)
{
	const time_t at = (time_t)(started * DAY_S);
	struct tm day = { 0 };

	if (!gmtime_r(&at, &day))
		return INT64_MAX; /* beyond all calendars: never */
	day.tm_year += (int)years;
	return timegm(&day) / DAY_S; /* a 29 February that is not there is 1 March for it */
}

int64_t due_today(int64_t now_s)
{
	const time_t now = (time_t)now_s;
	struct tm day = { 0 };

	if (!localtime_r(&now, &day))
		return now_s / DAY_S;
	return timegm(&(struct tm){
		       .tm_year = day.tm_year, .tm_mon = day.tm_mon, .tm_mday = day.tm_mday }) /
	       DAY_S;
}

enum err due_started_check(int64_t started, int64_t today)
{
	return started < 0 || started > today + DUE_AHEAD ? ERR_INVALID : OK;
}
