#include "unit/store/fixture.h"

#include "store/sessions.h"
#include "wire/enums.h"

static struct session_row row_of(const struct fixture *fixture, uint8_t id)
{
	struct session_row row = {
		.id = { id },
		.account = fixture->account,
		.device = fixture->device,
		.host = fixture->host,
		.host_name = "経理PC",
		.state = SESSION_STARTING,
		.started_s = 100,
		.until_s = 200,
		.client = "山田商店",
	};

	return row;
}

static size_t live(struct db *db)
{
	_cleanup_query_ struct query query = { 0 };
	struct session_row row;
	size_t count = 0;
	bool more;

	session_row_list_live(&query, db);
	for (;;) {
		assert_ok(session_row_next(&query, &row, &more));
		if (!more)
			return count;
		count++;
	}
}

static void an_ended_session_stays_as_it_ended(void **state)
{
	struct fixture *fixture = *state;
	struct session_row row = row_of(fixture, 1), same;

	assert_ok(session_row_add(fixture->db, &row));
	assert_err(session_row_add(fixture->db, &row), ERR_EXISTS);
	assert_ok(session_row_set_state(fixture->db, row.id, SESSION_ACTIVE));
	assert_int_equal(live(fixture->db), 1);
	assert_ok(session_row_set_viewer(fixture->db, row.id, fixture->device, 77));
	assert_ok(session_row_get(fixture->db, row.id, &same));
	assert_int_equal(same.login, 77);
	assert_ok(session_row_end(fixture->db, row.id, END_LOGOUT, 150));
	assert_int_equal(live(fixture->db), 0);
	assert_err(session_row_set_state(fixture->db, row.id, SESSION_ACTIVE), ERR_NOT_FOUND);
	assert_err(session_row_set_viewer(fixture->db, row.id, fixture->device, 1), ERR_NOT_FOUND);
	assert_err(session_row_end(fixture->db, row.id, END_CRASHED, 160), ERR_NOT_FOUND);
	assert_ok(session_row_get(fixture->db, row.id, &same));
	assert_int_equal(same.state, SESSION_ENDED);
	assert_int_equal(same.reason, END_LOGOUT);
	assert_int_equal(same.ended_s, 150);
	assert_string_equal(same.account_name, "sato");
	assert_string_equal(same.host_name, "経理PC");
	assert_string_equal(same.client, "山田商店");
}

/* The store writes the number into its SQL because it does not see wire/. */
static void the_state_of_the_end_is_the_wires(void **state)
{
	struct fixture *fixture = *state;
	struct session_row row = row_of(fixture, 2);

	row.state = SESSION_ENDED;
	assert_ok(session_row_add(fixture->db, &row));
	assert_int_equal(live(fixture->db), 0);
}

static void a_session_outlives_its_host(void **state)
{
	struct fixture *fixture = *state;
	struct session_row row = row_of(fixture, 3), same;

	assert_ok(session_row_add(fixture->db, &row));
	assert_ok(host_remove(fixture->db, fixture->host));
	assert_ok(session_row_get(fixture->db, row.id, &same));
	assert_int_equal(same.host, fixture->host);
	row.id[0] = 4;
	row.account = 999;
	assert_err(session_row_add(fixture->db, &row), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(an_ended_session_stays_as_it_ended),
		fixture_test(the_state_of_the_end_is_the_wires),
		fixture_test(a_session_outlives_its_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
