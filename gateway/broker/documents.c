#include "broker/documents.h"

#include <openssl/rand.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/records.h"
#include "wire/ipc.h"

struct documents {
	struct documents *next;
	struct broker *broker;
	uint8_t id[WIRE_SESSION_ID]; /* in the browser's path */
	char account_name[ACCOUNT_NAME_MAX + 1];
	char address[DEVICE_ADDRESS_MAX + 1];
	struct documents_order order; /* its texts are those above */
	int64_t begun_s;
	bool taken;              /* its stream */
	const char *why;         /* it ends; NULL: it goes on */
	struct loop_timer timer; /* until it is taken, ends, or the vault must have said so */
};

static void documents_free(struct documents *documents)
{
	struct documents **link = &documents->broker->documents;

	while (*link != documents)
		link = &(*link)->next;
	*link = documents->next;
	loop_timer_cancel(&documents->timer);
	free(documents);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* It is over in any case: an entry that cannot be written is in the log of the process. */
static void record_end(const struct documents *documents, uint64_t bytes)
{
	const struct documents_order *order = &documents->order;
	struct audit_entry entry = {
		.event = "document-closed",
		.account = documents->account_name,
		.device = order->device,
		.address = documents->address,
		.detail = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "why", documents->why,
				    "order", order->event, "seq", (json_int_t)order->seq, "record",
				    (json_int_t)order->record, "client", (json_int_t)order->client,
				    "bytes", (json_int_t)bytes, "seconds",
				    (json_int_t)(clock_wall_s() - documents->begun_s)),
	};
	enum err err = broker_audit(documents->broker, &entry);

	log_info("document-stream-ended", "stream=%u user=%s why=%s", order->stream,
		 documents->account_name, documents->why);
	if (err)
		log_error("document-stream-unrecorded", "stream=%u error=%s", order->stream,
			  err_code(err));
}

static void finish(struct documents *documents, uint64_t bytes)
{
	record_end(documents, bytes);
	documents_free(documents);
}

static enum err close_stream(struct broker *broker, uint32_t stream)
{
	const struct msg_record_stream_close msg = { .stream = stream };

	return broker->vault ? channel_send(broker->vault, MSG_record_stream_close, &msg, -1)
			     : ERR_UNAVAILABLE;
}

/* The vault answers with how much it was; without an answer it is over all the same. */
static void end(struct documents *documents, const char *why)
{
	if (documents->why)
		return;
	documents->why = why;
	if (close_stream(documents->broker, documents->order.stream))
		finish(documents, 0);
	else
		loop_timer_set(&documents->timer, DOCUMENTS_CLOSE_S * 1000000ULL);
}

static void timer_due(struct loop_timer *timer)
{
	struct documents *documents = container_of(timer, struct documents, timer);

	if (!documents->why) {
		end(documents, documents->taken ? "length" : "not-taken");
		return;
	}
	log_warn("document-stream-unanswered", "stream=%u", documents->order.stream);
	finish(documents, 0);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static enum err add(struct broker *broker, const struct documents_order *order,
		    struct documents **ret)
{
	struct documents *documents = calloc(1, sizeof(*documents));

	if (!documents)
		return ERR_NOMEM;
	if (RAND_bytes(documents->id, sizeof(documents->id)) != 1) {
		free(documents);
		return ERR_CRYPTO;
	}
	documents->broker = broker;
	documents->order = *order;
	documents->begun_s = clock_wall_s();
	snprintf(documents->account_name, sizeof(documents->account_name), "%s",
		 order->account_name);
	snprintf(documents->address, sizeof(documents->address), "%s", order->address);
	documents->order.account_name = documents->account_name;
	documents->order.address = documents->address;
	loop_timer_init(broker->loop, &documents->timer, timer_due);
	loop_timer_set(&documents->timer, DOCUMENTS_ATTACH_S * 1000000ULL);
	documents->next = broker->documents;
	broker->documents = documents;
	*ret = documents;
	return OK;
}

enum err documents_add(struct broker *broker, const struct documents_order *order,
		       char path[DOCUMENTS_PATH])
{
	char text[2 * WIRE_SESSION_ID + 1];
	struct documents *documents;
	enum err err = add(broker, order, &documents);

	if (err) {
		if (close_stream(broker, order->stream))
			log_warn("document-stream-unclosed", "stream=%u", order->stream);
		return err;
	}
	util_hex(documents->id, sizeof(documents->id), text);
	snprintf(path, DOCUMENTS_PATH, "/api/vault/streams/%s", text);
	return OK;
}

/* ---- the stream ------------------------------------------------------------------------------ */

static enum err send_stream(const struct documents *documents, const struct account *account,
			    int *ret_fd)
{
	const struct msg_record_stream msg = {
		.stream = documents->order.stream,
		.who = account->full_name[0] ? account->full_name : account->name,
	};
	struct channel *vault = documents->broker->vault;
	int pair[2];
	enum err err = vault ? ipc_pair(pair) : ERR_UNAVAILABLE;

	if (err)
		return err;
	err = channel_send(vault, MSG_record_stream, &msg, pair[0]);
	if (err) {
		close(pair[1]);
		return ERR_UNAVAILABLE;
	}
	*ret_fd = pair[1];
	return OK;
}

enum err documents_take(struct request *request, const uint8_t id[WIRE_SESSION_ID], int *ret_fd)
{
	struct documents *documents = request->broker->documents;

	while (documents && (documents->why || documents->order.login != request->login.id ||
			     documents->order.device != request->device.id ||
			     memcmp(documents->id, id, WIRE_SESSION_ID) != 0))
		documents = documents->next;
	if (!documents)
		return ERR_NOT_FOUND;
	if (documents->taken)
		return ERR_USED;
	enum err err = send_stream(documents, &request->account, ret_fd);
	if (err)
		return err;
	documents->taken = true;
	loop_timer_set(&documents->timer, DOCUMENTS_LENGTH_S * 1000000ULL);
	return OK;
}

/* ---- from the vault -------------------------------------------------------------------------- */

void documents_vault_closed(struct broker *broker, const struct msg_record_stream_closed *msg)
{
	struct documents *documents = broker->documents;
	enum err err = msg->error ? (enum err)msg->error : OK;

	records_raise_floor(broker, msg->counter);
	while (documents && documents->order.stream != msg->stream)
		documents = documents->next;
	if (!documents)
		return;
	if (!documents->why)
		documents->why = err ? err_code(err) : "done";
	finish(documents, msg->bytes);
}

void documents_vault_gone(struct broker *broker)
{
	while (broker->documents) {
		if (!broker->documents->why)
			broker->documents->why = "vault";
		finish(broker->documents, 0);
	}
}

/* ---- rights ---------------------------------------------------------------------------------- */

void documents_cut(struct broker *broker, int64_t account, int64_t device)
{
	struct documents *next;

	for (struct documents *at = broker->documents; at; at = next) {
		next = at->next;
		if ((!account || at->order.account == account) &&
		    (!device || at->order.device == device))
			end(at, "revoked");
	}
}

void documents_end_glass(struct broker *broker, int64_t glass)
{
	struct documents *next;

	for (struct documents *at = broker->documents; at; at = next) {
		next = at->next;
		if (at->order.glass == glass)
			end(at, "glass");
	}
}

void documents_leave_login(struct broker *broker, int64_t login)
{
	struct documents *next;

	for (struct documents *at = broker->documents; at; at = next) {
		next = at->next;
		if (at->order.login == login)
			end(at, "logout");
	}
}

void documents_tick(struct broker *broker, int64_t now_s)
{
	struct documents *next;

	for (struct documents *at = broker->documents; at; at = next) {
		const struct documents_order *order = &at->order;

		next = at->next;
		if (!at->why &&
		    request_still_allowed(broker, order->login, order->account, order->device,
					  REQUEST_STAFF, now_s) == ERR_NOT_FOUND)
			end(at, "login");
	}
}

void documents_forget_all(struct broker *broker)
{
	while (broker->documents)
		documents_free(broker->documents);
}
