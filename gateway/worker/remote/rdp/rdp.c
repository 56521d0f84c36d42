/*
 * rdp.c - remote.h for RDP hosts: the life of one FreeRDP instance inside the loop.
 */
#include <stdlib.h>
#include <string.h>

#include <netdb.h>
#include <sys/socket.h>

#include <freerdp/error.h>
#include <freerdp/transport_io.h>
#include <winpr/synch.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/util.h"
#include "worker/remote/rdp/rdp.h"
#include "worker/remote/rdp/rdp_channels.h"
#include "worker/remote/rdp/rdp_error.h"
#include "worker/remote/rdp/rdp_gfx.h"
#include "worker/remote/rdp/rdp_library.h"
#include "worker/remote/rdp/rdp_settings.h"
#include "worker/remote/rdp/rdp_text.h"
#include "worker/remote/rdp/rdp_trust.h"

/* Then everybody else has a turn. */
enum { READ_US = 8000 };

static struct rdp_remote *rdp_from(struct remote *remote)
{
	return container_of(remote, struct rdp_remote, remote);
}

/* --- the network, before the loop --- */

/* Told to the PC in the client info; some log it. */
static void set_client_address(rdpSettings *settings, int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char text[NI_MAXHOST];

	if (getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
	    getnameinfo((struct sockaddr *)&address, len, text, sizeof(text), NULL, 0,
			NI_NUMERICHOST) == 0)
		(void)freerdp_settings_set_string(settings, FreeRDP_ClientAddress, text);
}

static int tcp_connect(rdpContext *context, rdpSettings *settings, const char *hostname, int port,
		       DWORD timeout)
{
	struct rdp_remote *rdp = rdp_of(context);
	const struct remote_config *config = &rdp->remote.config;
	enum err err = ERR_DENIED;
	int fd = -1;

	(void)timeout;
	/* A PC may redirect its client elsewhere; the policy that chose this PC was not asked about
	 * that. */
	if (!rdp->connected && util_streq(hostname, config->address) && port == config->port) {
		remote_watchdog_unguard(&rdp->watchdog);
		err = remote_dial(config->address, config->port,
				  (unsigned)(remote_watchdog_left_us(&rdp->watchdog) / 1000), &fd);
	}
	if (!err)
		err = remote_watchdog_guard(&rdp->watchdog, fd);
	if (!err)
		err = rdp_settings_size(settings, config);
	if (!err) {
		set_client_address(settings, fd);
		rdp->fd = fd;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	rdp_fail(rdp, err == ERR_TIMEOUT  ? END_PC_TIMEOUT
		      : err == ERR_DENIED ? END_PC_PROTOCOL
					  : END_PC_UNREACHABLE);
	freerdp_set_last_error_if_not(context, FREERDP_ERROR_CONNECT_FAILED);
	return -1;
}

/* X.224 Connection Confirm ([MS-RDPBCGR] 2.2.1.2) in a TPKT: whatever follows, this is an RDP host.
 */
static bool is_connection_confirm(const uint8_t *pdu, size_t len)
{
	return len >= 7 && pdu[0] == 3 && pdu[5] == 0xd0;
}

static int read_pdu(rdpTransport *transport, wStream *s)
{
	struct rdp_remote *rdp = rdp_of(transport_get_context(transport));
	int len = rdp->read_pdu(transport, s);

	rdp->received = rdp->received || len > 0;
	if (len > 0 && !rdp->answered)
		rdp->answered = is_connection_confirm(Stream_Buffer(s), (size_t)len);
	return len;
}

static bool take_transport(struct rdp_remote *rdp)
{
	rdpContext *context = rdp->instance->context;
	const rdpTransportIo *before = freerdp_get_io_callbacks(context);
	rdpTransportIo io;

	if (!before)
		return false;
	io = *before;
	rdp->read_pdu = io.ReadPdu;
	io.TCPConnect = tcp_connect;
	io.ReadPdu = read_pdu;
	return freerdp_set_io_callbacks(context, &io);
}

/* --- FreeRDP's callbacks --- */

static BOOL post_connect(freerdp *instance)
{
	return rdp_gfx_init(rdp_of(instance->context));
}

static void post_disconnect(freerdp *instance)
{
	struct rdp_remote *rdp = rdp_of(instance->context);

	rdp_frames_finish(rdp);
	rdp_video_finish(rdp);
	rdp_gfx_finish(rdp);
}

/* Asked when user or password is missing. NLA cannot go on without; with TLS the PC shows its own
 * login screen. */
static BOOL authenticate(freerdp *instance, char **user, char **password, char **domain,
			 rdp_auth_reason reason)
{
	(void)user;
	(void)password;
	(void)domain;
	if (reason == AUTH_TLS || reason == AUTH_RDP)
		return TRUE;
	return rdp_fail(rdp_of(instance->context), END_PC_LOGIN);
}

static BOOL refuse_redirect(freerdp *instance)
{
	log_warn("rdp-redirect", "answer=refused");
	return rdp_fail(rdp_of(instance->context), END_PC_PROTOCOL);
}

/* --- inside the loop --- */

static void unwatch(struct rdp_remote *rdp)
{
	for (size_t i = 0; i < rdp->watch_count; i++)
		loop_io_finish(&rdp->watches[i].io);
	rdp->watch_count = 0;
}

/* The connection is over. The owner may free rdp in the call. */
static void end(struct rdp_remote *rdp, enum end_reason reason)
{
	unwatch(rdp);
	loop_timer_cancel(&rdp->deadline);
	rdp_frames_finish(rdp);
	rdp_video_finish(rdp);
	rdp->fd = -1;
	rdp_events(rdp)->ended(rdp->remote.ctx, reason);
}

static void ready(struct loop_io *io, uint32_t events);

/* FreeRDP's descriptors are few and seldom change; they are compared after every turn. */
static enum err watch(struct rdp_remote *rdp)
{
	HANDLE handles[RDP_MAX_WATCHES];
	DWORD count = freerdp_get_event_handles(rdp->instance->context, handles, RDP_MAX_WATCHES);
	int fds[RDP_MAX_WATCHES];
	bool same = count == rdp->watch_count;

	if (count == 0)
		return ERR_CLOSED;
	for (DWORD i = 0; i < count; i++) {
		fds[i] = GetEventFileDescriptor(handles[i]);
		same = same && fds[i] == rdp->watches[i].io.fd;
	}
	if (same)
		return OK;
	unwatch(rdp);
	for (DWORD i = 0; i < count; i++) {
		struct rdp_watch *entry = &rdp->watches[i];
		enum err err;

		entry->rdp = rdp;
		err = loop_io_init(rdp->remote.loop, &entry->io, fds[i], EPOLLIN, ready);
		if (err)
			return err;
		rdp->watch_count++;
	}
	return OK;
}

/*
 * Reads message after message: asking FreeRDP after each of them about all of its descriptors costs
 * more than a message of a busy screen itself.
 */
static bool read_messages(struct rdp_remote *rdp)
{
	uint64_t until = clock_mono_us() + READ_US;

	do {
		rdp->received = false;
		if (!freerdp_check_fds(rdp->instance))
			return false;
	} while (rdp->received && rdp->failed == END_NONE && !rdp_frames_full(rdp) &&
		 clock_mono_us() < until);
	return true;
}

/* FreeRDP's descriptors in the loop, or none of them while the PC has to wait. */
static enum err watch_or_wait(struct rdp_remote *rdp)
{
	if (!rdp_frames_full(rdp))
		return watch(rdp);
	unwatch(rdp);
	return OK;
}

static void ready(struct loop_io *io, uint32_t events)
{
	struct rdp_remote *rdp = container_of(io, struct rdp_watch, io)->rdp;
	rdpContext *context = rdp->instance->context;

	(void)events;
	if (!read_messages(rdp) || !freerdp_check_event_handles(context) ||
	    freerdp_shall_disconnect_context(context) || rdp->failed != END_NONE)
		end(rdp, rdp->failed
				 ? rdp->failed
				 : rdp_error_reason(freerdp_get_last_error(context), true, true));
	else if (watch_or_wait(rdp))
		end(rdp, END_GATEWAY);
}

static void deadline_over(struct loop_timer *timer)
{
	struct rdp_remote *rdp = container_of(timer, struct rdp_remote, deadline);

	end(rdp, rdp->failed ? rdp->failed : END_PC_TIMEOUT);
}

/* --- struct remote_ops --- */

/* On the watchdog's thread: only sets an event. */
static void expired(void *ctx)
{
	(void)freerdp_abort_connect_context(ctx);
}

static enum err rdp_connect(struct remote *remote, enum end_reason *ret_reason)
{
	struct rdp_remote *rdp = rdp_from(remote);
	rdpContext *context = rdp->instance->context;
	uint64_t time_us = (uint64_t)remote->config.connect_s * 1000000;
	enum end_reason reason = END_NONE;
	bool connected, late;

	if (remote_watchdog_start(&rdp->watchdog, time_us, expired, context)) {
		*ret_reason = END_GATEWAY;
		return ERR_NOMEM;
	}
	connected = freerdp_connect(rdp->instance);
	late = remote_watchdog_stop(&rdp->watchdog);
	rdp_settings_forget(context->settings);
	rdp->connected = connected;
	if (rdp->failed)
		reason = rdp->failed;
	else if (late)
		reason = END_PC_TIMEOUT;
	else if (!connected)
		reason = rdp_error_reason(freerdp_get_last_error(context), false, rdp->answered);
	else if (watch(rdp))
		reason = END_GATEWAY;
	if (reason != END_NONE) {
		log_debug("rdp-connect", "last_error=%s",
			  freerdp_get_last_error_name(freerdp_get_last_error(context)));
		*ret_reason = reason;
		return rdp_error_err(reason);
	}
	if (!rdp->painted)
		loop_timer_set(&rdp->deadline, time_us);
	remote->text = rdp_text_support(context->settings);
	rdp_input_start(rdp);
	return OK;
}

static void rdp_key(struct remote *remote, uint32_t keysym, uint16_t scancode, bool down)
{
	rdp_input_key(rdp_from(remote), keysym, scancode, down);
}

static void rdp_text(struct remote *remote, const char *text)
{
	rdp_text_send(rdp_from(remote)->instance->context->input, text);
}

static void rdp_pointer(struct remote *remote, unsigned x, unsigned y, unsigned buttons,
			int wheel_x, int wheel_y)
{
	rdp_input_pointer(rdp_from(remote), x, y, buttons, wheel_x, wheel_y);
}

static bool rdp_resize(struct remote *remote, const struct rect *monitors, size_t count)
{
	return rdp_channels_resize(rdp_from(remote), monitors, count);
}

static uint32_t rdp_rtt_us(struct remote *remote)
{
	const struct rdp_remote *rdp = rdp_from(remote);

	return rdp->connected && rdp->failed == END_NONE ? remote_rtt_us(rdp->fd) : 0;
}

static bool rdp_settle(struct remote *remote)
{
	return rdp_video_want(rdp_from(remote));
}

/* The PC gets no acknowledgements; in the end not reading fills the socket, and it stops. */
static void rdp_hold(struct remote *remote, bool held)
{
	struct rdp_remote *rdp = rdp_from(remote);

	if (rdp->held == held)
		return;
	rdp->held = held;
	if (held)
		loop_timer_cancel(&rdp->deadline); /* no picture can come now */
	rdp_frames_release(rdp);
	if (watch_or_wait(rdp))
		rdp_fail(rdp, END_GATEWAY);
	/* The owner is told from the loop, not from its own call. */
	if (rdp->failed != END_NONE)
		loop_timer_set(&rdp->deadline, 0);
}

static void rdp_remote_free(struct remote *remote)
{
	struct rdp_remote *rdp = rdp_from(remote);

	unwatch(rdp);
	loop_timer_cancel(&rdp->deadline);
	rdp_frames_finish(rdp);
	rdp_video_finish(rdp);
	if (rdp->instance) {
		if (rdp->connected)
			(void)freerdp_disconnect(rdp->instance);
		if (rdp->instance->context) {
			rdp_settings_forget(rdp->instance->context->settings);
			freerdp_context_free(rdp->instance);
		}
		freerdp_free(rdp->instance);
	}
	free(rdp);
}

static const struct remote_ops rdp_ops = {
	.connect = rdp_connect,
	.key = rdp_key,
	.text = rdp_text,
	.pointer = rdp_pointer,
	.resize = rdp_resize,
	.rtt_us = rdp_rtt_us,
	.settle = rdp_settle,
	.hold = rdp_hold,
	.free = rdp_remote_free,
};

static enum err make_instance(struct rdp_remote *rdp)
{
	freerdp *instance = freerdp_new();
	struct rdp_context_ours *ours;
	enum err err;

	rdp->instance = instance;
	if (!instance)
		return ERR_NOMEM;
	instance->ContextSize = sizeof(struct rdp_context_ours);
	instance->PostConnect = post_connect;
	instance->PostDisconnect = post_disconnect;
	instance->AuthenticateEx = authenticate;
	instance->VerifyX509Certificate = rdp_trust_verify;
	instance->Redirect = refuse_redirect;
	if (!freerdp_context_new(instance))
		return ERR_NOMEM;
	ours = (struct rdp_context_ours *)instance->context;
	ours->rdp = rdp;
	ours->magic = RDP_MAGIC;
	if (!take_transport(rdp))
		return ERR_NOMEM;
	err = rdp_channels_init(instance);
	return err ? err : rdp_settings_apply(instance->context->settings, &rdp->remote.config);
}

enum err remote_rdp_new(struct loop *loop, const struct remote_config *config,
			const struct remote_events *events, void *ctx, struct remote **ret)
{
	struct rdp_remote *rdp;
	enum err err = rdp_library_init();

	if (err)
		return err;
	rdp = calloc(1, sizeof(*rdp));
	if (!rdp)
		return ERR_NOMEM;
	rdp->remote = (struct remote){
		.ops = &rdp_ops, .events = events, .ctx = ctx, .loop = loop, .config = *config
	};
	rdp->fd = -1;
	loop_timer_init(loop, &rdp->deadline, deadline_over);
	rdp_frames_init(rdp);
	rdp_video_init(rdp);
	err = make_instance(rdp);
	if (err) {
		rdp_remote_free(&rdp->remote);
		return err;
	}
	*ret = &rdp->remote;
	return OK;
}
