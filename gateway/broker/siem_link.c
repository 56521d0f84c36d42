#include "broker/siem_link.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/devices.h"
#include "store/hosts.h"
#include "store/siem.h"

enum { TEXT_MAX = 256 };

struct siem_link {
	struct broker *broker;
	struct loop_timer timer;
	int64_t delivered, delivered_ms; /* as in the database */
	int64_t batch;                   /* last entry of what was handed over; 0: nothing was */
	uint64_t batch_ms;               /* monotonic: when it was */
	bool stopped;
	uint64_t warned_ms;        /* monotonic; 0: not since it last was in time */
	enum siem_trouble trouble; /* of the last try; 0: it succeeded */
	int64_t failed_s;
	char text[TEXT_MAX + 1];
};

/* ---- what to do ------------------------------------------------------------------------- */

static const struct advice {
	const char *en, *ja;
} advice[] = {
	[SIEM_FILES] = { "siem.certificate_dir needs ca.pem, the CA of the collector's "
			 "certificate, and for a collector that asks for one cert.pem and key.pem; "
			 "sekisho-siem must be able to read them",
			 "siem.certificate_dir に、コレクターの証明書の発行元 ca.pem と、必要なら "
			 "cert.pem・key.pem を置き、sekisho-siem が読めるようにしてください" },
	[SIEM_RESOLVE] = { "the name in siem.address is not known: check it and the name server",
			   "siem.address "
			   "の名前が見つかりません。名前とネームサーバーを確かめてください" },
	[SIEM_CONNECT] = { "the collector does not answer: check that it runs, siem.address, "
			   "siem.port, and firewalls in between",
			   "コレクターに接続できません。動いているか、siem.address、siem."
			   "port、途中のファイアウォールを確かめてください" },
	[SIEM_UNTRUSTED] = { "the collector's certificate is not of a CA in ca.pem: put the right "
			     "one there, or find out who answers",
			     "コレクターの証明書が ca.pem の CA のものではありません。正しい CA "
			     "を置くか、応答しているのが誰か確かめてください" },
	[SIEM_EXPIRED] = { "the collector's certificate has expired or is not valid yet: renew it "
			   "there, or check the clocks",
			   "コレクターの証明書が期限切れか、まだ有効ではありません。更新するか、時"
			   "計を確かめてください" },
	[SIEM_NAME] = { "the collector's certificate has another name: set siem.name to the one it "
			"has",
			"コレクターの証明書の名前が違います。siem.name "
			"にその名前を指定してください" },
	[SIEM_TLS] = { "no TLS 1.2 or later with the collector: check that its port speaks TLS",
		       "コレクターと TLS 1.2 以上で通信できません。TLS "
		       "のポートか確かめてください" },
	[SIEM_REFUSED] = { "the collector refused us: it asks for a certificate that it knows; put "
			   "cert.pem and key.pem into siem.certificate_dir, or renew them",
			   "コレクターに拒否されました。コレクターが認める証明書（cert.pem と "
			   "key.pem）を siem.certificate_dir に置くか、更新してください" },
	[SIEM_SLOW] = { "the collector takes nothing: look at its queue and disk",
			"コレクターが受け取りません。待ち行列とディスクを確かめてください" },
	[SIEM_CLOSED] = { "the collector closed the connection before it had read everything, as "
			  "when it stops; if it goes on, look at its log",
			  "コレクターが読み終える前に接続を閉じました（停止中など）。続くならコレク"
			  "ターのログを確かめてください" },
	[SIEM_UNCONFIRMED] = { "the collector does not end a connection that we have ended, so it "
			       "cannot be known what it read; entries are sent again: look whether "
			       "it hangs",
			       "こちらが終えた接続をコレクターが閉じないため、届いたか確かめられま"
			       "せん。同じ項目を送り直します。コレクターが止まっていないか確かめて"
			       "ください" },
};

static const struct advice *advice_for(enum siem_trouble trouble)
{
	static const struct advice none = { "", "" };

	return trouble && trouble < ARRAY_SIZE(advice) ? &advice[trouble] : &none;
}

/* ---- handing over ----------------------------------------------------------------------- */

/* Names as they are now; "" for what is gone. */
static void find_names(struct db *db, const struct audit_row *row, struct device *device,
		       struct host_row *host)
{
	if (!row->device || device_by_id(db, row->device, device))
		device->name[0] = '\0';
	if (!row->host || host_by_id(db, row->host, 0, host))
		host->name[0] = '\0';
}

static enum err hand_over_row(struct siem_link *link, const struct audit_row *row)
{
	struct device device = { 0 };
	struct host_row host = { 0 };

	find_names(link->broker->db, row, &device, &host);
	const struct msg_siem_entry msg = {
		.seq = (uint64_t)row->seq,
		.time_ms = (uint64_t)row->time_ms,
		.event = row->event,
		.account = row->account,
		.device = (uint64_t)row->device,
		.device_name = device.name,
		.address = row->address,
		.host = (uint64_t)row->host,
		.host_name = host.name,
		.session = row->session,
		.detail = row->detail,
		.disposed = row->disposed,
	};
	return channel_send(link->broker->siem, MSG_siem_entry, &msg, -1);
}

static enum err hand_over(struct siem_link *link)
{
	_cleanup_query_ struct query query;
	struct msg_siem_send msg = { .first = (uint64_t)link->delivered + 1 };
	struct audit_row row;
	bool more = true;
	enum err err = OK;

	audit_row_list(&query, link->broker->db, link->delivered + 1);
	for (int i = 0; !err && i < SIEM_BATCH; i++) {
		err = audit_row_next(&query, &row, &more);
		if (err || !more)
			break;
		err = hand_over_row(link, &row);
		msg.last = (uint64_t)row.seq;
	}
	if (!err && msg.last)
		err = channel_send(link->broker->siem, MSG_siem_send, &msg, -1);
	if (!err) {
		link->batch = (int64_t)msg.last;
		link->batch_ms = clock_mono_ms();
	}
	return err;
}

/* ---- lagging ---------------------------------------------------------------------------- */

/* When the oldest entry that the collector lacks was written; 0: it has all. */
static enum err waiting_since(const struct siem_link *link, int64_t *ret_ms)
{
	_cleanup_query_ struct query query;
	struct audit_row row;
	bool more;
	enum err err;

	*ret_ms = 0;
	audit_row_list(&query, link->broker->db, link->delivered + 1);
	err = audit_row_next(&query, &row, &more);
	if (!err && more)
		*ret_ms = row.time_ms;
	return err;
}

/* A collector, or somebody in between, that makes a little progress for ever never fails. */
static bool hangs(const struct siem_link *link, uint64_t now_ms)
{
	const struct settings *settings = &link->broker->settings;
	const int64_t limit_ms = MAX(settings->siem_warn_minutes * 60000,
				     SIEM_HANGS * settings->siem_timeout_seconds * 1000);

	return link->broker->siem && link->batch && !link->trouble &&
	       now_ms - link->batch_ms >= (uint64_t)limit_ms;
}

static void warn(struct siem_link *link, int64_t newest)
{
	int64_t limit_ms = link->broker->settings.siem_warn_minutes * 60000, since_ms;
	uint64_t now = clock_mono_ms();
	bool hung = hangs(link, now);

	if (waiting_since(link, &since_ms))
		return;
	/* Older entries than the last delivery waited for their turn, not for the collector. */
	since_ms = MAX(since_ms, link->delivered_ms);
	if ((!link->trouble && link->broker->siem && !hung) ||
	    clock_wall_ms() - since_ms < limit_ms)
		return;
	if (link->warned_ms && now - link->warned_ms < SIEM_WARN_AGAIN_S * 1000ULL)
		return;
	link->warned_ms = now;
	log_warn("siem-lags",
		 "waiting=%" PRId64 " delivered=%" PRId64
		 " error=%s hint=\"%s\" more=\"sekisho siem status\"",
		 newest - link->delivered, link->delivered,
		 link->trouble ? siem_trouble_code(link->trouble)
		 : hung        ? "hangs"
			       : "down",
		 advice_for(hung ? SIEM_SLOW : link->trouble)->en);
}

static void look(struct loop_timer *timer)
{
	struct siem_link *link = container_of(timer, struct siem_link, timer);
	int64_t newest;
	enum err err = audit_row_last(link->broker->db, &newest);

	loop_timer_set(timer, SIEM_LOOK_MS * 1000ULL);
	if (!err && newest > link->delivered)
		warn(link, newest);
	if (!err && newest > link->delivered && !link->batch && !link->stopped &&
	    link->broker->siem)
		err = hand_over(link);
	/* A process that does not take it is a hung one; it begins anew. */
	if (err) {
		log_error("siem-not-handed-over", "error=%s", err_code(err));
		channel_free(util_take_ptr(link->broker->siem));
		siem_link_gone(link);
	}
}

/* ---- what it says ----------------------------------------------------------------------- */

static enum err keep(struct siem_link *link, int64_t last)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	int64_t now_ms = clock_wall_ms();
	enum err err = db_tx_begin(&tx, link->broker->db);

	if (!err)
		err = siem_cursor_set(link->broker->db, last, now_ms);
	if (!err)
		err = db_tx_commit(&tx);
	if (err)
		return err;
	link->delivered = last;
	link->delivered_ms = now_ms;
	return OK;
}

void siem_link_delivered(struct siem_link *link, const struct msg_siem_delivered *msg)
{
	enum err err;

	if (!link->batch || msg->last != (uint64_t)link->batch ||
	    msg->first != (uint64_t)link->delivered + 1) {
		log_warn("siem-not-believed", "first=%" PRIu64 " last=%" PRIu64, msg->first,
			 msg->last);
		return;
	}
	err = keep(link, link->batch);
	if (err)
		log_error("siem-cursor", "error=%s", err_code(err));
	if (link->warned_ms)
		log_info("siem-goes-on", "delivered=%" PRId64, link->delivered);
	link->batch = 0;
	link->warned_ms = 0;
	link->trouble = 0;
	link->text[0] = '\0';
	if (!link->stopped)
		loop_timer_set(&link->timer, 0);
}

void siem_link_failed(struct siem_link *link, const struct msg_siem_failed *msg)
{
	if (!link->batch || msg->kind < SIEM_FILES || msg->kind >= ARRAY_SIZE(advice))
		return;
	link->trouble = msg->kind;
	link->failed_s = clock_wall_s();
	snprintf(link->text, sizeof(link->text), "%s", msg->text);
}

void siem_link_came(struct siem_link *link)
{
	siem_link_gone(link);
}

void siem_link_gone(struct siem_link *link)
{
	link->batch = 0;
}

bool siem_link_stop(struct siem_link *link)
{
	link->stopped = true;
	return link->broker->siem && link->batch && !link->trouble;
}

/* ---- status ----------------------------------------------------------------------------- */

static const char *state_of(const struct siem_link *link, int64_t waiting)
{
	if (!link->broker->settings.siem_address[0])
		return "off";
	if (!link->broker->siem)
		return "down";
	if (link->trouble)
		return "behind";
	return waiting ? "sending" : "sent";
}

enum err siem_link_status(const struct siem_link *link, struct siem_status *ret)
{
	const struct advice *todo = advice_for(link->trouble);
	int64_t newest, since_ms;
	enum err err = audit_row_last(link->broker->db, &newest);

	if (!err)
		err = waiting_since(link, &since_ms);
	if (err)
		return err;
	*ret = (struct siem_status){
		.state = state_of(link, newest - link->delivered),
		.delivered = link->delivered,
		.delivered_s = link->delivered_ms / 1000,
		.newest = newest,
		.waiting = newest - link->delivered,
		.since_s = since_ms / 1000,
		.error = link->trouble ? siem_trouble_code(link->trouble) : "",
		.text = link->text,
		.en = todo->en,
		.ja = todo->ja,
		.failed_s = link->trouble ? link->failed_s : 0,
	};
	return OK;
}

/* ---- life ------------------------------------------------------------------------------- */

enum err siem_link_new(struct broker *broker, struct siem_link **ret)
{
	struct siem_link *link = calloc(1, sizeof(*link));
	enum err err;

	if (!link)
		return ERR_NOMEM;
	link->broker = broker;
	loop_timer_init(broker->loop, &link->timer, look);
	err = siem_cursor_get(broker->db, &link->delivered, &link->delivered_ms);
	if (err) {
		free(link);
		return err;
	}
	if (broker->settings.siem_address[0])
		loop_timer_set(&link->timer, SIEM_LOOK_MS * 1000ULL);
	*ret = link;
	return OK;
}

void siem_link_free(struct siem_link *link)
{
	if (!link)
		return;
	loop_timer_cancel(&link->timer);
	free(link);
}
