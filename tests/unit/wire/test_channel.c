#include "unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "wire/channel.h"

struct peer {
	struct loop *loop;
	int messages, fds;
	uint32_t last;
	int stop_at;
	bool closed;
	enum err why;
};

static void on_message(void *ctx, struct channel *channel, const struct wire_type *type,
		       const union wire_any *msg, int fd)
{
	struct peer *peer = ctx;

	(void)channel;
	peer->messages++;
	if (type->id == MSG_worker_pong)
		peer->last = msg->worker_pong.number;
	if (fd >= 0) {
		peer->fds++;
		close(fd);
	}
	if (peer->messages == peer->stop_at)
		loop_stop(peer->loop, 0);
}

static void on_closed(void *ctx, struct channel *channel, enum err why)
{
	struct peer *peer = ctx;

	(void)channel;
	peer->closed = true;
	peer->why = why;
	loop_stop(peer->loop, 0);
}

static const struct channel_ops ops = { on_message, on_closed };

static void queue_survives_a_slow_reader(void **state)
{
	struct peer broker = { 0 }, worker = { 0 };
	struct channel *out, *in;
	uint8_t junk[1024] = { 0 };
	struct loop *loop;
	int fds[2], sent;
	enum err err = OK;

	(void)state;
	assert_ok(loop_new(&loop));
	assert_ok(ipc_pair(fds));
	broker.loop = worker.loop = loop;
	assert_ok(channel_new(loop, fds[0], WIRE_WORKER, WIRE_BROKER, &ops, &worker, &out));
	/* Nobody reads yet: everything past the socket's buffer is queued, up to the ceiling, then
	 * refused. */
	for (sent = 0; !err; sent++)
		err = channel_send(out, MSG_worker_event,
				   &(struct msg_worker_event){ .event = "flood",
							       .detail = memset(junk, 'x', 1023) },
				   -1);
	assert_err(err, ERR_FULL);
	assert_in_range(sent, 1000, 5000);
	broker.stop_at = --sent;
	assert_ok(channel_new(loop, fds[1], WIRE_BROKER, WIRE_WORKER, &ops, &broker, &in));
	loop_run(loop);
	assert_int_equal(broker.messages, sent);
	assert_ok(channel_send(out, MSG_worker_pong, &(struct msg_worker_pong){ 4711 }, -1));
	broker.stop_at = sent + 1;
	loop_run(loop);
	assert_int_equal(broker.last, 4711);
	channel_free(in);
	loop_run(loop);
	assert_true(worker.closed);
	assert_err(worker.why, ERR_CLOSED);
	loop_free(loop);
}

/* What a peer said before it went is heard, even when something for it was still in the queue. */
static void last_words_are_heard(void **state)
{
	struct peer broker = { 0 };
	struct channel *in;
	uint8_t junk[65536] = { 0 };
	enum err err = OK;
	int fds[2];

	(void)state;
	assert_ok(loop_new(&broker.loop));
	assert_ok(ipc_pair(fds));
	assert_ok(channel_new(broker.loop, fds[1], WIRE_BROKER, WIRE_WORKER, &ops, &broker, &in));
	for (int i = 0; !err && i < 40; i++)
		err = channel_send(in, MSG_session_start,
				   &(struct msg_session_start){ .tls_ca = { junk, 16384 } }, -1);
	assert_ok(channel_send(in, MSG_worker_ping, &(struct msg_worker_ping){ 1 }, -1));
	assert_ok(ipc_send(fds[0], MSG_worker_pong, &(struct msg_worker_pong){ 7 }, -1));
	close(fds[0]);
	loop_run(broker.loop);
	assert_true(broker.closed);
	assert_int_equal(broker.last, 7);
	loop_free(broker.loop);
}

static void raw_is_refused(const void *data, size_t len)
{
	struct peer broker = { 0 };
	struct channel *in;
	int fds[2];

	assert_ok(loop_new(&broker.loop));
	assert_ok(ipc_pair(fds));
	assert_ok(channel_new(broker.loop, fds[1], WIRE_BROKER, WIRE_WORKER, &ops, &broker, &in));
	assert_int_equal(send(fds[0], data, len, 0), (ssize_t)len);
	loop_run(broker.loop);
	assert_true(broker.closed);
	assert_err(broker.why, ERR_PROTOCOL);
	assert_int_equal(broker.messages, 0);
	close(fds[0]);
	loop_free(broker.loop);
}

static void hostile_peers_are_dropped(void **state)
{
	_cleanup_buf_ struct buf buf;

	(void)state;
	raw_is_refused("x", 1);
	raw_is_refused("\xff\xff garbage", 10);
	/* Well-formed, but a worker may not speak as the edge does. */
	buf_init(&buf, WIRE_MESSAGE_MAX);
	assert_ok(wire_encode(MSG_logout, &(struct msg_logout){ .request = 1 }, &buf));
	raw_is_refused(buf.data, buf.len);
	/* A descriptor is due with worker_started, which is the monitor's. */
	buf_clear(&buf);
	assert_ok(wire_encode(MSG_worker_started, &(struct msg_worker_started){ .pid = 1 }, &buf));
	raw_is_refused(buf.data, buf.len);
}

/* Descriptors: passed on when the type has one, closed and refused when it has none. */
static void descriptors(void **state)
{
	struct ipc_received received;
	int fds[2], file = open("/dev/null", O_RDONLY | O_CLOEXEC), copy;
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	_cleanup_buf_ struct buf buf;
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control.room) };

	(void)state;
	assert_ok(ipc_pair(fds));
	assert_err(ipc_send(fds[0], MSG_link, &(struct msg_link){ WIRE_EDGE }, -1),
		   ERR_WRONG_STATE);
	assert_err(ipc_send(fds[0], MSG_worker_kill, &(struct msg_worker_kill){ { 0 } }, file),
		   ERR_WRONG_STATE);
	assert_ok(ipc_send(fds[0], MSG_link, &(struct msg_link){ WIRE_EDGE }, file));
	assert_ok(ipc_receive(fds[1], WIRE_MONITOR, WIRE_BROKER, &received));
	assert_true(received.fd >= 0);
	assert_int_equal(fcntl(received.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	copy = received.fd;
	ipc_received_finish(&received);
	assert_int_equal(fcntl(copy, F_GETFD), -1);

	buf_init(&buf, 100);
	assert_ok(wire_encode(MSG_worker_pong, &(struct msg_worker_pong){ 1 }, &buf));
	iov = (struct iovec){ buf.data, buf.len };
	control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
					   .cmsg_type = SCM_RIGHTS,
					   .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(&control.header), &file, sizeof(int));
	assert_true(sendmsg(fds[0], &msg, 0) > 0);
	assert_err(ipc_receive(fds[1], WIRE_WORKER, WIRE_BROKER, &received), ERR_PROTOCOL);
	assert_int_equal(received.fd, -1);
	assert_int_equal(fcntl(copy, F_GETFD), -1);
	close(file);
	close(fds[0]);
	close(fds[1]);
}

static void secrets_are_wiped(void **state)
{
	static const char password[] = "correct horse";
	struct ipc_received received;
	int fds[2];

	(void)state;
	assert_ok(ipc_pair(fds));
	assert_ok(ipc_send(fds[0], MSG_login_password,
			   &(struct msg_login_password){ .account = "sato", .password = password },
			   -1));
	assert_ok(ipc_receive(fds[1], WIRE_EDGE, WIRE_BROKER, &received));
	assert_string_equal(received.msg.login_password.password, password);
	ipc_received_finish(&received);
	assert_null(memmem(received.data, received.len, password, sizeof(password) - 1));
	close(fds[0]);
	close(fds[1]);
}

static void waiting(void **state)
{
	struct peer worker = { 0 };
	struct ipc_received received;
	struct channel *channel;
	int fds[2];

	(void)state;
	assert_ok(loop_new(&worker.loop));
	assert_ok(ipc_pair(fds));
	assert_ok(channel_new(worker.loop, fds[0], WIRE_WORKER, WIRE_BROKER, &ops, &worker,
			      &channel));
	assert_err(channel_wait(channel, MSG_pin_answer, 20, &received), ERR_TIMEOUT);
	assert_ok(ipc_send(fds[1], MSG_worker_ping, &(struct msg_worker_ping){ 1 }, -1));
	assert_ok(ipc_send(fds[1], MSG_pin_answer, &(struct msg_pin_answer){ 1 }, -1));
	assert_ok(channel_wait(channel, MSG_pin_answer, 1000, &received));
	assert_int_equal(received.msg.pin_answer.trusted, 1);
	ipc_received_finish(&received);
	assert_int_equal(worker.messages, 1);
	close(fds[1]);
	assert_err(channel_wait(channel, MSG_pin_answer, 1000, &received), ERR_CLOSED);
	channel_free(channel);
	loop_free(worker.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_survives_a_slow_reader),
		cmocka_unit_test(last_words_are_heard),
		cmocka_unit_test(hostile_peers_are_dropped),
		cmocka_unit_test(descriptors),
		cmocka_unit_test(secrets_are_wiped),
		cmocka_unit_test(waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
