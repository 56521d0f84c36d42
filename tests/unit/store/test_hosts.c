#include "unit/store/fixture.h"

static size_t granted(struct db *db, int64_t account)
{
	_cleanup_query_ struct query query = { 0 };
	struct host_row host;
	size_t count = 0;
	bool more;

	host_list_granted(&query, db, account);
	for (;;) {
		assert_ok(host_next(&query, &host, &more));
		if (!more)
			return count;
		assert_true(host.granted);
		count++;
	}
}

static void fields_come_back(void **state)
{
	struct fixture *fixture = *state;
	struct host_row host = { .name = "受付PC",
				 .protocol = 1,
				 .security = 1,
				 .address = "pc.example",
				 .port = 3389,
				 .has_mac = true,
				 .mac = { 1, 2, 3, 4, 5, 6 },
				 .broadcast = "192.0.2.255" };
	struct host_row same;
	uint8_t *ca = malloc(HOST_TLS_CA_MAX);
	size_t len;
	int64_t id;

	assert_ok(host_add(fixture->db, &host, "PEM", 3, &id));
	assert_ok(host_by_name(fixture->db, "受付PC", &same));
	assert_int_equal(same.id, id);
	assert_int_equal(same.port, 3389);
	assert_string_equal(same.address, "pc.example");
	assert_true(same.has_mac);
	assert_memory_equal(same.mac, host.mac, sizeof(host.mac));
	assert_false(same.has_pin);
	assert_false(same.audio);
	assert_ok(host_tls_ca(fixture->db, id, ca, &len));
	assert_int_equal(len, 3);
	assert_ok(host_tls_ca(fixture->db, fixture->host, ca, &len));
	assert_int_equal(len, 0);
	assert_err(host_add(fixture->db, &host, NULL, 0, &id), ERR_EXISTS);
	host.port = 65536;
	snprintf(host.name, sizeof(host.name), "other");
	assert_err(host_add(fixture->db, &host, NULL, 0, &id), ERR_INVALID);
	free(ca);
}

static void sound_is_a_choice(void **state)
{
	struct fixture *fixture = *state;
	struct host_row host = { .name = "loud",
				 .protocol = 1,
				 .address = "192.0.2.9",
				 .port = 3389,
				 .broadcast = "192.0.2.255",
				 .audio = true };
	struct host_row same;
	int64_t id;

	assert_ok(host_add(fixture->db, &host, NULL, 0, &id));
	assert_ok(host_by_id(fixture->db, id, 0, &same));
	assert_true(same.audio);
	assert_ok(host_set_streams(fixture->db, id, false, true));
	assert_ok(host_by_id(fixture->db, id, fixture->account, &same));
	assert_false(same.audio);
	assert_true(same.video);
	assert_ok(host_set_streams(fixture->db, id, true, false));
	assert_ok(host_by_name(fixture->db, "loud", &same));
	assert_true(same.audio);
	assert_false(same.video);
	/* the others are not touched */
	assert_ok(host_by_id(fixture->db, fixture->host, 0, &same));
	assert_false(same.audio);
	assert_err(host_set_streams(fixture->db, 999, true, true), ERR_NOT_FOUND);
}

static void nobody_has_a_right_that_was_not_given(void **state)
{
	struct fixture *fixture = *state;
	int64_t other = fixture_account(fixture->db, "suzuki");
	struct host_row host;

	assert_int_equal(granted(fixture->db, fixture->account), 0);
	assert_ok(host_by_id(fixture->db, fixture->host, fixture->account, &host));
	assert_false(host.granted);
	assert_ok(host_grant(fixture->db, fixture->account, fixture->host, true));
	assert_ok(host_by_id(fixture->db, fixture->host, fixture->account, &host));
	assert_true(host.granted && host.view_only);
	assert_ok(host_grant(fixture->db, fixture->account, fixture->host, false));
	assert_ok(host_by_id(fixture->db, fixture->host, fixture->account, &host));
	assert_true(host.granted && !host.view_only);
	assert_int_equal(granted(fixture->db, fixture->account), 1);
	assert_int_equal(granted(fixture->db, other), 0);
	assert_ok(host_deny(fixture->db, fixture->account, fixture->host));
	assert_int_equal(granted(fixture->db, fixture->account), 0);
	assert_err(host_deny(fixture->db, fixture->account, fixture->host), ERR_NOT_FOUND);
	assert_err(host_grant(fixture->db, 999, fixture->host, false), ERR_NOT_FOUND);
}

static void a_pin_is_never_replaced(void **state)
{
	struct fixture *fixture = *state;
	const uint8_t pin[HOST_PIN] = { 1 }, other[HOST_PIN] = { 2 };
	struct host_row host;

	assert_ok(host_set_pin(fixture->db, fixture->host, pin));
	assert_err(host_set_pin(fixture->db, fixture->host, other), ERR_NOT_FOUND);
	assert_ok(host_by_id(fixture->db, fixture->host, 0, &host));
	assert_true(host.has_pin);
	assert_memory_equal(host.pin, pin, sizeof(pin));
	assert_ok(host_forget_pin(fixture->db, fixture->host));
	assert_ok(host_set_pin(fixture->db, fixture->host, other));
}

static void a_kept_login_goes_with_the_right(void **state)
{
	struct fixture *fixture = *state;
	const struct host_credential credential = { .user = "u",
						    .user_len = 1,
						    .domain = "d",
						    .domain_len = 1,
						    .password = "p",
						    .password_len = 1 };
	struct host_credential same;
	struct host_row host;

	assert_ok(host_grant(fixture->db, fixture->account, fixture->host, false));
	assert_ok(host_credential_set(fixture->db, fixture->account, fixture->host, &credential));
	assert_ok(host_credential_set(fixture->db, fixture->account, fixture->host, &credential));
	assert_ok(host_credential_get(fixture->db, fixture->account, fixture->host, &same));
	assert_int_equal(same.password[0], 'p');
	assert_ok(host_by_id(fixture->db, fixture->host, fixture->account, &host));
	assert_true(host.has_credential);
	assert_ok(host_deny(fixture->db, fixture->account, fixture->host));
	assert_err(host_credential_get(fixture->db, fixture->account, fixture->host, &same),
		   ERR_NOT_FOUND);
	assert_ok(host_grant(fixture->db, fixture->account, fixture->host, false));
	assert_ok(host_credential_set(fixture->db, fixture->account, fixture->host, &credential));
	assert_ok(host_remove(fixture->db, fixture->host));
	assert_err(host_credential_get(fixture->db, fixture->account, fixture->host, &same),
		   ERR_NOT_FOUND);
	assert_err(host_by_id(fixture->db, fixture->host, fixture->account, &host), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(fields_come_back),
		fixture_test(sound_is_a_choice),
		fixture_test(nobody_has_a_right_that_was_not_given),
		fixture_test(a_pin_is_never_replaced),
		fixture_test(a_kept_login_goes_with_the_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
