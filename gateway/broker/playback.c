#include "broker/playback.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/opening.h"
#include "broker/session.h"
#include "wire/ipc.h"

struct playback {
	struct playback *next;
	struct broker *broker;
	uint32_t number;
	uint8_t session[WIRE_SESSION_ID];
	char id_text[SESSION_ID_TEXT + 1];
	int64_t host, account, device, login;
	char account_name[ACCOUNT_NAME_MAX + 1];
	char address[DEVICE_ADDRESS_MAX + 1];
	int64_t begun_s;
	bool taken;      /* its stream */
	const char *why; /* it ends; NULL: it goes on */
	uint32_t chunks;
	uint32_t seen;           /* chunks at the last tick */
	enum verdict verdict;    /* 0: not known */
	struct loop_timer timer; /* until it is taken, ends, or the vault must have said so */
};

static struct playback *find(struct broker *broker, uint32_t number)
{
	struct playback *playback = broker->playbacks;

	while (playback && playback->number != number)
		playback = playback->next;
	return playback;
}

static void playback_free(struct playback *playback)
{
	struct playback **link = &playback->broker->playbacks;

	while (*link != playback)
		link = &(*link)->next;
	*link = playback->next;
	loop_timer_cancel(&playback->timer);
	free(playback);
}

/* ---- the end ---------------------------------------------------------------------------- */

/* It is over in any case: an entry that cannot be written is in the log of the process. */
static void record_end(const struct playback *playback)
{
	struct audit_entry entry = {
		.event = "recording-closed",
		.account = playback->account_name,
		.device = playback->device,
		.address = playback->address,
		.host = playback->host,
		.session = playback->id_text,
		.detail = json_pack("{s:s, s:I, s:I, s:s}", "why", playback->why, "chunks",
				    (json_int_t)playback->chunks, "seconds",
				    (json_int_t)(clock_wall_s() - playback->begun_s), "verdict",
				    playback->verdict ? verdict_code(playback->verdict) : "none"),
	};
	enum err err = broker_audit(playback->broker, &entry);

	log_info("recording-closed", "session=%s user=%s why=%s chunks=%u", playback->id_text,
		 playback->account_name, playback->why, playback->chunks);
	if (err)
		log_error("recording-closed-unrecorded", "session=%s error=%s", playback->id_text,
			  err_code(err));
}

/* The vault answers with how much it showed; without an answer it is over all the same. */
static void end(struct playback *playback, const char *why)
{
	const struct msg_playback_close msg = { .playback = playback->number };

	if (playback->why)
		return;
	playback->why = why;
	if (playback->broker->vault &&
	    channel_send(playback->broker->vault, MSG_playback_close, &msg, -1) == OK) {
		loop_timer_set(&playback->timer, PLAYBACK_CLOSE_S * 1000000ULL);
		return;
	}
	record_end(playback);
	playback_free(playback);
}

static void timer_due(struct loop_timer *timer)
{
	struct playback *playback = container_of(timer, struct playback, timer);

	if (!playback->why) {
		end(playback, playback->taken ? "length" : "not-taken");
		return;
	}
	log_warn("playback-unanswered", "playback=%u", playback->number);
	record_end(playback);
	playback_free(playback);
}

/* ---- the beginning ---------------------------------------------------------------------- */

static struct playback *add(struct request *request, const struct playback_order *order)
{
	struct broker *broker = request->broker;
	struct playback *playback = calloc(1, sizeof(*playback));

	if (!playback)
		return NULL;
	*playback = (struct playback){
		.next = broker->playbacks,
		.broker = broker,
		.number = ++broker->playback_number,
		.host = order->host,
		.account = request->account.id,
		.device = request->device.id,
		.login = request->login.id,
		.begun_s = request->now_s,
	};
	memcpy(playback->session, order->session, sizeof(playback->session));
	util_hex(order->session, WIRE_SESSION_ID, playback->id_text);
	snprintf(playback->account_name, sizeof(playback->account_name), "%s",
		 request->account.name);
	snprintf(playback->address, sizeof(playback->address), "%s", request->head->address);
	loop_timer_init(broker->loop, &playback->timer, timer_due);
	loop_timer_set(&playback->timer, PLAYBACK_ATTACH_S * 1000000ULL);
	broker->playbacks = playback;
	return playback;
}

static void end_others(struct broker *broker, int64_t account)
{
	struct playback *next;

	for (struct playback *playback = broker->playbacks; playback; playback = next) {
		next = playback->next;
		if (playback->account == account)
			end(playback, "replaced");
	}
}

enum err playback_begin(struct request *request, const struct playback_order *order)
{
	_cleanup_close_ int fd = order->fd;
	struct broker *broker = request->broker;
	struct msg_playback_open msg = {
		.marks = order->marks,
		.live = order->live,
		.seconds = PLAYBACK_LENGTH_S,
	};
	struct playback *playback;

	end_others(broker, request->account.id);
	playback = add(request, order);
	if (!playback)
		return ERR_NOMEM;
	msg.playback = playback->number;
	memcpy(msg.session, order->session, sizeof(msg.session));
	enum err err = broker->vault ? channel_send(broker->vault, MSG_playback_open, &msg,
						    util_take_fd(&fd))
				     : ERR_UNAVAILABLE;
	if (!err)
		return OK;
	playback->why = "vault";
	record_end(playback);
	playback_free(playback);
	return ERR_UNAVAILABLE;
}

/* ---- the stream ------------------------------------------------------------------------- */

static enum err send_viewer(struct playback *playback, int *ret_fd)
{
	const struct msg_playback_viewer msg = { .playback = playback->number };
	int pair[2];
	enum err err = playback->broker->vault ? ipc_pair(pair) : ERR_UNAVAILABLE;

	if (err)
		return err;
	err = channel_send(playback->broker->vault, MSG_playback_viewer, &msg, pair[0]);
	if (err) {
		close(pair[1]);
		return ERR_UNAVAILABLE;
	}
	*ret_fd = pair[1];
	return OK;
}

static struct playback *opened_by(const struct request *request, const uint8_t *session)
{
	struct playback *playback = request->broker->playbacks;

	while (playback && (playback->why || playback->login != request->login.id ||
			    playback->device != request->device.id ||
			    memcmp(playback->session, session, WIRE_SESSION_ID) != 0))
		playback = playback->next;
	return playback;
}

bool playback_shows(const struct request *request, const uint8_t session[WIRE_SESSION_ID],
		    int64_t *ret_host)
{
	const struct playback *playback = opened_by(request, session);

	if (playback)
		*ret_host = playback->host;
	return playback && playback->taken;
}

enum err playback_take(struct request *request, const uint8_t session[WIRE_SESSION_ID], int *ret_fd)
{
	struct playback *playback = opened_by(request, session);

	if (!playback)
		return ERR_NOT_FOUND;
	if (playback->taken)
		return ERR_USED;
	enum err err = send_viewer(playback, ret_fd);
	if (err)
		return err;
	playback->taken = true;
	/* The vault ends it by then; this is for one that does not. */
	loop_timer_set(&playback->timer, (PLAYBACK_LENGTH_S + PLAYBACK_CLOSE_S) * 1000000ULL);
	return OK;
}

/* ---- from the vault --------------------------------------------------------------------- */

void playback_vault_opened(struct broker *broker, const struct msg_playback_opened *msg)
{
	struct playback *playback = find(broker, msg->playback);
	enum err err = msg->error ? (enum err)msg->error : OK;

	if (!playback)
		return;
	if (!err && msg->verdict >= VERDICT_GREEN && msg->verdict <= VERDICT_RED)
		playback->verdict = msg->verdict;
	log_info("recording-verdict", "session=%s verdict=%s error=%s", playback->id_text,
		 playback->verdict ? verdict_code(playback->verdict) : "none",
		 err ? err_code(err) : "none");
	/* What can be shown of the reason comes over the stream; without one there is none. */
	if (err == ERR_LOCKED || err == ERR_FULL || err == ERR_NOMEM || err == ERR_INVALID)
		end(playback, "vault");
}

void playback_vault_progress(struct broker *broker, const struct msg_playback_progress *msg)
{
	struct playback *playback = find(broker, msg->playback);

	if (playback)
		playback->chunks = msg->chunks;
}

void playback_vault_closed(struct broker *broker, const struct msg_playback_closed *msg)
{
	struct playback *playback = find(broker, msg->playback);

	if (!playback)
		return;
	playback->chunks = msg->chunks;
	if (!playback->why)
		playback->why = "left";
	record_end(playback);
	playback_free(playback);
}

void playback_vault_gone(struct broker *broker)
{
	while (broker->playbacks) {
		struct playback *playback = broker->playbacks;

		if (!playback->why)
			playback->why = "vault";
		record_end(playback);
		playback_free(playback);
	}
}

/* ---- rights ----------------------------------------------------------------------------- */

void playback_cut(struct broker *broker, int64_t account, int64_t device)
{
	struct playback *next;

	for (struct playback *playback = broker->playbacks; playback; playback = next) {
		next = playback->next;
		if ((!account || playback->account == account) &&
		    (!device || playback->device == device))
			end(playback, "revoked");
	}
}

void playback_leave_login(struct broker *broker, int64_t login)
{
	struct playback *next;

	for (struct playback *playback = broker->playbacks; playback; playback = next) {
		next = playback->next;
		if (playback->login == login)
			end(playback, "logout");
	}
}

void playback_dispose(struct broker *broker, const uint8_t session[WIRE_SESSION_ID])
{
	struct playback *next;

	for (struct playback *playback = broker->playbacks; playback; playback = next) {
		next = playback->next;
		if (memcmp(playback->session, session, WIRE_SESSION_ID) == 0)
			end(playback, "disposed");
	}
}

/* Who looks at something new is there, as whoever sits at a desktop. */
static void touch(struct playback *playback, int64_t now_s)
{
	bool shown = playback->chunks != playback->seen;

	playback->seen = playback->chunks;
	if (shown && login_row_touch(playback->broker->db, playback->login, now_s))
		log_warn("touch-failed", "playback=%u", playback->number);
}

void playback_tick(struct broker *broker, int64_t now_s)
{
	struct playback *next;

	for (struct playback *playback = broker->playbacks; playback; playback = next) {
		next = playback->next;
		if (playback->why)
			continue;
		touch(playback, now_s);
		if (request_still_allowed(broker, playback->login, playback->account,
					  playback->device, REQUEST_AUDITOR,
					  now_s) == ERR_NOT_FOUND)
			end(playback, "login");
	}
}

void playback_forget_all(struct broker *broker)
{
	while (broker->playbacks)
		playback_free(broker->playbacks);
}
