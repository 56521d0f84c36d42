/*
 * signer.h - the signer's part played by the test, with a real root, an issuing CA below it, and
 * the very checks of certs/.
 */
#ifndef SEKISHO_TESTS_BROKER_SIGNER_H
#define SEKISHO_TESTS_BROKER_SIGNER_H

#include "unit/broker/office.h"

#include "base/buf.h"
#include "broker/pki.h"
#include "certs/cleanup.h"
#include "certs/crl.h"
#include "certs/csr.h"
#include "certs/identity.h"
#include "certs/profile.h"
#include "certs/x509_build.h"

enum { SIGNER_NUMBERS = 4 };

struct signer_ca {
	EVP_PKEY *key;
	X509 *certificate;
};

struct signer {
	struct signer_ca root, issuing[SIGNER_NUMBERS]; /* number 1 is issuing[0] */
	uint32_t newest;
	bool locked;
	enum err refuses; /* to sign */
	int64_t shift_s;  /* of its clock, when it signs */
	unsigned signs, crls, checks, shows;
};

static inline X509 *signer_certificate(const char *name, EVP_PKEY *key, const struct signer_ca *by)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	X509 *issuer = by ? by->certificate : certificate;

	X509_set_version(certificate, X509_VERSION_3);
	assert_ok(x509_set_random_serial(certificate));
	assert_ok(x509_set_validity(certificate, clock_wall_s() - 60,
				    clock_wall_s() + 3000 * 86400LL));
	assert_ok(x509_add_name(subject, NID_commonName, name));
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	X509_set_pubkey(certificate, key);
	assert_ok(x509_add_extension(certificate, issuer, NID_basic_constraints,
				     by ? "critical,CA:TRUE,pathlen:0" : "critical,CA:TRUE"));
	assert_ok(x509_add_extension(certificate, issuer, NID_key_usage,
				     "critical,keyCertSign,cRLSign"));
	assert_ok(x509_add_extension(certificate, issuer, NID_subject_key_identifier, "hash"));
	assert_true(X509_sign(certificate, by ? by->key : key, EVP_sha256()) > 0);
	return certificate;
}

static inline void signer_add(struct signer *signer)
{
	struct signer_ca *ca = &signer->issuing[signer->newest];
	char name[32];

	snprintf(name, sizeof(name), "CA %u", ++signer->newest);
	ca->key = EVP_EC_gen("P-256");
	ca->certificate = signer_certificate(name, ca->key, &signer->root);
}

static inline void signer_init(struct signer *signer)
{
	*signer = (struct signer){ .root.key = EVP_EC_gen("P-256") };
	signer->root.certificate = signer_certificate("Root", signer->root.key, NULL);
	signer_add(signer);
}

static inline void signer_finish(struct signer *signer)
{
	EVP_PKEY_free(signer->root.key);
	X509_free(signer->root.certificate);
	for (uint32_t i = 0; i < signer->newest; i++) {
		EVP_PKEY_free(signer->issuing[i].key);
		X509_free(signer->issuing[i].certificate);
	}
}

static inline void signer_der(const X509 *certificate, struct buf *buf)
{
	uint8_t *der = NULL;
	int len = i2d_X509(certificate, &der);

	assert_true(len > 0);
	assert_ok(buf_add(buf, der, (size_t)len));
	OPENSSL_free(der);
}

static inline struct bytes signer_bytes(const struct buf *buf)
{
	return (struct bytes){ buf->data, buf->len };
}

/* ---- answers ---------------------------------------------------------------------------- */

static inline void signer_sign(struct office *office, struct signer *signer,
			       const struct msg_sign *order)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	_cleanup_object_(x509) X509 *certificate = NULL;
	_cleanup_buf_ struct buf der, ca;
	const struct signer_ca *issuing = &signer->issuing[signer->newest - 1];
	struct profile_order wanted = {
		.profile = (enum cert_profile)order->profile,
		.issuer = issuing->certificate,
		.issuer_key = issuing->key,
		.name = order->name,
		.owner = order->owner,
		.days = order->days,
		.now_s = clock_wall_s() + signer->shift_s,
	};
	struct msg_certified answer = { .request = order->request, .issuer = signer->newest };
	enum err err = signer->locked ? ERR_LOCKED : signer->refuses;

	signer->signs++;
	buf_init(&der, 8192);
	buf_init(&ca, 16384);
	if (!err)
		err = csr_check(order->csr.data, order->csr.len, order->challenge, &key);
	wanted.key = key;
	if (!err)
		err = profile_issue(&wanted, &certificate);
	if (!err) {
		signer_der(certificate, &der);
		signer_der(issuing->certificate, &ca);
		signer_der(signer->root.certificate, &ca);
	}
	answer.error = (uint8_t)err;
	answer.certificate = signer_bytes(&der);
	answer.ca = signer_bytes(&ca);
	assert_ok(ipc_send(office->signer, MSG_certified, &answer, -1));
}

static inline void signer_crl(struct office *office, struct signer *signer,
			      const struct msg_make_crl *order)
{
	_cleanup_object_(crl) X509_CRL *crl = NULL;
	const struct signer_ca *ca = &signer->issuing[order->issuer - 1];
	struct msg_made_crl answer = { .request = order->request, .issuer = order->issuer };
	uint8_t *der = NULL;
	int len;

	signer->crls++;
	assert_in_range(order->issuer, 1, signer->newest);
	assert_ok(crl_make(ca->certificate, ca->key, order->revoked.data, order->revoked.len,
			   clock_wall_ms(), &crl));
	len = i2d_X509_CRL(crl, &der);
	assert_true(len > 0);
	answer.crl = (struct bytes){ der, (size_t)len };
	assert_ok(ipc_send(office->signer, MSG_made_crl, &answer, -1));
	OPENSSL_free(der);
}

static inline void signer_check(struct office *office, struct signer *signer,
				const struct msg_check_csr *order)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	struct msg_checked_csr answer = { .request = order->request };
	char type[32] = "";
	enum err err = csr_check(order->csr.data, order->csr.len, order->challenge, &key);

	signer->checks++;
	if (!err)
		err = csr_key_hash(key, answer.key);
	if (!err)
		csr_key_type(key, type, sizeof(type));
	answer.error = (uint8_t)err;
	answer.key_type = type;
	assert_ok(ipc_send(office->signer, MSG_checked_csr, &answer, -1));
}

static inline void signer_state(struct office *office, struct signer *signer, uint32_t request)
{
	_cleanup_buf_ struct buf cas;
	uint8_t issuers[4 * SIGNER_NUMBERS] = { 0 };
	struct msg_ca_state answer = { .request = request, .locked = signer->locked };

	signer->shows++;
	buf_init(&cas, 24576);
	for (uint32_t i = signer->newest; i > 0; i--) {
		signer_der(signer->issuing[i - 1].certificate, &cas);
		if (i == signer->newest)
			signer_der(signer->root.certificate, &cas);
		issuers[4 * (signer->newest - i)] = (uint8_t)i;
	}
	answer.issuers = (struct bytes){ issuers, 4 * (size_t)signer->newest };
	answer.cas = signer_bytes(&cas);
	assert_ok(ipc_send(office->signer, MSG_ca_state, &answer, -1));
}

static inline void signer_ocsp(struct office *office, const struct msg_answer_ocsp *order)
{
	struct msg_ocsp_answer answer = { .request = order->request, .answer = order->question };

	assert_ok(ipc_send(office->signer, MSG_ocsp_answer, &answer, -1));
}

/* Answers whatever comes until a message of type id was answered; 0: until nothing comes. */
static inline bool signer_answers(struct office *office, struct signer *signer, uint16_t id,
				  int wait_ms)
{
	uint64_t until_us = office_real_us() + (uint64_t)wait_ms * 1000;

	while (office_real_us() < until_us) {
		const union wire_any *msg = &office->received.msg;
		enum err err =
			ipc_receive(office->signer, WIRE_BROKER, WIRE_SIGNER, &office->received);
		uint16_t got;

		if (err) {
			assert_err(err, ERR_UNAVAILABLE);
			assert_ok(loop_step(office->loop, 2));
			continue;
		}
		got = office->received.type->id;
		if (got == MSG_sign)
			signer_sign(office, signer, &msg->sign);
		else if (got == MSG_make_crl)
			signer_crl(office, signer, &msg->make_crl);
		else if (got == MSG_check_csr)
			signer_check(office, signer, &msg->check_csr);
		else if (got == MSG_show_ca)
			signer_state(office, signer, msg->show_ca.request);
		else if (got == MSG_change_ca)
			signer_state(office, signer, msg->change_ca.request);
		else if (got == MSG_answer_ocsp)
			signer_ocsp(office, &msg->answer_ocsp);
		ipc_received_finish(&office->received);
		if (got == id)
			return true;
	}
	return id == 0;
}

/* Of an order that must come. */
static inline void signer_does(struct office *office, struct signer *signer, uint16_t id)
{
	assert_true(signer_answers(office, signer, id, OFFICE_WAIT_MS));
}

/* The reply to whichever request, while the signer does what it is asked. */
static inline struct answer signer_answer_any(struct office *office, struct signer *signer)
{
	uint64_t until_us = office_real_us() + (uint64_t)OFFICE_WAIT_MS * 1000;

	while (!office_receive(office, office->edge, WIRE_EDGE, MSG_reply, 1)) {
		assert_true(office_real_us() < until_us);
		signer_answers(office, signer, 0, 2);
	}
	return office_answer_take(office);
}

static inline struct answer signer_answer(struct office *office, struct signer *signer)
{
	struct answer answer = signer_answer_any(office, signer);

	assert_int_equal(answer.request, office->request);
	return answer;
}

/* What the broker asks at its start. */
static inline void signer_starts(struct office *office, struct signer *signer)
{
	signer_does(office, signer, MSG_show_ca);
	for (uint32_t i = 0; i < signer->newest && !signer->locked; i++)
		signer_does(office, signer, MSG_make_crl);
	for (int i = 0; i < 3; i++)
		assert_ok(loop_step(office->loop, 2));
}

/* ---- requests --------------------------------------------------------------------------- */

struct csr {
	EVP_PKEY *key;
	uint8_t *der;
	size_t len;
	char text[4096]; /* base64 */
};

static inline void csr_new(struct csr *csr)
{
	csr->key = EVP_EC_gen("P-256");
	assert_non_null(csr->key);
	assert_ok(csr_make(csr->key, &csr->der, &csr->len));
	EVP_EncodeBlock((uint8_t *)csr->text, csr->der, (int)csr->len);
}

static inline void csr_finish(struct csr *csr)
{
	EVP_PKEY_free(csr->key);
	OPENSSL_free(csr->der);
}
#define _cleanup_csr_ _cleanup_(csr_finish)

#endif
