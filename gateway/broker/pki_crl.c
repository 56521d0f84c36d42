/*
 * pki_crl.c - the lists of what was revoked, one of each issuing CA, as the database has it.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/pki_parts.h"
#include "certs/crl.h"
#include "certs/x509_build.h"
#include "store/certificates.h"

static enum err add_entry(struct buf *entries, const struct certificate *certificate)
{
	uint8_t entry[CRL_ENTRY_BYTES] = { 0 };
	uint64_t since_s =
		(uint64_t)(certificate->revoked_s ? certificate->revoked_s : certificate->issued_s);

	memcpy(entry, certificate->serial, CERT_SERIAL_BYTES);
	for (size_t i = 0; i < sizeof(since_s); i++)
		entry[CERT_SERIAL_BYTES + i] = (uint8_t)(since_s >> 8 * i);
	entry[CERT_SERIAL_BYTES + sizeof(since_s)] = (uint8_t)certificate->reason;
	return buf_add(entries, entry, sizeof(entry));
}
_Static_assert((int)CERTIFICATE_SERIAL == (int)CERT_SERIAL_BYTES, "both are a serial");

/* Lists that together do not fit into edge_config would leave the edge without any. */
static size_t room_of_list(const struct pki *pki)
{
	return MIN((size_t)CRL_SERIALS_MAX, PKI_SERIALS_MAX / MAX(pki->crl_count, (size_t)1));
}
_Static_assert(PKI_SERIALS_MAX * 54 + PKI_ISSUERS_MAX * 1024 <= PKI_CRLS_MAX, "all lists fit");

static enum err list_entries(struct pki *pki, uint32_t issuer, struct buf *entries)
{
	_cleanup_query_ struct query query;
	struct certificate certificate;
	size_t room = room_of_list(pki);
	bool more;
	enum err err;

	certificate_list_revoked(&query, pki->broker->db, issuer, clock_wall_s());
	while (!(err = certificate_next(&query, &certificate, &more)) && more) {
		if (entries->len >= room * CRL_ENTRY_BYTES) {
			/* The rows refuse these devices all the same. */
			log_error("crl-full", "issuer=%u max=%zu", issuer, room);
			break;
		}
		err = add_entry(entries, &certificate);
		if (err)
			return err;
	}
	return err;
}

static void retry_later(struct pki *pki)
{
	if (!loop_timer_running(&pki->crl_timer))
		loop_timer_set(&pki->crl_timer, PKI_CRL_RETRY_S * 1000000ULL);
}

/* The edge gets what there is when nothing more is under way. */
static void crl_made(void *ctx, enum err result, const union wire_any *answer)
{
	struct pki_crl *crl = ctx;
	struct pki *pki = crl->pki;
	enum err err = result;

	crl->request = 0;
	if (!err && answer->made_crl.issuer != crl->issuer)
		err = ERR_PROTOCOL;
	if (!err)
		err = pki_buf_set(&crl->der, answer->made_crl.crl);
	if (err) {
		log_error("crl-refused", "issuer=%u error=%s", crl->issuer, err_code(err));
		retry_later(pki);
	} else {
		crl->wanted = false;
		pki->crl_s = clock_wall_s();
	}
	pki_edge_send(pki);
}

static enum err crl_order(struct pki_crl *crl)
{
	_cleanup_buf_ struct buf entries;
	struct pki *pki = crl->pki;
	struct msg_make_crl msg = { .request = pki_next_request(pki), .issuer = crl->issuer };
	enum err err;

	pki_order_cancel(pki, crl->request);
	crl->request = 0;
	buf_init(&entries, PKI_CRL_MAX);
	err = list_entries(pki, crl->issuer, &entries);
	if (err)
		return err;
	msg.revoked = pki_bytes(&entries);
	err = pki_order_send(pki, MSG_make_crl, &msg, PKI_CRL_RETRY_S,
			     (struct pki_order){ .request = msg.request,
						 .answer = MSG_made_crl,
						 .done = crl_made,
						 .ctx = crl });
	if (!err)
		crl->request = msg.request;
	return err;
}

static void order_wanted(struct pki *pki)
{
	for (size_t i = 0; i < pki->crl_count; i++) {
		enum err err = pki->crls[i].wanted ? crl_order(&pki->crls[i]) : OK;

		if (err) {
			log_warn("crl-not-ordered", "issuer=%u error=%s", pki->crls[i].issuer,
				 err_code(err));
			retry_later(pki);
		}
	}
}

void pki_renew_crl(struct pki *pki)
{
	for (size_t i = 0; i < pki->crl_count; i++)
		pki->crls[i].wanted = true;
	order_wanted(pki);
}

static void crl_due(struct loop_timer *timer)
{
	order_wanted(container_of(timer, struct pki, crl_timer));
}

/* A list from a time to come is not valid yet (RFC 5280 §6.3.3): the clock was set back. */
void pki_tick(struct pki *pki, int64_t now_s)
{
	if (now_s - pki->crl_s >= PKI_CRL_S || now_s < pki->crl_s)
		pki_renew_crl(pki);
	pki_edge_tick(pki);
}

/* ---- which lists ------------------------------------------------------------------------ */

static uint32_t number_at(struct bytes issuers, size_t index)
{
	const uint8_t *at = issuers.data + index * sizeof(uint32_t);

	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static bool numbers_same(const struct pki *pki, struct bytes issuers)
{
	if (pki->crl_count != issuers.len / sizeof(uint32_t))
		return false;
	for (size_t i = 0; i < pki->crl_count; i++)
		if (pki->crls[i].issuer != number_at(issuers, i))
			return false;
	return true;
}

enum err pki_crl_issuers(struct pki *pki, struct bytes issuers)
{
	size_t count = issuers.len / sizeof(uint32_t);

	if (issuers.len % sizeof(uint32_t) || count > PKI_ISSUERS_MAX)
		return ERR_PROTOCOL;
	/* None at all: a signer with a token waits for its PIN to make the first. */
	if (!count && pki->cas.len)
		return ERR_PROTOCOL;
	if (numbers_same(pki, issuers))
		return OK;
	for (size_t i = 0; i < PKI_ISSUERS_MAX; i++) {
		pki_order_cancel(pki, pki->crls[i].request);
		pki->crls[i].request = 0;
		buf_clear(&pki->crls[i].der);
	}
	for (size_t i = 0; i < count; i++)
		pki->crls[i].issuer = number_at(issuers, i);
	pki->crl_count = count;
	return OK;
}

bool pki_crl_ready(const struct pki *pki)
{
	for (size_t i = 0; i < pki->crl_count; i++)
		if (pki->crls[i].request)
			return false;
	/* The newest one's: of an older one without a list, devices are kept out, no more. */
	return pki->crl_count && pki->crls[0].der.len;
}

enum err pki_crl_all(const struct pki *pki, struct buf *ders)
{
	enum err err = OK;

	for (size_t i = 0; i < pki->crl_count && !err; i++)
		err = buf_add(ders, pki->crls[i].der.data, pki->crls[i].der.len);
	return err;
}

void pki_crl_init(struct pki *pki)
{
	for (size_t i = 0; i < PKI_ISSUERS_MAX; i++) {
		pki->crls[i].pki = pki;
		buf_init(&pki->crls[i].der, PKI_CRL_MAX);
	}
	loop_timer_init(pki->broker->loop, &pki->crl_timer, crl_due);
}

void pki_crl_finish(struct pki *pki)
{
	loop_timer_cancel(&pki->crl_timer);
	for (size_t i = 0; i < PKI_ISSUERS_MAX; i++)
		buf_finish(&pki->crls[i].der);
}
