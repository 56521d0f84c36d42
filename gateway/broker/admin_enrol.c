/*
 * admin_enrol.c - sekisho device enrol: the key is made by the CLI, and an administrator who sits
 * at the gateway needs no invitation.
 */
#include <string.h>

#include "base/clock.h"
#include "broker/admin.h"
#include "broker/cert.h"
#include "broker/enrol_job.h"
#include "broker/issued.h"
#include "broker/pki.h"
#include "certs/cleanup.h"
#include "certs/csr.h"
#include "wire/enums.h"

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
	if (!err)
		err = enrol_room(call->broker, ret->id, clock_wall_s());
	return err == ERR_DENIED ? admin_wrong(call, err, "user",
					       "this person has 20 devices in use already: revoke "
					       "one first")
				 : err;
}
_Static_assert(ENROL_DEVICES_MAX == 20, "as the message says");

/* The key lies where the CLI puts it: a file of the device's own, or one that is carried there. */
static enum err enrol_place(struct admin_call *call, enum key_place *ret)
{
	const char *place = admin_text(call, "place");

	if (place && (key_place_parse(place, ret) || (*ret != KEY_FILE && *ret != KEY_PKCS12)))
		return admin_wrong(call, ERR_INVALID, "place", "file or pkcs12");
	if (!place)
		*ret = KEY_UNKNOWN;
	return OK;
}

static enum err enrol_result(struct admin_call *call, int64_t id,
			     const struct msg_certified *certified)
{
	_cleanup_buf_ struct buf pem, ca_pem;
	enum err err;

	buf_init(&pem, PEM_MAX);
	buf_init(&ca_pem, PEM_MAX);
	err = cert_pem_all(certified->certificate, &pem);
	if (!err)
		err = cert_pem_all(certified->ca, &ca_pem);
	if (err)
		return err;
	call->result = json_pack("{s:I, s:s%, s:s%}", "id", (json_int_t)id, "certificate", pem.data,
				 pem.len, "ca", ca_pem.data, ca_pem.len);
	return call->result ? OK : ERR_NOMEM;
}

/* What kind of key it is, and where. */
static enum err enrol_row(struct admin_call *call, const struct msg_certified *certified,
			  struct certificate *ret)
{
	_cleanup_object_(x509) X509 *x509 = NULL;
	enum key_place place = KEY_UNKNOWN;
	enum err err = issued_row(certified, clock_wall_s(), ret);

	if (!err)
		err = cert_parse(certified->certificate, &x509);
	if (!err)
		err = enrol_place(call, &place);
	if (err)
		return err;
	csr_key_type(X509_get0_pubkey(x509), ret->key_type, sizeof(ret->key_type));
	ret->key_place = place;
	return OK;
}

static enum err enrol_store(struct admin_call *call, const struct msg_certified *certified)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	struct db *db = call->broker->db;
	struct device device = { 0 };
	struct certificate row;
	struct account owner;
	enum err err = enrol_owner(call, &owner);

	if (!err)
		err = enrol_row(call, certified, &row);
	if (!err)
		err = db_tx_begin(&tx, db);
	if (err)
		return err;
	device.owner = owner.id;
	snprintf(device.name, sizeof(device.name), "%s", admin_text(call, "name"));
	memcpy(device.key, row.key, sizeof(device.key));
	/* Also those that another device was renewed with. */
	err = enrol_key_free(db, row.key, 0);
	if (!err)
		err = device_add(db, &device, &row.device);
	if (err == ERR_EXISTS || err == ERR_KEY)
		return admin_wrong(call, ERR_EXISTS, "csr", "this key was registered before");
	if (!err)
		err = certificate_add(db, &row, &row.id);
	if (!err)
		err = admin_audit(call, "device-enrol",
				  json_pack("{s:s, s:I, s:s, s:I}", "account",
					    admin_text(call, "user"), "device",
					    (json_int_t)row.device, "name", device.name, "until",
					    (json_int_t)row.not_after_s));
	if (!err)
		err = enrol_result(call, row.device, certified);
	return err ? err : db_tx_commit(&tx);
}

static void enrol_certified(void *ctx, enum err result, const union wire_any *answer)
{
	struct admin_call *call = ctx;
	enum err err = result;

	if (!err)
		err = enrol_store(call, &answer->certified);
	else if (err == ERR_UNAVAILABLE)
		err = admin_wrong(call, err, "", "the signer does not answer");
	else if (result == ERR_INVALID || result == ERR_KEY || result == ERR_TOO_BIG)
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
	enum key_place place;
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
	err = enrol_place(call, &place);
	if (!err)
		err = enrol_owner(call, &owner);
	if (!err)
		err = pki_sign_device(call->broker->pki,
				      &(const struct pki_device_order){ .csr = { csr, csr_len },
									.name = name,
									.owner = owner.name,
									.days = (uint32_t)days },
				      enrol_certified, call);
	if (err == ERR_UNAVAILABLE)
		return admin_wrong(call, err, "", "the signer is not running");
	if (!err)
		call->later = true;
	return err;
}
