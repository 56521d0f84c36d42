/*
 * pki_edge.c - the gateway's own certificate, and what the edge is told of CAs and CRLs.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/cert.h"
#include "broker/pki_parts.h"
#include "certs/cleanup.h"
#include "certs/identity.h"
#include "store/gateway_key.h"
#include "wire/enums.h"

enum { EDGE_CSR_MAX = 8192 };

static enum err config_send(struct pki *pki)
{
	_cleanup_buf_ struct buf crls;
	struct msg_edge_config config = {
		.request = pki->edge_waits ? pki->edge_request : 0,
		.certificate = pki_bytes(&pki->certificate),
		.ca = pki_bytes(&pki->cas),
	};
	enum err err;

	buf_init(&crls, PKI_CRLS_MAX);
	err = pki_crl_all(pki, &crls);
	config.crl = pki_bytes(&crls);
	return err ? err : channel_send(pki->broker->edge, MSG_edge_config, &config, -1);
}

void pki_edge_send(struct pki *pki)
{
	enum err err;

	if (!pki->broker->edge || !pki->certificate.len || pki->sign_request || !pki->cas.len ||
	    !pki_crl_ready(pki))
		return;
	err = config_send(pki);
	if (err) {
		log_warn("edge-config-failed", "error=%s", err_code(err));
		return;
	}
	pki->edge_waits = false;
	loop_timer_cancel(&pki->edge_timer);
}

/* ---- the key that may have one ---------------------------------------------------------- */

static enum err key_first(struct broker *broker, const uint8_t key[GATEWAY_KEY])
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	char text[2 * GATEWAY_KEY + 1];
	struct audit_entry entry = { .event = "gateway-key" };
	enum err err = db_tx_begin(&tx, broker->db);

	if (!err)
		err = gateway_key_add(broker->db, key);
	if (err)
		return err;
	util_hex(key, GATEWAY_KEY, text);
	entry.detail = json_pack("{s:s}", "spki", text);
	err = audit_append(broker->db, &entry);
	return err ? err : db_tx_commit(&tx);
}

/*
 * The first key that asks is the edge's for good: an edge that was broken into must not have its
 * intruder's key certified. Looked up in what the signer made, so that nothing of the edge's is
 * parsed here. ERR_DENIED: another key.
 */
static enum err key_check(struct broker *broker, struct bytes certificate)
{
	_cleanup_object_(x509) X509 *x509 = NULL;
	uint8_t spki[WIRE_DEVICE_ID], known[GATEWAY_KEY];
	enum err err = cert_parse(certificate, &x509);

	if (!err)
		err = identity_of(x509, spki);
	if (err)
		return err;
	err = gateway_key_get(broker->db, known);
	if (err == ERR_NOT_FOUND)
		return key_first(broker, spki);
	if (!err && memcmp(known, spki, sizeof(known)) != 0)
		err = ERR_DENIED;
	return err;
}
_Static_assert((int)GATEWAY_KEY == (int)WIRE_DEVICE_ID, "both are a SHA-256");

enum err pki_forget_key(struct pki *pki)
{
	return gateway_key_forget(pki->broker->db);
}

void pki_key_forgotten(struct pki *pki)
{
	pki->certified_ms = pki->refused_ms = 0;
	pki_edge_gone(pki);
	pki_edge_send(pki);
}

/* ---- the certificate -------------------------------------------------------------------- */

/* The root stays out: whoever trusts it has it (RFC 8446 §4.4.2). */
static enum err chain_set(struct pki *pki, const struct msg_certified *msg)
{
	_cleanup_buf_ struct buf chain;
	struct bytes rest = msg->ca;
	enum err err;

	buf_init(&chain, PKI_CERTIFICATE_MAX);
	err = pki_buf_set(&chain, msg->certificate);
	while (!err && rest.len) {
		_cleanup_object_(x509) X509 *ca = NULL;
		const uint8_t *at = rest.data;

		err = cert_take(&rest, &ca);
		if (!err && !cert_is_root(ca))
			err = buf_add(&chain, at, (size_t)(rest.data - at));
	}
	if (!err)
		err = pki_buf_set(&pki->certificate, pki_bytes(&chain));
	if (!err)
		pki->issuer = msg->issuer;
	return err;
}

static void edge_refuse(struct pki *pki, enum err err)
{
	const struct reply_to to = { pki->broker->edge_generation, pki->edge_request };

	log_error("edge-certificate-refused", "error=%s%s", err_code(err),
		  err == ERR_DENIED ? " hint=\"sekisho gateway rekey\"" : "");
	if (err == ERR_DENIED)
		pki->refused_ms = clock_mono_ms();
	if (!loop_timer_running(&pki->edge_timer))
		return; /* it was told already */
	loop_timer_cancel(&pki->edge_timer);
	reply_error(pki->broker, &to, err);
}

static void edge_certified(void *ctx, enum err result, const union wire_any *answer)
{
	struct pki *pki = ctx;
	enum err err = result;

	pki->sign_request = 0;
	if (!err)
		err = key_check(pki->broker, answer->certified.certificate);
	if (!err)
		err = chain_set(pki, &answer->certified);
	if (!err)
		pki->certified_ms = clock_mono_ms();
	else if (err == ERR_DENIED)
		buf_clear(&pki->certificate);
	/* Without a signer edge_timer tells it in its time: one may come before. */
	if (err && err != ERR_UNAVAILABLE)
		edge_refuse(pki, err);
	/* Also after an error: a CRL that was made meanwhile has waited for this, and goes with the
	 * certificate that the edge has. */
	pki_edge_send(pki);
}

void pki_edge_order(struct pki *pki)
{
	struct msg_sign msg = {
		.request = pki_next_request(pki),
		.profile = CERT_GATEWAY,
		.csr = pki_bytes(&pki->csr),
		.name = pki->broker->settings.gateway_name,
	};

	pki_order_cancel(pki, pki->sign_request);
	pki->sign_request = 0;
	pki->certified_ms = 0;
	if (pki_order_send(pki, MSG_sign, &msg, PKI_EDGE_WAIT_S,
			   (struct pki_order){ .request = msg.request,
					       .answer = MSG_certified,
					       .done = edge_certified,
					       .ctx = pki }) == OK)
		pki->sign_request = msg.request;
	else
		pki_edge_send(pki);
}

void pki_edge_catch_up(struct pki *pki)
{
	bool older = pki->certificate.len && pki->crl_count && pki->issuer != pki->crls[0].issuer;

	if (pki->broker->edge && pki->csr.len && !pki->sign_request &&
	    (older || (pki->edge_waits && !pki->certified_ms)))
		pki_edge_order(pki);
}

/* ---- the edge --------------------------------------------------------------------------- */

static void edge_due(struct loop_timer *timer)
{
	struct pki *pki = container_of(timer, struct pki, edge_timer);
	const struct reply_to to = { pki->broker->edge_generation, pki->edge_request };

	log_warn("edge-start-unanswered", "signer=%s", pki->broker->signer ? "slow" : "absent");
	reply_error(pki->broker, &to, ERR_UNAVAILABLE);
}

bool pki_edge_is_waiting(const struct pki *pki)
{
	return pki->edge_waits;
}

static bool is_recent(uint64_t since_ms, uint64_t seconds)
{
	return since_ms && clock_mono_ms() - since_ms < seconds * 1000;
}

/* Long before its end, so that a gateway that runs for years is never without. */
void pki_edge_tick(struct pki *pki)
{
	if (pki->broker->edge && pki->certificate.len && !pki->sign_request &&
	    !is_recent(pki->certified_ms, PKI_RENEW_S))
		pki_edge_order(pki);
}

void pki_edge_start(struct pki *pki, const struct msg_edge_start *msg)
{
	const struct reply_to to = { pki->broker->edge_generation, msg->request };
	bool same = pki->csr.len && pki->csr.len == msg->csr.len &&
		    memcmp(pki->csr.data, msg->csr.data, msg->csr.len) == 0;
	enum err err = is_recent(pki->refused_ms, PKI_REFUSED_S) ? ERR_DENIED
								 : pki_buf_set(&pki->csr, msg->csr);

	if (err) {
		reply_error(pki->broker, &to, err);
		return;
	}
	/* What there is was made for another key. */
	if (!same)
		buf_clear(&pki->certificate);
	pki->edge_request = msg->request;
	pki->edge_waits = true;
	loop_timer_set(&pki->edge_timer, PKI_WAIT_S * 1000000ULL);
	if (same && is_recent(pki->certified_ms, PKI_KEEP_S))
		pki_edge_send(pki);
	else
		pki_edge_order(pki);
}

void pki_edge_gone(struct pki *pki)
{
	pki->edge_waits = false;
	pki_order_cancel(pki, pki->sign_request);
	pki->sign_request = 0;
	loop_timer_cancel(&pki->edge_timer);
}

void pki_edge_init(struct pki *pki)
{
	buf_init(&pki->csr, EDGE_CSR_MAX);
	buf_init(&pki->certificate, PKI_CERTIFICATE_MAX);
	loop_timer_init(pki->broker->loop, &pki->edge_timer, edge_due);
}

void pki_edge_finish(struct pki *pki)
{
	loop_timer_cancel(&pki->edge_timer);
	buf_finish(&pki->csr);
	buf_finish(&pki->certificate);
}
