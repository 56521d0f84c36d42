#include "broker/reply.h"

#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/util.h"
#include "broker/broker.h"

enum { REPLY_BODY_MAX = 96 * 1024, REPLY_OK = 200, REPLY_CONFLICT = 409 };

void reply_text_free(char *text)
{
	json_free_t release;

	if (!text)
		return;
	secret_wipe(text, strlen(text));
	json_get_alloc_funcs(NULL, &release);
	release(text);
}

/* request is set here. */
static void reply_send(struct broker *broker, const struct reply_to *to, struct msg_reply reply,
		       int pass_fd)
{
	_cleanup_close_ int fd = pass_fd;
	enum err err;

	if (!broker->edge || to->generation != broker->edge_generation)
		return;
	reply.request = to->request;
	err = channel_send(broker->edge, MSG_reply, &reply, util_take_fd(&fd));
	if (err)
		log_warn("reply-failed", "request=%u error=%s", to->request, err_code(err));
}

static void reply_send_json(struct broker *broker, const struct reply_to *to,
			    struct msg_reply reply, json_t *body, int pass_fd)
{
	static const char nomem[] = "{\"error\":\"nomem\"}",
			  internal[] = "{\"error\":\"internal\"}";
	_cleanup_close_ int fd = pass_fd;
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	if (!text)
		reply = (struct msg_reply){ .status = (uint16_t)err_status(ERR_NOMEM),
					    .body = { (const uint8_t *)nomem, sizeof(nomem) - 1 } };
	else if (strlen(text) > REPLY_BODY_MAX)
		reply = (struct msg_reply){ .status = (uint16_t)err_status(ERR_INTERNAL),
					    .body = { (const uint8_t *)internal,
						      sizeof(internal) - 1 } };
	else
		reply.body = (struct bytes){ (const uint8_t *)text, strlen(text) };
	reply_send(broker, to, reply,
		   reply.body.data == (const uint8_t *)text ? util_take_fd(&fd) : -1);
	reply_text_free(text);
}

void reply_json(struct broker *broker, const struct reply_to *to, unsigned status,
		const char *cookie, json_t *body)
{
	const struct msg_reply reply = { .status = (uint16_t)status, .cookie = cookie };

	reply_send_json(broker, to, reply, body, -1);
}

void reply_json_later(struct broker *broker, const struct reply_to *to, unsigned status,
		      uint32_t retry_s, json_t *body)
{
	const struct msg_reply reply = { .status = (uint16_t)status, .retry_s = retry_s };

	if (retry_s && body && json_object_set_new(body, "retry_s", json_integer(retry_s))) {
		json_decref(body);
		body = NULL;
	}
	reply_send_json(broker, to, reply, body, -1);
}

void reply_body(struct broker *broker, const struct reply_to *to, unsigned status,
		enum body_kind kind, struct bytes body)
{
	const struct msg_reply reply = { .status = (uint16_t)status,
					 .kind = (uint8_t)kind,
					 .body = body };

	reply_send(broker, to, reply, -1);
}

void reply_error(struct broker *broker, const struct reply_to *to, enum err err)
{
	reply_json(broker, to, (unsigned)err_status(err), "",
		   json_pack("{s:s}", "error", err_code(err)));
}

void reply_error_field(struct broker *broker, const struct reply_to *to, enum err err,
		       const char *field)
{
	reply_json(broker, to, (unsigned)err_status(err), "",
		   json_pack("{s:s, s:s}", "error", err_code(err), "field", field));
}

void reply_throttled(struct broker *broker, const struct reply_to *to, int64_t wait_ms)
{
	reply_json_later(broker, to, (unsigned)err_status(ERR_THROTTLED),
			 (uint32_t)((wait_ms + 999) / 1000),
			 json_pack("{s:s}", "error", err_code(ERR_THROTTLED)));
}

void reply_credentials(struct broker *broker, const struct reply_to *to)
{
	reply_json(broker, to, REPLY_CONFLICT, "", json_pack("{s:s}", "error", "credentials"));
}

void reply_fd(struct broker *broker, const struct reply_to *to, json_t *body, int fd)
{
	const struct msg_reply reply = { .status = REPLY_OK };

	reply_send_json(broker, to, reply, body, fd);
}
