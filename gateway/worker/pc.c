#include "worker/pc.h"

#include <ctype.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "worker/attach.h"
#include "worker/session.h"

enum { TRUST_WAIT_MS = 10000, NAME_MAX_SHOWN = 64 };

/* Before the first frame leaves, so that the viewer hears that the session is active first. */
static void note_picture(struct worker *worker)
{
	if (worker->screen.pictured)
		return;
	worker->screen.pictured = true;
	loop_timer_cancel(&worker->connect_timer);
	session_settle(worker);
}

static uint8_t *on_resized(void *ctx, unsigned width, unsigned height, size_t *ret_stride)
{
	struct worker *worker = ctx;
	uint8_t *data = screen_resized(&worker->screen, width, height, ret_stride);
	char detail[64];
	if (data) {
		hands_set_desktop(&worker->hands, width, height);
		attach_place(worker);
		session_report(worker);
		snprintf(detail, sizeof(detail), "{\"width\":%u,\"height\":%u}", width, height);
		if (worker->screen.pictured)
			session_happens_so(worker, 0, "resize", detail);
	}
	return data;
}

static void on_damaged(void *ctx, int x, int y, int width, int height)
{
	struct worker *worker = ctx;
	note_picture(worker);
	screen_damaged(&worker->screen, x, y, width, height);
}

static void on_copied(void *ctx, int from_x, int from_y, int x, int y, int width, int height)
{
	struct worker *worker = ctx;
	note_picture(worker);
	screen_copied(&worker->screen, from_x, from_y, x, y, width, height);
}

static bool on_video(void *ctx, struct remote_unit *unit)
{
	struct worker *worker = ctx;
	return screen_video(&worker->screen, unit);
}

static void on_decoded(void *ctx, const struct remote_unit *unit)
{
	struct worker *worker = ctx;
	note_picture(worker);
	screen_decoded(&worker->screen, unit);
}

static void on_able(void *ctx)
{
	struct worker *worker = ctx;
	if (!worker->screen.pictured)
		return;
	attach_know(worker);
	hands_know(&worker->hands);
}

static void on_frame_done(void *ctx)
{
	struct worker *worker = ctx;
	note_picture(worker);
	on_able(worker);
	screen_frame_done(&worker->screen);
}

static void on_cursor(void *ctx, unsigned hot_x, unsigned hot_y, unsigned width, unsigned height,
		      const uint8_t *rgba)
{
	struct worker *worker = ctx;
	screen_cursor(&worker->screen, hot_x, hot_y, width, height, rgba);
}

static void on_bell(void *ctx)
{
	struct worker *worker = ctx;
	struct msg_bell bell = { 0 };
	attach_send(worker, MSG_bell, &bell);
}

static void on_clipboard(void *ctx)
{
	clipboard_tried(ctx, CLIPBOARD_PC);
}

static void on_sound(void *ctx, const int16_t *samples, size_t frames, unsigned rate,
		     unsigned channels)
{
	struct worker *worker = ctx;
	ear_take(&worker->ear, attach_listener(worker), samples, frames, rate, channels);
}

static void note_trust(struct worker *worker, const uint8_t fingerprint[32])
{
	char hex[2 * 32 + 1], detail[sizeof(hex) + 16];
	util_hex(fingerprint, 32, hex);
	snprintf(detail, sizeof(detail), "{\"sha256\":\"%s\"}", hex);
	session_happens_so(worker, 0, "certificate-trusted", detail);
}

static bool on_trust(void *ctx, const uint8_t fingerprint[32])
{
	struct worker *worker = ctx;
	struct msg_pin_question question;
	struct ipc_received answer;
	if (!worker->link.broker)
		return false;
	memcpy(question.fingerprint, fingerprint, sizeof(question.fingerprint));
	link_send(&worker->link, MSG_pin_question, &question);
	enum err err = channel_wait(worker->link.broker, MSG_pin_answer, TRUST_WAIT_MS, &answer);
	if (err) {
		log_warn("pin-question", "error=%s", err_code(err));
		return false;
	}
	bool trusted = answer.msg.pin_answer.trusted == 1;
	ipc_received_finish(&answer);
	if (trusted)
		note_trust(worker, fingerprint);
	return trusted && worker->state != SESSION_ENDED;
}

/* Only what needs no escaping in JSON. */
static void on_channel_refused(void *ctx, const char *name)
{
	struct worker *worker = ctx;
	char shown[NAME_MAX_SHOWN + 1], detail[NAME_MAX_SHOWN + 32];
	size_t len = strnlen(name, NAME_MAX_SHOWN);
	for (size_t i = 0; i < len; i++)
		shown[i] =
			isalnum((unsigned char)name[i]) || strchr("-_.:#", name[i]) ? name[i] : '?';
	shown[len] = '\0';
	snprintf(detail, sizeof(detail), "{\"channel\":\"%s\"}", shown);
	log_warn("channel-refused", "channel=%s", log_quote(shown));
	session_event(worker, "channel-refused", detail);
}

static void on_ended(void *ctx, enum end_reason reason)
{
	struct worker *worker = ctx;
	/* There is nobody left to let go of keys. */
	hands_set_remote(&worker->hands, NULL);
	session_end(worker, reason);
}

static const struct remote_events remote_events = {
	.resized = on_resized,
	.damaged = on_damaged,
	.copied = on_copied,
	.video = on_video,
	.decoded = on_decoded,
	.frame_done = on_frame_done,
	.able = on_able,
	.cursor = on_cursor,
	.bell = on_bell,
	.clipboard = on_clipboard,
	.sound = on_sound,
	.trust = on_trust,
	.channel_refused = on_channel_refused,
	.ended = on_ended,
};

/* The reason why it failed, or END_NONE. */
static enum end_reason connect_remote(struct worker *worker)
{
	struct remote_config config;
	enum end_reason reason = END_PC_PROTOCOL;
	start_remote_config(&worker->start, &config);
	enum err err = worker->make(worker->loop, &config, &remote_events, worker, &worker->remote);
	if (err) {
		log_error("remote-new", "error=%s", err_code(err));
		return END_GATEWAY;
	}
	/* A thread that begins here is confined to the PC's port as this one is. */
	err = recorder_run(worker->recorder);
	if (err) {
		log_error("recorder-run", "error=%s", err_code(err));
		return END_RECORDING;
	}
	err = worker->remote->ops->connect(worker->remote, &reason);
	/* It is not needed again: a lost PC connection ends the session. */
	start_wipe(&worker->start);
	worker->remote->config.password = "";
	if (!err)
		return END_NONE;
	log_warn("pc-connect", "error=%s reason=%s", err_code(err), end_reason_code(reason));
	return reason;
}

void pc_connect_due(struct loop_timer *timer)
{
	struct worker *worker = container_of(timer, struct worker, connect_timer);
	if (worker->state == SESSION_ENDED)
		return;
	if (worker->remote) {
		log_warn("pc-no-picture", "seconds=%u", worker->remote->config.connect_s);
		session_end(worker, END_PC_TIMEOUT);
		return;
	}
	enum end_reason reason = connect_remote(worker);
	if (reason) {
		session_end(worker, reason);
	} else if (worker->state != SESSION_ENDED) {
		if (!worker->screen.pictured)
			loop_timer_set(timer, (uint64_t)worker->remote->config.connect_s * 1000000);
		screen_set_remote(&worker->screen, worker->remote);
		hands_set_remote(&worker->hands, worker->remote);
		if (worker->screen.pictured)
			hands_know(&worker->hands);
	}
}
