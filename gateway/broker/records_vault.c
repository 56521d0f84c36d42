#include "broker/records.h"

#include <inttypes.h>

#include "base/bucket.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/records.h"

enum err records_tell(struct broker *broker, uint16_t id, const void *msg)
{
	enum err err = broker->vault ? channel_send(broker->vault, id, msg, -1) : ERR_UNAVAILABLE;

	return err == ERR_FULL || err == ERR_CLOSED ? ERR_UNAVAILABLE : err;
}

/* ---- what the vault says by itself ------------------------------------------------------ */

/* What the vault may say, and what is to be done then. */
static const struct {
	const char *event, *hint;
} notices[BROKER_NOTICES] = {
	{ "vault-damaged", "put the vault's folder back from its newest copy" },
	{ "vault-rolled-back", "put the vault's folder back from its newest copy" },
	{ "vault-disposed-again", "see who put an older copy of the vault's folder back" },
	{ "document-quarantined", "those who manage records destroy it" },
};

void records_noticed(struct broker *broker, const struct msg_record_notice *msg)
{
	struct audit_entry entry = { 0 };
	const char *hint = NULL;
	size_t kind = 0;
	int64_t wait_ms;
	enum err err;

	for (size_t i = 0; i < ARRAY_SIZE(notices); i++)
		if (util_streq(notices[i].event, msg->event)) {
			entry.event = notices[i].event;
			hint = notices[i].hint;
			kind = i;
		}
	/* The audit log cannot be shortened: a vault that is broken may not fill it. One event does
	 * not keep another out. */
	if (!entry.event || bucket_take(&broker->notices[kind], RECORDS_NOTICES_PER_MINUTE,
					clock_mono_ms(), &wait_ms)) {
		log_warn("record-notice-dropped", "event=%s", log_quote(msg->event));
		return;
	}
	entry.detail = json_loadb((const char *)msg->detail.data, msg->detail.len,
				  JSON_REJECT_DUPLICATES, NULL);
	err = broker_audit(broker, &entry);
	log_error(entry.event, "hint=\"%s\"", hint);
	if (err)
		log_error("record-notice-unrecorded", "error=%s", err_code(err));
}

/* ---- how far it had come ---------------------------------------------------------------- */

void records_raise_floor(struct broker *broker, uint64_t counter)
{
	uint64_t known = 0;
	enum err err = record_floor_get(broker->db, &known);

	if (!err && counter > known && counter - known > RECORDS_LEAP) {
		log_warn("record-floor-leap", "counter=%" PRIu64 " known=%" PRIu64, counter, known);
		counter = known + RECORDS_LEAP;
	}
	if (!err && counter > known)
		err = record_floor_set(broker->db, counter);
	if (err)
		log_error("record-floor", "error=%s", err_code(err));
}

static enum err send_floor(struct broker *broker, uint64_t counter, uint64_t *ids)
{
	_cleanup_query_ struct query query = { 0 };
	size_t count = 0;
	bool more = true;
	enum err err = OK;

	record_disposed_list(&query, broker->db);
	while (!err && more) {
		err = record_disposed_next(&query, &ids[count], &more);
		if (err)
			break;
		count += more;
		if (more && count < RECORDS_FLOOR_IDS)
			continue;
		const struct msg_record_floor msg = {
			.counter = counter,
			.last = !more,
			.disposed = { (const uint8_t *)ids, count * sizeof(*ids) },
		};

		err = records_tell(broker, MSG_record_floor, &msg);
		count = 0;
	}
	return err;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "send_floor sends integers as they lie");

void records_vault_open(struct broker *broker)
{
	uint64_t *ids = calloc(RECORDS_FLOOR_IDS, sizeof(*ids)), counter = 0;
	enum err err = ids ? record_floor_get(broker->db, &counter) : ERR_NOMEM;

	if (!err)
		err = send_floor(broker, counter, ids);
	free(ids);
	/* The vault answers nothing until it hears it. */
	if (err)
		log_error("record-floor", "error=%s", err_code(err));
}
