#include "unit/unit.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "vault/due.h"

static int64_t day(const char *text)
{
	struct tm tm = { 0 };

	assert_non_null(strptime(text, "%Y-%m-%d", &tm));
	return timegm(&tm) / 86400;
}

static void check(const char *started, unsigned years, const char *due)
{
	assert_int_equal(due_date(day(started), years), day(due));
}

static void same_day_years_later(void **state)
{
	(void)state;
	check("2026-03-31", 7, "2033-03-31");
	check("2027-01-11", 7, "2034-01-11");
	check("2026-12-31", 2, "2028-12-31");
	check("1970-01-01", 5, "1975-01-01");
	check("2028-02-28", 3, "2031-02-28");
	check("2027-03-01", 5, "2032-03-01"); /* across a leap day */
}

static void leap_days(void **state)
{
	(void)state;
	check("2024-02-29", 2, "2026-03-01");
	check("2024-02-29", 3, "2027-03-01");
	check("2024-02-29", 4, "2028-02-29");
	check("2024-02-29", 5, "2029-03-01");
	check("2024-02-29", 7, "2031-03-01");
	check("2096-02-29", 4, "2100-03-01"); /* 2100 is no leap year */
	check("1996-02-29", 4, "2000-02-29"); /* 2000 was */
}

static void today(void **state)
{
	(void)state;
	assert_ok(clock_set_zone("UTC"));
	assert_int_equal(due_today(day("2026-11-22") * 86400), day("2026-11-22"));
	assert_int_equal(due_today(day("2026-11-22") * 86400 + 86399), day("2026-11-22"));
	assert_int_equal(due_today(day("2026-11-22") * 86400 - 1), day("2026-11-21"));
}

/* An office in Japan begins its day nine hours before UTC does. */
static void today_at_the_office(void **state)
{
	const int64_t begins = (day("2026-11-22") - 1) * 86400 + 15 * 3600;

	(void)state;
	assert_ok(clock_set_zone("Asia/Tokyo"));
	assert_int_equal(due_today(begins - 1), day("2026-11-21"));
	assert_int_equal(due_today(begins), day("2026-11-22"));
	assert_int_equal(due_today(begins + 86399), day("2026-11-22"));
	assert_ok(clock_set_zone("America/New_York"));
	assert_int_equal(due_today(begins), day("2026-11-21"));
	assert_ok(clock_set_zone("UTC"));
}

static void what_may_be_a_start(void **state)
{
	const int64_t now = day("2026-11-22");

	(void)state;
	assert_ok(due_started_check(0, now));
	assert_ok(due_started_check(now, now));
	assert_ok(due_started_check(now + DUE_AHEAD, now));
	assert_err(due_started_check(now + DUE_AHEAD + 1, now), ERR_INVALID);
	assert_err(due_started_check(-1, now), ERR_INVALID);
	assert_err(due_started_check(INT64_MAX, now), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_day_years_later),
		cmocka_unit_test(leap_days),
		cmocka_unit_test(today),
		cmocka_unit_test(today_at_the_office),
		cmocka_unit_test(what_may_be_a_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
