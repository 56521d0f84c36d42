#include "broker/broker.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/admin.h"
#include "broker/checkpoint.h"
#include "broker/dispatch.h"
#include "broker/documents.h"
#include "broker/enrol.h"
#include "broker/exporting.h"
#include "broker/glass.h"
#include "broker/host.h"
#include "broker/pki.h"
#include "broker/playback.h"
#include "broker/quota.h"
#include "broker/recording.h"
#include "broker/records.h"
#include "broker/retention.h"
#include "broker/sealed.h"
#include "broker/session.h"
#include "broker/siem_link.h"
#include "broker/vault_link.h"
#include "broker/watch.h"

enum { ADDRESSES_MAX = 4096, PURGE_S = 600, PATH_BYTES = 400, STOP_US = 2000000 };

enum err broker_tell_monitor(struct broker *broker, uint16_t id, const void *msg)
{
	if (!broker->monitor || channel_send(broker->monitor, id, msg, -1) != OK)
		return ERR_UNAVAILABLE;
	return OK;
}

enum err broker_audit(struct broker *broker, const struct audit_entry *entry)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum err err = db_tx_begin(&tx, broker->db);

	if (err) {
		json_decref(entry->detail);
		return err;
	}
	err = audit_append(broker->db, entry);
	return err ? err : db_tx_commit(&tx);
}

/* ---- edge, signer, probe ---------------------------------------------------------------- */

static void edge_message(void *ctx, struct channel *channel, const struct wire_type *type,
			 const union wire_any *msg, int fd)
{
	struct broker *broker = ctx;

	(void)channel;
	if (fd >= 0)
		close(fd);
	if (type->id == MSG_edge_start)
		pki_edge_start(broker->pki, &msg->edge_start);
	else if (type->id == MSG_record_ask_gone)
		records_ask_gone(broker, msg->record_ask_gone.request);
	else
		dispatch_request(broker, type, msg);
}

static void edge_closed(void *ctx, struct channel *channel, enum err why)
{
	struct broker *broker = ctx;

	(void)channel;
	log_warn("edge-gone", "why=%s", err_code(why));
	broker->edge = NULL;
	broker->edge_generation++;
	pki_edge_gone(broker->pki);
	records_edge_gone(broker);
}

static void signer_message(void *ctx, struct channel *channel, const struct wire_type *type,
			   const union wire_any *msg, int fd)
{
	struct broker *broker = ctx;

	(void)channel;
	if (fd >= 0)
		close(fd);
	pki_answered(broker->pki, type, msg);
}

static void signer_closed(void *ctx, struct channel *channel, enum err why)
{
	struct broker *broker = ctx;

	(void)channel;
	log_warn("signer-gone", "why=%s", err_code(why));
	broker->signer = NULL;
	pki_signer_gone(broker->pki);
}

static void probe_message(void *ctx, struct channel *channel, const struct wire_type *type,
			  const union wire_any *msg, int fd)
{
	struct broker *broker = ctx;

	(void)channel;
	if (fd >= 0)
		close(fd);
	if (type->id == MSG_probed)
		host_probed(broker->hosts, &msg->probed);
}

static void probe_closed(void *ctx, struct channel *channel, enum err why)
{
	struct broker *broker = ctx;

	(void)channel;
	log_warn("probe-gone", "why=%s", err_code(why));
	broker->probe = NULL;
	host_probe_lost(broker->hosts);
}

static void vault_opened(struct broker *broker, const struct msg_playback_opened *msg)
{
	playback_vault_opened(broker, msg);
	exporting_vault_opened(broker, msg);
}

static void vault_gone(struct broker *broker)
{
	playback_vault_gone(broker);
	exporting_vault_gone(broker);
	documents_vault_gone(broker);
	records_vault_gone(broker);
}

static void vault_message(void *ctx, struct channel *channel, const struct wire_type *type,
			  const union wire_any *msg, int fd)
{
	struct broker *broker = ctx;

	(void)channel;
	if (fd >= 0)
		close(fd);
	if (type->id == MSG_vault_state)
		vault_link_state(broker->house, &msg->vault_state);
	else if (type->id == MSG_vault_root)
		vault_link_says(broker->house, &msg->vault_root);
	else if (type->id == MSG_vault_answer)
		vault_link_gives(broker->house, &msg->vault_answer);
	else if (type->id == MSG_playback_opened)
		vault_opened(broker, &msg->playback_opened);
	else if (type->id == MSG_playback_progress)
		playback_vault_progress(broker, &msg->playback_progress);
	else if (type->id == MSG_playback_closed)
		playback_vault_closed(broker, &msg->playback_closed);
	else if (type->id == MSG_record_stream_closed)
		documents_vault_closed(broker, &msg->record_stream_closed);
	else if (type->id == MSG_record_about)
		records_about(broker, &msg->record_about);
	else if (type->id == MSG_record_hold)
		records_held(broker, &msg->record_hold);
	else if (type->id == MSG_record_answer)
		records_answered(broker, &msg->record_answer);
	else if (type->id == MSG_record_notice)
		records_noticed(broker, &msg->record_notice);
}

static void vault_closed(void *ctx, struct channel *channel, enum err why)
{
	struct broker *broker = ctx;

	(void)channel;
	log_warn("vault-gone", "why=%s", err_code(why));
	broker->vault = NULL;
	vault_gone(broker);
	vault_link_gone(broker->house);
}

/* What was waited for at the end is there, or will not come. */
static void stop_if_waiting(struct broker *broker)
{
	if (!loop_timer_running(&broker->stopping))
		return;
	loop_timer_cancel(&broker->stopping);
	loop_stop(broker->loop, 0);
}

static void siem_message(void *ctx, struct channel *channel, const struct wire_type *type,
			 const union wire_any *msg, int fd)
{
	struct broker *broker = ctx;

	(void)channel;
	if (fd >= 0)
		close(fd);
	if (type->id == MSG_siem_delivered)
		siem_link_delivered(broker->collector, &msg->siem_delivered);
	else if (type->id == MSG_siem_failed)
		siem_link_failed(broker->collector, &msg->siem_failed);
	stop_if_waiting(broker);
}

static void siem_closed(void *ctx, struct channel *channel, enum err why)
{
	struct broker *broker = ctx;

	(void)channel;
	log_warn("siem-gone", "why=%s", err_code(why));
	broker->siem = NULL;
	siem_link_gone(broker->collector);
	stop_if_waiting(broker);
}

static const struct broker_peer {
	enum wire_role role;
	size_t offset; /* of its channel in struct broker */
	struct channel_ops ops;
} peers[] = {
	{ WIRE_EDGE, offsetof(struct broker, edge), { edge_message, edge_closed } },
	{ WIRE_SIGNER, offsetof(struct broker, signer), { signer_message, signer_closed } },
	{ WIRE_PROBE, offsetof(struct broker, probe), { probe_message, probe_closed } },
	{ WIRE_VAULT, offsetof(struct broker, vault), { vault_message, vault_closed } },
	{ WIRE_SIEM, offsetof(struct broker, siem), { siem_message, siem_closed } },
};

static void peer_came(struct broker *broker, enum wire_role role)
{
	if (role == WIRE_EDGE) {
		broker->edge_generation++;
		pki_edge_gone(broker->pki);
		records_edge_gone(broker);
	} else if (role == WIRE_SIGNER) {
		pki_signer_gone(broker->pki);
		pki_signer_came(broker->pki);
		checkpoint_soon(broker->checkpoints);
	} else if (role == WIRE_VAULT) {
		vault_gone(broker);
		vault_link_came(broker->house);
	} else if (role == WIRE_SIEM) {
		siem_link_came(broker->collector);
	} else {
		host_probe_lost(broker->hosts);
	}
}

static void link_peer(struct broker *broker, unsigned role, int fd)
{
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		struct channel **channel =
			(struct channel **)(void *)((char *)broker + peers[i].offset);
		enum err err;

		if (peers[i].role != role)
			continue;
		channel_free(*channel);
		*channel = NULL;
		err = channel_new(broker->loop, fd, WIRE_BROKER, peers[i].role, &peers[i].ops,
				  broker, channel);
		if (err)
			log_error("link-failed", "role=%u error=%s", role, err_code(err));
		peer_came(broker, peers[i].role);
		return;
	}
	log_warn("link-unknown", "role=%u", role);
	close(fd);
}

/* ---- monitor ---------------------------------------------------------------------------- */

static void monitor_message(void *ctx, struct channel *channel, const struct wire_type *type,
			    const union wire_any *msg, int fd)
{
	struct broker *broker = ctx;

	(void)channel;
	if (type->id == MSG_link) {
		link_peer(broker, msg->link.peer, fd);
	} else if (type->id == MSG_listener && msg->listener.kind == LISTENER_ADMIN) {
		admin_listen(broker->admin, fd);
	} else if (type->id == MSG_worker_started) {
		session_worker_started(broker, &msg->worker_started, fd);
	} else {
		if (type->id == MSG_worker_exited)
			session_worker_exited(broker, &msg->worker_exited);
		else if (type->id == MSG_export_exited)
			exporting_exited(broker, &msg->export_exited);
		if (fd >= 0)
			close(fd);
	}
}

static void monitor_closed(void *ctx, struct channel *channel, enum err why)
{
	struct broker *broker = ctx;

	(void)channel;
	broker->monitor = NULL;
	loop_stop(broker->loop, why == ERR_CLOSED ? 0 : 1);
}

const struct channel_ops broker_monitor_ops = { .message = monitor_message,
						.closed = monitor_closed };

/* ---- life ------------------------------------------------------------------------------- */

static void tick_due(struct loop_timer *timer)
{
	struct broker *broker = container_of(timer, struct broker, tick);

	session_tick(broker);
	playback_tick(broker, clock_wall_s());
	exporting_tick(broker, clock_wall_s());
	documents_tick(broker, clock_wall_s());
	watch_tick(broker, clock_wall_s());
	glass_tick(broker);
	loop_timer_set(timer, SESSION_PING_S * 1000000ULL);
}

static void purge_due(struct loop_timer *timer)
{
	struct broker *broker = container_of(timer, struct broker, purge);
	int64_t now_s = clock_wall_s();
	enum err err = login_row_purge(broker->db, now_s, now_s - broker->policy.idle_s);

	if (err)
		log_warn("purge-failed", "error=%s", err_code(err));
	err = recording_put_right(broker);
	if (err)
		log_warn("recordings-not-closed", "error=%s", err_code(err));
	err = watch_put_right(broker);
	if (err)
		log_warn("watches-not-closed", "error=%s", err_code(err));
	recording_warn(broker, now_s);
	retention_tick(broker);
	pki_tick(broker->pki, now_s);
	vault_link_tick(broker->house);
	loop_timer_set(timer, PURGE_S * 1000000ULL);
}

static void stop_due(struct loop_timer *timer)
{
	loop_stop(container_of(timer, struct broker, stopping)->loop, 0);
}

void broker_stop(struct broker *broker)
{
	loop_timer_set(&broker->stopping, siem_link_stop(broker->collector) ? STOP_US : 0);
}

static enum err open_state(struct broker *broker, const char *state_dir)
{
	char path[PATH_BYTES];
	enum err err;

	if ((size_t)snprintf(path, sizeof(path), "%s/sealing.key", state_dir) >= sizeof(path))
		return ERR_TOO_BIG;
	err = sealed_key_open(path, &broker->key);
	if (err) {
		log_error("sealing-key-failed", "path=\"%s\" error=%s", path, err_code(err));
		return err;
	}
	snprintf(path, sizeof(path), "%s/sekisho.db", state_dir);
	err = db_open(path, &broker->db);
	if (!err)
		err = audit_catch_up(broker->db);
	if (err)
		log_error("store-failed", "path=\"%s\" error=%s", path, err_code(err));
	return err;
}

static enum err open_parts(struct broker *broker)
{
	enum err err = hasher_new(broker->loop, &broker->hasher);

	if (!err)
		err = throttle_new(ADDRESSES_MAX, &broker->addresses);
	if (!err)
		err = host_watch_new(broker, &broker->hosts);
	if (!err)
		err = pki_new(broker, &broker->pki);
	if (!err)
		err = vault_link_new(broker, &broker->house);
	if (!err)
		err = siem_link_new(broker, &broker->collector);
	if (!err)
		err = enrol_new(broker, &broker->enrol);
	if (!err)
		err = admin_new(broker, &broker->admin);
	if (!err)
		err = checkpoint_new(broker, &broker->checkpoints);
	if (!err)
		err = session_load(broker);
	if (!err)
		err = recording_put_right(broker);
	if (!err)
		err = watch_put_right(broker);
	if (!err)
		err = glass_put_right(broker);
	if (err)
		log_error("start-failed", "error=%s", err_code(err));
	return err;
}

enum err broker_open(struct loop *loop, const struct settings *settings, const char *state_dir,
		     struct broker **ret)
{
	struct broker *broker = calloc(1, sizeof(*broker));
	enum err err;

	if (!broker)
		return ERR_NOMEM;
	broker->loop = loop;
	broker->settings = *settings;
	broker->policy = (struct login_policy){
		.failures = settings->login_failures,
		.length_s = settings->login_hours * 3600,
		.idle_s = settings->login_idle_minutes * 60,
	};
	loop_timer_init(loop, &broker->tick, tick_due);
	loop_timer_init(loop, &broker->purge, purge_due);
	loop_timer_init(loop, &broker->stopping, stop_due);
	err = open_state(broker, state_dir);
	if (!err)
		err = open_parts(broker);
	if (err) {
		broker_close(broker);
		return err;
	}
	loop_timer_set(&broker->tick, SESSION_PING_S * 1000000ULL);
	loop_timer_set(&broker->purge, 1000000ULL);
	*ret = broker;
	return OK;
}

void broker_close(struct broker *broker)
{
	if (!broker)
		return;
	loop_timer_cancel(&broker->tick);
	loop_timer_cancel(&broker->purge);
	loop_timer_cancel(&broker->stopping);
	watch_forget_all(broker);
	session_forget_all(broker);
	playback_forget_all(broker);
	exporting_forget_all(broker);
	documents_forget_all(broker);
	glass_forget_all(broker);
	records_forget_all(broker);
	quota_forget_all(broker);
	admin_free(broker->admin);
	pki_free(broker->pki);
	vault_link_free(broker->house);
	siem_link_free(broker->collector);
	checkpoint_free(broker->checkpoints);
	enrol_free(broker->enrol);
	host_watch_free(broker->hosts);
	hasher_free(broker->hasher);
	throttle_free(broker->addresses);
	channel_free(broker->edge);
	channel_free(broker->signer);
	channel_free(broker->probe);
	channel_free(broker->vault);
	channel_free(broker->siem);
	channel_free(broker->monitor);
	db_close(broker->db);
	secret_free(broker->key);
	free(broker);
}
