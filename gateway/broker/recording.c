#include "broker/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/session.h"
#include "store/auditors.h"

enum { META_MAX = 4096, PATH_BYTES = SETTINGS_PATH + 64 };

/* ---- the folder ------------------------------------------------------------------------- */

static void path_of(const struct broker *broker, const uint8_t session[SESSION_ROW_ID],
		    char ret[PATH_BYTES])
{
	char folder[SETTINGS_PATH], id[SESSION_ID_TEXT + 1];

	settings_recordings(&broker->settings, folder);
	util_hex(session, SESSION_ROW_ID, id);
	snprintf(ret, PATH_BYTES, "%s/%s.skr", folder, id);
}

static bool has_space(const struct statvfs *status, int64_t megabytes)
{
	uint64_t free_bytes;

	return mul_overflows((uint64_t)status->f_bavail, (uint64_t)status->f_frsize, &free_bytes) ||
	       free_bytes / (1024 * 1024) >= (uint64_t)megabytes;
}

/* ERR_RECORDING when there are none. */
static enum err recipients_of(struct broker *broker, int64_t now_s, struct buf *ders)
{
	size_t count = 0;
	enum err err = auditor_recipients(broker->db, now_s, ders, &count);

	if (!err && count == 0)
		err = ERR_RECORDING;
	return err;
}

enum err recording_ready(struct broker *broker, int64_t now_s, const char **ret_why)
{
	_cleanup_buf_ struct buf ders;
	char folder[SETTINGS_PATH];
	struct statvfs status;
	enum err err;

	buf_init(&ders, RECORDING_RECIPIENTS_MAX);
	err = recipients_of(broker, now_s, &ders);
	if (err) {
		*ret_why = "no-auditor";
		return err;
	}
	settings_recordings(&broker->settings, folder);
	if (statvfs(folder, &status) < 0 || status.f_flag & ST_RDONLY ||
	    access(folder, W_OK | X_OK) < 0) {
		*ret_why = "no-folder";
		return ERR_RECORDING;
	}
	*ret_why = "no-space";
	return has_space(&status, broker->settings.recording_free_megabytes) ? OK : ERR_RECORDING;
}

const char *recording_condition(struct broker *broker, int64_t now_s)
{
	const char *why = "";
	struct recording_row newest;
	int fd;
	enum err err = recording_ready(broker, now_s, &why);

	if (err)
		return why;
	/* As when the disk with the recordings is not there, and its empty folder is. */
	err = recording_row_newest(broker->db, &newest);
	if (!err)
		err = recording_open(broker, newest.session, &fd);
	else if (err == ERR_NOT_FOUND)
		return "ready";
	if (err)
		return "no-files";
	close(fd);
	return "ready";
}

/* ---- who can open them ------------------------------------------------------------------ */

int64_t recording_auditors_end(const struct broker *broker, int64_t now_s)
{
	int64_t until_s;

	if (auditor_persons_until(broker->db, &until_s) ||
	    until_s - now_s >= RECORDING_AUDITORS_DAYS * 86400)
		return 0;
	return until_s;
}

void recording_warn(struct broker *broker, int64_t now_s)
{
	int64_t until_s = recording_auditors_end(broker, now_s);

	if (!until_s || now_s - broker->auditors_warned_s < 86400)
		return;
	broker->auditors_warned_s = now_s;
	log_warn("auditors-ending", "days=%" PRId64 " hint=\"sekisho auditor certify\"",
		 (until_s - now_s) / 86400);
}

/* ---- files ------------------------------------------------------------------------------ */

/* The name too must outlive a loss of power. */
static enum err sync_folder(const struct broker *broker)
{
	char folder[SETTINGS_PATH];

	settings_recordings(&broker->settings, folder);
	_cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && fsync(fd) == 0 ? OK : ERR_RECORDING;
}

static enum err make_file(const struct broker *broker, const struct session_row *session,
			  int *ret_fd)
{
	char path[PATH_BYTES];

	path_of(broker, session->id, path);
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || sync_folder(broker)) {
		log_error("recording-file", "path=\"%s\" error=\"%s\"", path, strerror(errno));
		if (fd >= 0)
			unlink(path);
		return ERR_RECORDING;
	}
	*ret_fd = util_take_fd(&fd);
	return OK;
}

enum err recording_remove(struct broker *broker, const uint8_t session[SESSION_ROW_ID])
{
	char path[PATH_BYTES];

	path_of(broker, session, path);
	if (unlink(path) < 0 && errno != ENOENT) {
		log_error("recording-not-removed", "path=\"%s\" error=\"%s\"", path,
			  strerror(errno));
		return ERR_IO;
	}
	return sync_folder(broker);
}

enum err recording_open(struct broker *broker, const uint8_t session[SESSION_ROW_ID], int *ret_fd)
{
	char path[PATH_BYTES];
	struct stat status;

	path_of(broker, session, path);
	/* Whoever writes into the folder could put a pipe there, which would be waited for. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return ERR_IO;
	*ret_fd = util_take_fd(&fd);
	return OK;
}

/* ---- the beginning ---------------------------------------------------------------------- */

void recording_start_free(struct recording_start *start)
{
	if (!start)
		return;
	util_closep(&start->fd);
	buf_finish(&start->recipients);
	free(start->meta);
	free(start);
}

static enum err make_meta(const struct session_row *session, const struct recording_who *who,
			  const struct recording_row *row, char **ret)
{
	_cleanup_free_ char *meta = malloc(META_MAX + 1);
	char id[SESSION_ID_TEXT + 1];
	size_t len;

	util_hex(session->id, sizeof(session->id), id);
	json_t *json = json_pack(
		"{s:i, s:s, s:s, s:s, s:I, s:s, s:s, s:I, s:s, s:s, s:I, s:b, s:s}", "version", 1,
		"session", id, "account", who->account, "full_name", who->full_name, "device",
		(json_int_t)session->device, "device_name", who->device_name, "address",
		who->address, "host", (json_int_t)session->host, "host_name", session->host_name,
		"protocol", protocol_code((unsigned)who->host->protocol), "started_ms",
		(json_int_t)row->started_ms, "keys", row->keys, "client", session->client);
	if (!json || !meta) {
		json_decref(json);
		return ERR_NOMEM;
	}
	len = json_dumpb(json, meta, META_MAX, JSON_COMPACT);
	json_decref(json);
	if (len == 0 || len > META_MAX)
		return ERR_INTERNAL;
	meta[len] = '\0';
	*ret = util_take_ptr(meta);
	return OK;
}

static enum err append(struct broker *broker, const struct session_row *session, const char *event,
		       json_t *detail)
{
	char id[SESSION_ID_TEXT + 1];
	const struct audit_entry entry = {
		.event = event,
		.account = session->account_name,
		.device = session->device,
		.host = session->host,
		.session = id,
		.detail = detail,
	};

	util_hex(session->id, sizeof(session->id), id);
	return audit_append(broker->db, &entry);
}

static enum err begin(struct broker *broker, const struct session_row *session,
		      const struct recording_who *who, struct recording_start *start)
{
	struct recording_row row = { .keys = broker->settings.recording_keys,
				     .started_ms = clock_wall_ms() };
	enum err err = recipients_of(broker, row.started_ms / 1000, &start->recipients);

	memcpy(row.session, session->id, sizeof(row.session));
	start->keys = row.keys;
	if (!err)
		err = make_meta(session, who, &row, &start->meta);
	if (!err)
		err = recording_row_add(broker->db, &row);
	if (!err)
		err = append(broker, session, "recording-start",
			     json_pack("{s:b, s:I}", "keys", row.keys, "recipients_bytes",
				       (json_int_t)start->recipients.len));
	return err ? err : make_file(broker, session, &start->fd);
}

enum err recording_begin(struct broker *broker, const struct session_row *session,
			 const struct recording_who *who, struct recording_start **ret)
{
	struct recording_start *start = calloc(1, sizeof(*start));
	enum err err;

	if (!start)
		return ERR_NOMEM;
	start->fd = -1;
	buf_init(&start->recipients, RECORDING_RECIPIENTS_MAX);
	err = begin(broker, session, who, start);
	if (err)
		recording_start_free(start);
	else
		*ret = start;
	return err;
}

void recording_abandon(struct broker *broker, const struct session_row *session)
{
	char path[PATH_BYTES];

	path_of(broker, session->id, path);
	if (unlink(path) < 0)
		log_warn("recording-not-removed", "path=\"%s\" error=\"%s\"", path,
			 strerror(errno));
}

enum err recording_send(struct session *session, const struct recording_start *start)
{
	struct msg_session_record msg = {
		.recipients = { start->recipients.data, start->recipients.len },
		.meta = { (const uint8_t *)start->meta, strlen(start->meta) },
		.keys = start->keys,
	};
	int fd = fcntl(start->fd, F_DUPFD_CLOEXEC, 0);

	memcpy(msg.session, session->row.id, sizeof(msg.session));
	return fd < 0 ? ERR_IO : channel_send(session->worker, MSG_session_record, &msg, fd);
}

/* ---- how far it is ---------------------------------------------------------------------- */

static json_t *progress(const struct recording_row *row)
{
	char hash[2 * RECORDING_HASH + 1];

	util_hex(row->hash, sizeof(row->hash), hash);
	return json_pack("{s:I, s:I, s:s}", "chunks", (json_int_t)row->chunks, "size",
			 (json_int_t)row->size, "hash", hash);
}

static json_t *mark_detail(const struct recording_row *row, bool last)
{
	json_t *detail = progress(row);

	json_object_set_new(detail, "last", json_boolean(last));
	return detail;
}

static json_t *end_detail(const struct recording_row *row)
{
	json_t *detail = progress(row);

	json_object_set_new(detail, "state",
			    json_string(recording_state_code((unsigned)row->state)));
	return detail;
}

/* Bytes in the file; -1: there is none. */
static int64_t size_of(const struct broker *broker, const uint8_t session[SESSION_ROW_ID])
{
	char path[PATH_BYTES];
	struct stat status;

	path_of(broker, session, path);
	return stat(path, &status) < 0 || !S_ISREG(status.st_mode) ? -1 : status.st_size;
}

/* A recording only grows, and never says more than there is in the file. */
static bool may_be(const struct broker *broker, const struct recording_row *row,
		   const struct msg_record_mark *mark)
{
	int64_t size = size_of(broker, row->session);

	return mark->chunks >= (uint64_t)row->chunks && mark->chunks <= RECORDING_CHUNKS_MAX &&
	       mark->size >= (uint64_t)row->size && size >= 0 && mark->size <= (uint64_t)size &&
	       mark->last <= 1;
}

/* The audit log cannot be shortened: nobody may fill it. A wall clock that is set back makes no
 * worker a broken one. */
static bool too_many(struct session *session)
{
	uint64_t now_ms = clock_mono_ms();

	if (!session->marks)
		session->marked_ms = now_ms;
	return session->marks++ >
	       RECORDING_MARKS + (now_ms - session->marked_ms) / 1000 / RECORDING_MARK_S;
}

/* Without room for the audit log nobody could log in any more, whose disk it often is too. */
static enum err check_space(const struct broker *broker)
{
	char folder[SETTINGS_PATH];
	struct statvfs status;

	settings_recordings(&broker->settings, folder);
	if (statvfs(folder, &status) < 0)
		return ERR_IO;
	return has_space(&status, broker->settings.recording_free_megabytes / 2) ? OK : ERR_FULL;
}

enum err recording_mark(struct session *session, const struct msg_record_mark *mark)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct broker *broker = session->broker;
	struct recording_row row;
	enum err err = recording_row_get(broker->db, session->row.id, &row);

	if (err || row.state != RECORDING_OPEN)
		return err ? err : ERR_PROTOCOL;
	if (too_many(session) || !may_be(broker, &row, mark))
		return ERR_PROTOCOL;
	row.chunks = (int64_t)mark->chunks;
	row.size = (int64_t)mark->size;
	memcpy(row.hash, mark->hash, sizeof(row.hash));
	if (mark->last) {
		row.state = RECORDING_ENDED;
		row.ended_ms = clock_wall_ms();
	}
	err = db_tx_begin(&tx, broker->db);
	if (!err)
		err = recording_row_update(broker->db, &row);
	if (!err)
		err = append(broker, &session->row, "recording-mark",
			     mark_detail(&row, mark->last));
	if (!err && mark->last)
		err = append(broker, &session->row, "recording-end", end_detail(&row));
	if (!err)
		err = db_tx_commit(&tx);
	return err || mark->last ? err : check_space(broker);
}

/* ---- the end ---------------------------------------------------------------------------- */

/* What is left of one that its worker did not end. */
static void judge(const struct broker *broker, struct recording_row *row)
{
	int64_t size = size_of(broker, row->session);

	row->state = size >= row->size ? RECORDING_CUT : RECORDING_LOST;
	row->ended_ms = clock_wall_ms();
	if (size >= row->size)
		row->size = size;
	log_error("recording-cut", "state=%s chunks=%lld bytes=%lld",
		  recording_state_code((unsigned)row->state), (long long)row->chunks,
		  (long long)size);
}

/* What the worker had reserved behind the end and did not use, ftruncate(2); it may not cut files
 * itself. Only when it writes no more. */
static void give_back(const struct broker *broker, const uint8_t session[SESSION_ROW_ID])
{
	char path[PATH_BYTES];
	struct stat status;

	path_of(broker, session, path);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    ftruncate(fd, status.st_size) < 0)
		log_warn("recording-reserve", "path=\"%s\" error=\"%s\"", path, strerror(errno));
}

static enum err close_row(struct broker *broker, struct recording_row *row)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct session_row session;
	enum err err = session_row_get(broker->db, row->session, &session);

	if (!err)
		err = db_tx_begin(&tx, broker->db);
	if (err)
		return err;
	give_back(broker, row->session);
	judge(broker, row);
	err = recording_row_update(broker->db, row);
	if (!err)
		err = append(broker, &session, "recording-end", end_detail(row));
	return err ? err : db_tx_commit(&tx);
}

void recording_over(struct broker *broker, const uint8_t session[SESSION_ROW_ID])
{
	struct recording_row row;
	enum err err = recording_row_get(broker->db, session, &row);

	if (!err && row.state == RECORDING_OPEN)
		err = close_row(broker, &row);
	else if (!err && row.state == RECORDING_ENDED)
		give_back(broker, session);
	/* recording_put_right comes back to it. */
	if (err && err != ERR_NOT_FOUND)
		log_error("recording-not-closed", "error=%s", err_code(err));
}

/* One at a time: nothing may be written while rows are read. */
static enum err next_left(struct broker *broker, struct recording_row *ret, bool *ret_more)
{
	_cleanup_query_ struct query query;
	enum err err;

	recording_row_list_left(&query, broker->db);
	while (!(err = recording_row_next(&query, ret, ret_more)) && *ret_more)
		if (!session_find(broker, ret->session))
			break;
	return err;
}

enum err recording_put_right(struct broker *broker)
{
	struct recording_row row;
	bool more;
	enum err err;

	while (!(err = next_left(broker, &row, &more)) && more) {
		err = close_row(broker, &row);
		if (err)
			break;
	}
	return err;
}
