#include "broker/exporting.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/bucket.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/session.h"

struct exporting {
	struct exporting *next;
	struct broker *broker;
	uint32_t number; /* for the monitor, and of the vault's playback */
	uint8_t session[WIRE_SESSION_ID];
	char id_text[SESSION_ID_TEXT + 1];
	int64_t host, account, device, login;
	char account_name[ACCOUNT_NAME_MAX + 1];
	char address[DEVICE_ADDRESS_MAX + 1];
	char fingerprint[CERT_FINGERPRINT_TEXT];
	int64_t begun_s;
	struct channel *control; /* to the exporter; NULL: it has closed it */
	bool exited;             /* says the monitor */
	bool taken;              /* its stream */
	bool left;               /* and given up by the browser */
	struct loop_io sink;     /* our copy of the exporter's end, owned; fd -1: none */
	uint64_t bytes;
	struct bucket words;  /* what it may still say */
	enum verdict verdict; /* 0: not known */
	const char *why;      /* it ends; NULL: it goes on */
	enum export_error error;
	bool recorded;           /* its end, in the audit log */
	struct loop_timer timer; /* until it is taken, ends, or everything must be over */
};

static struct exporting *find(struct broker *broker, uint32_t number)
{
	struct exporting *exporting = broker->exports;

	while (exporting && exporting->number != number)
		exporting = exporting->next;
	return exporting;
}

/* ---- the end ---------------------------------------------------------------------------- */

static void close_sink(struct exporting *exporting)
{
	int fd = exporting->sink.fd;

	loop_io_finish(&exporting->sink);
	util_closep(&fd);
	exporting->sink.fd = -1;
}

static void exporting_free(struct exporting *exporting)
{
	struct exporting **link = &exporting->broker->exports;

	while (*link != exporting)
		link = &(*link)->next;
	*link = exporting->next;
	loop_timer_cancel(&exporting->timer);
	channel_free(exporting->control);
	close_sink(exporting);
	free(exporting);
}

/* It is over in any case: an entry that cannot be written is in the log of the process. done: NULL,
 * or what the exporter said of a whole file. */
static void record_end(struct exporting *exporting, const struct msg_export_done *done)
{
	char sha256[2 * sizeof(done->sha256) + 1] = "";
	struct audit_entry entry = {
		.event = done ? "recording-exported" : "recording-export-failed",
		.account = exporting->account_name,
		.device = exporting->device,
		.address = exporting->address,
		.host = exporting->host,
		.session = exporting->id_text,
	};

	if (exporting->recorded)
		return;
	exporting->recorded = true;
	if (done)
		util_hex(done->sha256, sizeof(done->sha256), sha256);
	entry.detail = json_pack("{s:s*, s:s*, s:I, s:I, s:s, s:s}", "why",
				 done ? NULL : exporting->why, "sha256", done ? sha256 : NULL,
				 "bytes", (json_int_t)(done ? done->bytes : exporting->bytes),
				 "seconds", (json_int_t)(clock_wall_s() - exporting->begun_s),
				 "recipient", exporting->fingerprint, "verdict",
				 exporting->verdict ? verdict_code(exporting->verdict) : "none");
	log_info(entry.event, "session=%s user=%s why=%s", exporting->id_text,
		 exporting->account_name, done ? "done" : exporting->why);
	enum err err = broker_audit(exporting->broker, &entry);
	if (err)
		log_error("recording-export-unrecorded", "session=%s error=%s", exporting->id_text,
			  err_code(err));
}

static void kill_it(const struct exporting *exporting)
{
	const struct msg_export_kill msg = { .number = exporting->number };

	if (exporting->exited)
		return;
	if (broker_tell_monitor(exporting->broker, MSG_export_kill, &msg))
		log_error("export-not-killed", "export=%u", exporting->number);
}

static void stop_vault(const struct exporting *exporting)
{
	const struct msg_playback_close msg = { .playback = exporting->number };
	struct channel *vault = exporting->broker->vault;

	if (vault && channel_send(vault, MSG_playback_close, &msg, -1))
		log_warn("export-vault", "export=%u", exporting->number);
}

static bool is_over(const struct exporting *exporting)
{
	return exporting->exited && !exporting->control && exporting->sink.fd < 0;
}

static void finish(struct exporting *exporting)
{
	record_end(exporting, NULL);
	exporting_free(exporting);
}

/* In the exporter's place: that the file is not whole, and why. True: said, or there is nobody. */
static bool say_end(struct exporting *exporting)
{
	const struct msg_export_end end = { .error = (uint8_t)exporting->error,
					    .bytes = exporting->bytes };

	if (exporting->sink.fd < 0)
		return true;
	if (ipc_send(exporting->sink.fd, MSG_export_end, &end, -1) == ERR_UNAVAILABLE)
		return false;
	close_sink(exporting);
	return true;
}

/* The exporter is ended first, so that what the browser hears is the last. */
static void fail(struct exporting *exporting, const char *why, enum export_error error)
{
	if (exporting->why)
		return;
	exporting->why = why;
	exporting->error = error;
	kill_it(exporting);
	stop_vault(exporting);
	if (!say_end(exporting) && loop_io_set(&exporting->sink, EPOLLOUT))
		close_sink(exporting);
	loop_timer_set(&exporting->timer, EXPORTING_END_S * 1000000ULL);
}

/* The browser has taken something, or gone: perhaps because it has everything, which the exporter's
 * last word then says. */
static void sink_ready(struct loop_io *io, uint32_t events)
{
	struct exporting *exporting = container_of(io, struct exporting, sink);

	if (events & (EPOLLHUP | EPOLLERR)) {
		exporting->left = true;
		close_sink(exporting);
		if (!exporting->why)
			loop_timer_set(&exporting->timer, EXPORTING_END_S * 1000000ULL);
	} else if (!say_end(exporting)) {
		return;
	}
	if (is_over(exporting))
		finish(exporting);
}

static void timer_due(struct loop_timer *timer)
{
	struct exporting *exporting = container_of(timer, struct exporting, timer);

	if (!exporting->why) {
		fail(exporting,
		     exporting->left    ? "cancelled"
		     : exporting->taken ? "length"
					: "not-taken",
		     EXPORT_LENGTH);
		return;
	}
	if (!exporting->exited) {
		log_warn("export-hangs", "export=%u", exporting->number);
		kill_it(exporting);
	}
	finish(exporting);
}

/* ---- from the exporter ------------------------------------------------------------------ */

/* It has told the browser itself, and ends now. */
static void done(struct exporting *exporting, const struct msg_export_done *msg)
{
	enum export_error error = msg->error;

	exporting->bytes = msg->bytes;
	if (error == EXPORT_NONE)
		record_end(exporting, msg);
	if (exporting->why)
		return;
	exporting->why = error == EXPORT_NONE                         ? "done"
			 : error == EXPORT_STOPPED && exporting->left ? "cancelled"
								      : export_error_code(error);
	record_end(exporting, NULL);
	stop_vault(exporting);
	close_sink(exporting);
	loop_timer_set(&exporting->timer, EXPORTING_END_S * 1000000ULL);
}

/* It talks without end: no exporter of ours. What else it has said is not read. */
static void silence(struct exporting *exporting)
{
	log_warn("export-floods", "export=%u", exporting->number);
	channel_free(util_take_ptr(exporting->control));
	kill_it(exporting);
	fail(exporting, "crashed", EXPORT_CRASHED);
	if (is_over(exporting))
		finish(exporting);
}

static void control_message(void *ctx, struct channel *channel, const struct wire_type *type,
			    const union wire_any *msg, int fd)
{
	struct exporting *exporting = ctx;
	int64_t wait_ms;

	(void)channel;
	util_closep(&fd);
	if (bucket_take(&exporting->words, EXPORTING_WORDS_PER_MINUTE, clock_mono_ms(), &wait_ms))
		silence(exporting);
	else if (type->id == MSG_export_progress)
		exporting->bytes = msg->export_progress.bytes;
	else if (type->id == MSG_export_done && !exporting->recorded)
		done(exporting, &msg->export_done);
}

static void control_closed(void *ctx, struct channel *channel, enum err why)
{
	struct exporting *exporting = ctx;

	(void)channel;
	exporting->control = NULL;
	if (why == ERR_PROTOCOL)
		kill_it(exporting);
	/* Without a word about its end. */
	fail(exporting, exporting->left ? "cancelled" : "crashed", EXPORT_CRASHED);
	if (is_over(exporting))
		finish(exporting);
}

static const struct channel_ops control_ops = { control_message, control_closed };

void exporting_exited(struct broker *broker, const struct msg_export_exited *msg)
{
	struct exporting *exporting = find(broker, msg->number);

	if (!exporting)
		return;
	exporting->exited = true;
	/* What it said before is read first; then its channel closes. */
	if (is_over(exporting))
		finish(exporting);
}

/* ---- the beginning ---------------------------------------------------------------------- */

enum err exporting_room(const struct broker *broker, int64_t account)
{
	int count = 0;

	for (const struct exporting *at = broker->exports; at; at = at->next) {
		if (at->account == account && !at->why)
			return ERR_WRONG_STATE;
		count++;
	}
	return count < EXPORTING_MOST ? OK : ERR_UNAVAILABLE;
}

static struct exporting *add(struct request *request, const struct exporting_order *order)
{
	struct broker *broker = request->broker;
	struct exporting *exporting = calloc(1, sizeof(*exporting));

	if (!exporting)
		return NULL;
	*exporting = (struct exporting){
		.next = broker->exports,
		.broker = broker,
		.number = ++broker->playback_number,
		.host = order->opening->session.host,
		.account = request->account.id,
		.device = request->device.id,
		.login = request->login.id,
		.begun_s = request->now_s,
		.sink.fd = -1,
	};
	memcpy(exporting->session, order->session, sizeof(exporting->session));
	util_hex(order->session, WIRE_SESSION_ID, exporting->id_text);
	snprintf(exporting->account_name, sizeof(exporting->account_name), "%s",
		 request->account.name);
	snprintf(exporting->address, sizeof(exporting->address), "%s", request->head->address);
	snprintf(exporting->fingerprint, sizeof(exporting->fingerprint), "%s",
		 order->recipient->fingerprint);
	loop_timer_init(broker->loop, &exporting->timer, timer_due);
	loop_timer_set(&exporting->timer, EXPORTING_ATTACH_S * 1000000ULL);
	broker->exports = exporting;
	return exporting;
}

static enum err spawn(struct exporting *exporting)
{
	const struct msg_export_spawn msg = { .number = exporting->number };
	struct broker *broker = exporting->broker;
	int pair[2];
	enum err err = broker->monitor ? ipc_pair(pair) : ERR_UNAVAILABLE;

	if (err)
		return err;
	_cleanup_close_ int theirs = pair[1];
	err = channel_new(broker->loop, pair[0], WIRE_BROKER, WIRE_EXPORT, &control_ops, exporting,
			  &exporting->control);
	return err ? err
		   : channel_send(broker->monitor, MSG_export_spawn, &msg, util_take_fd(&theirs));
}

static enum err tell_exporter(struct exporting *exporting, const struct request *request,
			      const struct exporting_order *order)
{
	const char *full_name = request->account.full_name;
	struct msg_export_start msg = {
		.recipient = { order->recipient->der.data, order->recipient->der.len },
		.auditor = *full_name ? full_name : request->account.name,
		.purpose = order->purpose,
		.from_us = order->from_us,
		.to_us = order->to_us,
		.lang = order->language,
		.zone = exporting->broker->settings.gateway_zone,
	};

	memcpy(msg.session, order->session, sizeof(msg.session));
	return channel_send(exporting->control, MSG_export_start, &msg, -1);
}

static enum err tell_vault(struct exporting *exporting, const struct exporting_order *order)
{
	struct opening *opening = order->opening;
	struct msg_playback_open msg = {
		.playback = exporting->number,
		.marks = { opening->marks.data, opening->marks.len },
		.live = opening->row.state == RECORDING_OPEN,
		.seconds = EXPORTING_LENGTH_S,
	};
	struct channel *vault = exporting->broker->vault;

	memcpy(msg.session, order->session, sizeof(msg.session));
	return vault ? channel_send(vault, MSG_playback_open, &msg, util_take_fd(&opening->fd))
		     : ERR_UNAVAILABLE;
}

/* The vault takes the exporter for a player. */
static enum err connect(struct exporting *exporting)
{
	const struct msg_playback_viewer viewer = { .playback = exporting->number };
	const struct msg_export_source source = { 0 };
	int pair[2];
	enum err err = ipc_pair(pair);

	if (err)
		return err;
	_cleanup_close_ int theirs = pair[1];
	err = channel_send(exporting->broker->vault, MSG_playback_viewer, &viewer, pair[0]);
	return err ? err
		   : channel_send(exporting->control, MSG_export_source, &source,
				  util_take_fd(&theirs));
}

enum err exporting_begin(struct request *request, const struct exporting_order *order)
{
	struct exporting *exporting = add(request, order);

	if (!exporting)
		return ERR_NOMEM;
	enum err err = spawn(exporting);
	if (!err)
		err = tell_exporter(exporting, request, order);
	if (!err)
		err = tell_vault(exporting, order);
	if (!err)
		err = connect(exporting);
	if (!err)
		return OK;
	log_error("export-start", "session=%s error=%s", exporting->id_text, err_code(err));
	exporting->why = "start";
	kill_it(exporting);
	finish(exporting);
	return ERR_UNAVAILABLE;
}

enum err exporting_take(struct request *request, const uint8_t session[WIRE_SESSION_ID],
			int *ret_fd)
{
	const struct msg_export_sink msg = { 0 };
	struct exporting *exporting = request->broker->exports;
	int pair[2];

	while (exporting && (exporting->why || exporting->login != request->login.id ||
			     exporting->device != request->device.id ||
			     memcmp(exporting->session, session, WIRE_SESSION_ID) != 0))
		exporting = exporting->next;
	if (!exporting)
		return ERR_NOT_FOUND;
	if (exporting->taken)
		return ERR_USED;
	enum err err = ipc_pair(pair);
	if (err)
		return err;
	_cleanup_close_ int theirs = pair[0], browsers = pair[1];
	_cleanup_close_ int ours = fcntl(theirs, F_DUPFD_CLOEXEC, 0);
	err = ours < 0 ? err_from_errno(errno)
		       : loop_io_init(exporting->broker->loop, &exporting->sink, ours, 0,
				      sink_ready);
	if (err) {
		exporting->sink.fd = -1;
		return err;
	}
	util_take_fd(&ours);
	exporting->taken = true;
	err = channel_send(exporting->control, MSG_export_sink, &msg, util_take_fd(&theirs));
	if (err) {
		fail(exporting, "crashed", EXPORT_CRASHED);
		return ERR_UNAVAILABLE;
	}
	*ret_fd = util_take_fd(&browsers);
	loop_timer_set(&exporting->timer, EXPORTING_LENGTH_S * 1000000ULL);
	return OK;
}

/* ---- from the vault --------------------------------------------------------------------- */

void exporting_vault_opened(struct broker *broker, const struct msg_playback_opened *msg)
{
	struct exporting *exporting = find(broker, msg->playback);
	enum err err = msg->error ? (enum err)msg->error : OK;

	if (!exporting)
		return;
	if (!err && msg->verdict >= VERDICT_GREEN && msg->verdict <= VERDICT_RED)
		exporting->verdict = msg->verdict;
	/* Of other errors the exporter hears by its stream. */
	if (err == ERR_LOCKED || err == ERR_FULL || err == ERR_NOMEM || err == ERR_INVALID)
		fail(exporting, "vault", EXPORT_VAULT);
}

void exporting_vault_gone(struct broker *broker)
{
	for (struct exporting *at = broker->exports; at; at = at->next)
		fail(at, "vault", EXPORT_VAULT);
}

/* ---- rights ----------------------------------------------------------------------------- */

void exporting_cut(struct broker *broker, int64_t account, int64_t device)
{
	for (struct exporting *at = broker->exports; at; at = at->next)
		if ((!account || at->account == account) && (!device || at->device == device))
			fail(at, "revoked", EXPORT_RIGHT);
}

void exporting_leave_login(struct broker *broker, int64_t login)
{
	for (struct exporting *at = broker->exports; at; at = at->next)
		if (at->login == login)
			fail(at, "logout", EXPORT_LOGIN);
}

void exporting_dispose(struct broker *broker, const uint8_t session[WIRE_SESSION_ID])
{
	for (struct exporting *at = broker->exports; at; at = at->next)
		if (memcmp(at->session, session, WIRE_SESSION_ID) == 0)
			fail(at, "disposed", EXPORT_DISPOSED);
}

void exporting_tick(struct broker *broker, int64_t now_s)
{
	for (struct exporting *at = broker->exports; at; at = at->next) {
		if (at->why)
			continue;
		if (request_still_allowed(broker, at->login, at->account, at->device,
					  REQUEST_AUDITOR, now_s) == ERR_NOT_FOUND)
			fail(at, "login", EXPORT_LOGIN);
	}
}

void exporting_forget_all(struct broker *broker)
{
	while (broker->exports)
		exporting_free(broker->exports);
}
