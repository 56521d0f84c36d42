#include "worker/start.h"

#include <string.h>

#include "base/util.h"

enum { PIN_LEN = 32, MOST_CONNECT_S = 60 };

static bool makes_sense(const struct msg_session_start *msg)
{
	bool pin = msg->pin.len == 0 || msg->pin.len == PIN_LEN;
	return pin && msg->security <= SECURITY_NONE && *msg->address && msg->port;
}

static enum err encode(const struct msg_session_start *msg, struct secret **ret)
{
	struct buf buf;
	buf_init(&buf, WIRE_MESSAGE_MAX);
	enum err err = wire_encode(MSG_session_start, msg, &buf);
	if (!err)
		err = secret_new(buf.data, buf.len, ret);
	buf_wipe(&buf);
	buf_finish(&buf);
	return err;
}

enum err start_keep(struct start *start, enum protocol protocol,
		    const struct msg_session_start *msg)
{
	_cleanup_secret_ struct secret *data = NULL;
	const struct wire_type *type;
	union wire_any any;
	if (msg->protocol != protocol || !makes_sense(msg))
		return ERR_PROTOCOL;
	enum err err = encode(msg, &data);
	if (!err)
		err = wire_decode(secret_data(data), secret_len(data), &type, &any);
	if (err)
		return err;
	start->msg = any.session_start;
	start->data = util_take_ptr(data);
	return OK;
}

void start_remote_config(const struct start *start, struct remote_config *ret)
{
	const struct msg_session_start *msg = &start->msg;
	*ret = (struct remote_config){
		.address = msg->address,
		.port = msg->port,
		.security = (enum security)msg->security,
		.user = msg->user,
		.password = msg->password,
		.domain = msg->domain,
		.pin = msg->pin.len == PIN_LEN ? msg->pin.data : NULL,
		.tls_ca = msg->tls_ca.len ? msg->tls_ca.data : NULL,
		.tls_ca_len = msg->tls_ca.len,
		.width = MAX(MIN((unsigned)msg->width, (unsigned)REMOTE_MAX_WIDTH),
			     (unsigned)REMOTE_MIN_SIZE) &
			 ~1u,
		.height = MAX(MIN((unsigned)msg->height, (unsigned)REMOTE_MAX_HEIGHT),
			      (unsigned)REMOTE_MIN_SIZE),
		.layout = msg->layout,
		.audio = start_audio(start),
		.video = msg->video == 1,
		.connect_s = MAX(MIN((unsigned)msg->connect_s, (unsigned)MOST_CONNECT_S), 1u),
	};
}

bool start_audio(const struct start *start)
{
	return start->msg.audio == 1 && start->msg.protocol == PROTOCOL_RDP;
}

void start_wipe(struct start *start)
{
	/* The message lies in start->data: only the password is a secret, and it is a part of that.
	 */
	if (start->data && start->msg.password && *start->msg.password)
		secret_wipe((char *)(uintptr_t)start->msg.password, strlen(start->msg.password));
}

void start_finish(struct start *start)
{
	secret_free(start->data);
	*start = (struct start){ 0 };
}
