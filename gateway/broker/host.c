#include "broker/host.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/session.h"

enum { HOST_TICK_US = 1000000, HOST_ANSWER_MS = 15 * 1000 };

/* What is known of one host. */
struct host_seen {
	struct host_seen *next;
	int64_t host;
	char address[HOST_ADDRESS_MAX + 1];
	uint16_t port;
	bool answered, reachable;
	/* Monotonic, 0 for never. */
	uint64_t asked_ms, answered_ms, looked_ms, woken_ms;
};

/* A list that waits for first answers. */
struct host_wait {
	struct host_wait *next;
	struct host_watch *watch;
	struct reply_to to;
	int64_t account;
	struct loop_timer timer;
};

struct host_watch {
	struct broker *broker;
	struct host_seen *seen;
	struct host_wait *waiting;
	struct loop_timer timer;
};

static struct host_seen *seen_find(const struct host_watch *watch, int64_t host)
{
	for (struct host_seen *seen = watch->seen; seen; seen = seen->next)
		if (seen->host == host)
			return seen;
	return NULL;
}

static struct host_seen *seen_make(struct host_watch *watch, const struct host_row *host)
{
	struct host_seen *seen = seen_find(watch, host->id);

	if (!seen) {
		seen = calloc(1, sizeof(*seen));
		if (!seen)
			return NULL;
		seen->host = host->id;
		seen->next = watch->seen;
		watch->seen = seen;
	}
	memcpy(seen->address, host->address, sizeof(seen->address));
	seen->port = (uint16_t)host->port;
	return seen;
}

/* ---- asking ----------------------------------------------------------------------------- */

static bool awaited(const struct host_seen *seen, uint64_t now_ms)
{
	return seen->asked_ms > seen->answered_ms && now_ms - seen->asked_ms < HOST_ANSWER_MS;
}

static void seen_ask(struct host_watch *watch, struct host_seen *seen, uint64_t now_ms)
{
	const struct msg_probe probe = { .host = (uint64_t)seen->host,
					 .address = seen->address,
					 .port = seen->port };

	if (!watch->broker->probe || awaited(seen, now_ms) ||
	    (seen->asked_ms && now_ms - seen->asked_ms < HOST_FRESH_MS))
		return;
	if (channel_send(watch->broker->probe, MSG_probe, &probe, -1) == OK)
		seen->asked_ms = now_ms;
}

void host_look(struct host_watch *watch, const struct host_row *host)
{
	struct host_seen *seen = seen_make(watch, host);
	uint64_t now_ms = clock_mono_ms();

	if (!seen)
		return;
	seen->looked_ms = now_ms;
	seen_ask(watch, seen, now_ms);
	if (!loop_timer_running(&watch->timer))
		loop_timer_set(&watch->timer, HOST_TICK_US);
}

void host_doubt(struct host_watch *watch, int64_t host)
{
	struct host_seen *seen = seen_find(watch, host);
	uint64_t now_ms = clock_mono_ms();

	/* One that nobody looked at is asked at the first look. */
	if (!seen)
		return;
	seen->answered = false;
	if (!awaited(seen, now_ms))
		seen->asked_ms = 0;
	seen_ask(watch, seen, now_ms);
}

static void watch_due(struct loop_timer *timer)
{
	struct host_watch *watch = container_of(timer, struct host_watch, timer);
	uint64_t now_ms = clock_mono_ms();
	bool looking = false;

	for (struct host_seen *seen = watch->seen; seen; seen = seen->next) {
		if (now_ms - seen->looked_ms > HOST_LOOKED_MS)
			continue;
		looking = true;
		seen_ask(watch, seen, now_ms);
	}
	/* Nobody looks: the PCs are left alone until somebody does. */
	if (looking)
		loop_timer_set(&watch->timer, HOST_TICK_US);
}

/* ---- what is known ---------------------------------------------------------------------- */

bool host_undecided(const struct host_watch *watch, int64_t host)
{
	const struct host_seen *seen = seen_find(watch, host);

	return seen && !seen->answered && awaited(seen, clock_mono_ms());
}

const char *host_state(const struct host_watch *watch, const struct host_row *host)
{
	const struct host_seen *seen = seen_find(watch, host->id);
	uint64_t now_ms = clock_mono_ms();

	if (!seen || !seen->answered || now_ms - seen->answered_ms > HOST_LOOKED_MS)
		return seen && seen->woken_ms && now_ms - seen->woken_ms < HOST_WAKING_MS
			       ? "waking"
			       : "unknown";
	if (seen->reachable)
		return "reachable";
	if (seen->woken_ms && now_ms - seen->woken_ms < HOST_WAKING_MS)
		return "waking";
	return host->has_mac ? "asleep" : "unreachable";
}

enum err host_wake(struct host_watch *watch, const struct host_row *host)
{
	struct host_seen *seen = seen_make(watch, host);
	struct msg_wake wake = { .host = (uint64_t)host->id, .address = host->broadcast };
	enum err err;

	if (!host->has_mac)
		return ERR_WRONG_STATE;
	if (!seen)
		return ERR_NOMEM;
	if (!watch->broker->probe)
		return ERR_UNAVAILABLE;
	memcpy(wake.mac, host->mac, sizeof(wake.mac));
	err = channel_send(watch->broker->probe, MSG_wake, &wake, -1);
	if (!err)
		seen->woken_ms = clock_mono_ms();
	return err;
}

/* ---- the list --------------------------------------------------------------------------- */

static json_t *host_json(struct broker *broker, const struct host_row *host, int64_t account)
{
	const struct session *session = session_on_host(broker, host->id);
	bool me = session && session->row.account == account;
	json_t *json =
		json_pack("{s:I, s:s, s:s, s:s, s:s, s:b, s:b, s:b}", "id", (json_int_t)host->id,
			  "name", host->name, "protocol", protocol_code((unsigned)host->protocol),
			  "state", host_state(broker->hosts, host), "in_use",
			  !session ? "no"
			  : me     ? "me"
				   : "other",
			  "can_wake", host->has_mac, "view_only", host->view_only, "needs_login",
			  !host->has_credential && host->security != SECURITY_NONE);

	if (json && me &&
	    json_object_set_new(json, "session", json_string(session->id_text)) != 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static enum err host_list_json(struct broker *broker, int64_t account, bool *ret_undecided,
			       json_t **ret)
{
	_cleanup_query_ struct query query;
	json_t *list = json_array();
	struct host_row host;
	bool more, undecided = false;
	enum err err;

	host_list_granted(&query, broker->db, account);
	while (!(err = host_next(&query, &host, &more)) && more) {
		undecided = undecided || host_undecided(broker->hosts, host.id);
		if (json_array_append_new(list, host_json(broker, &host, account)) != 0) {
			err = ERR_NOMEM;
			break;
		}
	}
	if (err) {
		json_decref(list);
		return err;
	}
	*ret_undecided = undecided;
	*ret = json_pack("{s:o}", "hosts", list);
	return OK;
}

static void wait_free(struct host_wait *wait)
{
	struct host_wait **link = &wait->watch->waiting;

	while (*link != wait)
		link = &(*link)->next;
	*link = wait->next;
	loop_timer_cancel(&wait->timer);
	free(wait);
}

/* Answers unless something is undecided and there is time left. */
static bool list_answer(struct broker *broker, const struct reply_to *to, int64_t account,
			bool may_wait)
{
	bool undecided;
	json_t *json;
	enum err err = host_list_json(broker, account, &undecided, &json);

	if (err) {
		reply_error(broker, to, err);
		return true;
	}
	if (undecided && may_wait) {
		json_decref(json);
		return false;
	}
	reply_json(broker, to, 200, "", json);
	return true;
}

static void wait_due(struct loop_timer *timer)
{
	struct host_wait *wait = container_of(timer, struct host_wait, timer);

	list_answer(wait->watch->broker, &wait->to, wait->account, false);
	wait_free(wait);
}

void host_list_reply(struct broker *broker, const struct reply_to *to, int64_t account)
{
	struct host_watch *watch = broker->hosts;
	struct host_wait *wait;

	if (list_answer(broker, to, account, true))
		return;
	wait = calloc(1, sizeof(*wait));
	if (!wait) {
		list_answer(broker, to, account, false);
		return;
	}
	*wait = (struct host_wait){
		.next = watch->waiting, .watch = watch, .to = *to, .account = account
	};
	watch->waiting = wait;
	loop_timer_init(broker->loop, &wait->timer, wait_due);
	loop_timer_set(&wait->timer, HOST_FIRST_MS * 1000ULL);
}

/* ---- answers ---------------------------------------------------------------------------- */

void host_probed(struct host_watch *watch, const struct msg_probed *msg)
{
	struct host_seen *seen = seen_find(watch, (int64_t)msg->host);
	struct host_wait *next;

	if (!seen)
		return;
	seen->answered = true;
	seen->reachable = msg->reachable != 0;
	seen->answered_ms = clock_mono_ms();
	if (seen->reachable)
		seen->woken_ms = 0;
	for (struct host_wait *wait = watch->waiting; wait; wait = next) {
		next = wait->next;
		if (list_answer(watch->broker, &wait->to, wait->account, true))
			wait_free(wait);
	}
}

void host_probe_lost(struct host_watch *watch)
{
	/* What was asked will not be answered. */
	for (struct host_seen *seen = watch->seen; seen; seen = seen->next)
		seen->asked_ms = 0;
}

void host_forget(struct host_watch *watch, int64_t host)
{
	struct host_seen **link = &watch->seen, *seen;

	while (*link && (*link)->host != host)
		link = &(*link)->next;
	seen = *link;
	if (!seen)
		return;
	*link = seen->next;
	free(seen);
}

enum err host_watch_new(struct broker *broker, struct host_watch **ret)
{
	struct host_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return ERR_NOMEM;
	watch->broker = broker;
	loop_timer_init(broker->loop, &watch->timer, watch_due);
	*ret = watch;
	return OK;
}

void host_watch_free(struct host_watch *watch)
{
	if (!watch)
		return;
	while (watch->waiting)
		wait_free(watch->waiting);
	while (watch->seen)
		host_forget(watch, watch->seen->host);
	loop_timer_cancel(&watch->timer);
	free(watch);
}
