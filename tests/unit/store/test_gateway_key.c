#include "unit/store/fixture.h"

#include "store/gateway_key.h"

static void there_is_one_or_none(void **state)
{
	struct fixture *fixture = *state;
	const uint8_t key[GATEWAY_KEY] = { 1, 2, 3 }, other[GATEWAY_KEY] = { 9 };
	uint8_t same[GATEWAY_KEY];

	assert_err(gateway_key_get(fixture->db, same), ERR_NOT_FOUND);
	assert_ok(gateway_key_add(fixture->db, key));
	assert_err(gateway_key_add(fixture->db, other), ERR_EXISTS);
	assert_ok(gateway_key_get(fixture->db, same));
	assert_memory_equal(same, key, sizeof(key));
	assert_ok(gateway_key_forget(fixture->db));
	assert_ok(gateway_key_forget(fixture->db));
	assert_err(gateway_key_get(fixture->db, same), ERR_NOT_FOUND);
	assert_ok(gateway_key_add(fixture->db, other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(there_is_one_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
