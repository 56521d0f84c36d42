#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/util.h"
#include "export/picture.h"
#include "peer.h"
#include "wire/enums.h"

enum { VERSION = 3, MESSAGE_MAX = 80 * 1024 * 1024, NOTCH = 120 };

struct gateway {
	struct peer peer;
	struct websocket ws;
	struct buf packet, message;
	struct picture picture;
};

uint64_t peer_received(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ? 0 : info.tcpi_bytes_received;
}

static struct gateway *gateway_of(const struct peer *peer)
{
	return container_of(peer, struct gateway, peer);
}

static enum err say(struct gateway *gateway, uint16_t id, const void *msg)
{
	struct buf _cleanup_buf_ out;
	buf_init(&out, 4096);
	enum err err = wire_encode(id, msg, &out);
	return err ? err : websocket_send(&gateway->ws, out.data, out.len);
}

static enum err take_frame(struct gateway *gateway, const struct msg_frame *frame)
{
	uint64_t begin = clock_mono_us();
	enum err err = picture_apply(&gateway->picture, frame);
	if (err)
		return err;
	struct msg_ack ack = { .sequence = frame->sequence,
			       .decode_us = (uint32_t)(clock_mono_us() - begin) };
	return say(gateway, MSG_ack, &ack);
}

static enum err gateway_step(struct peer *peer, bool *ret_frame)
{
	struct gateway *gateway = gateway_of(peer);
	enum err err = websocket_receive(&gateway->ws, &gateway->packet);
	*ret_frame = false;
	if (err || !gateway->packet.len)
		return err;
	err = buf_add(&gateway->message, gateway->packet.data + 1, gateway->packet.len - 1);
	if (err || gateway->packet.data[0])
		return err;
	const struct wire_type *type;
	union wire_any any;
	err = wire_decode(gateway->message.data, gateway->message.len, &type, &any);
	if (!err && type->id == MSG_frame) {
		err = take_frame(gateway, &any.frame);
		*ret_frame = true;
	} else if (!err && type->id == MSG_status && any.status.reason) {
		fprintf(stderr, "session ended: reason %d\n", any.status.reason);
	}
	buf_clear(&gateway->message);
	return err;
}

static int gateway_fd(const struct peer *peer)
{
	return gateway_of(peer)->ws.fd;
}

static bool gateway_pending(const struct peer *peer)
{
	return websocket_pending(&gateway_of(peer)->ws);
}

static enum err gateway_key(struct peer *peer, struct peer_key key)
{
	struct msg_key msg = { .keysym = key.keysym, .scancode = key.scancode, .down = 1 };
	enum err err = say(gateway_of(peer), MSG_key, &msg);
	msg.down = 0;
	return err ? err : say(gateway_of(peer), MSG_key, &msg);
}

static enum err gateway_pointer(struct peer *peer, unsigned x, unsigned y, bool click)
{
	struct msg_pointer msg = { .x = (uint16_t)x, .y = (uint16_t)y, .buttons = click };
	enum err err = say(gateway_of(peer), MSG_pointer, &msg);
	msg.buttons = 0;
	return err || !click ? err : say(gateway_of(peer), MSG_pointer, &msg);
}

static enum err gateway_wheel(struct peer *peer, unsigned x, unsigned y, int notches)
{
	struct msg_pointer msg = { .x = (uint16_t)x,
				   .y = (uint16_t)y,
				   .wheel_y = (int16_t)(notches * NOTCH) };
	return say(gateway_of(peer), MSG_pointer, &msg);
}

static const uint32_t *gateway_pixels(const struct peer *peer, unsigned *ret_width,
				      unsigned *ret_height)
{
	const struct picture *picture = &gateway_of(peer)->picture;
	*ret_width = picture->width;
	*ret_height = picture->height;
	return picture->pixels;
}

static uint64_t gateway_received(const struct peer *peer)
{
	return peer_received(gateway_of(peer)->ws.fd);
}

static void gateway_free(struct peer *peer)
{
	struct gateway *gateway = gateway_of(peer);
	websocket_finish(&gateway->ws);
	buf_finish(&gateway->packet);
	buf_finish(&gateway->message);
	picture_finish(&gateway->picture);
	free(gateway);
}

static const struct peer_type gateway_type = {
	.fd = gateway_fd,
	.pending = gateway_pending,
	.step = gateway_step,
	.key = gateway_key,
	.pointer = gateway_pointer,
	.wheel = gateway_wheel,
	.pixels = gateway_pixels,
	.received = gateway_received,
	.free = gateway_free,
};

enum err gateway_open(const struct websocket_target *target, struct peer **ret)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	if (!gateway)
		return ERR_NOMEM;
	gateway->peer.type = &gateway_type;
	buf_init(&gateway->packet, MESSAGE_MAX);
	buf_init(&gateway->message, MESSAGE_MAX);
	/* Bits of enum codec. */
	const char *codecs = getenv("BENCH_CODECS");
	const char *exact = getenv("BENCH_EXACT");
	int all = CODEC_JPEG | CODEC_H264 | CODEC_AVC420;
	struct msg_viewer_hello hello = {
		.version = VERSION,
		.width = 1920,
		.height = 1080,
		.codecs = (uint16_t)(exact && *exact ? 0
				     : codecs        ? atoi(codecs)
						     : all),
	};
	enum err err = websocket_open(&gateway->ws, target);
	if (!err)
		err = say(gateway, MSG_viewer_hello, &hello);
	if (err) {
		gateway_free(&gateway->peer);
		return err;
	}
	*ret = &gateway->peer;
	return OK;
}
