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

static void reply_send(struct broker *broker, const struct reply_to *to, unsigned status,
		       const char *cookie, const char *body, int pass_fd)
{
	_cleanup_close_ int fd = pass_fd;
	const struct msg_reply reply = {
		.request = to->request,
		.status = (uint16_t)status,
		.cookie = cookie,
		.body = { (const uint8_t *)body, strlen(body) },
	};
	enum err err;

	if (!broker->edge || to->generation != broker->edge_generation)
		return;
	err = channel_send(broker->edge, MSG_reply, &reply, util_take_fd(&fd));
	if (err)
		log_warn("reply-failed", "request=%u error=%s", to->request, err_code(err));
}

static void reply_send_json(struct broker *broker, const struct reply_to *to, unsigned status,
			    const char *cookie, json_t *body, int pass_fd)
{
	_cleanup_close_ int fd = pass_fd;
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	if (!text)
		reply_send(broker, to, (unsigned)err_status(ERR_NOMEM), "", "{\"error\":\"nomem\"}",
			   -1);
	else if (strlen(text) > REPLY_BODY_MAX)
		reply_send(broker, to, (unsigned)err_status(ERR_INTERNAL), "",
			   "{\"error\":\"internal\"}", -1);
	else
		reply_send(broker, to, status, cookie, text, util_take_fd(&fd));
	reply_text_free(text);
}

void reply_json(struct broker *broker, const struct reply_to *to, unsigned status,
		const char *cookie, json_t *body)
{
	reply_send_json(broker, to, status, cookie, body, -1);
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
	reply_json(broker, to, (unsigned)err_status(ERR_THROTTLED), "",
		   json_pack("{s:s, s:I}", "error", err_code(ERR_THROTTLED), "retry_s",
			     (json_int_t)((wait_ms + 999) / 1000)));
}

void reply_credentials(struct broker *broker, const struct reply_to *to)
{
	reply_json(broker, to, REPLY_CONFLICT, "", json_pack("{s:s}", "error", "credentials"));
}

void reply_fd(struct broker *broker, const struct reply_to *to, json_t *body, int fd)
{
	reply_send_json(broker, to, REPLY_OK, "", body, fd);
}
