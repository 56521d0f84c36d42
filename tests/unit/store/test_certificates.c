#include "unit/store/fixture.h"

/* The states of all certificates by number, as digits. */
static void states(struct db *db, char *ret_text)
{
	_cleanup_query_ struct query query;
	bool more;

	query_init(&query, db, "SELECT state FROM certificate ORDER BY id");
	while (query_next(&query, &more) == OK && more)
		*ret_text++ = (char)('0' + query_col_i64(&query, 0));
	*ret_text = '\0';
}

#define assert_states(fixture, wanted)                                                             \
	do {                                                                                       \
		char text_[16];                                                                    \
		states((fixture)->db, text_);                                                      \
		assert_string_equal(text_, wanted);                                                \
	} while (0)

static void fields_come_back(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fixture_certificate(fixture->db, fixture->device, 8, 9);
	struct certificate certificate;

	assert_ok(certificate_newest(fixture->db, fixture->device, &certificate));
	assert_int_equal(certificate.id, id);
	assert_int_equal(certificate.device, fixture->device);
	assert_int_equal(certificate.key[31], 8);
	assert_int_equal(certificate.serial[15], 9);
	assert_int_equal(certificate.issuer, 1);
	assert_string_equal(certificate.key_type, "EC P-256");
	assert_int_equal(certificate.key_place, 1);
	assert_int_equal(certificate.state, CERTIFICATE_ACTIVE);
	assert_int_equal(certificate.revoked_s, 0);
	assert_int_equal(certificate.not_after_s, certificate.not_before_s + 3600);
	assert_err(certificate_newest(fixture->db, 999, &certificate), ERR_NOT_FOUND);
}

static void a_serial_comes_once(void **state)
{
	struct fixture *fixture = *state;
	struct certificate certificate;
	int64_t id;

	assert_ok(certificate_newest(fixture->db, fixture->device, &certificate));
	assert_err(certificate_add(fixture->db, &certificate, &id), ERR_EXISTS);
}

static void a_key_has_its_owner_for_ever(void **state)
{
	struct fixture *fixture = *state;
	struct device device = { .name = "bare", .owner = fixture->account };
	uint8_t key[DEVICE_KEY] = { 0 };
	int64_t owner, bare;

	assert_ok(certificate_key_owner(fixture->db, key, &owner));
	assert_int_equal(owner, 0);
	memset(key, 7, sizeof(key));
	assert_ok(certificate_end(fixture->db, fixture->device, 0, CERTIFICATE_REVOKED,
				  CRL_KEY_COMPROMISE, 1));
	assert_ok(certificate_key_owner(fixture->db, key, &owner));
	assert_int_equal(owner, fixture->device);
	/* The first key of a device, although no certificate has it. */
	memset(device.key, 30, sizeof(device.key));
	assert_ok(device_add(fixture->db, &device, &bare));
	assert_ok(certificate_key_owner(fixture->db, device.key, &owner));
	assert_int_equal(owner, bare);
}

static void all_but_one_end(void **state)
{
	struct fixture *fixture = *state;
	int64_t keep = fixture_certificate(fixture->db, fixture->device, 8, 8);
	int64_t other = fixture_device(fixture->db, fixture->account, 9);
	struct certificate certificate;

	assert_ok(certificate_end(fixture->db, fixture->device, keep, CERTIFICATE_SUPERSEDED,
				  CRL_SUPERSEDED, 10));
	assert_states(fixture, "211");
	assert_ok(certificate_end(fixture->db, fixture->device, 0, CERTIFICATE_REVOKED,
				  CRL_KEY_COMPROMISE, 20));
	assert_states(fixture, "231"); /* what was over stays as it was */
	assert_ok(certificate_newest(fixture->db, fixture->device, &certificate));
	assert_int_equal(certificate.revoked_s, 20);
	assert_int_equal(certificate.reason, CRL_KEY_COMPROMISE);
	assert_ok(certificate_end(fixture->db, other, 0, CERTIFICATE_REVOKED, CRL_CESSATION, 30));
	assert_states(fixture, "233");
}

static void what_was_seen_supersedes_older_ones_with_another_key(void **state)
{
	struct fixture *fixture = *state;
	int64_t same = fixture_certificate(fixture->db, fixture->device, 8, 1);
	int64_t seen = fixture_certificate(fixture->db, fixture->device, 8, 2);

	fixture_certificate(fixture->db, fixture->device, 9, 3);
	assert_true(same < seen);
	assert_ok(certificate_supersede(fixture->db, fixture->device, seen, 10));
	assert_states(fixture, "2111");
}

static void what_was_never_seen_goes_at_the_next_renewal(void **state)
{
	struct fixture *fixture = *state;
	struct device used;
	uint8_t key[DEVICE_KEY];
	int64_t count;

	assert_ok(device_by_id(fixture->db, fixture->device, &used));
	fixture_certificate(fixture->db, fixture->device, 8, 1);
	fixture_certificate(fixture->db, fixture->device, 9, 2);
	memset(key, 9, sizeof(key));
	assert_ok(certificate_drop_unseen(fixture->db, fixture->device, used.certificate, key, 10,
					  &count));
	assert_int_equal(count, 1);
	assert_states(fixture, "121");
}

static size_t list_size(struct db *db, int64_t issuer, int64_t now_s)
{
	_cleanup_query_ struct query query;
	struct certificate certificate;
	size_t count = 0;
	bool more;

	certificate_list_revoked(&query, db, issuer, now_s);
	while (certificate_next(&query, &certificate, &more) == OK && more)
		count++;
	return count;
}

static void the_list_is_an_issuers_own_and_of_what_has_not_run_out(void **state)
{
	struct fixture *fixture = *state;
	int64_t now_s = clock_wall_s();

	fixture_certificate(fixture->db, fixture->device, 8, 8);
	fixture_certificate(fixture->db, fixture->device, 9, 9);
	assert_int_equal(list_size(fixture->db, 1, now_s), 0);
	assert_ok(db_exec(fixture->db, "UPDATE certificate SET state = id"));
	assert_int_equal(list_size(fixture->db, 1, now_s), 2);
	assert_int_equal(list_size(fixture->db, 2, now_s), 0);
	assert_int_equal(list_size(fixture->db, 1, now_s + 7200), 0);
	assert_ok(db_exec(fixture->db, "UPDATE certificate SET issuer = 2 WHERE id = 2"));
	assert_int_equal(list_size(fixture->db, 2, now_s), 1);
}

/* A list with room for one says what was revoked last. */
static void what_was_revoked_comes_first(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_query_ struct query query;
	struct certificate certificate;
	bool more;

	for (uint8_t i = 8; i < 13; i++)
		fixture_certificate(fixture->db, fixture->device, i, i);
	assert_ok(db_exec(fixture->db, "UPDATE certificate SET state = 2, revoked = 100 + id"));
	assert_ok(db_exec(fixture->db, "UPDATE certificate SET state = 3 WHERE id IN (2, 3)"));
	certificate_list_revoked(&query, fixture->db, 1, clock_wall_s());
	for (size_t i = 0; i < 4; i++) {
		static const int64_t wanted[] = { 3, 2, 6, 5 };

		assert_ok(certificate_next(&query, &certificate, &more));
		assert_true(more);
		assert_int_equal(certificate.id, wanted[i]);
	}
}

static void what_was_issued_in_a_time_is_counted(void **state)
{
	struct fixture *fixture = *state;
	int64_t count;

	fixture_certificate(fixture->db, fixture->device, 8, 8);
	fixture_certificate(fixture->db, fixture->device, 9, 9);
	assert_ok(db_exec(fixture->db, "UPDATE certificate SET issued = id * 100"));
	assert_ok(certificate_count_issued(fixture->db, fixture->device, 100, 300, &count));
	assert_int_equal(count, 2);
	assert_ok(certificate_count_issued(fixture->db, fixture->device, 99, 299, &count));
	assert_int_equal(count, 2);
	assert_ok(certificate_count_issued(fixture->db, fixture->device + 1, 0, 1000, &count));
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(fields_come_back),
		fixture_test(a_serial_comes_once),
		fixture_test(a_key_has_its_owner_for_ever),
		fixture_test(all_but_one_end),
		fixture_test(what_was_seen_supersedes_older_ones_with_another_key),
		fixture_test(what_was_never_seen_goes_at_the_next_renewal),
		fixture_test(the_list_is_an_issuers_own_and_of_what_has_not_run_out),
		fixture_test(what_was_revoked_comes_first),
		fixture_test(what_was_issued_in_a_time_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
