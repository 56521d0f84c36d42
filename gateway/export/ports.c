#include "export/ports.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"

enum { SAY_EVERY_MS = 250, LAST_WORDS_MS = 5000 };

void ports_init(struct ports *ports, int control)
{
	ports->control = control;
	ports->source = ports->sink = -1;
	ports->sent = ports->said_ms = 0;
	ports->received.fd = -1;
	ports->received.len = 0;
	ports->received.type = NULL;
}

void ports_finish(struct ports *ports)
{
	ipc_received_finish(&ports->received);
	util_closep(&ports->control);
	util_closep(&ports->source);
	util_closep(&ports->sink);
}

/* Until fd is ready. A peer that has gone shows by POLLHUP, also where nothing is waited for; one
 * that is waited for may have said something before. */
static enum err wait_for(const struct ports *ports, int fd, short events)
{
	const int all[] = { ports->control, ports->source, ports->sink };
	struct pollfd polled[ARRAY_SIZE(all)];

	for (;;) {
		for (size_t i = 0; i < ARRAY_SIZE(all); i++)
			polled[i] = (struct pollfd){ all[i], all[i] == fd ? events : 0, 0 };
		if (poll(polled, ARRAY_SIZE(all), -1) < 0 && errno != EINTR)
			return err_from_errno(errno);
		for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
			if (polled[i].revents & events && all[i] == fd)
				return OK;
			if (polled[i].revents & (POLLHUP | POLLERR | POLLNVAL))
				return ERR_CLOSED;
		}
	}
}

static enum err receive(struct ports *ports, int fd, enum wire_role from, enum wire_role to)
{
	for (;;) {
		ipc_received_finish(&ports->received);
		enum err err = ipc_receive(fd, from, to, &ports->received);
		if (err == ERR_UNAVAILABLE)
			err = wait_for(ports, fd, POLLIN);
		else
			return err;
		if (err)
			return err;
	}
}

enum err ports_order(struct ports *ports, uint16_t wanted)
{
	enum err err = receive(ports, ports->control, WIRE_BROKER, WIRE_EXPORT);

	return !err && ports->received.type->id != wanted ? ERR_PROTOCOL : err;
}

enum err ports_hear(struct ports *ports)
{
	return receive(ports, ports->source, WIRE_VAULT, WIRE_PLAYER);
}

static enum err say(const struct ports *ports, int fd, uint16_t id, const void *msg)
{
	enum err err;

	while ((err = ipc_send(fd, id, msg, -1)) == ERR_UNAVAILABLE) {
		err = wait_for(ports, fd, POLLOUT);
		if (err)
			return err;
	}
	return err;
}

enum err ports_ask(struct ports *ports, uint16_t id, const void *msg)
{
	return say(ports, ports->source, id, msg);
}

enum err ports_write(struct ports *ports, const uint8_t *data, size_t len)
{
	enum err err = OK;

	while (!err && len) {
		const struct msg_export_data piece = {
			.offset = ports->sent,
			.data = { data, MIN(len, (size_t)PORTS_PIECE) },
		};
		err = say(ports, ports->sink, MSG_export_data, &piece);
		data += piece.data.len;
		len -= piece.data.len;
		ports->sent += piece.data.len;
	}
	return err;
}

enum err ports_progress(struct ports *ports, uint32_t permille, uint64_t at_us)
{
	const struct msg_export_progress progress = { permille, ports->sent };
	const struct msg_export_state state = { permille, at_us };
	const uint64_t now_ms = clock_mono_ms();

	if (ports->said_ms && now_ms - ports->said_ms < SAY_EVERY_MS)
		return OK;
	ports->said_ms = now_ms;
	/* Who started it may be busy: the next one says more. */
	enum err err = ipc_send(ports->control, MSG_export_progress, &progress, -1);
	if (err && err != ERR_UNAVAILABLE)
		return err;
	return say(ports, ports->sink, MSG_export_state, &state);
}

/* Whoever is still there gets it, but nobody is waited for as long as they like. */
static void say_last(int fd, uint16_t id, const void *msg)
{
	const uint64_t until_ms = clock_mono_ms() + LAST_WORDS_MS;

	while (fd >= 0 && ipc_send(fd, id, msg, -1) == ERR_UNAVAILABLE) {
		struct pollfd polled = { fd, POLLOUT, 0 };
		const uint64_t now_ms = clock_mono_ms();
		if (now_ms >= until_ms ||
		    (poll(&polled, 1, (int)(until_ms - now_ms)) < 0 && errno != EINTR))
			return;
	}
}

void ports_end(struct ports *ports, const struct msg_export_done *done)
{
	struct msg_export_end end = { .error = done->error, .bytes = done->bytes };

	memcpy(end.sha256, done->sha256, sizeof(end.sha256));
	say_last(ports->control, MSG_export_done, done);
	say_last(ports->sink, MSG_export_end, &end);
}
