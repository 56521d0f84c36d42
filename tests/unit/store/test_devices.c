#include "unit/store/fixture.h"

static void fields_come_back(void **state)
{
	struct fixture *fixture = *state;
	struct device device, same;
	uint8_t key[DEVICE_KEY];

	memset(key, 7, sizeof(key));
	assert_ok(device_by_key(fixture->db, key, &device));
	assert_int_equal(device.id, fixture->device);
	assert_string_equal(device.owner_name, "sato");
	assert_int_equal(device.state, DEVICE_ACTIVE);
	assert_int_equal(device.serial_len, 2);
	assert_int_equal(device.serial[1], 7);
	assert_ok(device_set_seen(fixture->db, device.id, 1234, "2001:db8::1"));
	assert_ok(device_set_tries(fixture->db, device.id, 3, 99));
	assert_ok(device_by_id(fixture->db, device.id, &same));
	assert_int_equal(same.seen_s, 1234);
	assert_string_equal(same.seen_address, "2001:db8::1");
	assert_int_equal(same.failures, 3);
	assert_int_equal(same.next_try_ms, 99);
}

static void a_key_is_enrolled_once(void **state)
{
	struct fixture *fixture = *state;
	struct device device;
	uint8_t key[DEVICE_KEY] = { 0 };
	int64_t id;

	assert_err(device_by_key(fixture->db, key, &device), ERR_NOT_FOUND);
	assert_ok(device_by_id(fixture->db, fixture->device, &device));
	assert_err(device_add(fixture->db, &device, &id), ERR_EXISTS);
}

static void revoked_is_for_ever(void **state)
{
	struct fixture *fixture = *state;
	struct device device;

	assert_ok(device_set_state(fixture->db, fixture->device, DEVICE_LOCKED));
	assert_ok(device_set_state(fixture->db, fixture->device, DEVICE_ACTIVE));
	assert_ok(device_set_state(fixture->db, fixture->device, DEVICE_REVOKED));
	assert_err(device_set_state(fixture->db, fixture->device, DEVICE_ACTIVE), ERR_NOT_FOUND);
	assert_ok(device_by_id(fixture->db, fixture->device, &device));
	assert_int_equal(device.state, DEVICE_REVOKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(fields_come_back),
		fixture_test(a_key_is_enrolled_once),
		fixture_test(revoked_is_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
