/*
 * handle_est.c - Enrollment over Secure Transport (RFC 7030) and OCSP (RFC 6960).
 */
#include <string.h>

#include "broker/enrol_job.h"
#include "broker/handlers.h"
#include "broker/pki.h"
#include "certs/est.h"

enum { BODY_MAX = 64 * 1024 };

enum err handle_est_cacerts(struct request *request)
{
	_cleanup_buf_ struct buf base64;
	struct bytes cas = pki_ca(request->broker->pki);
	enum err err;

	buf_init(&base64, BODY_MAX);
	if (!cas.len)
		return ERR_UNAVAILABLE;
	err = est_certs_only(cas, &base64);
	if (!err)
		reply_body(request->broker, &request->to, 200, BODY_PKCS7,
			   (struct bytes){ base64.data, base64.len });
	return err;
}

enum err handle_est_csrattrs(struct request *request)
{
	_cleanup_buf_ struct buf base64;
	enum err err;

	buf_init(&base64, BODY_MAX);
	err = est_csrattrs(&base64);
	if (!err)
		reply_body(request->broker, &request->to, 200, BODY_CSRATTRS,
			   (struct bytes){ base64.data, base64.len });
	return err;
}

/* The user name is free; some say with it where their key is. */
static enum key_place place_of(const char *user)
{
	static const enum key_place places[] = { KEY_TPM, KEY_STORE, KEY_FILE };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (strcmp(user, key_place_code(places[i])) == 0)
			return places[i];
	return KEY_UNKNOWN;
}

enum err handle_est_simpleenroll(struct request *request)
{
	const struct msg_est_simpleenroll *msg = &request->msg->est_simpleenroll;
	const struct enrol_wish wish = {
		.code = msg->code,
		.csr = msg->csr,
		.place = place_of(msg->user),
		.est = true,
	};

	return msg->csr.len ? enrol_begin(request, &wish) : ERR_INVALID;
}

enum err handle_est_simplereenroll(struct request *request)
{
	const struct enrol_wish wish = { .csr = request->msg->est_simplereenroll.csr, .est = true };

	return wish.csr.len ? renew_begin(request, &wish) : ERR_INVALID;
}

/* ---- OCSP ------------------------------------------------------------------------------- */

/* OCSPResponse with responseStatus tryLater, RFC 6960 §4.2.1. */
static void reply_try_later(struct broker *broker, const struct reply_to *to)
{
	static const uint8_t try_later[] = { 0x30, 0x03, 0x0a, 0x01, 0x03 };

	reply_body(broker, to, 200, BODY_OCSP, (struct bytes){ try_later, sizeof(try_later) });
}

static void ocsp_answered(void *ctx, enum err err, const union wire_any *answer)
{
	struct enrol_job *job = ctx;

	if (err)
		reply_try_later(job->broker, &job->to);
	else
		reply_body(job->broker, &job->to, 200, BODY_OCSP, answer->ocsp_answer.answer);
	enrol_job_free(job);
}

enum err handle_ocsp(struct request *request)
{
	const struct enrol_wish nothing = { 0 };
	struct enrol_job *job;
	enum err err = ERR_UNAVAILABLE;

	/* Anybody may ask: enrolment keeps its room. */
	if (request->broker->enrol->count < ENROL_JOBS_MAX / 2)
		err = enrol_job_new(request, &nothing, &job);
	if (!err) {
		err = pki_answer_ocsp(request->broker->pki, request->msg->ocsp.question,
				      ocsp_answered, job);
		if (err)
			enrol_job_free(job);
	}
	if (err)
		reply_try_later(request->broker, &request->to);
	return OK;
}
