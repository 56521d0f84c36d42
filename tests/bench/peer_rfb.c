#include <poll.h>
#include <pthread.h>
#include <rfb/rfbclient.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "base/util.h"
#include "peer.h"

enum { WHEEL_UP = 1 << 3, WHEEL_DOWN = 1 << 4, CHUNK = 4096, MESSAGE_MAX = 80 * 1024 * 1024 };

struct rfb {
	struct peer peer;
	rfbClient *client; /* owned, and its socket */
	bool frame;        /* a whole update with pixels came */
	bool changed;      /* pixels came since the last whole update */
	/* Behind websockify a thread carries bytes between the WebSocket and a socket pair, because
	 * libvncclient knows sockets only. */
	bool bridged;
	struct websocket ws;
	int bridge; /* the thread's end; shut down, so that it ends */
	pthread_t thread;
};

static char rfb_tag;

static struct rfb *rfb_of(const struct peer *peer)
{
	return container_of(peer, struct rfb, peer);
}

static void got_update(rfbClient *client, int x, int y, int width, int height)
{
	struct rfb *rfb = rfbClientGetClientData(client, &rfb_tag);
	(void)x;
	(void)y;
	rfb->changed |= width > 0 && height > 0;
}

static void finished_update(rfbClient *client)
{
	struct rfb *rfb = rfbClientGetClientData(client, &rfb_tag);
	rfb->frame |= rfb->changed;
	rfb->changed = false;
}

static bool write_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t done = send(fd, data, len, MSG_NOSIGNAL);
		if (done <= 0)
			return false;
		data += done;
		len -= (size_t)done;
	}
	return true;
}

static void *carry(void *arg)
{
	struct rfb *rfb = arg;
	struct buf _cleanup_buf_ message;
	buf_init(&message, MESSAGE_MAX);
	for (;;) {
		struct pollfd poll_on[2] = { { .fd = rfb->ws.fd, .events = POLLIN },
					     { .fd = rfb->bridge, .events = POLLIN } };
		bool ready = websocket_pending(&rfb->ws);
		if (poll(poll_on, 2, ready ? 0 : -1) < 0)
			break;
		if ((ready || poll_on[0].revents) &&
		    (websocket_receive(&rfb->ws, &message) ||
		     !write_all(rfb->bridge, message.data, message.len)))
			break;
		if (poll_on[1].revents) {
			uint8_t chunk[CHUNK];
			ssize_t got = read(rfb->bridge, chunk, sizeof(chunk));
			if (got <= 0 || websocket_send(&rfb->ws, chunk, (size_t)got))
				break;
		}
	}
	shutdown(rfb->bridge, SHUT_RDWR);
	return NULL;
}

static enum err open_bridge(struct rfb *rfb, const struct websocket_target *target, int *ret_fd)
{
	int pair[2];
	enum err err = websocket_open(&rfb->ws, target);
	if (err)
		return err;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return ERR_IO;
	rfb->bridge = pair[1];
	*ret_fd = pair[0];
	if (pthread_create(&rfb->thread, NULL, carry, rfb))
		return ERR_NOMEM;
	rfb->bridged = true;
	return OK;
}

static enum err rfb_step(struct peer *peer, bool *ret_frame)
{
	struct rfb *rfb = rfb_of(peer);
	rfb->frame = false;
	if (!HandleRFBServerMessage(rfb->client))
		return ERR_CLOSED;
	*ret_frame = rfb->frame;
	return OK;
}

static int rfb_fd(const struct peer *peer)
{
	return rfb_of(peer)->client->sock;
}

static bool rfb_pending(const struct peer *peer)
{
	return rfb_of(peer)->client->buffered > 0;
}

static enum err rfb_key(struct peer *peer, struct peer_key key)
{
	rfbClient *client = rfb_of(peer)->client;
	return SendKeyEvent(client, key.keysym, TRUE) && SendKeyEvent(client, key.keysym, FALSE)
		       ? OK
		       : ERR_CLOSED;
}

static enum err rfb_buttons(struct peer *peer, unsigned x, unsigned y, int buttons)
{
	rfbClient *client = rfb_of(peer)->client;
	return SendPointerEvent(client, (int)x, (int)y, buttons) &&
			       (!buttons || SendPointerEvent(client, (int)x, (int)y, 0))
		       ? OK
		       : ERR_CLOSED;
}

static enum err rfb_pointer(struct peer *peer, unsigned x, unsigned y, bool click)
{
	return rfb_buttons(peer, x, y, click);
}

static enum err rfb_wheel(struct peer *peer, unsigned x, unsigned y, int notches)
{
	enum err err = OK;
	for (int i = abs(notches); i && !err; i--)
		err = rfb_buttons(peer, x, y, notches > 0 ? WHEEL_DOWN : WHEEL_UP);
	return err;
}

static const uint32_t *rfb_pixels(const struct peer *peer, unsigned *ret_width,
				  unsigned *ret_height)
{
	const rfbClient *client = rfb_of(peer)->client;
	*ret_width = (unsigned)client->width;
	*ret_height = (unsigned)client->height;
	return (const uint32_t *)(const void *)client->frameBuffer;
}

static uint64_t rfb_received(const struct peer *peer)
{
	const struct rfb *rfb = rfb_of(peer);
	return peer_received(rfb->bridged ? rfb->ws.fd : rfb->client->sock);
}

static void rfb_free(struct peer *peer)
{
	struct rfb *rfb = rfb_of(peer);
	if (rfb->bridged) {
		shutdown(rfb->bridge, SHUT_RDWR);
		pthread_join(rfb->thread, NULL);
		close(rfb->bridge);
	}
	if (rfb->ws.in)
		websocket_finish(&rfb->ws);
	if (rfb->client) {
		free(rfb->client->frameBuffer);
		rfb->client->frameBuffer = NULL;
		rfbClientCleanup(rfb->client);
	}
	free(rfb);
}

static const struct peer_type rfb_type = {
	.fd = rfb_fd,
	.pending = rfb_pending,
	.step = rfb_step,
	.key = rfb_key,
	.pointer = rfb_pointer,
	.wheel = rfb_wheel,
	.pixels = rfb_pixels,
	.received = rfb_received,
	.free = rfb_free,
};

static void no_log(const char *format, ...)
{
	(void)format;
}

/* Quality 6 and compression 2 are noVNC's; they count for Tight only. */
static rfbClient *make_client(struct rfb *rfb, const char *encodings)
{
	rfbClient *client = rfbGetClient(8, 3, 4);
	if (!client)
		return NULL;
	rfbClientLog = no_log;
	rfbClientSetClientData(client, &rfb_tag, rfb);
	client->format.redShift = 16;
	client->format.greenShift = 8;
	client->format.blueShift = 0;
	client->appData.encodingsString = encodings;
	client->appData.compressLevel = 2;
	client->appData.qualityLevel = 6;
	client->appData.useRemoteCursor = TRUE;
	client->canHandleNewFBSize = TRUE;
	client->GotFrameBufferUpdate = got_update;
	client->FinishedFrameBufferUpdate = finished_update;
	return client;
}

static enum err start(rfbClient *client)
{
	if (!InitialiseRFBConnection(client))
		return ERR_PROTOCOL;
	client->width = client->si.framebufferWidth;
	client->height = client->si.framebufferHeight;
	client->updateRect.x = client->updateRect.y = 0; /* it is -1 at first: no requests */
	client->updateRect.w = client->width;
	client->updateRect.h = client->height;
	if (!client->MallocFrameBuffer(client) || !SetFormatAndEncodings(client) ||
	    !SendFramebufferUpdateRequest(client, 0, 0, client->width, client->height, FALSE))
		return ERR_PROTOCOL;
	return OK;
}

enum err rfb_open(const struct websocket_target *target, const char *encodings, struct peer **ret)
{
	struct rfb *rfb = calloc(1, sizeof(*rfb));
	if (!rfb)
		return ERR_NOMEM;
	rfb->peer.type = &rfb_type;
	rfb->client = make_client(rfb, encodings);
	int fd = -1;
	enum err err = rfb->client ? OK : ERR_NOMEM;
	if (!err && target->path)
		err = open_bridge(rfb, target, &fd);
	else if (!err && (fd = websocket_connect(target->port)) < 0)
		err = ERR_IO;
	if (!err) {
		rfb->client->sock = fd;
		err = start(rfb->client);
	}
	if (err) {
		rfb_free(&rfb->peer);
		return err;
	}
	*ret = &rfb->peer;
	return OK;
}
