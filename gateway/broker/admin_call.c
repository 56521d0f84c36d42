/*
 * admin_call.c - one order, wherever it came from: found in the table, its arguments checked, run,
 * answered.
 */
#include <string.h>

#include "base/log.h"
#include "broker/admin.h"

enum { ADMIN_TEXT_MAX = 1024, ADMIN_FILE_MAX = 16384 };

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

static const struct {
	const char *en, *ja;
} messages[] = {
#define MESSAGE(en, ja) { en, ja },
#include "broker/admin_messages.def"
#undef MESSAGE
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

/* ---- arguments -------------------------------------------------------------------------- */

/* What the table cannot say: arguments that stay with the CLI, and what it sends in their place. */
static const struct {
	const char *command, *name;
	enum command_arg_type sent; /* COMMAND_FILE_OUT: nothing */
} replaced[] = {
	{ "device enrol", "password", COMMAND_FILE_OUT },
	{ "device enrol", "compatible", COMMAND_FILE_OUT },
	{ "device enrol", "csr", COMMAND_FILE_IN },
	{ "device enrol", "place", COMMAND_TEXT },
	{ "ca take-root", "root", COMMAND_FILE_IN },
	{ "recording export", "session", COMMAND_TEXT },
	{ "recording export", "file", COMMAND_FILE_OUT },
	{ "recording export", "key", COMMAND_FILE_OUT },
	{ "recording export", "marks", COMMAND_FILE_OUT },
	{ "recording export", "unlogged", COMMAND_FILE_OUT },
};

static const struct command_arg *find_arg(const struct command *command, const char *name)
{
	for (size_t i = 0; i < command->arg_count; i++)
		if (util_streq(command->args[i].name, name))
			return &command->args[i];
	return NULL;
}

/* The type in which the broker takes it; COMMAND_FILE_OUT: not at all. */
static enum command_arg_type type_of(const struct command *command, const char *name)
{
	const struct command_arg *arg = find_arg(command, name);

	for (size_t i = 0; i < ARRAY_SIZE(replaced); i++)
		if (util_streq(replaced[i].command, command->name) &&
		    util_streq(replaced[i].name, name))
			return replaced[i].sent;
	return arg ? arg->type : COMMAND_FILE_OUT;
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
	return "is no argument of this command";
}

static enum err check_arguments(struct admin_call *call)
{
	const struct command *command = call->command;
	const char *name, *wrong;
	json_t *value;

	json_object_foreach(call->arguments, name, value)
	{
		wrong = check_value(type_of(command, name), value);
		if (wrong)
			return admin_wrong(call, ERR_INVALID, name, wrong);
	}
	for (size_t i = 0; i < command->arg_count; i++) {
		const struct command_arg *arg = &command->args[i];

		if (arg->required && type_of(command, arg->name) != COMMAND_FILE_OUT &&
		    !json_object_get(call->arguments, arg->name))
			return admin_wrong(call, ERR_INVALID, arg->name, "must be given");
	}
	return OK;
}

/* ---- answers ---------------------------------------------------------------------------- */

static const char *message_ja(const char *en)
{
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		if (util_streq(messages[i].en, en))
			return messages[i].ja;
	return NULL;
}

static json_t *error_json(const struct admin_call *call, enum err err)
{
	const char *ja = call->message_ja[0] ? call->message_ja : message_ja(call->message);
	json_t *json = json_pack("{s:s}", "error", err_code(err));

	if (call->field[0])
		json_object_set_new(json, "field", json_string(call->field));
	if (call->message[0])
		json_object_set_new(json, "message", json_string(call->message));
	if (ja)
		json_object_set_new(json, "message_ja", json_string(ja));
	return json;
}

void admin_call_free(struct admin_call *call)
{
	json_decref(call->arguments);
	json_decref(call->result);
	free(call);
}

static void call_answer(struct admin_call *call, enum err err)
{
	const struct admin_caller *caller = &call->caller;
	json_t *body = err ? error_json(call, err) : json_incref(call->result);

	if (!err && !body)
		body = json_object();
	if (caller->way == ADMIN_SOCKET)
		log_info("admin", "command=\"%s\" uid=%u result=%s", call->command->name,
			 (unsigned)caller->uid, err ? err_code(err) : "ok");
	else
		log_info("admin", "command=\"%s\" user=%s device=%lld result=%s",
			 call->command->name, caller->account, (long long)caller->device,
			 err ? err_code(err) : "ok");
	caller->answer(call, err ? (unsigned)err_status(err) : 200, body);
	json_decref(body);
}

void admin_finish(struct admin_call *call, enum err err)
{
	struct admin_call **link = &call->broker->admin->calls;

	while (*link != call)
		link = &(*link)->next;
	*link = call->next;
	call_answer(call, err);
	admin_call_free(call);
}

/* ---- orders ----------------------------------------------------------------------------- */

/* What is not open to the portal is not there for it; what is, only by its own way. */
static enum err check_way(enum admin_way way, enum command_web web)
{
	if (way == ADMIN_SOCKET)
		return OK;
	if (web == COMMAND_WEB_NO)
		return ERR_NOT_FOUND;
	return (way == ADMIN_PORTAL_LOOK) == (web == COMMAND_WEB_LOOK) ? OK : ERR_METHOD;
}

static enum err call_run(struct admin_call *call, const char *name, struct bytes arguments)
{
	const struct command *command = command_find(name);
	admin_handler *handler = find_handler(name);
	enum err err;

	if (!command || !handler)
		return call->caller.way == ADMIN_SOCKET ? ERR_METHOD : ERR_NOT_FOUND;
	call->command = command;
	err = check_way(call->caller.way, command->web);
	if (err)
		return err;
	call->arguments = json_loadb((const char *)arguments.data, arguments.len,
				     JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(call->arguments))
		return admin_wrong(call, ERR_INVALID, "arguments", "must be a JSON object");
	err = check_arguments(call);
	return err ? err : handler(call);
}

struct admin_call *admin_run(struct broker *broker, const struct admin_caller *caller,
			     const char *command, struct bytes arguments)
{
	static const struct command unknown = { .name = "unknown" };
	struct admin_call *call = calloc(1, sizeof(*call));
	enum err err;

	if (!call) {
		struct admin_call none = { .broker = broker, .caller = *caller };

		caller->answer(&none, (unsigned)err_status(ERR_NOMEM), NULL);
		return NULL;
	}
	call->broker = broker;
	call->caller = *caller;
	call->command = &unknown;
	err = call_run(call, command, arguments);
	if (!err && call->later) {
		call->next = broker->admin->calls;
		broker->admin->calls = call;
		return call;
	}
	call_answer(call, err);
	admin_call_free(call);
	return NULL;
}
