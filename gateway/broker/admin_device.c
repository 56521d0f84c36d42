/*
 * admin_device.c - sekisho device …, ca … and gateway …
 */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "broker/admin.h"
#include "broker/pki.h"
#include "broker/session.h"
#include "certs/cleanup.h"
#include "certs/identity.h"
#include "certs/x509_build.h"
#include "store/certificates.h"

enum { DAYS_MIN = 1, DAYS_MAX = 90, CSR_TEXT_MAX = 8192, DEVICE_NAME_CHARACTERS = 64 };

/* ---- certificates ------------------------------------------------------------------------------
 */

static enum err certificate_parse(struct bytes der, X509 **ret)
{
	const uint8_t *at = der.data;
	X509 *certificate = d2i_X509(NULL, &at, (long)der.len);

	if (!certificate)
		return ERR_PROTOCOL;
	if (at != der.data + der.len) {
		X509_free(certificate);
		return ERR_PROTOCOL;
	}
	*ret = certificate;
	return OK;
}

/* *ret is a new JSON string. */
static enum err certificate_pem(X509 *certificate, json_t **ret)
{
	_cleanup_object_(bio) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (!bio || !PEM_write_bio_X509(bio, certificate))
		return ERR_NOMEM;
	len = BIO_get_mem_data(bio, &text);
	*ret = json_stringn(text, (size_t)len);
	return *ret ? OK : ERR_NOMEM;
}

static enum err asn1_seconds(const ASN1_TIME *time, int64_t *ret)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(time, &tm))
		return ERR_CRYPTO;
	*ret = timegm(&tm);
	return OK;
}

/* ---- enrol -------------------------------------------------------------------------------------
 */

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
		err = asn1_seconds(X509_get0_notBefore(x509), &certificate.not_before_s);
	if (!err)
		err = asn1_seconds(X509_get0_notAfter(x509), &certificate.not_after_s);
	if (err)
		return err;
	memcpy(certificate.key, device.key, sizeof(certificate.key));
	device.owner = owner.id;
	snprintf(device.name, sizeof(device.name), "%s", admin_text(call, "name"));
	*ret = device;
	*ret_certificate = certificate;
	return OK;
}

static enum err enrol_result(struct admin_call *call, int64_t id, X509 *certificate, X509 *ca)
{
	json_t *text = NULL, *ca_text = NULL;
	enum err err = certificate_pem(certificate, &text);

	if (!err)
		err = certificate_pem(ca, &ca_text);
	if (err) {
		json_decref(text);
		return err;
	}
	call->result = json_pack("{s:I, s:o, s:o}", "id", (json_int_t)id, "certificate", text, "ca",
				 ca_text);
	return call->result ? OK : ERR_NOMEM;
}

static enum err enrol_store(struct admin_call *call, X509 *certificate, X509 *ca)
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
	_cleanup_object_(x509) X509 *ca = NULL;
	struct admin_call *call = ctx;
	enum err err = result;

	if (!err)
		err = certificate_parse(certificate_der, &certificate);
	if (!err)
		err = certificate_parse(ca_der, &ca);
	if (!err)
		err = enrol_store(call, certificate, ca);
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

/* ---- list, revoke, unlock ----------------------------------------------------------------------
 */

static const char *device_state_text(const struct admin_call *call, const struct device *device)
{
	if (device->state == DEVICE_REVOKED)
		return "revoked";
	if (clock_wall_s() >= device->not_after_s)
		return "expired";
	if (device->state == DEVICE_LOCKED || device->failures >= call->broker->policy.failures)
		return "locked";
	return "active";
}

enum err admin_device_list(struct admin_call *call)
{
	_cleanup_query_ struct query query = { 0 };
	struct device device;
	struct certificate certificate;
	char serial[2 * CERTIFICATE_SERIAL + 1];
	bool more;
	enum err err = admin_columns(call, "id,user,name,state,until,seen,address,serial");

	if (err)
		return err;
	device_list(&query, call->broker->db);
	while (!(err = device_next(&query, &device, &more)) && more) {
		err = certificate_newest(call->broker->db, device.id, &certificate);
		if (err)
			return err;
		util_hex(certificate.serial, sizeof(certificate.serial), serial);
		err = admin_row(call,
				json_pack("[I, s, s, s, I, I, s, s]", (json_int_t)device.id,
					  device.owner_name, device.name,
					  device_state_text(call, &device),
					  (json_int_t)device.not_after_s, (json_int_t)device.seen_s,
					  device.seen_address, serial));
		if (err)
			return err;
	}
	return err;
}

static enum err find_device(struct admin_call *call, struct device *ret)
{
	enum err err = device_by_id(call->broker->db, admin_number(call, "id", 0), ret);

	return err == ERR_NOT_FOUND ? admin_wrong(call, err, "id", "there is no such device") : err;
}

enum err admin_device_revoke(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = call->broker->db;
	const char *reason = admin_text(call, "reason");
	struct device device;
	enum err err = find_device(call, &device);

	if (!err && device.state == DEVICE_REVOKED)
		return admin_wrong(call, ERR_WRONG_STATE, "id", "the device is revoked already");
	if (!err)
		err = db_tx_begin(&tx, db);
	if (!err)
		err = device_revoke(db, device.id, reason ? reason : "", clock_wall_s());
	if (!err)
		err = login_row_delete_device(db, device.id);
	if (!err)
		err = admin_audit(call, "device-revoke",
				  json_pack("{s:I, s:s, s:s}", "device", (json_int_t)device.id,
					    "account", device.owner_name, "reason",
					    reason ? reason : ""));
	if (!err)
		err = db_tx_commit(&tx);
	if (err)
		return err;
	session_cut(call->broker, 0, device.id, 0);
	pki_renew_crl(call->broker->pki);
	return OK;
}

enum err admin_device_unlock(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = call->broker->db;
	struct device device;
	enum err err = find_device(call, &device);

	if (!err && device.state == DEVICE_REVOKED)
		return admin_wrong(call, ERR_WRONG_STATE, "id", "the device is revoked");
	if (!err)
		err = db_tx_begin(&tx, db);
	if (!err)
		err = device_set_state(db, device.id, DEVICE_ACTIVE);
	if (!err)
		err = login_reset(db, &(const struct login_try){ .device = device.id });
	if (!err)
		err = admin_audit(call, "device-unlock",
				  json_pack("{s:I}", "device", (json_int_t)device.id));
	return err ? err : db_tx_commit(&tx);
}

/* ---- ca ----------------------------------------------------------------------------------------
 */

static enum err ca_result(struct admin_call *call, struct bytes der)
{
	_cleanup_object_(x509) X509 *ca = NULL;
	uint8_t digest[EVP_MAX_MD_SIZE];
	char text[2 * EVP_MAX_MD_SIZE + 1];
	unsigned len = 0;
	json_t *pem = NULL;
	enum err err = certificate_parse(der, &ca);

	if (!err && !X509_digest(ca, EVP_sha256(), digest, &len))
		err = ERR_CRYPTO;
	if (!err)
		err = certificate_pem(ca, &pem);
	if (err)
		return err;
	util_hex(digest, len, text);
	call->result = json_pack("{s:o, s:s}", "certificate", pem, "sha256", text);
	return call->result ? OK : ERR_NOMEM;
}

static void ca_came(void *ctx, enum err result, struct bytes certificate, struct bytes ca)
{
	struct admin_call *call = ctx;
	enum err err = result;

	(void)certificate;
	if (!err)
		err = ca_result(call, ca);
	else if (err == ERR_UNAVAILABLE)
		err = admin_wrong(call, err, "", "the signer does not answer");
	admin_finish(call, err);
}

/* The signer is asked while no certificate has come from it, which brings the CA's along. */
enum err admin_ca_show(struct admin_call *call)
{
	struct pki *pki = call->broker->pki;
	enum err err;

	if (pki_ca(pki).len)
		return ca_result(call, pki_ca(pki));
	err = pki_ask_ca(pki, ca_came, call);
	if (err == ERR_UNAVAILABLE)
		return admin_wrong(call, err, "", "the signer is not running");
	if (!err)
		call->later = true;
	return err;
}

enum err admin_gateway_rekey(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	enum err err = db_tx_begin(&tx, call->broker->db);

	if (!err)
		err = pki_forget_key(call->broker->pki);
	if (!err)
		err = admin_audit(call, "gateway-rekey", NULL);
	if (!err)
		err = db_tx_commit(&tx);
	if (!err)
		pki_key_forgotten(call->broker->pki);
	return err;
}
