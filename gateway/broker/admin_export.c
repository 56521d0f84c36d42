/*
 * admin_export.c - sekisho recording export: an auditor makes a video of a recording's file with a
 * key of his own, here on the gateway's machine. The video is the CLI's affair; that it is made, by
 * whom, for whom and what for is in the audit log before its first byte.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "broker/admin.h"
#include "broker/opening.h"
#include "certs/cleanup.h"
#include "record/recipient.h"
#include "wire/wire.h"

enum { SUBJECT_BYTES = 512, HASH = 32 };

static X509 *certificate_of(const char *pem)
{
	_cleanup_object_(bio) BIO *in = BIO_new_mem_buf(pem, -1);

	return in && pem ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
}

/* {"subject", "sha256"} */
static json_t *describe(X509 *certificate)
{
	_cleanup_object_(bio) BIO *out = BIO_new(BIO_s_mem());
	char subject[SUBJECT_BYTES], hex[2 * HASH + 1];
	uint8_t hash[HASH];
	int len = 0;

	if (out && X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0,
				      XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		len = BIO_read(out, subject, sizeof(subject) - 1);
	subject[MAX(len, 0)] = 0;
	if (!X509_digest(certificate, EVP_sha256(), hash, NULL))
		return NULL;
	util_hex(hash, sizeof(hash), hex);
	return json_pack("{s:s, s:s}", "subject",
			 util_utf8_valid(subject, strlen(subject)) ? subject : "", "sha256", hex);
}

static enum err record(struct admin_call *call, X509 *auditor, X509 *recipient)
{
	const char *from = admin_text(call, "from"), *to = admin_text(call, "to");
	json_t *detail = json_pack("{s:s, s:o, s:o, s:s*, s:s*, s:s, s:I}", "purpose",
				   admin_text(call, "purpose"), "auditor", describe(auditor),
				   "recipient", describe(recipient), "from", from, "to", to, "way",
				   "offline", "uid", (json_int_t)call->caller.uid);
	_cleanup_tx_ struct db_tx tx = { 0 };
	const struct audit_entry entry = { .event = "recording-export",
					   .session = admin_text(call, "session"),
					   .detail = detail };

	if (!detail)
		return ERR_NOMEM;
	enum err err = db_tx_begin(&tx, call->broker->db);
	if (err) {
		json_decref(detail);
		return err;
	}
	err = audit_append(call->broker->db, &entry);
	return err ? err : db_tx_commit(&tx);
}

static enum err check_recipient(struct admin_call *call, X509 *recipient)
{
	enum err err = recipient ? recipient_check(recipient, clock_wall_s()) : ERR_INVALID;

	return err ? admin_wrong(call, err, "recipient",
				 "a valid certificate of a person, P-256 or RSA of 2048 bits")
		   : OK;
}

enum err admin_recording_export(struct admin_call *call)
{
	_cleanup_object_(x509) X509 *auditor = certificate_of(admin_text(call, "cert"));
	_cleanup_object_(x509) X509 *recipient = certificate_of(admin_text(call, "recipient"));
	const char *session = admin_text(call, "session");
	uint8_t id[WIRE_SESSION_ID];

	if (!session || util_unhex(session, id, sizeof(id)))
		return admin_wrong(call, ERR_INVALID, "session", "32 hexadecimal digits");
	if (!opening_purpose_is_good(admin_text(call, "purpose")))
		return admin_wrong(call, ERR_INVALID, "purpose", "4 to 256 characters");
	if (!auditor)
		return admin_wrong(call, ERR_INVALID, "cert", "the auditor's certificate in PEM");
	enum err err = check_recipient(call, recipient);
	return err ? err : record(call, auditor, recipient);
}
