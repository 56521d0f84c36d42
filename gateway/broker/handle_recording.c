/*
 * handle_recording.c - recordings, for auditors: what there are, opening one for a purpose and with
 * a fresh code, and its stream. Every refusal is in the audit log.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "broker/handlers.h"
#include "broker/person.h"
#include "broker/playback.h"
#include "broker/quota.h"
#include "broker/recording.h"
#include "broker/session.h"
#include "broker/vault_link.h"
#include "store/playbacks.h"

enum {
	PURPOSE_MIN = 4, /* characters */
	PURPOSE_MAX = 256,
	LIST_BYTES = 80 * 1024, /* of an answer's 96 KiB */
	MARK_BYTES = 49,        /* of one in msg_playback_open */
	MARKS_MAX = 98304 / MARK_BYTES,
};

/* ---- refusals ----------------------------------------------------------------------------------
 */

/* field: what is wrong, NULL for none. ERR_THROTTLED: answered. */
static enum err record_refusal(struct request *request, const uint8_t *session, enum err why,
			       const char *field)
{
	char id[SESSION_ID_TEXT + 1] = "";
	struct audit_entry entry =
		request_audit(request, "recording-refused",
			      json_pack("{s:s, s:s*}", "error", err_code(why), "field", field));

	if (session) {
		util_hex(session, WIRE_SESSION_ID, id);
		entry.session = id;
	}
	log_warn("recording-refused", "user=%s session=%s error=%s", request->account.name, id,
		 err_code(why));
	return broker_audit(request->broker, &entry);
}

static enum err refuse(struct request *request, const uint8_t *session, enum err why,
		       const char *field)
{
	enum err err = record_refusal(request, session, why, field);

	if (err || !field)
		return err ? err : why;
	reply_error_field(request->broker, &request->to, why, field);
	return OK;
}

static const uint8_t *session_of(const struct request *request, uint16_t id)
{
	return id == MSG_recording_open     ? request->msg->recording_open.session
	       : id == MSG_recording_attach ? request->msg->recording_attach.session
					    : NULL;
}

bool recording_denied(struct request *request, uint16_t id, enum err why)
{
	enum err err =
		quota_take(request->broker, &request->to, request->account.id, QUOTA_RECORDING);

	if (!err)
		err = record_refusal(request, session_of(request, id), why, NULL);
	if (err && err != ERR_THROTTLED)
		log_error("recording-refusal-unrecorded", "error=%s", err_code(err));
	return err == ERR_THROTTLED;
}

/* ---- the list ----------------------------------------------------------------------------------
 */

static json_t *shown_json(const struct playback_shown *shown, int64_t now_s)
{
	const struct recording_row *row = &shown->row;
	int64_t until_ms = row->ended_ms ? row->ended_ms : now_s * 1000;
	char id[SESSION_ID_TEXT + 1];

	util_hex(row->session, sizeof(row->session), id);
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:I, s:I, s:s, s:b}", "id", id, "person",
		shown->account, "full_name", shown->full_name, "pc", shown->host, "device",
		shown->device, "address", shown->address, "started", (json_int_t)row->started_ms,
		"ended", row->ended_ms ? json_integer((json_int_t)row->ended_ms) : json_null(),
		"seconds", (json_int_t)(MAX(until_ms - row->started_ms, (int64_t)0) / 1000), "size",
		(json_int_t)row->size, "state", recording_state_code((unsigned)row->state), "hold",
		row->hold);
}

static enum err list(struct request *request, json_t *rows, int64_t *ret_next)
{
	_cleanup_query_ struct query query = { 0 };
	struct playback_shown shown;
	size_t bytes = 0;
	int64_t last = 0;
	bool more;
	enum err err;

	playback_shown_list(&query, request->broker->db,
			    (int64_t)request->msg->recording_list.before);
	while (!(err = playback_shown_next(&query, &shown, &more)) && more) {
		json_t *row = shown_json(&shown, request->now_s);

		bytes += row ? json_dumpb(row, NULL, 0, JSON_COMPACT) + 1 : 0;
		if (row && last && bytes > LIST_BYTES) {
			json_decref(row);
			*ret_next = last;
			return OK;
		}
		if (!row || json_array_append_new(rows, row))
			return ERR_NOMEM;
		last = shown.row.id;
	}
	return err;
}

enum err handle_recording_list(struct request *request)
{
	json_t *rows = json_array();
	int64_t next = 0;
	enum err err = ERR_INVALID;

	if (request->msg->recording_list.before <= INT64_MAX)
		err = rows ? list(request, rows, &next) : ERR_NOMEM;
	if (err) {
		json_decref(rows);
		return err;
	}
	reply_json(request->broker, &request->to, 200, "",
		   json_pack("{s:o, s:o}", "recordings", rows, "next",
			     next ? json_integer((json_int_t)next) : json_null()));
	return OK;
}

/* ---- opening -----------------------------------------------------------------------------------
 */

/* What has to be known before the code is used up. */
struct opening {
	struct recording_row row;
	struct session_row session;
	struct buf marks;
	const char *field; /* of an error */
	int fd;
};

static bool purpose_is_good(const char *text)
{
	size_t characters = 0;

	for (const char *at = text; *at; at++) {
		if ((uint8_t)*at < 0x20 || *at == 0x7f)
			return false;
		characters += ((uint8_t)*at & 0xc0) != 0x80;
	}
	return characters >= PURPOSE_MIN && characters <= PURPOSE_MAX &&
	       strspn(text, " ") != strlen(text);
}

static enum err check_vault(const struct broker *broker)
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
	char detail[AUDIT_DETAIL_MAX + 1];
	bool more;
	enum err err;

	playback_mark_list(&query, request->broker->db, id);
	while (!(err = playback_mark_next(&query, detail, &more)) && more) {
		if (marks->len / MARK_BYTES >= MARKS_MAX)
			thin_out(marks);
		err = put_mark(marks, detail);
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

static enum err prepare(struct request *request, struct opening *opening)
{
	const struct msg_recording_open *msg = &request->msg->recording_open;
	struct broker *broker = request->broker;
	char id[SESSION_ID_TEXT + 1];
	enum err err = recording_row_get(broker->db, msg->session, &opening->row);

	if (!err)
		err = session_row_get(broker->db, msg->session, &opening->session);
	if (!err && opening->row.state == RECORDING_DISPOSED)
		err = ERR_EXPIRED;
	if (err)
		return err;
	opening->field = "purpose";
	if (!purpose_is_good(msg->purpose))
		return ERR_INVALID;
	opening->field = "vault";
	err = check_vault(broker);
	if (err)
		return err;
	/* Gone from the disk, whoever took it: the log knows that it was there. */
	opening->field = "file";
	err = recording_open(broker, msg->session, &opening->fd);
	if (!err)
		err = check_file(opening);
	if (err)
		return err;
	opening->field = NULL;
	util_hex(msg->session, sizeof(msg->session), id);
	return load_marks(request, id, &opening->marks);
}

/* In one transaction: the code's step, and who opens it what for. */
static enum err record_opening(struct request *request, const struct person_try *try,
			       const struct opening *opening)
{
	const struct msg_recording_open *msg = &request->msg->recording_open;
	_cleanup_tx_ struct db_tx tx = { 0 };
	_cleanup_secret_ struct secret *key = NULL;
	struct broker *broker = request->broker;
	char id[SESSION_ID_TEXT + 1];
	enum err err = person_totp_key(broker, &request->account, &key);

	if (!err)
		err = db_tx_begin(&tx, broker->db);
	if (!err)
		err = login_check_code(broker->db, request->account.id, key, msg->code,
				       request->now_s);
	if (!err)
		err = login_refund(broker->db, &try->login);
	if (err)
		return err;
	struct audit_entry entry = request_audit(request, "recording-open",
						 json_pack("{s:s}", "purpose", msg->purpose));
	util_hex(msg->session, sizeof(msg->session), id);
	entry.session = id;
	entry.host = opening->session.host;
	err = audit_append(broker->db, &entry);
	return err ? err : db_tx_commit(&tx);
}

/* Counted and throttled like a code at log-in. */
static enum err take_code(struct request *request, const struct opening *opening)
{
	struct person_try try;
	enum err err;

	person_try_init(&try, request->account.id, request->device.id, request->account.name,
			request->head->address);
	err = person_count(request->broker, &request->to, &try);
	if (err)
		return err;
	err = record_opening(request, &try, opening);
	if (err == ERR_LOGIN)
		return person_failed(request->broker, &try, "recording");
	if (!err)
		throttle_refund(request->broker->addresses, try.address);
	return err;
}

static enum err open_it(struct request *request, struct opening *opening)
{
	const struct msg_recording_open *msg = &request->msg->recording_open;
	const struct playback_order order = {
		.session = msg->session,
		.host = opening->session.host,
		.marks = { opening->marks.data, opening->marks.len },
		.live = opening->row.state == RECORDING_OPEN,
		.fd = util_take_fd(&opening->fd),
	};
	char id[SESSION_ID_TEXT + 1];
	enum err err = playback_begin(request, &order);

	if (err)
		return err;
	util_hex(msg->session, sizeof(msg->session), id);
	reply_json(request->broker, &request->to, 200, "",
		   json_pack("{s:s++}", "stream", "/api/recordings/", id, "/stream"));
	return OK;
}

enum err handle_recording_open(struct request *request)
{
	const uint8_t *session = request->msg->recording_open.session;
	struct opening opening = { .fd = -1 };
	enum err err;

	err = quota_take(request->broker, &request->to, request->account.id, QUOTA_RECORDING);
	if (err)
		return err == ERR_THROTTLED ? OK : err;
	buf_init(&opening.marks, (size_t)MARKS_MAX * MARK_BYTES);
	err = prepare(request, &opening);
	if (err) {
		err = refuse(request, session, err, opening.field);
	} else {
		err = take_code(request, &opening);
		if (!err)
			err = open_it(request, &opening);
		else if (err == ERR_THROTTLED) /* answered */
			err = record_refusal(request, session, err, "code");
		else
			err = refuse(request, session, err, NULL);
	}
	util_closep(&opening.fd);
	buf_finish(&opening.marks);
	return err;
}

enum err handle_recording_attach(struct request *request)
{
	const uint8_t *session = request->msg->recording_attach.session;
	int fd;
	enum err err =
		quota_take(request->broker, &request->to, request->account.id, QUOTA_RECORDING);

	if (err)
		return err == ERR_THROTTLED ? OK : err;
	err = playback_take(request, session, &fd);
	if (err)
		return refuse(request, session, err, NULL);
	reply_fd(request->broker, &request->to, json_object(), fd);
	return OK;
}
