#include "unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/util.h"
#include "edge/limits.h"

static const struct sockaddr *peer(const char *text)
{
	static struct sockaddr_storage storage;
	struct sockaddr_in *in = (void *)&storage;
	struct sockaddr_in6 *in6 = (void *)&storage;

	memset(&storage, 0, sizeof(storage));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
		in6->sin6_family = AF_INET6;
	}
	return (const void *)&storage;
}

static struct limits *make(size_t connections, size_t per_address, uint32_t rate, size_t addresses)
{
	const struct limits_settings settings = { connections, per_address, rate, addresses, 8 };
	struct limits *limits;

	assert_int_equal(limits_new(&settings, &limits), OK);
	return limits;
}

static struct limits_address *connected(struct limits *limits, const char *text, uint64_t now_ms)
{
	struct limits_address *address = NULL;

	assert_int_equal(limits_connect(limits, peer(text), now_ms, &address), OK);
	assert_non_null(address);
	return address;
}

static void refused_with(struct limits *limits, const char *text, enum err why)
{
	struct limits_address *address = NULL;

	assert_int_equal(limits_connect(limits, peer(text), 0, &address), why);
	assert_null(address);
}

static void refused(struct limits *limits, const char *text)
{
	refused_with(limits, text, ERR_THROTTLED);
}

static void full(struct limits *limits, const char *text)
{
	refused_with(limits, text, ERR_FULL);
}

static void one_address_has_its_share(void **state)
{
	struct limits *limits = make(100, 2, 10, 100);
	struct limits_address *first = connected(limits, "192.0.2.1", 0);

	(void)state;
	assert_ptr_equal(connected(limits, "192.0.2.1", 0), first);
	refused(limits, "192.0.2.1");
	connected(limits, "192.0.2.2", 0);
	limits_disconnect(limits, first);
	connected(limits, "192.0.2.1", 0);
	refused(limits, "192.0.2.1");
	limits_free(limits);
}

static void all_together_have_an_end(void **state)
{
	struct limits *limits = make(3, 2, 10, 100);
	struct limits_address *first = connected(limits, "192.0.2.1", 0);

	(void)state;
	connected(limits, "192.0.2.2", 0);
	connected(limits, "192.0.2.3", 0);
	full(limits, "192.0.2.4");
	/* Nor is it remembered, which would push out somebody else. */
	assert_int_equal(limits_count(limits), 3);
	limits_disconnect(limits, first);
	connected(limits, "192.0.2.4", 0);
	limits_free(limits);
}

/* Nobody is dropped to make room for who may not come anyway. */
static void its_own_share_counts_before_the_whole(void **state)
{
	struct limits *limits = make(2, 2, 10, 100);

	(void)state;
	connected(limits, "192.0.2.1", 0);
	connected(limits, "192.0.2.1", 0);
	refused(limits, "192.0.2.1");
	full(limits, "192.0.2.2");
	limits_free(limits);
}

static void a_larger_ipv6_site_is_one_address_where_asked(void **state)
{
	const struct limits_settings settings = { 100, 1, 10, 100, 6 };
	struct limits *limits;

	(void)state;
	assert_ok(limits_new(&settings, &limits));
	connected(limits, "2001:db8:1:2::1", 0);
	refused(limits, "2001:db8:1:ffff::1");
	connected(limits, "2001:db8:2:2::1", 0);
	connected(limits, "192.0.2.1", 0);
	connected(limits, "192.0.2.2", 0);
	limits_free(limits);
}

static void an_ipv6_site_is_one_address(void **state)
{
	struct limits *limits = make(100, 1, 10, 100);

	(void)state;
	connected(limits, "2001:db8:1:2::1", 0);
	refused(limits, "2001:db8:1:2:ffff:ffff:ffff:ffff");
	connected(limits, "2001:db8:1:3::1", 0);
	connected(limits, "192.0.2.1", 0);
	refused(limits, "::ffff:192.0.2.1");
	/* Neither family is mistaken for the other. */
	connected(limits, "c000:201::1", 0);
	limits_free(limits);
}

static void other_families_are_refused(void **state)
{
	struct limits *limits = make(100, 1, 10, 100);
	struct sockaddr unix_peer = { .sa_family = AF_UNIX };
	struct limits_address *address;

	(void)state;
	assert_int_equal(limits_connect(limits, &unix_peer, 0, &address), ERR_INVALID);
	limits_free(limits);
}

static void the_table_has_a_ceiling(void **state)
{
	struct limits *limits = make(100, 4, 10, 3);
	struct limits_address *held = connected(limits, "192.0.2.1", 0);
	char text[32];

	(void)state;
	for (int i = 2; i < 60; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i);
		limits_disconnect(limits, connected(limits, text, 0));
		assert_true(limits_count(limits) <= 3);
	}
	/* Who is connected is never forgotten. */
	assert_ptr_equal(connected(limits, "192.0.2.1", 0), held);
	connected(limits, "198.51.100.1", 0);
	connected(limits, "198.51.100.2", 0);
	full(limits, "198.51.100.3");
	limits_free(limits);
}

static void requests_are_counted_per_minute(void **state)
{
	struct limits *limits = make(100, 4, 60, 100);
	struct limits_address *address = connected(limits, "192.0.2.1", 1000);
	struct limits_address *other = connected(limits, "192.0.2.2", 1000);
	unsigned retry_s = 0;

	(void)state;
	for (int i = 0; i < 60; i++)
		assert_int_equal(limits_request(limits, address, 1000, &retry_s), OK);
	assert_int_equal(limits_request(limits, address, 1000, &retry_s), ERR_THROTTLED);
	assert_int_equal(retry_s, 1);
	assert_int_equal(limits_request(limits, other, 1000, &retry_s), OK);
	assert_int_equal(limits_request(limits, address, 1999, &retry_s), ERR_THROTTLED);
	assert_int_equal(limits_request(limits, address, 2000, &retry_s), OK);
	assert_int_equal(limits_request(limits, address, 2000, &retry_s), ERR_THROTTLED);
	limits_free(limits);
}

static void waiting_long_gives_one_minute_only(void **state)
{
	struct limits *limits = make(100, 4, 10, 100);
	struct limits_address *address = connected(limits, "192.0.2.1", 0);
	unsigned retry_s = 0, good = 0;

	(void)state;
	while (!limits_request(limits, address, UINT64_MAX / 2, &retry_s))
		good++;
	assert_int_equal(good, 10);
	/* A request every six seconds: so long to wait for one. */
	assert_int_equal(retry_s, 6);
	limits_free(limits);
}

static void coming_back_does_not_refill(void **state)
{
	struct limits *limits = make(100, 4, 10, 100);
	struct limits_address *address = connected(limits, "192.0.2.1", 0);
	unsigned retry_s;

	(void)state;
	while (!limits_request(limits, address, 0, &retry_s))
		continue;
	limits_disconnect(limits, address);
	address = connected(limits, "192.0.2.1", 0);
	assert_int_equal(limits_request(limits, address, 0, &retry_s), ERR_THROTTLED);
	limits_free(limits);
}

/* How many in a row pass. */
static unsigned questions(struct limits_address *address, uint64_t now_ms)
{
	unsigned retry_s = 0, passed = 0;

	while (passed < 1000 && !limits_question(address, now_ms, &retry_s))
		passed++;
	assert_int_equal(retry_s, 1);
	return passed;
}

static void strangers_ask_little(void **state)
{
	struct limits *limits = make(10, 10, 100000, 10);
	struct limits_address *address = connected(limits, "192.0.2.1", 0);

	(void)state;
	assert_int_equal(questions(address, 0), LIMITS_QUESTIONS);
	assert_int_equal(questions(address, 10250), 20);
	assert_int_equal(questions(address, 3600 * 1000), LIMITS_QUESTIONS);
	/* Another connection of the address has no others. */
	assert_int_equal(questions(connected(limits, "192.0.2.1", 3600 * 1000), 3600 * 1000), 0);
	assert_int_equal(questions(connected(limits, "192.0.2.2", 0), 0), LIMITS_QUESTIONS);
	limits_free(limits);
}

/* Nor do questions take the page from others behind the same address. */
static void pages_are_no_questions(void **state)
{
	struct limits *limits = make(10, 10, 600, 10);
	struct limits_address *address = connected(limits, "192.0.2.1", 0);
	unsigned retry_s;

	(void)state;
	assert_int_equal(questions(address, 0), LIMITS_QUESTIONS);
	for (int i = 0; i < 600; i++)
		assert_ok(limits_request(limits, address, 0, &retry_s));
	assert_err(limits_request(limits, address, 0, &retry_s), ERR_THROTTLED);
	limits_free(limits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address_has_its_share),
		cmocka_unit_test(all_together_have_an_end),
		cmocka_unit_test(its_own_share_counts_before_the_whole),
		cmocka_unit_test(an_ipv6_site_is_one_address),
		cmocka_unit_test(a_larger_ipv6_site_is_one_address_where_asked),
		cmocka_unit_test(other_families_are_refused),
		cmocka_unit_test(the_table_has_a_ceiling),
		cmocka_unit_test(requests_are_counted_per_minute),
		cmocka_unit_test(waiting_long_gives_one_minute_only),
		cmocka_unit_test(coming_back_does_not_refill),
		cmocka_unit_test(strangers_ask_little),
		cmocka_unit_test(pages_are_no_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
