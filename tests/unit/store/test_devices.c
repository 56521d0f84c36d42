#include "unit/store/fixture.h"

static void key_of(uint8_t number, uint8_t ret[DEVICE_KEY])
{
	memset(ret, number, DEVICE_KEY);
}

static enum err by_key(struct db *db, uint8_t number, struct device *ret)
{
	uint8_t key[DEVICE_KEY];

	key_of(number, key);
	return device_by_key(db, key, ret);
}

static enum err revoked(struct db *db, int64_t id, const char *why)
{
	_cleanup_tx_ struct db_tx tx = { 0 };

	assert_ok(db_tx_begin(&tx, db));
	enum err err = device_revoke(db, id, why, 5000);
	return err ? err : db_tx_commit(&tx);
}

static void fields_come_back(void **state)
{
	struct fixture *fixture = *state;
	struct device device, same;

	assert_ok(by_key(fixture->db, 7, &device));
	assert_int_equal(device.id, fixture->device);
	assert_string_equal(device.owner_name, "sato");
	assert_int_equal(device.state, DEVICE_ACTIVE);
	assert_int_equal(device.key[0], 7);
	assert_true(device.certificate > 0);
	assert_int_equal(device.not_after_s, device.not_before_s + 3600);
	assert_false(device.supersedes);
	assert_ok(device_set_seen(fixture->db, device.id, 1234, "2001:db8::1"));
	assert_ok(device_set_tries(fixture->db, device.id, 3, 99));
	assert_ok(device_by_id(fixture->db, device.id, &same));
	assert_int_equal(same.seen_s, 1234);
	assert_string_equal(same.seen_address, "2001:db8::1");
	assert_int_equal(same.failures, 3);
	assert_int_equal(same.next_try_ms, 99);
	assert_int_equal(same.revoked_s, 0);
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
	/* Nor one that came with a renewal. */
	fixture_certificate(fixture->db, fixture->device, 8, 8);
	key_of(8, device.key);
	assert_err(device_add(fixture->db, &device, &id), ERR_EXISTS);
	key_of(9, device.key);
	assert_ok(device_add(fixture->db, &device, &id));
}

static void only_an_active_certificate_finds_its_device(void **state)
{
	struct fixture *fixture = *state;
	struct device device;

	assert_ok(db_exec(fixture->db, "UPDATE certificate SET state = 2"));
	assert_err(by_key(fixture->db, 7, &device), ERR_NOT_FOUND);
	assert_ok(db_exec(fixture->db, "UPDATE certificate SET state = 3"));
	assert_err(by_key(fixture->db, 7, &device), ERR_NOT_FOUND);
	assert_ok(device_by_id(fixture->db, fixture->device, &device));
}

static void a_renewed_device_is_found_by_both_keys(void **state)
{
	struct fixture *fixture = *state;
	struct device old, new;
	int64_t id = fixture_certificate(fixture->db, fixture->device, 8, 8);

	assert_ok(by_key(fixture->db, 7, &old));
	assert_ok(by_key(fixture->db, 8, &new));
	assert_int_equal(old.id, new.id);
	assert_int_equal(new.certificate, id);
	assert_true(old.certificate < id);
	assert_false(old.supersedes);
	assert_true(new.supersedes);
	assert_ok(device_by_id(fixture->db, fixture->device, &old));
	assert_int_equal(old.certificate, id);
}

static void a_device_without_certificate_is_over(void **state)
{
	struct fixture *fixture = *state;
	struct device device = { .name = "new", .owner = fixture->account };
	int64_t id;

	key_of(20, device.key);
	assert_ok(device_add(fixture->db, &device, &id));
	assert_err(by_key(fixture->db, 20, &device), ERR_NOT_FOUND);
	assert_ok(device_by_id(fixture->db, id, &device));
	assert_int_equal(device.certificate, 0);
	assert_int_equal(device.not_after_s, 0);
}

static void a_device_may_have_several_owners(void **state)
{
	struct fixture *fixture = *state;
	int64_t other = fixture_account(fixture->db, "abe");
	char names[64];
	bool is_owner, owned;

	assert_ok(device_has_owner(fixture->db, fixture->device, fixture->account, &is_owner));
	assert_true(is_owner);
	assert_ok(device_has_owner(fixture->db, fixture->device, other, &is_owner));
	assert_false(is_owner);
	assert_err(device_owner_remove(fixture->db, fixture->device, other), ERR_NOT_FOUND);
	assert_err(device_owner_remove(fixture->db, fixture->device, fixture->account),
		   ERR_WRONG_STATE);
	assert_ok(device_owner_add(fixture->db, fixture->device, other));
	assert_err(device_owner_add(fixture->db, fixture->device, other), ERR_EXISTS);
	assert_err(device_owner_add(fixture->db, fixture->device, 999), ERR_NOT_FOUND);
	assert_ok(device_owners(fixture->db, fixture->device, names, sizeof(names)));
	assert_string_equal(names, "abe, sato");
	assert_ok(device_owners(fixture->db, fixture->device, names, 6));
	assert_string_equal(names, "abe");
	assert_ok(device_owner_remove(fixture->db, fixture->device, fixture->account));
	assert_ok(device_is_owned(fixture->db, fixture->device, &owned));
	assert_true(owned);
	assert_ok(account_set_disabled(fixture->db, other, true));
	assert_ok(device_is_owned(fixture->db, fixture->device, &owned));
	assert_false(owned);
}

static void those_in_use_are_counted(void **state)
{
	struct fixture *fixture = *state;
	int64_t now_s = clock_wall_s(), count;
	int64_t second = fixture_device(fixture->db, fixture->account, 8);

	fixture_certificate(fixture->db, second, 9, 9);
	assert_ok(device_count(fixture->db, fixture->account, now_s, &count));
	assert_int_equal(count, 2);
	assert_ok(revoked(fixture->db, second, ""));
	assert_ok(device_count(fixture->db, fixture->account, now_s, &count));
	assert_int_equal(count, 1);
	assert_ok(device_count(fixture->db, fixture->account, now_s + 7200, &count));
	assert_int_equal(count, 0);
}

static void revoked_is_for_ever(void **state)
{
	struct fixture *fixture = *state;
	struct device device;

	assert_ok(device_set_state(fixture->db, fixture->device, DEVICE_LOCKED));
	assert_ok(device_set_state(fixture->db, fixture->device, DEVICE_ACTIVE));
	assert_ok(revoked(fixture->db, fixture->device, "紛失"));
	assert_err(device_set_state(fixture->db, fixture->device, DEVICE_ACTIVE), ERR_NOT_FOUND);
	assert_err(revoked(fixture->db, fixture->device, "again"), ERR_NOT_FOUND);
	assert_ok(device_by_id(fixture->db, fixture->device, &device));
	assert_int_equal(device.state, DEVICE_REVOKED);
	assert_int_equal(device.revoked_s, 5000);
	assert_string_equal(device.revoked_why, "紛失");
	/* Its certificates with it. */
	assert_err(by_key(fixture->db, 7, &device), ERR_NOT_FOUND);
}

static void only_what_is_revoked_retires_and_once(void **state)
{
	struct fixture *fixture = *state;
	struct device device;

	assert_err(device_retire(fixture->db, fixture->device, DISPOSAL_WIPED, "uid 0", "", 6000),
		   ERR_NOT_FOUND);
	assert_ok(revoked(fixture->db, fixture->device, ""));
	assert_ok(device_retire(fixture->db, fixture->device, DISPOSAL_DESTROYED, "admin", "破砕",
				6000));
	assert_err(device_retire(fixture->db, fixture->device, DISPOSAL_WIPED, "admin", "", 7000),
		   ERR_NOT_FOUND);
	assert_ok(device_by_id(fixture->db, fixture->device, &device));
	assert_int_equal(device.retired_s, 6000);
	assert_int_equal(device.disposal, DISPOSAL_DESTROYED);
	assert_string_equal(device.retired_by, "admin");
	assert_string_equal(device.remark, "破砕");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(fields_come_back),
		fixture_test(a_key_is_enrolled_once),
		fixture_test(only_an_active_certificate_finds_its_device),
		fixture_test(a_renewed_device_is_found_by_both_keys),
		fixture_test(a_device_without_certificate_is_over),
		fixture_test(a_device_may_have_several_owners),
		fixture_test(those_in_use_are_counted),
		fixture_test(revoked_is_for_ever),
		fixture_test(only_what_is_revoked_retires_and_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
