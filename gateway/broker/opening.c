#include "broker/opening.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/entry.h"
#include "base/log.h"
#include "broker/person.h"
#include "broker/recording.h"
#include "broker/session.h"
#include "broker/vault_link.h"
#include "store/playbacks.h"

enum {
	PURPOSE_MIN = 4, /* characters */
	PURPOSE_MAX = 256,
	MARK_BYTES = 49, /* of one in msg_playback_open */
	MARKS_MAX = 98304 / MARK_BYTES,
};

void opening_init(struct opening *opening)
{
	*opening = (struct opening){ .fd = -1 };
	buf_init(&opening->marks, (size_t)MARKS_MAX * MARK_BYTES);
}

void opening_finish(struct opening *opening)
{
	util_closep(&opening->fd);
	opening->fd = -1;
	buf_finish(&opening->marks);
}

/* ---- refusals --------------------------------------------------------------------------- */

enum err opening_record_refusal(struct request *request, const char *event, const uint8_t *session,
				enum err why, const char *field)
{
	char id[SESSION_ID_TEXT + 1] = "";
	struct audit_entry entry = request_audit(
		request, event, json_pack("{s:s, s:s*}", "error", err_code(why), "field", field));

	if (session) {
		util_hex(session, WIRE_SESSION_ID, id);
		entry.session = id;
	}
	log_warn(event, "user=%s session=%s error=%s", request->account.name, id, err_code(why));
	return broker_audit(request->broker, &entry);
}

enum err opening_refuse(struct request *request, const char *event, const uint8_t *session,
			enum err why, const char *field)
{
	enum err err = opening_record_refusal(request, event, session, why, field);

	if (err || !field)
		return err ? err : why;
	reply_error_field(request->broker, &request->to, why, field);
	return OK;
}

/* ---- what is there ---------------------------------------------------------------------- */

bool opening_purpose_is_good(const char *text)
{
	size_t characters = 0;

	for (const char *at = text; *at; at++)
		characters += ((uint8_t)*at & 0xc0) != 0x80;
	return util_text_plain(text) && characters >= PURPOSE_MIN && characters <= PURPOSE_MAX &&
	       !util_text_blank(text);
}

enum err opening_check_vault(const struct broker *broker)
{
	switch ((unsigned)vault_link_is(broker->house)) {
	case VAULT_OPEN:
		return OK;
	case VAULT_SEALED:
		return ERR_LOCKED;
	case VAULT_EMPTY:
		return ERR_WRONG_STATE;
	default:
		return ERR_UNAVAILABLE;
	}
}

/* Whether the entry is what was hashed into the tree, of which browsers and checkpoints know. */
static bool is_genuine(struct db *db, const struct audit_row *row)
{
	uint8_t commitment[AUDIT_HASH], leaf[TREE_HASH], kept[AUDIT_HASH];

	return row->version == AUDIT_SALTED && !entry_commitment(row, NULL, commitment) &&
	       memcmp(commitment, row->commitment, sizeof(commitment)) == 0 &&
	       !entry_leaf(row, leaf) && !audit_node_read(db, 0, (uint64_t)row->seq - 1, kept) &&
	       memcmp(leaf, kept, sizeof(leaf)) == 0;
}

static enum err put_mark(struct buf *marks, const char *detail)
{
	json_t *json = json_loads(detail, JSON_REJECT_DUPLICATES, NULL);
	const char *hex = json_string_value(json_object_get(json, "hash"));
	uint8_t hash[RECORDING_HASH], last = json_is_true(json_object_get(json, "last"));
	int64_t chunks = json_integer_value(json_object_get(json, "chunks"));
	int64_t size = json_integer_value(json_object_get(json, "size"));
	/* One that cannot be read must not vanish: it then contradicts the file. */
	enum err err = OK;

	if (!hex || util_unhex(hex, hash, sizeof(hash)))
		memset(hash, 0, sizeof(hash));
	json_decref(json);
	err = buf_add(marks, &chunks, sizeof(chunks));
	if (!err)
		err = buf_add(marks, &size, sizeof(size));
	if (!err)
		err = buf_add(marks, hash, sizeof(hash));
	return err ? err : buf_add(marks, &last, sizeof(last));
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "put_mark copies integers as they lie");

/* Of more than a message holds every second one is left out, but for the last. */
static void thin_out(struct buf *marks)
{
	size_t count = marks->len / MARK_BYTES, kept = 0;

	for (size_t i = 0; i < count; i++)
		if (i % 2 || i + 1 == count)
			memmove(marks->data + MARK_BYTES * kept++, marks->data + MARK_BYTES * i,
				MARK_BYTES);
	marks->len = kept * MARK_BYTES;
}

static enum err load_marks(struct request *request, const char *id, struct buf *marks)
{
	_cleanup_query_ struct query query = { 0 };
	struct db *db = request->broker->db;
	struct audit_row row;
	bool more;
	enum err err;

	audit_row_marks(&query, db, id);
	while (!(err = audit_row_next(&query, &row, &more)) && more) {
		bool genuine = is_genuine(db, &row);
		if (!genuine)
			log_error("mark-changed", "seq=%" PRId64 " hint=\"sekisho audit verify\"",
				  row.seq);
		if (marks->len / MARK_BYTES >= MARKS_MAX)
			thin_out(marks);
		/* What contradicts the log contradicts the file too. */
		err = put_mark(marks, genuine ? row.detail : "{}");
		if (err)
			break;
	}
	return err;
}

/* A file with nothing in it: of a connection that ended at once, or somebody has emptied it. */
static enum err check_file(struct opening *opening)
{
	struct stat status;

	if (fstat(opening->fd, &status) < 0)
		return ERR_IO;
	if (status.st_size > 0)
		return OK;
	if (opening->row.chunks == 0)
		opening->field = "empty";
	return ERR_NOT_FOUND;
}

enum err opening_prepare(struct request *request, const uint8_t *session, const char *purpose,
			 struct opening *opening)
{
	struct broker *broker = request->broker;
	char id[SESSION_ID_TEXT + 1];
	enum err err = recording_row_get(broker->db, session, &opening->row);

	if (!err)
		err = session_row_get(broker->db, session, &opening->session);
	if (!err && opening->row.state == RECORDING_DISPOSED)
		err = ERR_EXPIRED;
	if (err)
		return err;
	opening->field = "purpose";
	if (!opening_purpose_is_good(purpose))
		return ERR_INVALID;
	opening->field = "vault";
	err = opening_check_vault(broker);
	if (err)
		return err;
	/* Gone from the disk, whoever took it: the log knows that it was there. */
	opening->field = "file";
	err = recording_open(broker, session, &opening->fd);
	if (!err)
		err = check_file(opening);
	if (err)
		return err;
	opening->field = NULL;
	util_hex(session, WIRE_SESSION_ID, id);
	return load_marks(request, id, &opening->marks);
}

/* ---- the code --------------------------------------------------------------------------- */

static enum err record(struct request *request, const struct person_try *try, const char *code,
		       opening_write *write, void *ctx)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	_cleanup_secret_ struct secret *key = NULL;
	struct broker *broker = request->broker;
	enum err err = person_totp_key(broker, &request->account, &key);

	if (!err)
		err = db_tx_begin(&tx, broker->db);
	if (!err)
		err = login_check_code(broker->db, request->account.id, key, code, request->now_s);
	if (!err)
		err = login_refund(broker->db, &try->login);
	if (!err)
		err = write(ctx, broker->db);
	return err ? err : db_tx_commit(&tx);
}

enum err opening_take_code_for(struct request *request, const char *code, const char *step,
			       opening_write *write, void *ctx)
{
	struct person_try try;
	enum err err;

	person_try_init(&try, request->account.id, request->device.id, request->account.name,
			request->head->address);
	err = person_count(request->broker, &request->to, &try);
	if (err)
		return err;
	err = record(request, &try, code, write, ctx);
	if (err == ERR_LOGIN)
		return person_failed(request->broker, &try, step);
	if (!err)
		throttle_refund(request->broker->addresses, try.address);
	return err;
}

static enum err append(void *ctx, struct db *db)
{
	struct audit_entry *entry = ctx;
	struct audit_entry taken = *entry;

	entry->detail = NULL;
	return audit_append(db, &taken);
}

enum err opening_take_code(struct request *request, const char *code, const char *step,
			   const struct audit_entry *entry)
{
	struct audit_entry copy = *entry;
	enum err err = opening_take_code_for(request, code, step, append, &copy);

	json_decref(copy.detail);
	return err;
}

/* ---- later ------------------------------------------------------------------------------ */
