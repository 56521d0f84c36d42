/*
 * applicant.h - somebody with an invitation, who asks for a certificate.
 */
#ifndef SEKISHO_TESTS_BROKER_APPLICANT_H
#define SEKISHO_TESTS_BROKER_APPLICANT_H

#include "unit/broker/signer.h"

#include "broker/enrol_code.h"
#include "store/invites.h"

#define ADDRESS "192.0.2.7"

struct test {
	struct office *office;
	struct signer signer;
	char code[ENROL_CODE_LEN + 1];
	int64_t invite;
};

static inline int64_t invite_with(struct office *office, const char *code, bool preapproved,
				  int64_t created_s, int64_t expires_s)
{
	struct invite invite = {
		.account = office->account,
		.name = "花子のノート",
		.preapproved = preapproved,
		.invited_by = "uid 0",
		.created_s = created_s,
		.expires_s = expires_s,
	};
	int64_t id = 0;

	assert_ok(enrol_code_hash(code, invite.code));
	assert_ok(invite_add(office->db, &invite, &id));
	return id;
}

static inline int64_t invite_new(struct office *office, char code[ENROL_CODE_LEN + 1],
				 bool preapproved)
{
	int64_t now_s = clock_wall_s();

	enrol_code_random(code, ENROL_CODE_LEN);
	return invite_with(office, code, preapproved, now_s, now_s + 86400);
}

static inline int setup(void **state)
{
	struct test *test = calloc(1, sizeof(*test));
	void *office;

	office_setup(&office);
	test->office = office;
	signer_init(&test->signer);
	signer_starts(test->office, &test->signer);
	test->invite = invite_new(test->office, test->code, true);
	*state = test;
	return 0;
}

static inline int teardown(void **state)
{
	struct test *test = *state;
	void *office = test->office;

	signer_finish(&test->signer);
	office_teardown(&office);
	free(test);
	return 0;
}

/* ---- asking ----------------------------------------------------------------------------- */

static inline void send_request(struct test *test, const char *code, const struct csr *csr)
{
	union wire_any msg = { .enrol_request = { .code = code,
						  .csr = { csr->der, csr->len },
						  .key_place = KEY_TPM } };

	office_send(test->office, MSG_enrol_request, &msg, 0, "");
}

static inline struct answer request(struct test *test, const char *code, const struct csr *csr)
{
	send_request(test, code, csr);
	return signer_answer(test->office, &test->signer);
}

static inline struct answer look(struct test *test, const char *code)
{
	union wire_any msg = { .enrol_look = { .code = code } };

	return office_ask_as(test->office, MSG_enrol_look, &msg, 0, "");
}

static inline struct answer ask_file(struct test *test, const char *code, bool compatible)
{
	union wire_any msg = { .enrol_file = { .code = code, .compatible = compatible } };

	office_send(test->office, MSG_enrol_file, &msg, 0, "");
	return signer_answer(test->office, &test->signer);
}

static inline void decide(struct test *test, bool approve, const char *reason)
{
	assert_ok(invite_decide(test->office->db, test->invite, approve, "kanri", reason,
				clock_wall_s()));
}

static inline int64_t count(struct test *test, const char *sql)
{
	_cleanup_query_ struct query query;

	query_init(&query, test->office->db, sql);
	assert_ok(query_one(&query));
	return query_col_i64(&query, 0);
}

#define assert_devices(test, wanted)                                                               \
	assert_int_equal(count(test, "SELECT count(*) FROM device"), wanted)

#define assert_invite(test, wanted)                                                                \
	assert_int_equal(count(test, "SELECT state FROM invite WHERE id = 1"), wanted)

static inline void set(struct test *test, const char *sql)
{
	assert_ok(db_exec(test->office->db, sql));
}

/* ---- EST -------------------------------------------------------------------------------- */

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
