#include "cli/admin.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/util.h"
#include "wire/ipc.h"

static enum err admin_connect(const char *runtime_dir, unsigned timeout_ms, int *ret_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	/* While no broker accepts, a full queue would hold connect() for ever. */
	struct timeval patience = { .tv_sec = timeout_ms / 1000,
				    .tv_usec = timeout_ms % 1000 * 1000 };
	int size = WIRE_MESSAGE_MAX;
	int len =
		snprintf(address.sun_path, sizeof(address.sun_path), "%s/admin.sock", runtime_dir);

	if (len < 0 || (size_t)len >= sizeof(address.sun_path))
		return ERR_TOO_BIG;
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_from_errno(errno);
	/* One message of the largest size must fit. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == EACCES || errno == EPERM)
			return ERR_DENIED;
		if (errno == EAGAIN)
			return ERR_TIMEOUT;
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE;
	}
	*ret_fd = util_take_fd(&fd);
	return OK;
}

static enum err wait_for(int fd, short events, uint64_t until_ms)
{
	for (;;) {
		struct pollfd poll_fd = { .fd = fd, .events = events };
		uint64_t now = clock_mono_ms();
		if (now >= until_ms)
			return ERR_TIMEOUT;
		int ready = poll(&poll_fd, 1, (int)(until_ms - now));
		if (ready > 0)
			return OK;
		if (ready < 0 && errno != EINTR)
			return err_from_errno(errno);
	}
}

static enum err parse_reply(const struct ipc_received *received, unsigned *ret_status,
			    json_t **ret_body)
{
	const struct msg_admin_reply *reply = &received->msg.admin_reply;
	json_t *body;

	if (received->type->id != MSG_admin_reply)
		return ERR_PROTOCOL;
	body = reply->body.len ? json_loadb((const char *)reply->body.data, reply->body.len,
					    JSON_REJECT_DUPLICATES, NULL)
			       : json_object();
	if (!json_is_object(body)) {
		json_decref(body);
		return ERR_PROTOCOL;
	}
	*ret_status = reply->status;
	*ret_body = body;
	return OK;
}

static enum err receive_reply(int fd, uint64_t until_ms, unsigned *ret_status, json_t **ret_body)
{
	_cleanup_free_ struct ipc_received *received = malloc(sizeof(*received));
	enum err err;

	if (!received)
		return ERR_NOMEM;
	do {
		err = wait_for(fd, POLLIN, until_ms);
		if (!err)
			err = ipc_receive(fd, WIRE_BROKER, WIRE_ADMIN, received);
	} while (err == ERR_UNAVAILABLE);
	if (err)
		return err;
	err = parse_reply(received, ret_status, ret_body);
	ipc_received_finish(received);
	return err;
}

static enum err send_request(int fd, const char *command, const char *arguments, uint64_t until_ms)
{
	const struct msg_admin msg = {
		.command = command,
		.arguments = { (const uint8_t *)arguments, strlen(arguments) },
	};
	enum err err;

	do {
		err = wait_for(fd, POLLOUT, until_ms);
		if (!err)
			err = ipc_send(fd, MSG_admin, &msg, -1);
	} while (err == ERR_UNAVAILABLE);
	return err;
}

enum err admin_call(const char *runtime_dir, const char *command, const json_t *arguments,
		    unsigned timeout_ms, unsigned *ret_status, json_t **ret_body)
{
	uint64_t until_ms = clock_mono_ms() + timeout_ms;
	_cleanup_close_ int fd = -1;
	enum err err = admin_connect(runtime_dir, timeout_ms, &fd);

	if (err)
		return err;
	char *text = json_dumps(arguments, JSON_COMPACT);
	if (!text)
		return ERR_NOMEM;
	err = send_request(fd, command, text, until_ms);
	secret_wipe(text, strlen(text));
	free(text);
	return err ? err : receive_reply(fd, until_ms, ret_status, ret_body);
}
