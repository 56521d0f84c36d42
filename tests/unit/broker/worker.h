/*
 * worker.h - a session of the office's person, with the test in the place of its worker and of
 * the monitor that starts it.
 */
#ifndef SEKISHO_TESTS_BROKER_WORKER_H
#define SEKISHO_TESTS_BROKER_WORKER_H

#include "unit/broker/office.h"

/* Our end of a worker's channel to the broker. */
struct worker {
	int fd;
	uint8_t session[WIRE_SESSION_ID];
	char id[SESSION_ID_TEXT + 1];
};

static inline union wire_any open_request(int64_t host)
{
	return (union wire_any){ .session_open = {
					 .host = (uint64_t)host,
					 .width = 1920,
					 .height = 1080,
					 .layout = 0x411,
					 .user = "",
					 .password = "",
					 .domain = "",
					 .client = "",
				 } };
}

static inline void monitor_says_started(struct office *office, struct worker *worker, bool adopted)
{
	struct msg_worker_started started = { .pid = 1, .adopted = adopted };
	int pair[2];

	assert_ok(ipc_pair(pair));
	memcpy(started.session, worker->session, sizeof(started.session));
	assert_ok(ipc_send(office->monitor, MSG_worker_started, &started, pair[0]));
	close(pair[0]);
	worker->fd = pair[1];
}

static inline void monitor_says_exited(struct office *office, struct worker *worker)
{
	struct msg_worker_exited exited = { 0 };

	memcpy(exited.session, worker->session, sizeof(exited.session));
	assert_ok(ipc_send(office->monitor, MSG_worker_exited, &exited, -1));
	for (int i = 0; i < 5; i++)
		assert_ok(loop_step(office->loop, 5));
	util_closep(&worker->fd);
	worker->fd = -1;
}

static inline void monitor_spawns(struct office *office, struct worker *worker)
{
	assert_true(office_receive(office, office->monitor, WIRE_MONITOR, MSG_worker_spawn,
				   OFFICE_WAIT_MS));
	memcpy(worker->session, office->received.msg.worker_spawn.session, sizeof(worker->session));
	ipc_received_finish(&office->received);
	util_hex(worker->session, sizeof(worker->session), worker->id);
	monitor_says_started(office, worker, false);
}

/* Opens one on host and takes the worker's part up to session_start, which stays in
 * office->received. */
static inline struct worker open_until_start(struct office *office, union wire_any *msg,
					     uint8_t key, const char *token)
{
	struct worker worker = { .fd = -1 };

	office_send(office, MSG_session_open, msg, key, token);
	monitor_spawns(office, &worker);
	assert_true(
		office_receive(office, worker.fd, WIRE_WORKER, MSG_session_start, OFFICE_WAIT_MS));
	return worker;
}

static inline struct worker open_session(struct office *office)
{
	union wire_any msg = open_request(office->host);
	struct worker worker = open_until_start(office, &msg, 1, office->token);
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	ipc_received_finish(&office->received);
	answer = office_answer(office);
	assert_int_equal(answer.status, 201);
	assert_string_equal(answer_text(answer, "id"), worker.id);
	return worker;
}

static inline void worker_says(struct office *office, const struct worker *worker,
			       enum session_state session_state, unsigned reason, uint8_t viewers)
{
	const struct msg_worker_state msg = { .state = (uint8_t)session_state,
					      .reason = (uint8_t)reason,
					      .viewers = viewers };

	assert_ok(ipc_send(worker->fd, MSG_worker_state, &msg, -1));
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 5));
}

/* The session as the person sees it, and that its state and reason are these. */
static inline void shown(struct office *office, const struct worker *worker,
			 const char *session_state, const char *reason)
{
	union wire_any msg = { 0 };
	_cleanup_answer_ struct answer answer = { .fd = -1 };

	memcpy(msg.session_show.session, worker->session, WIRE_SESSION_ID);
	answer = office_ask(office, MSG_session_show, &msg);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_text(answer, "state"), session_state);
	assert_string_equal(answer_text(answer, "reason"), reason);
}

static inline struct answer ask_about(struct office *office, uint16_t id,
				      const struct worker *worker)
{
	union wire_any msg = { 0 };

	memcpy(msg.session_show.session, worker->session, WIRE_SESSION_ID);
	if (id == MSG_session_unlock)
		msg.session_unlock.password = OFFICE_PASSWORD;
	return office_ask(office, id, &msg);
}

static inline void stopped_with(struct office *office, const struct worker *worker,
				enum end_reason reason)
{
	assert_true(
		office_receive(office, worker->fd, WIRE_WORKER, MSG_session_stop, OFFICE_WAIT_MS));
	assert_int_equal(office->received.msg.session_stop.reason, reason);
	ipc_received_finish(&office->received);
}

#endif
