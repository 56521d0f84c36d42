/*
 * admin_recording.c - sekisho recording …, and the certificates of sekisho auditor … that
 * recordings are sealed to
 */
#include <openssl/evp.h>

#include "base/clock.h"
#include "broker/admin_ca.h"
#include "broker/cert.h"
#include "certs/cleanup.h"
#include "store/auditors.h"
#include "store/recordings.h"
#include "wire/enums.h"

/* ---- auditors --------------------------------------------------------------------------- */

static enum err auditor_row(struct bytes der, const char *name, struct auditor_row *ret)
{
	_cleanup_object_(x509) X509 *certificate = NULL;
	enum err err = cert_parse(der, &certificate);

	*ret = (struct auditor_row){ .kind = AUDITOR_PERSON, .created_s = clock_wall_s() };
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	if (!err)
		err = cert_seconds(X509_get0_notAfter(certificate), &ret->not_after_s);
	if (!err && !EVP_Digest(der.data, der.len, ret->fingerprint, NULL, EVP_sha256(), NULL))
		err = ERR_CRYPTO;
	return err;
}

enum err admin_auditor_keep(struct admin_call *call, struct bytes der)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	const char *name = admin_text(call, "name");
	struct auditor_row row;
	enum err err = auditor_row(der, name, &row);

	if (!err)
		err = db_tx_begin(&tx, call->broker->db);
	if (!err)
		err = auditor_add(call->broker->db, &row, der.data, der.len);
	if (err)
		return err;
	return admin_commit(call, &tx, "auditor-certify",
			    json_pack("{s:s, s:O?}", "name", name, "sha256",
				      json_object_get(call->result, "sha256")));
}

static const char *auditor_state(const struct auditor_row *row)
{
	if (row->state == AUDITOR_REVOKED)
		return "revoked";
	return row->not_after_s > clock_wall_s() ? "active" : "expired";
}

enum err admin_auditor_list(struct admin_call *call)
{
	_cleanup_query_ struct query query = { 0 };
	char fingerprint[2 * AUDITOR_FINGERPRINT + 1];
	struct auditor_row row;
	bool more;
	enum err err = admin_columns(call, "id,name,kind,state,issued,until,sha256");

	if (err)
		return err;
	auditor_list(&query, call->broker->db);
	while (!(err = auditor_next(&query, &row, &more)) && more) {
		util_hex(row.fingerprint, sizeof(row.fingerprint), fingerprint);
		err = admin_row(call, json_pack("[I, s, s, s, I, I, s]", (json_int_t)row.id,
						row.name, auditor_kind_code((unsigned)row.kind),
						auditor_state(&row), (json_int_t)row.created_s,
						(json_int_t)row.not_after_s, fingerprint));
		if (err)
			break;
	}
	return err;
}

enum err admin_auditor_revoke(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	int64_t id = admin_number(call, "id", 0);
	enum err err = db_tx_begin(&tx, call->broker->db);

	if (!err)
		err = auditor_revoke(call->broker->db, id, clock_wall_s());
	if (err == ERR_NOT_FOUND)
		return admin_wrong(call, err, "id",
				   "there is no such certificate, or it is revoked already");
	if (err)
		return err;
	return admin_commit(call, &tx, "auditor-revoke", json_pack("{s:I}", "id", (json_int_t)id));
}

/* ---- recordings ------------------------------------------------------------------------- */

static json_t *recording_json(const struct recording_shown *shown)
{
	char session[2 * SESSION_ROW_ID + 1];
	const struct recording_row *row = &shown->row;

	util_hex(row->session, sizeof(row->session), session);
	return json_pack(
		"[I, s, s, s, s, I, I, I, I, b, s, I, b]", (json_int_t)row->id, session,
		shown->account, shown->host, recording_state_code((unsigned)row->state),
		(json_int_t)(row->started_ms / 1000), (json_int_t)(row->ended_ms / 1000),
		(json_int_t)row->size, (json_int_t)row->chunks, row->keys, row->retention,
		(json_int_t)(row->ended_ms ? row->ended_ms / 1000 + row->keep_days * 86400 : 0),
		row->hold);
}

enum err admin_recording_list(struct admin_call *call)
{
	_cleanup_query_ struct query query = { 0 };
	struct recording_shown shown;
	bool more, full = false;
	enum err err = admin_columns(
		call,
		"id,session,user,host,recording,started,ended,size,chunks,keys,retention,until,"
		"hold");

	if (err)
		return err;
	recording_list(&query, call->broker->db, admin_number(call, "after", 0));
	while (!full && !(err = recording_next(&query, &shown, &more)) && more) {
		err = admin_page_row(call, recording_json(&shown), shown.row.id, &full);
		if (err)
			break;
	}
	return err;
}
