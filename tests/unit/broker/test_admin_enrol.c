#include "unit/broker/orders.h"
#include "unit/broker/signer.h"

#include "broker/enrol.h"
#include "store/gateway_key.h"

/* sekisho device enrol: what the CLI says of its key, and what it may not have. */

struct test {
	struct office *office;
	struct signer signer;
};

static int setup(void **state)
{
	struct test *test = calloc(1, sizeof(*test));
	void *office;

	office_setup(&office);
	test->office = office;
	signer_init(&test->signer);
	signer_starts(test->office, &test->signer);
	*state = test;
	return 0;
}

static int teardown(void **state)
{
	struct test *test = *state;
	void *office = test->office;

	signer_finish(&test->signer);
	office_teardown(&office);
	free(test);
	return 0;
}

/* place: NULL for none. The signer is asked when signs says so. */
static struct answer enrol(struct test *test, const struct csr *csr, const char *place, bool signs)
{
	struct office *office = test->office;
	json_t *arguments = json_pack("{s:s, s:s, s:s, s:s*}", "user", "sato", "name", "ノート",
				      "csr", csr->text, "place", place);
	char *text = json_dumps(arguments, 0);
	const struct msg_admin msg = { .command = "device enrol",
				       .arguments = { (const uint8_t *)text, strlen(text) } };
	struct answer answer = { .fd = -1 };

	assert_ok(ipc_send(office->admin, MSG_admin, &msg, -1));
	if (signs)
		signer_does(office, &test->signer, MSG_sign);
	assert_true(
		office_receive(office, office->admin, WIRE_ADMIN, MSG_admin_reply, OFFICE_WAIT_MS));
	answer.status = office->received.msg.admin_reply.status;
	answer.body = json_loadb((const char *)office->received.msg.admin_reply.body.data,
				 office->received.msg.admin_reply.body.len, 0, NULL);
	ipc_received_finish(&office->received);
	json_decref(arguments);
	free(text);
	return answer;
}

static void the_row_says_where_the_key_is(void **state)
{
	static const struct {
		const char *place;
		enum key_place wanted;
	} places[] = {
		{ "file", KEY_FILE },
		{ "pkcs12", KEY_PKCS12 },
		{ NULL, KEY_UNKNOWN },
	};
	struct test *test = *state;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_csr_ struct csr csr;
		_cleanup_answer_ struct answer answer = { .fd = -1 };
		struct certificate row;

		csr_new(&csr);
		answer = enrol(test, &csr, places[i].place, true);
		assert_int_equal(answer.status, 200);
		assert_ok(certificate_newest(test->office->db, answer_number(answer, "id"), &row));
		assert_int_equal(row.key_place, places[i].wanted);
	}
}

/* The CLI cannot know of a chip: it makes the key itself. */
static void other_places_are_refused(void **state)
{
	static const char *const places[] = { "tpm", "store", "unknown", "" };
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;

	csr_new(&csr);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_answer_ struct answer answer = enrol(test, &csr, places[i], false);

		assert_error(answer, 400, "invalid");
		assert_string_equal(answer_text(answer, "field"), "place");
	}
	assert_int_equal(test->signer.signs, 0);
}

static void a_person_has_so_many_devices(void **state)
{
	struct test *test = *state;
	_cleanup_csr_ struct csr csr;
	struct answer answer;

	csr_new(&csr);
	for (int i = 1; i < ENROL_DEVICES_MAX; i++)
		office_add_device(test->office, test->office->account, (uint8_t)(10 + i));
	answer = enrol(test, &csr, "file", false);
	assert_error(answer, 403, "denied");
	assert_string_equal(answer_text(answer, "field"), "user");
	assert_non_null(strstr(answer_text(answer, "message_ja"), "20"));
	answer_finish(&answer);
	assert_int_equal(test->signer.signs, 0);
	/* One that is revoked makes room. */
	ordered(test->office, "device revoke", "{\"id\": 1}");
	answer = enrol(test, &csr, "file", true);
	assert_int_equal(answer.status, 200);
	answer_finish(&answer);
}

/* As many orders as there may be devices, all before the signer answers. */
static void the_limit_holds_when_it_is_stored(void **state)
{
	struct test *test = *state;
	struct office *office = test->office;
	_cleanup_csr_ struct csr csr;
	_cleanup_answer_ struct answer answer = { .fd = -1 };
	_cleanup_free_ char *text = NULL;
	json_t *arguments;

	csr_new(&csr);
	for (int i = 2; i < ENROL_DEVICES_MAX; i++)
		office_add_device(office, office->account, (uint8_t)(10 + i));
	arguments = json_pack("{s:s, s:s, s:s}", "user", "sato", "name", "ノート", "csr", csr.text);
	text = json_dumps(arguments, 0);
	json_decref(arguments);
	assert_ok(ipc_send(
		office->admin, MSG_admin,
		&(const struct msg_admin){ .command = "device enrol",
					   .arguments = { (const uint8_t *)text, strlen(text) } },
		-1));
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 2));
	/* Meanwhile the last place is taken. */
	office_add_device(office, office->account, 200);
	signer_does(office, &test->signer, MSG_sign);
	assert_true(
		office_receive(office, office->admin, WIRE_ADMIN, MSG_admin_reply, OFFICE_WAIT_MS));
	answer.status = office->received.msg.admin_reply.status;
	answer.body = json_loadb((const char *)office->received.msg.admin_reply.body.data,
				 office->received.msg.admin_reply.body.len, 0, NULL);
	ipc_received_finish(&office->received);
	assert_error(answer, 403, "denied");
}

static void key_of(const struct csr *csr, uint8_t ret[WIRE_DEVICE_ID])
{
	assert_ok(csr_key_hash(csr->key, ret));
}

static void keys_that_are_known_are_refused(void **state)
{
	struct test *test = *state;
	struct office *office = test->office;
	_cleanup_csr_ struct csr renewed;
	_cleanup_csr_ struct csr gateways;
	struct certificate row = { .device = 1, .issuer = 1, .serial = { 7 } };
	uint8_t key[WIRE_DEVICE_ID];
	struct answer answer;
	int64_t id;

	/* One that another device was renewed with. */
	csr_new(&renewed);
	key_of(&renewed, row.key);
	assert_ok(certificate_add(office->db, &row, &id));
	answer = enrol(test, &renewed, "file", true);
	assert_error(answer, 409, "exists");
	assert_string_equal(answer_text(answer, "field"), "csr");
	answer_finish(&answer);
	/* The gateway's own. */
	csr_new(&gateways);
	key_of(&gateways, key);
	assert_ok(gateway_key_add(office->db, key));
	answer = enrol(test, &gateways, "file", true);
	assert_error(answer, 409, "exists");
	answer_finish(&answer);
	answer = order(office, "device list", "{}");
	assert_int_equal(json_array_size(json_object_get(answer.body, "rows")), 1);
	answer_finish(&answer);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_row_says_where_the_key_is),   test(other_places_are_refused),
		test(a_person_has_so_many_devices),    test(the_limit_holds_when_it_is_stored),
		test(keys_that_are_known_are_refused),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
