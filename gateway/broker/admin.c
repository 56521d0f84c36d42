#include "broker/admin.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"

enum {
	ADMIN_CONNECTIONS_MAX = 8,
	ADMIN_IDLE_US = 60 * 1000000,
	ADMIN_BODY_MAX = 96 * 1024,
};

struct admin_connection {
	struct admin_connection *next;
	struct admin *admin;
	struct channel *channel;
	struct admin_call *call; /* that is put off */
	uid_t uid;
	struct loop_timer idle;
};

/* ---- answers ---------------------------------------------------------------------------- */

static void send_reply(struct admin_connection *connection, unsigned status, const json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct msg_admin_reply reply = { .status = (uint16_t)status };
	const char *out = text;
	enum err err;

	if (!text || strlen(text) > ADMIN_BODY_MAX) {
		reply.status = (uint16_t)err_status(text ? ERR_TOO_BIG : ERR_NOMEM);
		out = text ? "{\"error\":\"too-big\"}" : "{\"error\":\"nomem\"}";
	}
	reply.body = (struct bytes){ (const uint8_t *)out, strlen(out) };
	err = channel_send(connection->channel, MSG_admin_reply, &reply, -1);
	if (err)
		log_warn("admin-reply-failed", "error=%s", err_code(err));
	reply_text_free(text);
}

static void answer_connection(struct admin_call *call, unsigned status, json_t *body)
{
	struct admin_connection *connection = call->caller.connection;

	if (!connection)
		return;
	connection->call = NULL;
	loop_timer_set(&connection->idle, ADMIN_IDLE_US);
	send_reply(connection, status, body);
}

/* ---- requests --------------------------------------------------------------------------- */

static void connection_free(struct admin_connection *connection)
{
	struct admin_connection **link = &connection->admin->connections;

	while (*link != connection)
		link = &(*link)->next;
	*link = connection->next;
	if (connection->call)
		connection->call->caller.connection = NULL;
	loop_timer_cancel(&connection->idle);
	free(connection);
}

static void connection_message(void *ctx, struct channel *channel, const struct wire_type *type,
			       const union wire_any *msg, int fd)
{
	struct admin_connection *connection = ctx;
	const struct admin_caller caller = {
		.way = ADMIN_SOCKET,
		.answer = answer_connection,
		.connection = connection,
		.uid = connection->uid,
	};

	(void)channel;
	if (fd >= 0)
		close(fd);
	if (type->id != MSG_admin || connection->call) {
		json_t *error = json_pack("{s:s}", "error", err_code(ERR_WRONG_STATE));

		send_reply(connection, (unsigned)err_status(ERR_WRONG_STATE), error);
		json_decref(error);
		return;
	}
	connection->call = admin_run(connection->admin->broker, &caller, msg->admin.command,
				     msg->admin.arguments);
	if (connection->call)
		loop_timer_cancel(&connection->idle);
}

static void connection_closed(void *ctx, struct channel *channel, enum err why)
{
	(void)channel;
	(void)why;
	connection_free(ctx);
}

static const struct channel_ops connection_ops = { .message = connection_message,
						   .closed = connection_closed };

static void connection_idle(struct loop_timer *timer)
{
	struct admin_connection *connection = container_of(timer, struct admin_connection, idle);

	channel_free(connection->channel);
	connection_free(connection);
}

/* ---- listening -------------------------------------------------------------------------- */

static enum err peer_uid(int fd, uid_t *ret)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || len != sizeof(peer))
		return ERR_DENIED;
	if (peer.uid != 0 && peer.uid != geteuid())
		return ERR_DENIED;
	*ret = peer.uid;
	return OK;
}

static size_t connection_count(const struct admin *admin)
{
	size_t count = 0;

	for (const struct admin_connection *at = admin->connections; at; at = at->next)
		count++;
	return count;
}

enum err admin_connect(struct admin *admin, int fd)
{
	_cleanup_close_ int owned = fd;
	struct admin_connection *connection;
	uid_t uid;
	enum err err = peer_uid(fd, &uid);

	if (err)
		return err;
	if (connection_count(admin) >= ADMIN_CONNECTIONS_MAX)
		return ERR_UNAVAILABLE;
	connection = calloc(1, sizeof(*connection));
	if (!connection)
		return ERR_NOMEM;
	connection->admin = admin;
	connection->uid = uid;
	err = channel_new(admin->broker->loop, util_take_fd(&owned), WIRE_BROKER, WIRE_ADMIN,
			  &connection_ops, connection, &connection->channel);
	if (err) {
		free(connection);
		return err;
	}
	connection->next = admin->connections;
	admin->connections = connection;
	loop_timer_init(admin->broker->loop, &connection->idle, connection_idle);
	loop_timer_set(&connection->idle, ADMIN_IDLE_US);
	return OK;
}

static void listener_ready(struct loop_io *io, uint32_t events)
{
	struct admin *admin = container_of(io, struct admin, io);
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	enum err err;

	(void)events;
	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			log_warn("admin-accept-failed", "error=\"%m\"");
		return;
	}
	err = admin_connect(admin, fd);
	if (err)
		log_warn("admin-refused", "error=%s", err_code(err));
}

void admin_listen(struct admin *admin, int fd)
{
	enum err err;

	loop_io_finish(&admin->io);
	util_closep(&admin->fd);
	admin->fd = fd;
	err = loop_io_init(admin->broker->loop, &admin->io, fd, EPOLLIN, listener_ready);
	if (err)
		log_error("admin-listen-failed", "error=%s", err_code(err));
}

enum err admin_new(struct broker *broker, struct admin **ret)
{
	struct admin *admin = calloc(1, sizeof(*admin));

	if (!admin)
		return ERR_NOMEM;
	admin->broker = broker;
	admin->fd = -1;
	*ret = admin;
	return OK;
}

void admin_free(struct admin *admin)
{
	if (!admin)
		return;
	while (admin->connections)
		connection_idle(&admin->connections->idle);
	while (admin->calls) {
		struct admin_call *call = admin->calls;

		admin->calls = call->next;
		admin_call_free(call);
	}
	loop_io_finish(&admin->io);
	util_closep(&admin->fd);
	free(admin);
}
