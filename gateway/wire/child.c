#include "wire/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/util.h"
#include "wire/enums.h"

enum { CHILD_WAIT_MS = 10000, CHILD_EXIT_START = 2 };

/* A message that came while waiting for another one. */
struct child_stored {
	struct child_stored *next;
	int fd; /* owned */
	size_t len;
	uint8_t data[];
};

static enum wire_role child_role;
static struct child_stored *child_stored;

static bool is_channel(int fd)
{
	int type;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

/* One line for a person: this happens before anything else works. */
static void must_have_monitor(const char *name, int argc)
{
	if (argc == 2 && is_channel(CHILD_MONITOR_FD))
		return;
	fprintf(stderr,
		"sekisho-%s: this program is started by sekishod only; run: sekishod <settings "
		"file> / "
		"このプログラムは sekishod から起動されます。sekishod <設定ファイル> "
		"を実行してください\n",
		name);
	exit(CHILD_EXIT_START);
}

static void ignore_sigpipe(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
}

void child_start(struct child *child, enum wire_role role, const char *name, int argc, char **argv)
{
	struct config_error error;
	enum err err;
	int len;

	must_have_monitor(name, argc);
	log_init(NULL, LOG_LEVEL_INFO); /* the monitor adds role and pid */
	ignore_sigpipe();
	err = sandbox_harden();
	if (err) {
		log_error("start-harden", "error=%s", err_code(err));
		exit(CHILD_EXIT_START);
	}
	*child = (struct child){ .role = role };
	if (settings_read(argv[1], &child->settings, &error)) {
		log_error("start-settings", "where=%s error=%s error_ja=%s", log_quote(error.where),
			  log_quote(error.en), log_quote(error.ja));
		exit(CHILD_EXIT_START);
	}
	len = snprintf(child->state_dir, sizeof(child->state_dir), "%s/%s",
		       child->settings.gateway_state_dir, name);
	if (len < 0 || (size_t)len >= sizeof(child->state_dir) ||
	    fcntl(CHILD_MONITOR_FD, F_SETFD, FD_CLOEXEC) < 0) {
		log_error("start-failed", "error=\"%s\"", strerror(errno));
		exit(CHILD_EXIT_START);
	}
	child_role = role;
}

/* ---- waiting ---------------------------------------------------------------------------- */

struct wanted {
	uint16_t id; /* MSG_link, MSG_listener or MSG_file */
	unsigned number;
};

static bool is_wanted(const struct wanted *wanted, const struct wire_type *type,
		      const union wire_any *msg)
{
	if (type->id != wanted->id)
		return false;
	switch (type->id) {
	case MSG_link:
		return wanted->number == msg->link.peer;
	case MSG_listener:
		return wanted->number == msg->listener.kind;
	default:
		return wanted->number == msg->file.kind;
	}
}

static bool take_stored(const struct wanted *wanted, int *ret_fd)
{
	for (struct child_stored **at = &child_stored; *at; at = &(*at)->next) {
		struct child_stored *stored = *at;
		const struct wire_type *type;
		union wire_any msg;
		if (wire_decode(stored->data, stored->len, &type, &msg) ||
		    !is_wanted(wanted, type, &msg))
			continue;
		*ret_fd = stored->fd;
		*at = stored->next;
		free(stored);
		return true;
	}
	return false;
}

static enum err store(struct ipc_received *received)
{
	struct child_stored **end = &child_stored;
	struct child_stored *stored = malloc(sizeof(*stored) + received->len);

	if (!stored)
		return ERR_NOMEM;
	*stored = (struct child_stored){ .fd = util_take_fd(&received->fd), .len = received->len };
	memcpy(stored->data, received->data, received->len);
	while (*end)
		end = &(*end)->next;
	*end = stored;
	return OK;
}

/* ERR_UNAVAILABLE: nothing came, or something else that is stored now. */
static enum err receive_wanted(const struct wanted *wanted, int *ret_fd)
{
	struct ipc_received received;
	enum err err = ipc_receive(CHILD_MONITOR_FD, WIRE_MONITOR, child_role, &received);

	if (err)
		return err;
	if (is_wanted(wanted, received.type, &received.msg)) {
		*ret_fd = util_take_fd(&received.fd);
	} else {
		err = store(&received);
		if (!err)
			err = ERR_UNAVAILABLE;
	}
	ipc_received_finish(&received);
	return err;
}

static enum err wait_wanted(const struct wanted *wanted, int *ret_fd)
{
	uint64_t until = clock_mono_ms() + CHILD_WAIT_MS;

	if (take_stored(wanted, ret_fd))
		return OK;
	for (;;) {
		struct pollfd poll_fd = { .fd = CHILD_MONITOR_FD, .events = POLLIN };
		uint64_t now = clock_mono_ms();
		enum err err;
		if (now >= until)
			return ERR_TIMEOUT;
		if (poll(&poll_fd, 1, (int)(until - now)) < 0 && errno != EINTR)
			return err_from_errno(errno);
		err = receive_wanted(wanted, ret_fd);
		if (err != ERR_UNAVAILABLE)
			return err;
	}
}

enum err child_wait_link(enum wire_role peer, int *ret_fd)
{
	return wait_wanted(&(struct wanted){ MSG_link, peer }, ret_fd);
}

enum err child_wait_listener(unsigned kind, int *ret_fd)
{
	return wait_wanted(&(struct wanted){ MSG_listener, kind }, ret_fd);
}

enum err child_wait_file(unsigned kind, int *ret_fd)
{
	return wait_wanted(&(struct wanted){ MSG_file, kind }, ret_fd);
}

enum err child_channel(const struct child *child, struct loop *loop, const struct channel_ops *ops,
		       void *ctx, struct channel **ret)
{
	enum err err =
		channel_new(loop, CHILD_MONITOR_FD, child->role, WIRE_MONITOR, ops, ctx, ret);

	if (err)
		return err;
	while (child_stored) {
		struct child_stored *stored = child_stored;
		const struct wire_type *type;
		union wire_any msg;
		child_stored = stored->next;
		/* It was decoded once already when it came. */
		err = wire_decode(stored->data, stored->len, &type, &msg);
		if (!err)
			ops->message(ctx, *ret, type, &msg, stored->fd);
		free(stored);
	}
	return err;
}
