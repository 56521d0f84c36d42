#include "unit/unit.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "edge/broker.h"
#include "wire/ipc.h"

/* The broker's end of the link is played by the test. */
struct fixture {
	struct loop *loop;
	struct broker *broker;
	int theirs;
	unsigned configs;
	struct ipc_received received;
};

struct question {
	struct broker_request request;
	unsigned answers;
	enum err err;
	unsigned status;
	char body[64];
	int fd;
};

static void take_config(void *ctx, const struct msg_edge_config *config)
{
	struct fixture *fixture = ctx;

	assert_int_equal(config->crl.len, 3);
	fixture->configs++;
}

static void answered(struct broker_request *request, enum err err, const struct msg_reply *reply,
		     int fd)
{
	struct question *question = container_of(request, struct question, request);

	question->answers++;
	question->err = err;
	question->fd = fd;
	if (reply) {
		question->status = reply->status;
		memcpy(question->body, reply->body.data,
		       MIN(reply->body.len, sizeof(question->body) - 1));
	}
}

static void receive(struct fixture *fixture, uint16_t id)
{
	assert_ok(ipc_receive(fixture->theirs, WIRE_EDGE, WIRE_BROKER, &fixture->received));
	assert_int_equal(fixture->received.type->id, id);
}

static void new_link(struct fixture *fixture)
{
	int fds[2];

	if (fixture->theirs >= 0)
		close(fixture->theirs);
	assert_ok(ipc_pair(fds));
	assert_ok(broker_link(fixture->broker, fds[0]));
	fixture->theirs = fds[1];
	receive(fixture, MSG_edge_start);
	assert_int_equal(fixture->received.msg.edge_start.csr.len, 3);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	const struct broker_ops ops = { .config = take_config, .ctx = &fixture };
	_cleanup_buf_ struct buf csr;

	memset(&fixture, 0, sizeof(fixture));
	fixture.theirs = -1;
	buf_init(&csr, 100);
	assert_ok(buf_add(&csr, "csr", 3));
	assert_ok(loop_new(&fixture.loop));
	assert_ok(broker_new(fixture.loop, &ops, &csr, &fixture.broker));
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	broker_free(fixture->broker);
	loop_free(fixture->loop);
	if (fixture->theirs >= 0)
		close(fixture->theirs);
	return 0;
}

static enum err ask(struct fixture *fixture, struct question *question)
{
	union wire_any msg = { .me = { .address = "192.0.2.1", .token = "" } };

	memset(question, 0, sizeof(*question));
	question->fd = -1;
	question->request.done = answered;
	return broker_ask(fixture->broker, MSG_me, &msg, &question->request);
}

static void reply(struct fixture *fixture, uint32_t request, uint16_t status, const char *body,
		  int fd)
{
	struct msg_reply msg = { .request = request,
				 .status = status,
				 .cookie = "",
				 .body = { (const uint8_t *)body, strlen(body) } };

	assert_ok(ipc_send(fixture->theirs, MSG_reply, &msg, fd));
	assert_ok(loop_step(fixture->loop, 0));
}

static void answers_find_their_questions(void **state)
{
	struct fixture *fixture = *state;
	struct question first, second;

	new_link(fixture);
	assert_ok(ask(fixture, &first));
	receive(fixture, MSG_me);
	assert_ok(ask(fixture, &second));
	receive(fixture, MSG_me);
	assert_int_equal(fixture->received.msg.me.request, second.request.id);
	reply(fixture, second.request.id, 200, "two", -1);
	assert_int_equal(first.answers, 0);
	assert_int_equal(second.answers, 1);
	assert_string_equal(second.body, "two");
	reply(fixture, first.request.id, 404, "one", -1);
	assert_int_equal(first.status, 404);
	/* A second answer, and one to nothing, are dropped. */
	reply(fixture, first.request.id, 200, "again", -1);
	reply(fixture, 4711, 200, "what", -1);
	assert_int_equal(first.answers, 1);
	assert_int_equal(second.answers, 1);
}

static void without_a_link_nothing_is_asked(void **state)
{
	struct fixture *fixture = *state;
	struct question question;

	assert_err(ask(fixture, &question), ERR_UNAVAILABLE);
	assert_err(broker_wait(fixture->broker), ERR_UNAVAILABLE);
	assert_int_equal(question.answers, 0);
}

static void a_lost_link_answers_all(void **state)
{
	struct fixture *fixture = *state;
	struct question first, second;

	new_link(fixture);
	assert_ok(ask(fixture, &first));
	assert_ok(ask(fixture, &second));
	close(fixture->theirs);
	fixture->theirs = -1;
	assert_ok(loop_step(fixture->loop, 0));
	assert_int_equal(first.answers, 1);
	assert_err(first.err, ERR_UNAVAILABLE);
	assert_int_equal(second.answers, 1);
	assert_err(ask(fixture, &first), ERR_UNAVAILABLE);
	new_link(fixture);
	assert_ok(ask(fixture, &first));
	receive(fixture, MSG_me);
	reply(fixture, first.request.id, 200, "back", -1);
	assert_string_equal(first.body, "back");
}

static void silence_ends_in_time(void **state)
{
	struct fixture *fixture = *state;
	uint64_t now_ms = clock_mono_ms();
	struct question question;

	new_link(fixture);
	assert_ok(ask(fixture, &question));
	broker_tick(fixture->broker, now_ms + BROKER_ANSWER_MS / 2);
	assert_int_equal(question.answers, 0);
	broker_tick(fixture->broker, now_ms + 2 * BROKER_ANSWER_MS);
	assert_int_equal(question.answers, 1);
	assert_err(question.err, ERR_TIMEOUT);
	reply(fixture, question.request.id, 200, "late", -1);
	assert_int_equal(question.answers, 1);
}

static bool is_open(int fd)
{
	char byte;

	return read(fd, &byte, 1) < 0;
}

static void a_cancelled_question_keeps_no_descriptor(void **state)
{
	struct fixture *fixture = *state;
	struct question question;
	int ours[2];

	new_link(fixture);
	assert_ok(ask(fixture, &question));
	broker_cancel(&question.request);
	broker_cancel(&question.request);
	assert_ok(ipc_pair(ours));
	reply(fixture, 2, 200, "stream", ours[1]);
	close(ours[1]);
	assert_int_equal(question.answers, 0);
	/* End of stream: nobody holds the other end. */
	assert_false(is_open(ours[0]));
	close(ours[0]);
}

static void a_descriptor_comes_through(void **state)
{
	struct fixture *fixture = *state;
	struct question question;
	int ours[2];

	new_link(fixture);
	assert_ok(ask(fixture, &question));
	assert_ok(ipc_pair(ours));
	reply(fixture, question.request.id, 200, "stream", ours[1]);
	close(ours[1]);
	assert_true(question.fd >= 0);
	assert_true(is_open(ours[0]));
	close(question.fd);
	close(ours[0]);
}

static void only_so_many_at_once(void **state)
{
	static struct question questions[BROKER_REQUESTS_MAX + 1];
	struct fixture *fixture = *state;

	new_link(fixture);
	for (size_t i = 0; i < BROKER_REQUESTS_MAX; i++)
		assert_ok(ask(fixture, &questions[i]));
	assert_err(ask(fixture, &questions[BROKER_REQUESTS_MAX]), ERR_UNAVAILABLE);
	broker_cancel(&questions[0].request);
	assert_ok(ask(fixture, &questions[BROKER_REQUESTS_MAX]));
}

static void configs_come_at_any_time(void **state)
{
	struct fixture *fixture = *state;
	struct msg_edge_config config = { .certificate = { (const uint8_t *)"c", 1 },
					  .ca = { (const uint8_t *)"a", 1 },
					  .crl = { (const uint8_t *)"crl", 3 } };

	new_link(fixture);
	assert_ok(ipc_send(fixture->theirs, MSG_edge_config, &config, -1));
	assert_ok(broker_wait(fixture->broker));
	assert_int_equal(fixture->configs, 1);
	assert_ok(ipc_send(fixture->theirs, MSG_edge_config, &config, -1));
	assert_ok(loop_step(fixture->loop, 0));
	assert_int_equal(fixture->configs, 2);
	assert_ok(broker_renew(fixture->broker));
	receive(fixture, MSG_edge_start);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_find_their_questions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_link_nothing_is_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_lost_link_answers_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(silence_ends_in_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cancelled_question_keeps_no_descriptor, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_descriptor_comes_through, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_so_many_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(configs_come_at_any_time, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
