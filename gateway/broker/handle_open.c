/*
 * handle_open.c - opening a session: who may, on which PC, with which login there.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/credential.h"
#include "broker/handlers.h"
#include "broker/quota.h"
#include "broker/session.h"

enum {
	WIDTH_MIN = 200,
	WIDTH_MAX = 7680,
	HEIGHT_MIN = 200,
	HEIGHT_MAX = 4320,
	/* Windows keyboard layout identifiers. */
	LAYOUT_JA = 0x411,
	LAYOUT_US = 0x409,
};

static const char *open_bad_field(const struct msg_session_open *msg)
{
	if (msg->width < WIDTH_MIN || msg->width > WIDTH_MAX)
		return "width";
	if (msg->height < HEIGHT_MIN || msg->height > HEIGHT_MAX)
		return "height";
	if (msg->layout != LAYOUT_JA && msg->layout != LAYOUT_US)
		return "layout";
	return NULL;
}

/* session.ask_client says whether it is wanted. */
static bool client_is_good(const char *ask, const char *client)
{
	bool blank = util_text_blank(client);

	/* It stands in auditors' lists and on their paper. */
	if (!util_text_plain(client))
		return false;
	if (util_streq(ask, "required"))
		return !blank;
	return !*client || (!blank && util_streq(ask, "optional"));
}

/* Limits of 0 mean none. ret_field says which one is reached. */
static enum err open_limits(struct request *request, const char **ret_field)
{
	const struct settings *settings = &request->broker->settings;

	if (settings->session_max_hours == 0) {
		*ret_field = "max_hours";
		return ERR_DENIED;
	}
	if ((int64_t)session_count(request->broker, request->account.id) >=
	    settings->session_per_account) {
		*ret_field = "per_account";
		return ERR_DENIED;
	}
	if ((int64_t)session_count(request->broker, 0) >= settings->session_total) {
		*ret_field = "total";
		return ERR_FULL;
	}
	return OK;
}

/* What was given comes first, then what is kept; a PC without a login of its own needs neither. */
static enum err open_credentials(const struct msg_session_open *msg, const struct host_row *host,
				 struct session_start *start, bool *ret_needed)
{
	enum err err;

	if (msg->user[0] || msg->password[0] || msg->domain[0]) {
		err = secret_new(msg->user, strlen(msg->user), &start->user);
		if (!err)
			err = secret_new(msg->password, strlen(msg->password), &start->password);
		if (!err)
			err = secret_new(msg->domain, strlen(msg->domain), &start->domain);
		return err;
	}
	start->kept = host->has_credential;
	*ret_needed = !host->has_credential && host->security != SECURITY_NONE;
	return OK;
}

static struct session_row open_row(const struct request *request, const struct host_row *host)
{
	const struct settings *settings = &request->broker->settings;
	struct session_row row = {
		.account = request->account.id,
		.device = request->device.id,
		.login = request->login.id,
		.host = host->id,
		.view_only = host->view_only,
		.state = SESSION_STARTING,
		.started_s = request->now_s,
		.until_s = request->now_s + settings->session_max_hours * 3600,
	};

	util_random(row.id, sizeof(row.id));
	memcpy(row.account_name, request->account.name, sizeof(row.account_name));
	memcpy(row.host_name, host->name, sizeof(row.host_name));
	snprintf(row.client, sizeof(row.client), "%s", request->msg->session_open.client);
	return row;
}

static enum err open_recording(struct request *request, const struct session_row *row,
			       const struct host_row *host, struct session_start *start)
{
	const struct recording_who who = {
		.account = request->account.name,
		.full_name = request->account.full_name,
		.device_name = request->device.name,
		.address = request->head->address,
		.host = host,
	};

	return recording_begin(request->broker, row, &who, &start->recording);
}

/* The row, the login to keep, the recording and the audit entries, all or none. */
static enum err open_record(struct request *request, const struct session_row *row,
			    const struct host_row *host, struct session_start *start)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct broker *broker = request->broker;
	const struct pc_login login = { .user = start->user,
					.domain = start->domain,
					.password = start->password };
	bool keep = request->msg->session_open.keep && start->user;
	char id[SESSION_ID_TEXT + 1];
	struct audit_entry entry;
	enum err err = db_tx_begin(&tx, broker->db);

	if (!err)
		err = session_row_add(broker->db, row);
	if (!err && keep)
		err = credential_keep(broker, row->account, row->host, &login);
	if (err)
		return err;
	util_hex(row->id, sizeof(row->id), id);
	entry = request_audit(request, "session-open",
			      json_pack("{s:s, s:b, s:b, s:s*}", "host", row->host_name,
					"view_only", row->view_only, "credentials_kept", keep,
					"client", row->client[0] ? row->client : NULL));
	entry.host = row->host;
	entry.session = id;
	err = audit_append(broker->db, &entry);
	if (!err)
		err = open_recording(request, row, host, start);
	if (err)
		return err;
	err = db_tx_commit(&tx);
	if (err)
		recording_abandon(broker, row);
	return err;
}

/* No session without a recording; the person learns that, the log why. */
static enum err open_recordable(struct request *request, const struct host_row *host)
{
	const char *why;
	struct audit_entry entry;
	enum err err = recording_ready(request->broker, request->now_s, &why), logged;

	if (!err)
		return OK;
	log_error("session-refused", "reason=%s error=%s", why, err_code(err));
	entry = request_audit(request, "session-refused",
			      json_pack("{s:s, s:s}", "host", host->name, "reason", why));
	entry.host = host->id;
	logged = broker_audit(request->broker, &entry);
	return logged ? logged : err;
}

static enum err open_new(struct request *request, const struct host_row *host)
{
	struct session_start start = {
		.protocol = (uint8_t)host->protocol,
		.width = request->msg->session_open.width,
		.height = request->msg->session_open.height,
		.layout = request->msg->session_open.layout,
	};
	struct session_row row = open_row(request, host);
	bool needed = false;
	enum err err = open_credentials(&request->msg->session_open, host, &start, &needed);

	if (!err && needed) {
		session_start_finish(&start);
		reply_credentials(request->broker, &request->to);
		return OK;
	}
	if (!err)
		err = open_record(request, &row, host, &start);
	if (err) {
		session_start_finish(&start);
		return err;
	}
	return session_new(request->broker, &row, &start, &request->to);
}

enum err handle_session_open(struct request *request)
{
	const struct msg_session_open *msg = &request->msg->session_open;
	struct broker *broker = request->broker;
	const char *field = open_bad_field(msg);
	const struct session *live;
	struct host_row host;
	enum err err;

	if (field) {
		reply_error_field(broker, &request->to, ERR_INVALID, field);
		return OK;
	}
	/* A PC without a grant is as good as none: nobody learns which there are. */
	err = host_by_id(broker->db, (int64_t)msg->host, request->account.id, &host);
	if (!err && !host.granted)
		err = ERR_NOT_FOUND;
	if (err)
		return err;
	live = session_on_host(broker, host.id);
	if (live && live->row.account == request->account.id) {
		reply_json(broker, &request->to, 200, "", session_json(&live->row));
		return OK;
	}
	/* One session per PC: a second one would push the first off the desktop. */
	if (live)
		return ERR_WRONG_STATE;
	if (!client_is_good(broker->settings.session_ask_client, msg->client)) {
		reply_error_field(broker, &request->to, ERR_INVALID, "client");
		return OK;
	}
	err = open_limits(request, &field);
	if (err) {
		reply_error_field(broker, &request->to, err, field);
		return OK;
	}
	err = quota_take(broker, &request->to, request->account.id, QUOTA_SESSION);
	if (err)
		return err == ERR_THROTTLED ? OK : err;
	/* Behind the quota: each refusal is an entry of the audit log. */
	err = open_recordable(request, &host);
	return err ? err : open_new(request, &host);
}
