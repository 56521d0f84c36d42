#include "edge/refused.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static void let_go(struct kept_open *kept)
{
	if (kept->fd >= 0)
		close(kept->fd);
	kept->fd = -1;
}

void refused_init(struct refused *refused)
{
	for (size_t i = 0; i < REFUSED_MAX; i++)
		refused->kept[i].fd = -1;
	refused->next = 0;
}

void refused_finish(struct refused *refused)
{
	for (size_t i = 0; i < REFUSED_MAX; i++)
		let_go(&refused->kept[i]);
}

void refused_keep(struct refused *refused, int fd, uint64_t now_ms)
{
	struct kept_open *kept = &refused->kept[refused->next];
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0) {
		log_debug("refused-not-kept", "error=\"%s\"", strerror(errno));
		return;
	}
	let_go(kept);
	*kept = (struct kept_open){ .fd = copy, .until_ms = now_ms + REFUSED_MS };
	refused->next = (refused->next + 1) % REFUSED_MAX;
}

void refused_tick(struct refused *refused, uint64_t now_ms)
{
	for (size_t i = 0; i < REFUSED_MAX; i++)
		if (refused->kept[i].fd >= 0 && refused->kept[i].until_ms <= now_ms)
			let_go(&refused->kept[i]);
}

/* OpenSSL tells of an alert once it is sent; libwebsockets closes the socket right after. */
static void handshake_event(const SSL *ssl, int where, int what)
{
	struct refused *refused = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (where == SSL_CB_WRITE_ALERT && what >> 8 == SSL3_AL_FATAL)
		refused_keep(refused, SSL_get_fd(ssl), clock_mono_ms());
}

void refused_watch(struct refused *refused, SSL_CTX *ctx)
{
	SSL_CTX_set_app_data(ctx, refused);
	SSL_CTX_set_info_callback(ctx, handshake_event);
}
