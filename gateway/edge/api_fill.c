#include <string.h>

#include "base/util.h"
#include "edge/api.h"
#include "edge/api_field.h"
#include "wire/enums.h"

/* jansson recurses 2,048 levels deep; nothing we read has more than API_DEPTH_MAX. */
static bool too_deep(const char *text, size_t len)
{
	bool in_string = false;
	unsigned depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (in_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				in_string = false;
		} else if (text[i] == '"') {
			in_string = true;
		} else if (text[i] == '{' || text[i] == '[') {
			if (++depth > API_DEPTH_MAX)
				return true;
		} else if ((text[i] == '}' || text[i] == ']') && depth) {
			depth--;
		}
	}
	return false;
}

static enum err take_number(const struct api_field *field, const json_t *value, uint8_t *place)
{
	json_int_t number;

	if (!json_is_integer(value))
		return ERR_INVALID;
	number = json_integer_value(value);
	if (number < field->min || number > field->max)
		return ERR_INVALID;
	if (field->type == FIELD_U16)
		*(uint16_t *)(void *)place = (uint16_t)number;
	else
		*(uint64_t *)(void *)place = (uint64_t)number;
	return OK;
}

static enum err take_string(const struct api_field *field, const json_t *value, uint8_t *place)
{
	size_t len;

	if (!json_is_string(value))
		return ERR_INVALID;
	len = json_string_length(value);
	if (len < (size_t)field->min || len > (size_t)field->max)
		return ERR_INVALID;
	if (field->type == FIELD_BYTES)
		*(struct bytes *)(void *)place =
			(struct bytes){ (const uint8_t *)json_string_value(value), len };
	else
		*(const char **)(void *)place = json_string_value(value);
	return OK;
}

/* Keyboard layouts go as Windows names them (KLID). */
static enum err take_layout(const json_t *value, uint8_t *place)
{
	const char *name = json_string_value(value);
	uint32_t layout;

	if (name && util_streq(name, "ja"))
		layout = 0x411;
	else if (name && util_streq(name, "us"))
		layout = 0x409;
	else
		return ERR_INVALID;
	*(uint32_t *)(void *)place = layout;
	return OK;
}

/* Where a device says that its key lies; a file that we make needs no saying. */
static enum err take_place(const json_t *value, uint8_t *place)
{
	const char *name = json_string_value(value);
	enum key_place found;

	if (!name || key_place_parse(name, &found) || found == KEY_PKCS12)
		return ERR_INVALID;
	*place = (uint8_t)found;
	return OK;
}

static enum err take_object(const struct api_field *fields, const json_t *object,
			    union wire_any *msg, const char **ret_field);

static enum err take_field(const struct api_field *field, const json_t *value, union wire_any *msg,
			   const char **ret_field)
{
	uint8_t *place = (uint8_t *)msg + field->offset;

	*ret_field = field->name;
	switch (field->type) {
	case FIELD_STRING:
	case FIELD_BYTES:
		return take_string(field, value, place);
	case FIELD_U16:
	case FIELD_U64:
		return take_number(field, value, place);
	case FIELD_BOOL:
		if (!json_is_boolean(value))
			return ERR_INVALID;
		*place = json_is_true(value);
		return OK;
	case FIELD_LAYOUT:
		return take_layout(value, place);
	case FIELD_PLACE:
		return take_place(value, place);
	case FIELD_OBJECT:
		return take_object(field->fields, value, msg, ret_field);
	case FIELD_WHOLE:
		break;
	}
	return ERR_INTERNAL;
}

static enum err take_object(const struct api_field *fields, const json_t *object,
			    union wire_any *msg, const char **ret_field)
{
	size_t known = 0;

	if (!json_is_object(object))
		return ERR_INVALID;
	for (const struct api_field *field = fields; field->name; field++) {
		const json_t *value = json_object_get(object, field->name);
		enum err err;

		if (!value && field->optional)
			continue;
		*ret_field = field->name;
		if (!value)
			return ERR_INVALID;
		err = take_field(field, value, msg, ret_field);
		if (err)
			return err;
		known++;
	}
	*ret_field = "body";
	return known == json_object_size(object) ? OK : ERR_INVALID;
}

static void fill_head(const struct route *route, const struct route_params *params,
		      const struct api_head *head, union wire_any *msg)
{
	uint8_t *param = (uint8_t *)msg + route->param_offset;

	memcpy(msg->me.device, head->device, sizeof(msg->me.device));
	msg->me.address = head->address;
	msg->me.token = head->token;
	if (route->message == MSG_admin_look)
		msg->admin_look.command = params->command;
	else if (route->message == MSG_admin_order)
		msg->admin_order.command = params->command;
	else if (route->message == MSG_record_ask)
		msg->record_ask.op = params->operation;
	if (route->message == MSG_est_simpleenroll) {
		msg->est_simpleenroll.user = head->user;
		msg->est_simpleenroll.code = head->code;
	}
	if (!route->param_offset)
		return;
	if (route->kind == ROUTE_LIST || strstr(route->pattern, "{host}") ||
	    strstr(route->pattern, "{after}") || strstr(route->pattern, "{size}") ||
	    strstr(route->pattern, "{filter}"))
		memcpy(param, &params->number, sizeof(params->number));
	else
		memcpy(param, params->session, sizeof(params->session));
}

static enum err take_whole(const struct api_field *field, const char *body, size_t len,
			   union wire_any *msg, const char **ret_field)
{
	uint8_t *place = (uint8_t *)msg + field->offset;

	*ret_field = field->name;
	if (len > (size_t)field->max)
		return ERR_TOO_BIG;
	if (len < (size_t)field->min)
		return ERR_INVALID;
	*(struct bytes *)(void *)place = (struct bytes){ (const uint8_t *)body, len };
	return OK;
}

static enum err parse(const char *body, size_t len, json_t **ret)
{
	if (too_deep(body, len))
		return ERR_INVALID;
	*ret = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	return *ret ? OK : ERR_INVALID;
}

/* GET has no body; an absent one stands for {} where no field is needed. */
static enum err take_json(const struct route *route, const char *body, size_t len,
			  struct api_call *call, const char **ret_field)
{
	const struct api_field *fields = route->fields;
	bool whole = fields->name && fields->type == FIELD_WHOLE;
	enum err err;

	if (!len) {
		*ret_field = fields->name && !whole ? fields->name : "body";
		return fields->name ? ERR_INVALID : OK;
	}
	err = route->method == METHOD_GET ? ERR_INVALID : parse(body, len, &call->body);
	if (err)
		return err;
	if (!whole)
		return take_object(fields, call->body, &call->msg, ret_field);
	return json_is_object(call->body) ? take_whole(fields, body, len, &call->msg, ret_field)
					  : ERR_INVALID;
}

size_t api_body_max(const struct route *route)
{
	return route->message == MSG_record_ask ? API_RECORD_MAX : API_BODY_MAX;
}

enum err api_fill(const struct route *route, const struct route_params *params,
		  const struct api_head *head, const char *body, size_t len,
		  struct api_call *ret_call, const char **ret_field)
{
	struct api_call call = { 0 };
	enum err err;

	*ret_field = "body";
	if (len > api_body_max(route))
		return ERR_TOO_BIG;
	fill_head(route, params, head, &call.msg);
	if (route->kind != ROUTE_EST && route->kind != ROUTE_OCSP)
		err = take_json(route, body, len, &call, ret_field);
	else if (route->fields->name)
		err = take_whole(route->fields, body, len, &call.msg, ret_field);
	else
		err = len ? ERR_INVALID : OK;
	if (err) {
		json_decref(call.body);
		return err;
	}
	*ret_call = call;
	return OK;
}

void api_call_finish(struct api_call *call)
{
	json_decref(call->body);
	memset(call, 0, sizeof(*call));
}
