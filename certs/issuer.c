#include "certs/issuer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "certs/ca_list.h"
#include "certs/ca_make.h"
#include "certs/ca_root.h"
#include "certs/cleanup.h"
#include "certs/crl.h"
#include "certs/csr.h"
#include "certs/ocsp.h"
#include "certs/profile.h"
#include "wire/enums.h"

enum { URL_BYTES = 384, REVOKED_BYTES_MAX = CRL_SERIALS_MAX * CRL_ENTRY_BYTES };

enum err issuer_init(struct issuer *issuer, const struct ca_place *place,
		     const struct secret *passphrase, int64_t now_s, bool *ret_made)
{
	char path[CA_PATH];

	*issuer = (struct issuer){ .journal.fd = -1 };
	enum err err = ca_path(path, "%s/issued.log", place->folder);
	if (!err)
		err = journal_open(&issuer->journal, path);
	if (!err)
		err = ca_store_open(&issuer->cas, place, passphrase, now_s,
				    issuer->journal.lines == 0, ret_made);
	if (err)
		issuer_finish(issuer);
	return err;
}

void issuer_finish(struct issuer *issuer)
{
	ca_store_finish(&issuer->cas);
	journal_close(&issuer->journal);
	for (size_t i = 0; i < ARRAY_SIZE(issuer->revoked); i++)
		buf_finish(&issuer->revoked[i].entries);
}

static enum err take(struct bucket *bucket, unsigned per_minute, uint64_t mono_ms)
{
	int64_t wait_ms;

	return bucket_take(bucket, per_minute, mono_ms, &wait_ms);
}

/* ---- certificates ----------------------------------------------------------------------- */

/* An unknown profile is refused later, but pays. */
static enum err take_certificate(struct issuer *issuer, unsigned profile, uint64_t mono_ms)
{
	if (profile == CERT_GATEWAY)
		return take(&issuer->gateways, ISSUER_GATEWAYS_PER_MINUTE, mono_ms);
	return take(&issuer->devices, ISSUER_PER_MINUTE, mono_ms);
}

static enum err check_name(const struct issuer *issuer, const struct msg_sign *order)
{
	if (order->profile != CERT_GATEWAY)
		return OK;
	if (!issuer->gateway_name || !util_streq(order->name, issuer->gateway_name))
		return ERR_INVALID;
	return OK;
}

/* With a wrong clock, every certificate would be one that nobody accepts. */
static enum err check_clock(const struct ca *ca, int64_t now_s)
{
	bool early = ca_is_early(ca_certificate(ca), now_s);

	if (!early && !ca_is_over(ca_certificate(ca), now_s))
		return OK;
	log_error(early ? "clock-before-ca" : "ca-over", "ca=%u now=%" PRId64 " hint=\"%s\"",
		  ca_number(ca), now_s, early ? "set the clock" : "sekisho ca rotate");
	return ERR_UNAVAILABLE;
}

struct urls {
	char crl[URL_BYTES], ocsp[URL_BYTES];
	struct profile_urls pointers;
};

/* NULL without an address, or with one that is too long. */
static const struct profile_urls *urls_of(const struct issuer *issuer, const struct ca *ca,
					  struct urls *urls)
{
	if (!issuer->base_url)
		return NULL;
	int crl = snprintf(urls->crl, sizeof(urls->crl), "%s/crl/%u.der", issuer->base_url,
			   ca_number(ca));
	int ocsp = snprintf(urls->ocsp, sizeof(urls->ocsp), "%s/ocsp", issuer->base_url);
	if (crl < 0 || ocsp < 0 || crl >= URL_BYTES || ocsp >= URL_BYTES)
		return NULL;
	urls->pointers = (struct profile_urls){ urls->crl, urls->ocsp };
	return &urls->pointers;
}

static enum err issue(struct issuer *issuer, const struct ca *ca, const struct msg_sign *order,
		      EVP_PKEY *key, int64_t now_s, X509 **ret)
{
	_cleanup_object_(x509) X509 *certificate = NULL;
	struct urls urls;
	const struct profile_order wanted = {
		.profile = (enum cert_profile)order->profile,
		.issuer = ca_certificate(ca),
		.issuer_key = ca_key(ca),
		.urls = urls_of(issuer, ca, &urls),
		.key = key,
		.name = order->name,
		.owner = order->owner,
		.days = order->days,
		.now_s = now_s,
	};
	enum err err = profile_issue(&wanted, &certificate);

	if (err)
		return err;
	const struct journal_entry entry = {
		.now_s = now_s,
		.issuer = ca_number(ca),
		.profile = cert_profile_code(order->profile),
		.certificate = certificate,
		.owner = order->profile == CERT_DEVICE ? order->owner : "-",
		.name = order->name,
	};
	err = journal_add(&issuer->journal, &entry);
	if (!err)
		*ret = util_take_ptr(certificate);
	return err;
}

enum err issuer_sign(struct issuer *issuer, const struct msg_sign *order, int64_t now_ms,
		     uint64_t mono_ms, struct issuer_signed *ret)
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	_cleanup_object_(x509) X509 *certificate = NULL;
	const struct ca *ca = ca_store_newest(&issuer->cas);

	/* Counted before anything is looked at, so that refused orders cost as much as good ones.
	 */
	enum err err = take_certificate(issuer, order->profile, mono_ms);
	if (!err && ca_store_is_locked(&issuer->cas))
		err = ERR_LOCKED;
	if (!err)
		err = check_name(issuer, order);
	if (!err)
		err = check_clock(ca, now_ms / 1000);
	if (!err)
		err = csr_check(order->csr.data, order->csr.len, order->challenge, &key);
	/* Before anything is written down: an answer that does not fit would be lost. */
	if (!err)
		err = ca_list_chain(ca, &ret->chain);
	if (!err)
		err = issue(issuer, ca, order, key, now_ms / 1000, &certificate);
	if (err)
		return err;
	ret->issuer = ca_number(ca);
	return ca_list_add(certificate, &ret->certificate);
}

enum err issuer_check(struct issuer *issuer, const struct msg_check_csr *order, uint64_t mono_ms,
		      uint8_t ret_key[WIRE_DEVICE_ID], char ret_type[ISSUER_KEY_TYPE_MAX + 1])
{
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	enum err err = take(&issuer->checks, ISSUER_CHECKS_PER_MINUTE, mono_ms);

	if (!err)
		err = csr_check(order->csr.data, order->csr.len, order->challenge, &key);
	if (!err)
		err = csr_key_hash(key, ret_key);
	if (!err)
		csr_key_type(key, ret_type, ISSUER_KEY_TYPE_MAX + 1);
	return err;
}
_Static_assert((int)CSR_KEY_HASH == (int)WIRE_DEVICE_ID, "both are a SHA-256");

/* ---- revocation ------------------------------------------------------------------------- */

static struct issuer_revoked *revoked_of(struct issuer *issuer, uint32_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(issuer->revoked); i++)
		if (issuer->revoked[i].issuer == number)
			return &issuer->revoked[i];
	return NULL;
}

/* The place of a CA that is there no longer is free again. */
static struct issuer_revoked *revoked_slot(struct issuer *issuer, uint32_t number)
{
	struct issuer_revoked *slot = revoked_of(issuer, number);

	for (size_t i = 0; !slot && i < ARRAY_SIZE(issuer->revoked); i++)
		if (!ca_store_find(&issuer->cas, issuer->revoked[i].issuer))
			slot = &issuer->revoked[i];
	return slot;
}

static enum err keep_revoked(struct issuer *issuer, uint32_t number, struct bytes entries)
{
	struct issuer_revoked *slot = revoked_slot(issuer, number);
	struct buf fresh;
	enum err err;

	if (!slot)
		return ERR_FULL;
	/* Until the new list is whole, OCSP answers from the old one. */
	buf_init(&fresh, REVOKED_BYTES_MAX);
	err = buf_add(&fresh, entries.data, entries.len);
	if (err) {
		buf_finish(&fresh);
		return err;
	}
	if (slot->issuer)
		buf_finish(&slot->entries);
	slot->entries = fresh;
	slot->issuer = number;
	return OK;
}

enum err issuer_make_crl(struct issuer *issuer, const struct msg_make_crl *order, int64_t now_ms,
			 uint64_t mono_ms, struct buf *buf)
{
	const struct ca *ca = ca_store_find(&issuer->cas, order->issuer);
	_cleanup_object_(crl) X509_CRL *crl = NULL;
	uint8_t *der = NULL;
	enum err err = take(&issuer->crls, ISSUER_PER_MINUTE, mono_ms);

	if (!err && !ca)
		err = issuer->cas.count ? ERR_NOT_FOUND : ERR_LOCKED;
	if (!err && !ca_key(ca))
		err = ERR_LOCKED;
	if (!err)
		err = crl_make(ca_certificate(ca), ca_key(ca), order->revoked.data,
			       order->revoked.len, now_ms, &crl);
	if (!err)
		err = keep_revoked(issuer, ca_number(ca), order->revoked);
	if (err)
		return err;
	int len = i2d_X509_CRL(crl, &der);
	if (len <= 0)
		return ERR_CRYPTO;
	err = buf_add(buf, der, (size_t)len);
	OPENSSL_free(der);
	return err;
}

/* ---- OCSP ------------------------------------------------------------------------------- */

static bool find_revoked(struct issuer *issuer, uint32_t number,
			 const uint8_t serial[CERT_SERIAL_BYTES], int64_t *ret_revoked_s,
			 uint8_t *ret_reason)
{
	const struct issuer_revoked *list = revoked_of(issuer, number);
	uint64_t when = 0;

	for (size_t at = 0; list && at < list->entries.len; at += CRL_ENTRY_BYTES) {
		const uint8_t *entry = list->entries.data + at;
		if (memcmp(entry, serial, CERT_SERIAL_BYTES) != 0)
			continue;
		for (size_t i = 8; i-- > 0;)
			when = when << 8 | entry[CERT_SERIAL_BYTES + i];
		*ret_revoked_s = (int64_t)when;
		*ret_reason = entry[CRL_ENTRY_BYTES - 1];
		return true;
	}
	return false;
}

static enum ocsp_state state_of(void *ctx, size_t at, const uint8_t serial[CERT_SERIAL_BYTES],
				int64_t *ret_revoked_s, uint8_t *ret_reason)
{
	struct issuer *issuer = ctx;
	uint32_t number = ca_number(issuer->cas.list[at]);

	if (find_revoked(issuer, number, serial, ret_revoked_s, ret_reason))
		return OCSP_STATE_REVOKED;
	return journal_knows(&issuer->journal, number, serial) ? OCSP_STATE_GOOD
							       : OCSP_STATE_UNKNOWN;
}

enum err issuer_answer(struct issuer *issuer, const struct msg_answer_ocsp *order, int64_t now_s,
		       uint64_t mono_ms, struct buf *buf)
{
	struct ocsp_issuer issuers[CA_LIST_MAX];
	const struct ocsp_source source = {
		.issuers = issuers,
		.count = issuer->cas.count,
		.state = state_of,
		.ctx = issuer,
	};
	enum err err = take(&issuer->questions, ISSUER_QUESTIONS_PER_MINUTE, mono_ms);

	if (err)
		return err;
	for (size_t i = 0; i < source.count; i++) {
		const struct ca *ca = issuer->cas.list[i];
		/* Without a list, what was revoked would pass for good. */
		bool ready = revoked_of(issuer, ca_number(ca));
		issuers[i] = (struct ocsp_issuer){ ca_certificate(ca), ready ? ca_key(ca) : NULL };
	}
	return ocsp_answer(&source, order->question.data, order->question.len, now_s, buf);
}

/* ---- changes ---------------------------------------------------------------------------- */

static enum err change(struct issuer *issuer, unsigned order, const struct ca_change *change,
		       struct secret **ret_root)
{
	switch (order) {
	case CA_INIT:
		if (issuer->journal.devices)
			return ERR_WRONG_STATE;
		return ca_store_init(&issuer->cas, change);
	case CA_UNLOCK:
		return change->passphrase ? ca_store_unlock(&issuer->cas, change->passphrase)
					  : ERR_INVALID;
	case CA_ROTATE:
		return ca_store_rotate(&issuer->cas, change);
	case CA_SHOW_ROOT:
		return ca_root_show(&issuer->cas, change->passphrase, ret_root);
	case CA_DROP_ROOT:
		return ca_root_drop(&issuer->cas, change->passphrase, change->root);
	default:
		return ERR_INVALID;
	}
}

enum err issuer_change(struct issuer *issuer, const struct msg_change_ca *order, int64_t now_s,
		       uint64_t mono_ms, struct secret **ret_root)
{
	_cleanup_secret_ struct secret *passphrase = NULL;
	enum err err = take(&issuer->changes, ISSUER_CHANGES_PER_MINUTE, mono_ms);

	if (!err && order->passphrase[0])
		err = secret_new(order->passphrase, strlen(order->passphrase), &passphrase);
	if (err)
		return err;
	const struct ca_change wanted = {
		.passphrase = passphrase,
		.root = order->root,
		.new_root = order->new_root,
		.now_s = now_s,
	};
	return change(issuer, order->order, &wanted, ret_root);
}
