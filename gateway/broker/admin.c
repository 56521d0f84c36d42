#include "broker/admin.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"

enum {
	ADMIN_CONNECTIONS_MAX = 8,
	ADMIN_IDLE_US = 60 * 1000000,
	ADMIN_TEXT_MAX = 1024,
	ADMIN_FILE_MAX = 16384,
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

struct admin {
	struct broker *broker;
	struct loop_io io;
	int fd; /* -1: none */
	struct admin_connection *connections;
	struct admin_call *calls; /* put off */
};

/* ---- calls -------------------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	admin_handler *handler;
} handlers[] = {
#define COMMAND(name, function, en, ja, web) { name, admin_##function },
#define ARG(name, type, required, en, ja)
#define DONE
#include "wire/commands.def"
#undef COMMAND
#undef ARG
#undef DONE
};

static admin_handler *find_handler(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		if (util_streq(handlers[i].name, name))
			return handlers[i].handler;
	return NULL;
}

const char *admin_text(const struct admin_call *call, const char *name)
{
	return json_string_value(json_object_get(call->arguments, name));
}

int64_t admin_number(const struct admin_call *call, const char *name, int64_t fallback)
{
	const json_t *value = json_object_get(call->arguments, name);

	return value ? json_integer_value(value) : fallback;
}

bool admin_flag(const struct admin_call *call, const char *name)
{
	return json_is_true(json_object_get(call->arguments, name));
}

enum err admin_wrong(struct admin_call *call, enum err err, const char *field, const char *message)
{
	snprintf(call->field, sizeof(call->field), "%s", field);
	snprintf(call->message, sizeof(call->message), "%s", message);
	return err;
}

/* ---- arguments ---------------------------------------------------------------------------------
 */

/* What the table cannot say: the arguments that stay with the CLI, and what it sends in their
 * place. */
static bool stays_with_cli(const struct command *command, const struct command_arg *arg)
{
	return arg->type == COMMAND_FILE_OUT ||
	       (util_streq(command->name, "device enrol") &&
		(util_streq(arg->name, "password") || util_streq(arg->name, "compatible")));
}

static bool is_extra(const struct command *command, const char *name)
{
	return util_streq(command->name, "device enrol") && util_streq(name, "csr");
}

static const char *check_string(const json_t *value, size_t max)
{
	if (!json_is_string(value))
		return "must be a string";
	return json_string_length(value) > max ? "is too long" : NULL;
}

static const char *check_value(enum command_arg_type type, const json_t *value)
{
	switch (type) {
	case COMMAND_TEXT:
		return check_string(value, ADMIN_TEXT_MAX);
	case COMMAND_PASSWORD:
		return check_string(value, PASSWORD_BYTES_MAX);
	case COMMAND_FILE_IN:
		return check_string(value, ADMIN_FILE_MAX);
	case COMMAND_NUMBER:
		return json_is_integer(value) ? NULL : "must be a whole number";
	case COMMAND_FLAG:
		return json_is_boolean(value) ? NULL : "must be true or false";
	case COMMAND_FILE_OUT:
		break;
	}
	return "is not for the broker";
}

static const struct command_arg *find_arg(const struct command *command, const char *name)
{
	for (size_t i = 0; i < command->arg_count; i++)
		if (util_streq(command->args[i].name, name))
			return &command->args[i];
	return NULL;
}

static enum err check_arguments(struct admin_call *call)
{
	const struct command *command = call->command;
	const char *name, *wrong;
	json_t *value;

	json_object_foreach(call->arguments, name, value)
	{
		const struct command_arg *arg = find_arg(command, name);

		if (is_extra(command, name))
			wrong = check_string(value, ADMIN_FILE_MAX);
		else if (!arg || stays_with_cli(command, arg))
			wrong = "is no argument of this command";
		else
			wrong = check_value(arg->type, value);
		if (wrong)
			return admin_wrong(call, ERR_INVALID, name, wrong);
	}
	for (size_t i = 0; i < command->arg_count; i++) {
		const struct command_arg *arg = &command->args[i];

		if (arg->required && !stays_with_cli(command, arg) &&
		    !json_object_get(call->arguments, arg->name))
			return admin_wrong(call, ERR_INVALID, arg->name, "must be given");
	}
	return OK;
}

/* ---- answers -----------------------------------------------------------------------------------
 */

static json_t *error_json(const struct admin_call *call, enum err err)
{
	json_t *json = json_pack("{s:s}", "error", err_code(err));

	if (call->field[0])
		json_object_set_new(json, "field", json_string(call->field));
	if (call->message[0])
		json_object_set_new(json, "message", json_string(call->message));
	if (call->message_ja)
		json_object_set_new(json, "message_ja", json_string(call->message_ja));
	return json;
}

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

static void call_free(struct admin_call *call)
{
	json_decref(call->arguments);
	json_decref(call->result);
	free(call);
}

static void call_answer(struct admin_call *call, enum err err)
{
	json_t *error;

	log_info("admin", "command=\"%s\" uid=%u result=%s", call->command->name,
		 (unsigned)call->uid, err ? err_code(err) : "ok");
	if (!call->connection)
		return;
	call->connection->call = NULL;
	loop_timer_set(&call->connection->idle, ADMIN_IDLE_US);
	if (!err) {
		if (!call->result)
			call->result = json_object();
		send_reply(call->connection, 200, call->result);
		return;
	}
	error = error_json(call, err);
	send_reply(call->connection, (unsigned)err_status(err), error);
	json_decref(error);
}

void admin_finish(struct admin_call *call, enum err err)
{
	struct admin_call **link = &call->broker->admin->calls;

	while (*link != call)
		link = &(*link)->next;
	*link = call->next;
	call_answer(call, err);
	call_free(call);
}

/* ---- requests ----------------------------------------------------------------------------------
 */

static enum err call_run(struct admin_connection *connection, const struct msg_admin *msg,
			 struct admin_call *call)
{
	admin_handler *handler = find_handler(msg->command);
	enum err err;

	call->command = command_find(msg->command);
	if (!call->command || !handler)
		return ERR_METHOD;
	call->arguments = json_loadb((const char *)msg->arguments.data, msg->arguments.len,
				     JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(call->arguments))
		return admin_wrong(call, ERR_INVALID, "arguments", "must be a JSON object");
	err = check_arguments(call);
	if (err)
		return err;
	connection->call = call;
	return handler(call);
}

static void admin_request(struct admin_connection *connection, const struct msg_admin *msg)
{
	static const struct command unknown = { .name = "unknown" };
	struct admin *admin = connection->admin;
	struct admin_call *call = calloc(1, sizeof(*call));
	enum err err;

	if (!call) {
		send_reply(connection, (unsigned)err_status(ERR_NOMEM), NULL);
		return;
	}
	call->broker = admin->broker;
	call->connection = connection;
	call->uid = connection->uid;
	err = call_run(connection, msg, call);
	if (!err && call->later) {
		loop_timer_cancel(&connection->idle);
		call->next = admin->calls;
		admin->calls = call;
		return;
	}
	if (!call->command)
		call->command = &unknown;
	call_answer(call, err);
	call_free(call);
}

static void connection_free(struct admin_connection *connection)
{
	struct admin_connection **link = &connection->admin->connections;

	while (*link != connection)
		link = &(*link)->next;
	*link = connection->next;
	if (connection->call)
		connection->call->connection = NULL;
	loop_timer_cancel(&connection->idle);
	free(connection);
}

static void connection_message(void *ctx, struct channel *channel, const struct wire_type *type,
			       const union wire_any *msg, int fd)
{
	struct admin_connection *connection = ctx;

	(void)channel;
	if (fd >= 0)
		close(fd);
	if (type->id != MSG_admin || connection->call) {
		struct admin_call none = { 0 };
		json_t *error = error_json(&none, ERR_WRONG_STATE);

		send_reply(connection, (unsigned)err_status(ERR_WRONG_STATE), error);
		json_decref(error);
		return;
	}
	admin_request(connection, &msg->admin);
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

/* ---- listening ---------------------------------------------------------------------------------
 */

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
		call_free(call);
	}
	loop_io_finish(&admin->io);
	util_closep(&admin->fd);
	free(admin);
}
