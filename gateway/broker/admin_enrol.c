/*
 * admin_enrol.c - sekisho device enrol: the key is made by the CLI, and an administrator who sits
 * at the gateway needs no invitation.
 */
#include <string.h>

#include "base/clock.h"
#include "broker/admin.h"
#include "broker/cert.h"
#include "broker/pki.h"
#include "certs/cleanup.h"
#include "certs/identity.h"
#include "certs/x509_build.h"
#include "store/certificates.h"

enum {
	DAYS_MIN = 1,
	DAYS_MAX = 90,
	CSR_TEXT_MAX = 8192,
	DEVICE_NAME_CHARACTERS = 64,
	PEM_MAX = 32 * 1024,
};

static enum err enrol_owner(struct admin_call *call, struct account *ret)
{
	enum err err = admin_find_account(call, "user", ret);

	if (!err && ret->disabled)
		return admin_wrong(call, ERR_WRONG_STATE, "user", "the account is disabled");
	return err;
}

static enum err enrol_row(struct admin_call *call, const X509 *x509, struct device *ret,
			  struct certificate *ret_certificate)
{
	struct device device = { 0 };
	struct certificate certificate = { .issuer = 1, .issued_s = clock_wall_s() };
	struct account owner;
	enum err err = enrol_owner(call, &owner);

	if (!err)
		err = identity_of(x509, device.key);
	if (!err)
		err = x509_serial(x509, certificate.serial);
	if (!err)
		err = cert_seconds(X509_get0_notBefore(x509), &certificate.not_before_s);
	if (!err)
		err = cert_seconds(X509_get0_notAfter(x509), &certificate.not_after_s);
	if (err)
		return err;
	memcpy(certificate.key, device.key, sizeof(certificate.key));
	device.owner = owner.id;
	snprintf(device.name, sizeof(device.name), "%s", admin_text(call, "name"));
	*ret = device;
	*ret_certificate = certificate;
	return OK;
}

static enum err enrol_result(struct admin_call *call, int64_t id, X509 *certificate,
			     struct bytes ca)
{
	_cleanup_buf_ struct buf pem, ca_pem;
	enum err err;

	buf_init(&pem, PEM_MAX);
	buf_init(&ca_pem, PEM_MAX);
	err = cert_pem(certificate, &pem);
	if (!err)
		err = cert_pem_all(ca, &ca_pem);
	if (err)
		return err;
	call->result = json_pack("{s:I, s:s%, s:s%}", "id", (json_int_t)id, "certificate", pem.data,
				 pem.len, "ca", ca_pem.data, ca_pem.len);
	return call->result ? OK : ERR_NOMEM;
}

static enum err enrol_store(struct admin_call *call, X509 *certificate, struct bytes ca)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct device device;
	struct certificate row;
	int64_t id = 0;
	enum err err = enrol_row(call, certificate, &device, &row);

	if (!err)
		err = db_tx_begin(&tx, call->broker->db);
	if (!err)
		err = device_add(call->broker->db, &device, &id);
	if (err == ERR_EXISTS)
		return admin_wrong(call, err, "csr", "this key is enrolled already");
	row.device = id;
	if (!err)
		err = certificate_add(call->broker->db, &row, &row.id);
	if (!err)
		err = admin_audit(call, "device-enrol",
				  json_pack("{s:s, s:I, s:s, s:I}", "account",
					    admin_text(call, "user"), "device", (json_int_t)id,
					    "name", device.name, "until",
					    (json_int_t)row.not_after_s));
	if (!err)
		err = enrol_result(call, id, certificate, ca);
	return err ? err : db_tx_commit(&tx);
}

static void enrol_certified(void *ctx, enum err result, struct bytes certificate_der,
			    struct bytes ca_der)
{
	_cleanup_object_(x509) X509 *certificate = NULL;
	struct admin_call *call = ctx;
	enum err err = result;

	if (!err)
		err = cert_parse(certificate_der, &certificate);
	if (!err)
		err = enrol_store(call, certificate, ca_der);
	else if (err == ERR_UNAVAILABLE)
		err = admin_wrong(call, err, "", "the signer does not answer");
	else if (result == ERR_INVALID || result == ERR_DENIED || result == ERR_TOO_BIG)
		err = admin_wrong(call, err, "csr", "the signer refused the request or its key");
	admin_finish(call, err);
}

/* The signer looks inside; here it only has to be base64 without line ends, RFC 4648 §4. */
static enum err csr_decode(const char *text, uint8_t *ret_der, size_t *ret_len)
{
	size_t len = text ? strlen(text) : 0;
	int decoded;

	if (len < 4 || len % 4 || len > CSR_TEXT_MAX)
		return ERR_INVALID;
	decoded = EVP_DecodeBlock(ret_der, (const uint8_t *)text, (int)len);
	if (decoded < 0 || (size_t)decoded != len / 4 * 3)
		return ERR_INVALID;
	/* OpenSSL counts the padding as zero bytes. */
	*ret_len = (size_t)decoded - (text[len - 1] == '=') - (text[len - 2] == '=');
	return OK;
}

enum err admin_device_enrol(struct admin_call *call)
{
	const char *name = admin_text(call, "name");
	int64_t days = admin_number(call, "days", DAYS_MAX);
	uint8_t csr[CSR_TEXT_MAX / 4 * 3];
	struct account owner;
	size_t csr_len;
	enum err err;

	if (csr_decode(admin_text(call, "csr"), csr, &csr_len))
		return admin_wrong(call, ERR_INVALID, "csr",
				   "a certificate request, DER in base64, at most 8192 characters");
	if (!admin_name_valid(name, DEVICE_NAME_CHARACTERS, DEVICE_NAME_MAX))
		return admin_wrong(call, ERR_INVALID, "name",
				   "1 to 64 characters, no control characters");
	if (days < DAYS_MIN || days > DAYS_MAX)
		return admin_wrong(call, ERR_INVALID, "days", "1 to 90");
	err = enrol_owner(call, &owner);
	if (!err)
		err = pki_sign_device(call->broker->pki, (struct bytes){ csr, csr_len }, name,
				      owner.name, (uint32_t)days, enrol_certified, call);
	if (err == ERR_UNAVAILABLE)
		return admin_wrong(call, err, "", "the signer is not running");
	if (!err)
		call->later = true;
	return err;
}
