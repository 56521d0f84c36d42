#include "wire/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/secret.h"
#include "base/util.h"

/* Room for a largest message or two; the kernel's limit for the unprivileged is below that, so half
 * counts. */
enum { IPC_BUFFER = 512 * 1024 };

static void make_room(int fd)
{
	int size = IPC_BUFFER;

	/* The first needs CAP_NET_ADMIN; the second is cut to net.core.wmem_max, which by default
	 * still holds WIRE_MESSAGE_MAX. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
		errno = 0;
}

enum err ipc_pair(int ret_fds[2])
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return err_from_errno(errno);
	make_room(fds[0]);
	make_room(fds[1]);
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return OK;
}

static bool fd_allowed(const struct wire_type *type, bool present)
{
	if (present)
		return type->flags & (WIRE_HAS_FD | WIRE_MAY_FD);
	return !(type->flags & WIRE_HAS_FD);
}

static enum err send_bytes(int fd, const struct buf *buf, int pass_fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = buf->data, .iov_len = buf->len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t sent;

	if (pass_fd >= 0) {
		struct cmsghdr *header;

		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		header = CMSG_FIRSTHDR(&msg);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &pass_fd, sizeof(int));
	}
	do {
		sent = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == ENOBUFS ? ERR_UNAVAILABLE : err_from_errno(errno);
	return OK;
}

enum err ipc_send(int fd, uint16_t id, const void *msg, int pass_fd)
{
	const struct wire_type *type = wire_type(id);
	struct buf buf;
	enum err err;

	if (!type)
		return ERR_INTERNAL;
	if (!fd_allowed(type, pass_fd >= 0))
		return ERR_WRONG_STATE;
	buf_init(&buf, WIRE_MESSAGE_MAX);
	err = wire_encode(id, msg, &buf);
	if (!err)
		err = send_bytes(fd, &buf, pass_fd);
	if (type->flags & WIRE_SECRET)
		buf_wipe(&buf);
	buf_finish(&buf);
	return err;
}

/* Takes the one descriptor out of the control data; any more are closed and make the message
 * invalid. */
static bool take_fds(struct msghdr *msg, int *ret_fd)
{
	bool good = true;

	for (struct cmsghdr *header = CMSG_FIRSTHDR(msg); header;
	     header = CMSG_NXTHDR(msg, header)) {
		size_t count;

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
			if (*ret_fd < 0) {
				*ret_fd = fd;
			} else {
				close(fd);
				good = false;
			}
		}
	}
	return good;
}

static bool direction_fits(const struct wire_type *type, enum wire_role from, enum wire_role to)
{
	return type->from == from && (type->to == to || type->to == WIRE_ANY);
}

static enum err receive_bytes(int fd, struct ipc_received *received, bool *ret_good)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = received->data, .iov_len = sizeof(received->data) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control.room) };
	ssize_t got;

	do {
		got = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		/* A peer that closed with something unread leaves ECONNRESET, once, before what it
		 * sent last. */
	} while (got < 0 && (errno == EINTR || errno == ECONNRESET));
	if (got < 0)
		return err_from_errno(errno);
	received->len = (size_t)got;
	*ret_good = take_fds(&msg, &received->fd) && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
	/* Every message has an id, so nothing but the end of the stream is empty. */
	return got ? OK : ERR_CLOSED;
}

enum err ipc_receive(int fd, enum wire_role from, enum wire_role to, struct ipc_received *ret)
{
	bool good = false;
	enum err err;

	ret->type = NULL;
	ret->fd = -1;
	ret->len = 0;
	err = receive_bytes(fd, ret, &good);
	if (!err && (!good || wire_decode(ret->data, ret->len, &ret->type, &ret->msg) ||
		     !direction_fits(ret->type, from, to) || !fd_allowed(ret->type, ret->fd >= 0)))
		err = ERR_PROTOCOL;
	if (err)
		ipc_received_finish(ret);
	return err;
}

void ipc_received_finish(struct ipc_received *received)
{
	if (received->fd >= 0)
		close(received->fd);
	received->fd = -1;
	/* What could not be decoded may hold a secret just as well. */
	if (!received->type || received->type->flags & WIRE_SECRET)
		secret_wipe(received->data, received->len);
}
