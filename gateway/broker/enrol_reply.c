/*
 * enrol_reply.c - what somebody with a code, or a device that renews, is told.
 */
#include <string.h>

#include "base/secret.h"
#include "broker/cert.h"
#include "broker/enrol_job.h"
#include "broker/urls.h"
#include "certs/est.h"

enum { PEM_MAX = 48 * 1024, BASE64_MAX = (ENROL_FILE_MAX + 2) / 3 * 4 + 1 };

static const char *const kinds[] = {
	[INVITE_NOTHING] = "none",
	[INVITE_REQUEST] = "request",
	[INVITE_FILE] = "file",
};

json_t *enrol_json(struct broker *broker, const struct invite *invite, int64_t now_s)
{
	char gateway[URLS_MAX];
	json_t *json;

	urls_gateway(&broker->settings, gateway);
	json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "state",
			 enrol_state_code(enrol_seen(invite, now_s)), "person", invite->full_name,
			 "account", invite->account_name, "device", invite->name, "office",
			 broker->settings.gateway_office, "expires", (json_int_t)invite->expires_s,
			 "kind", kinds[invite->kind], "gateway", gateway);
	if (json && invite->reason[0] &&
	    json_object_set_new(json, "reason", json_string(invite->reason))) {
		json_decref(json);
		return NULL;
	}
	return json;
}

void enrol_reply_pending(struct enrol_job *job, const struct invite *invite, int64_t now_s)
{
	uint32_t retry_s = job->est ? ENROL_RETRY_EST_S : ENROL_RETRY_PAGE_S;

	reply_json_later(job->broker, &job->to, REPLY_ACCEPTED, retry_s,
			 enrol_json(job->broker, invite, now_s));
}

/* RFC 7030 §4.2.3: the certificate alone. */
static enum err reply_est(struct enrol_job *job, const struct msg_certified *certified)
{
	_cleanup_buf_ struct buf base64;
	enum err err;

	buf_init(&base64, PEM_MAX);
	err = est_certs_only(certified->certificate, &base64);
	if (!err)
		reply_body(job->broker, &job->to, 200, BODY_PKCS7,
			   (struct bytes){ base64.data, base64.len });
	return err;
}

static enum err add_pem(json_t *body, const char *name, struct bytes ders)
{
	_cleanup_buf_ struct buf pem;
	enum err err;

	buf_init(&pem, PEM_MAX);
	err = cert_pem_all(ders, &pem);
	if (err)
		return err;
	return json_object_set_new(body, name, json_stringn((const char *)pem.data, pem.len))
		       ? ERR_NOMEM
		       : OK;
}

static enum err add_file(json_t *body, const struct enrol_file *file)
{
	char *base64 = secret_malloc(BASE64_MAX);
	int failed;

	if (!base64)
		return ERR_NOMEM;
	EVP_EncodeBlock((uint8_t *)base64, file->der.data, (int)file->der.len);
	failed = json_object_set_new(body, "file", json_string(base64)) ||
		 json_object_set_new(body, "password", json_string(file->password));
	secret_malloc_free(base64);
	return failed ? ERR_NOMEM : OK;
}

static enum err add_issued(struct enrol_job *job, const struct msg_certified *certified,
			   const struct enrol_file *file, int64_t until_s, json_t *body)
{
	enum err err = body ? OK : ERR_NOMEM;

	if (!err && json_object_set_new(body, "until", json_integer(until_s)))
		err = ERR_NOMEM;
	if (!err && job->file_key)
		return add_file(body, file);
	if (!err)
		err = add_pem(body, "certificate", certified->certificate);
	return err ? err : add_pem(body, "chain", certified->ca);
}

void enrol_reply_issued(struct enrol_job *job, const struct msg_certified *certified,
			const struct enrol_file *file, int64_t until_s, json_t *body)
{
	enum err err = job->est ? reply_est(job, certified)
				: add_issued(job, certified, file, until_s, body);

	if (err || job->est)
		json_decref(body);
	if (err)
		reply_error(job->broker, &job->to, err);
	else if (!job->est)
		reply_json(job->broker, &job->to, 200, "", body);
}

void enrol_reply_error(struct broker *broker, const struct reply_to *to, enum err err,
		       const char *field, const char *reason)
{
	uint32_t retry_s = err == ERR_UNAVAILABLE ? ENROL_RETRY_PAGE_S : 0;
	json_t *body = json_pack("{s:s, s:s*, s:s*}", "error", err_code(err), "field", field,
				 "reason", reason && *reason ? reason : NULL);

	reply_json_later(broker, to, (unsigned)err_status(err), retry_s, body);
}
