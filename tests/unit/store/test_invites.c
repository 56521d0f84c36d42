#include "unit/store/fixture.h"

#include <pthread.h>

#include "store/invites.h"

/* enum enrol_state of wire/enums.def, which the store does not see. */
enum { OPEN = 1, PENDING, APPROVED, REFUSED, ISSUED, WITHDRAWN };

enum { EXPIRES = 5000, NOW = 4000 };

static int64_t invited(struct fixture *fixture, uint8_t code, bool preapproved)
{
	struct invite invite = {
		.account = fixture->account,
		.name = "花子のノート",
		.preapproved = preapproved,
		.invited_by = "uid 0",
		.created_s = 1000,
		.expires_s = EXPIRES,
	};
	int64_t id = 0;

	memset(invite.code, code, sizeof(invite.code));
	assert_ok(invite_add(fixture->db, &invite, &id));
	return id;
}

static enum err ask_at(struct db *db, int64_t id, uint8_t key, int64_t now_s)
{
	struct invite invite = {
		.id = id,
		.kind = INVITE_REQUEST,
		.key_type = "EC P-256",
		.key_place = 1,
		.asked_s = now_s,
		.asked_address = "192.0.2.7",
	};

	memset(invite.key, key, sizeof(invite.key));
	return invite_ask(db, &invite, (const uint8_t *)"request", 7);
}

static enum err ask(struct db *db, int64_t id, uint8_t key)
{
	return ask_at(db, id, key, NOW);
}

static int64_t state_of(struct fixture *fixture, int64_t id)
{
	struct invite invite;

	assert_ok(invite_by_id(fixture->db, id, &invite));
	return invite.state;
}

static void fields_come_back(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = invited(fixture, 3, false);
	uint8_t code[INVITE_CODE], csr[INVITE_CSR_MAX];
	struct invite invite;
	size_t len;

	memset(code, 3, sizeof(code));
	assert_err(invite_csr(fixture->db, id, csr, &len), ERR_NOT_FOUND);
	assert_ok(ask(fixture->db, id, 9));
	assert_ok(invite_by_code(fixture->db, code, &invite));
	assert_int_equal(invite.id, id);
	assert_memory_equal(invite.code, code, sizeof(code));
	assert_string_equal(invite.account_name, "sato");
	assert_string_equal(invite.full_name, "佐藤 花子");
	assert_string_equal(invite.name, "花子のノート");
	assert_string_equal(invite.invited_by, "uid 0");
	assert_int_equal(invite.created_s, 1000);
	assert_int_equal(invite.expires_s, EXPIRES);
	assert_int_equal(invite.kind, INVITE_REQUEST);
	assert_int_equal(invite.key[5], 9);
	assert_string_equal(invite.key_type, "EC P-256");
	assert_int_equal(invite.asked_s, NOW);
	assert_string_equal(invite.asked_address, "192.0.2.7");
	assert_int_equal(invite.device, 0);
	assert_ok(invite_csr(fixture->db, id, csr, &len));
	assert_int_equal(len, 7);
	assert_memory_equal(csr, "request", 7);
	code[0]++;
	assert_err(invite_by_code(fixture->db, code, &invite), ERR_NOT_FOUND);
}

static void a_file_needs_no_key(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = invited(fixture, 3, true);
	struct invite invite = { .id = id, .kind = INVITE_FILE, .asked_s = NOW };
	uint8_t csr[INVITE_CSR_MAX];
	size_t len;

	assert_ok(invite_ask(fixture->db, &invite, NULL, 0));
	assert_err(invite_csr(fixture->db, id, csr, &len), ERR_NOT_FOUND);
	assert_ok(invite_by_id(fixture->db, id, &invite));
	assert_int_equal(invite.kind, INVITE_FILE);
	assert_int_equal(invite.state, APPROVED);
}

static void the_way_to_a_certificate(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = invited(fixture, 3, false);
	struct invite invite;

	assert_err(invite_decide(fixture->db, id, true, "admin", "", NOW), ERR_NOT_FOUND);
	assert_err(invite_issued(fixture->db, id, fixture->device), ERR_NOT_FOUND);
	assert_ok(ask(fixture->db, id, 9));
	assert_int_equal(state_of(fixture, id), PENDING);
	assert_err(invite_issued(fixture->db, id, fixture->device), ERR_NOT_FOUND);
	assert_ok(invite_decide(fixture->db, id, true, "admin", "", NOW));
	assert_err(invite_decide(fixture->db, id, false, "admin", "", NOW), ERR_NOT_FOUND);
	assert_int_equal(state_of(fixture, id), APPROVED);
	assert_ok(invite_issued(fixture->db, id, fixture->device));
	assert_err(invite_issued(fixture->db, id, fixture->device), ERR_NOT_FOUND);
	assert_err(ask(fixture->db, id, 9), ERR_NOT_FOUND);
	assert_err(invite_withdraw(fixture->db, id, "admin", NOW), ERR_NOT_FOUND);
	assert_ok(invite_by_id(fixture->db, id, &invite));
	assert_int_equal(invite.state, ISSUED);
	assert_int_equal(invite.device, fixture->device);
}

static void a_refusal_has_its_reason(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = invited(fixture, 3, false);
	struct invite invite;

	assert_ok(ask(fixture->db, id, 9));
	assert_ok(invite_decide(fixture->db, id, false, "admin", "私物の端末", 4500));
	assert_ok(invite_by_id(fixture->db, id, &invite));
	assert_int_equal(invite.state, REFUSED);
	assert_string_equal(invite.reason, "私物の端末");
	assert_string_equal(invite.decided_by, "admin");
	assert_int_equal(invite.decided_s, 4500);
	assert_err(invite_issued(fixture->db, id, fixture->device), ERR_NOT_FOUND);
	assert_err(invite_withdraw(fixture->db, id, "admin", NOW), ERR_NOT_FOUND);
}

static void withdrawn_in_each_state_before_the_end(void **state)
{
	struct fixture *fixture = *state;
	int64_t open = invited(fixture, 3, false), pending = invited(fixture, 4, false);
	int64_t approved = invited(fixture, 5, true);

	assert_ok(ask(fixture->db, pending, 9));
	assert_ok(ask(fixture->db, approved, 10));
	assert_ok(invite_withdraw(fixture->db, open, "admin", NOW));
	assert_ok(invite_withdraw(fixture->db, pending, "admin", NOW));
	assert_ok(invite_withdraw(fixture->db, approved, "admin", NOW));
	assert_err(invite_withdraw(fixture->db, open, "admin", NOW), ERR_NOT_FOUND);
	assert_int_equal(state_of(fixture, pending), WITHDRAWN);
	assert_err(ask(fixture->db, open, 9), ERR_NOT_FOUND);
	assert_err(invite_decide(fixture->db, pending, true, "admin", "", NOW), ERR_NOT_FOUND);
	assert_err(invite_issued(fixture->db, approved, fixture->device), ERR_NOT_FOUND);
}

static void an_expired_one_takes_nothing(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = invited(fixture, 3, false);

	assert_err(ask_at(fixture->db, id, 9, EXPIRES), ERR_NOT_FOUND);
	assert_int_equal(state_of(fixture, id), OPEN);
	assert_ok(ask_at(fixture->db, id, 9, EXPIRES - 1));
}

static void the_newest_come_first_and_the_old_not_at_all(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_query_ struct query query;
	struct invite invite;
	bool more;

	invited(fixture, 3, false);
	invited(fixture, 4, false);
	assert_ok(db_exec(fixture->db, "UPDATE invite SET created = 10 WHERE id = 1"));
	invited(fixture, 5, false);
	invite_list(&query, fixture->db, 11, 0);
	assert_ok(invite_next(&query, &invite, &more));
	assert_true(more);
	assert_int_equal(invite.id, 3);
	assert_ok(invite_next(&query, &invite, &more));
	assert_int_equal(invite.id, 2);
	assert_ok(invite_next(&query, &invite, &more));
	assert_false(more);
}

/* ---- races ------------------------------------------------------------------------------ */

enum { ROUNDS = 40, RACERS = 2 };

struct racer {
	struct db *db;
	pthread_barrier_t *start;
	int64_t invite;
	uint8_t key;
	enum err result;
};

static void *race(void *ctx)
{
	struct racer *racer = ctx;

	pthread_barrier_wait(racer->start);
	racer->result = ask(racer->db, racer->invite, racer->key);
	return NULL;
}

/* Two connections, as of two processes, to one file. */
static void of_two_that_ask_one_wins(void **state)
{
	struct fixture *fixture = *state;
	struct racer racers[RACERS];
	pthread_t threads[RACERS];
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, RACERS);
	for (uint8_t i = 0; i < RACERS; i++)
		racers[i] = (struct racer){ .db = fixture_connect(fixture),
					    .start = &start,
					    .key = (uint8_t)(100 + i) };
	for (uint8_t round = 0; round < ROUNDS; round++) {
		int64_t id = invited(fixture, round, false);
		struct invite invite;
		unsigned winner;

		for (int i = 0; i < RACERS; i++) {
			racers[i].invite = id;
			assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
		}
		for (int i = 0; i < RACERS; i++)
			pthread_join(threads[i], NULL);
		winner = racers[0].result == OK ? 0 : 1;
		assert_ok(racers[winner].result);
		assert_err(racers[1 - winner].result, ERR_NOT_FOUND);
		assert_ok(invite_by_id(fixture->db, id, &invite));
		assert_int_equal(invite.key[0], racers[winner].key);
	}
	for (int i = 0; i < RACERS; i++)
		db_close(racers[i].db);
	pthread_barrier_destroy(&start);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(fields_come_back),
		fixture_test(a_file_needs_no_key),
		fixture_test(the_way_to_a_certificate),
		fixture_test(a_refusal_has_its_reason),
		fixture_test(withdrawn_in_each_state_before_the_end),
		fixture_test(an_expired_one_takes_nothing),
		fixture_test(the_newest_come_first_and_the_old_not_at_all),
		fixture_test(of_two_that_ask_one_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
