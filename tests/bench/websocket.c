#include "websocket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"

enum { ROOM = 256 * 1024, HEAD_MAX = 14, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10, OP_BINARY = 2 };

int websocket_connect(unsigned port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		return -1;
	return util_take_fd(&fd);
}

static enum err secure(struct websocket *ws, const struct websocket_target *target)
{
	ws->tls = SSL_CTX_new(TLS_client_method());
	if (!ws->tls || !SSL_CTX_load_verify_locations(ws->tls, target->ca, NULL))
		return ERR_CRYPTO;
	SSL_CTX_set_verify(ws->tls, SSL_VERIFY_PEER, NULL);
	if (target->cert &&
	    (SSL_CTX_use_certificate_chain_file(ws->tls, target->cert) != 1 ||
	     SSL_CTX_use_PrivateKey_file(ws->tls, target->key, SSL_FILETYPE_PEM) != 1))
		return ERR_CRYPTO;
	ws->ssl = SSL_new(ws->tls);
	if (!ws->ssl || !SSL_set_tlsext_host_name(ws->ssl, "localhost") ||
	    !SSL_set1_host(ws->ssl, "localhost") || !SSL_set_fd(ws->ssl, ws->fd) ||
	    SSL_connect(ws->ssl) != 1)
		return ERR_CRYPTO;
	return OK;
}

static enum err fill(struct websocket *ws)
{
	if (ws->at) {
		memmove(ws->in, ws->in + ws->at, ws->end - ws->at);
		ws->end -= ws->at;
		ws->at = 0;
	}
	if (ws->end == ROOM)
		return ERR_TOO_BIG;
	int got = SSL_read(ws->ssl, ws->in + ws->end, (int)(ROOM - ws->end));
	if (got <= 0)
		return ERR_CLOSED;
	ws->end += (size_t)got;
	return OK;
}

static enum err need(struct websocket *ws, size_t len)
{
	while (ws->end - ws->at < len) {
		enum err err = fill(ws);
		if (err)
			return err;
	}
	return OK;
}

/* The key is not random: nobody but a proxy would mind, and there is none (RFC 6455 §4.1, 10.3). */
static enum err upgrade(struct websocket *ws, const struct websocket_target *target)
{
	struct buf request;
	buf_init(&request, 4096);
	enum err err = buf_printf(&request,
				  "GET %s HTTP/1.1\r\nHost: localhost:%u\r\nUpgrade: websocket\r\n"
				  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
				  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
				  "Origin: https://localhost:%u\r\n",
				  target->path, target->port, target->port);
	if (!err && target->protocol)
		err = buf_printf(&request, "Sec-WebSocket-Protocol: %s\r\n", target->protocol);
	if (!err && target->cookie)
		err = buf_printf(&request, "Cookie: %s\r\n", target->cookie);
	if (!err)
		err = buf_printf(&request, "\r\n");
	if (!err && SSL_write(ws->ssl, request.data, (int)request.len) <= 0)
		err = ERR_CLOSED;
	buf_finish(&request);
	const uint8_t *end = NULL;
	while (!err && !(end = memmem(ws->in, ws->end, "\r\n\r\n", 4)))
		err = fill(ws);
	if (err)
		return err;
	if (memcmp(ws->in, "HTTP/1.1 101", strlen("HTTP/1.1 101")) != 0) {
		fprintf(stderr, "upgrade refused: %.*s\n", (int)ws->end, (const char *)ws->in);
		return ERR_DENIED;
	}
	ws->at = (size_t)(end - ws->in) + 4;
	return OK;
}

enum err websocket_open(struct websocket *ws, const struct websocket_target *target)
{
	*ws = (struct websocket){ .fd = websocket_connect(target->port), .in = malloc(ROOM) };
	if (ws->fd < 0 || !ws->in) {
		perror("connect");
		return ERR_IO;
	}
	enum err err = secure(ws, target);
	return err ? err : upgrade(ws, target);
}

void websocket_finish(struct websocket *ws)
{
	SSL_free(ws->ssl);
	SSL_CTX_free(ws->tls);
	util_closep(&ws->fd);
	free(ws->in);
}

bool websocket_pending(const struct websocket *ws)
{
	return ws->at < ws->end || SSL_pending(ws->ssl) > 0;
}

/* Masked with zeros, which is a mask too and costs the measured side the same. */
static enum err send_frame(struct websocket *ws, unsigned opcode, const void *data, size_t len)
{
	uint8_t frame[HEAD_MAX + 4096] = { (uint8_t)(0x80 | opcode) };
	size_t at = 2;
	if (len > 4096)
		return ERR_TOO_BIG;
	if (len < 126) {
		frame[1] = (uint8_t)(0x80 | len);
	} else {
		frame[1] = 0x80 | 126;
		frame[at++] = (uint8_t)(len >> 8);
		frame[at++] = (uint8_t)len;
	}
	at += 4;
	if (len)
		memcpy(frame + at, data, len);
	return SSL_write(ws->ssl, frame, (int)(at + len)) > 0 ? OK : ERR_CLOSED;
}

enum err websocket_send(struct websocket *ws, const void *data, size_t len)
{
	return send_frame(ws, OP_BINARY, data, len);
}

/* Adds the payload; it may be longer than our buffer, so it is moved piece by piece. */
static enum err take(struct websocket *ws, size_t len, struct buf *message)
{
	while (len) {
		if (ws->at == ws->end) {
			enum err err = fill(ws);
			if (err)
				return err;
		}
		size_t part = MIN(len, ws->end - ws->at);
		enum err err = buf_add(message, ws->in + ws->at, part);
		if (err)
			return err;
		ws->at += part;
		len -= part;
	}
	return OK;
}

static enum err receive_head(struct websocket *ws, unsigned *ret_first, size_t *ret_len)
{
	enum err err = need(ws, 2);
	if (err)
		return err;
	unsigned first = ws->in[ws->at];
	size_t len = ws->in[ws->at + 1], extra = len == 127 ? 8 : len == 126 ? 2 : 0;
	if (len & 0x80)
		return ERR_PROTOCOL;
	err = need(ws, 2 + extra);
	if (err)
		return err;
	for (size_t i = 0; i < extra; i++)
		len = (i ? len << 8 : 0) | ws->in[ws->at + 2 + i];
	ws->at += 2 + extra;
	*ret_first = first;
	*ret_len = len;
	return OK;
}

enum err websocket_receive(struct websocket *ws, struct buf *message)
{
	unsigned first = 0;
	buf_clear(message);
	do {
		size_t len, before = message->len;
		enum err err = receive_head(ws, &first, &len);
		if (!err)
			err = take(ws, len, message);
		if (err)
			return err;
		unsigned opcode = first & 15;
		if (opcode == OP_CLOSE)
			return ERR_CLOSED;
		if (opcode == OP_PING || opcode == OP_PONG) {
			if (opcode == OP_PING)
				err = send_frame(ws, OP_PONG, message->data + before, len);
			if (err)
				return err;
			message->len = before;
			/* Who waits for commands too must not wait here for a message. */
			if (!before)
				return OK;
			first = 0;
		}
	} while (!(first & 0x80));
	return OK;
}
