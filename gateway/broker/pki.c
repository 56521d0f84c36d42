#include "broker/pki.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "certs/cleanup.h"
#include "certs/crl.h"
#include "certs/identity.h"
#include "certs/x509_build.h"
#include "store/certificates.h"
#include "store/gateway_key.h"
#include "wire/enums.h"

enum { CERTIFICATE_MAX = 8192, CRL_MAX = 65536, CRL_RETRY_S = 30 };

/* A device's certificate that was ordered. */
struct pki_order {
	struct pki_order *next;
	struct pki *pki;
	uint32_t request;
	bool ca_alone;
	pki_done *done;
	void *ctx;
	struct loop_timer timer;
};

struct pki {
	struct broker *broker;
	uint32_t last_request;
	struct pki_order *orders;
	/* What the edge has, or shall have. */
	struct buf csr, certificate, ca, crl;
	bool edge_waits;       /* it has not got its first edge_config yet */
	uint32_t edge_request; /* of its edge_start */
	uint32_t sign_request; /* to the signer, 0 for none */
	/* Monotonic; 0: never. Of certificate, and of the last refusal of a key. */
	uint64_t certified_ms, refused_ms;
	int64_t crl_s;        /* wall clock; of crl, 0: none was made yet */
	uint32_t crl_request; /* to the signer, 0 for none */
	bool crl_wanted;      /* the list is older than the last revocation */
	struct loop_timer edge_timer, crl_timer;
};

static uint32_t next_request(struct pki *pki)
{
	if (++pki->last_request == 0)
		pki->last_request = 1;
	return pki->last_request;
}

static enum err buf_set(struct buf *buf, struct bytes bytes)
{
	buf_clear(buf);
	return buf_add(buf, bytes.data, bytes.len);
}

static struct bytes bytes_of(const struct buf *buf)
{
	return (struct bytes){ buf->data, buf->len };
}

struct bytes pki_ca(const struct pki *pki)
{
	return bytes_of(&pki->ca);
}

/* ---- the edge ----------------------------------------------------------------------------------
 */

static void edge_send(struct pki *pki)
{
	const struct msg_edge_config config = {
		.request = pki->edge_waits ? pki->edge_request : 0,
		.certificate = bytes_of(&pki->certificate),
		.ca = bytes_of(&pki->ca),
		.crl = bytes_of(&pki->crl),
	};
	enum err err;

	if (!pki->broker->edge || !pki->certificate.len)
		return;
	err = channel_send(pki->broker->edge, MSG_edge_config, &config, -1);
	if (err) {
		log_warn("edge-config-failed", "error=%s", err_code(err));
		return;
	}
	pki->edge_waits = false;
	loop_timer_cancel(&pki->edge_timer);
}

static void edge_order(struct pki *pki)
{
	struct msg_sign order = {
		.request = next_request(pki),
		.profile = CERT_GATEWAY,
		.csr = bytes_of(&pki->csr),
		.name = pki->broker->settings.gateway_name,
		.owner = "",
		.challenge = "",
	};

	pki->sign_request = 0;
	pki->certified_ms = 0;
	if (pki->broker->signer && channel_send(pki->broker->signer, MSG_sign, &order, -1) == OK)
		pki->sign_request = order.request;
}

static void edge_due(struct loop_timer *timer)
{
	struct pki *pki = container_of(timer, struct pki, edge_timer);
	const struct reply_to to = { pki->broker->edge_generation, pki->edge_request };

	log_warn("edge-start-unanswered", "signer=%s", pki->broker->signer ? "slow" : "absent");
	reply_error(pki->broker, &to, ERR_UNAVAILABLE);
}

static enum err edge_key_first(struct broker *broker, const uint8_t key[GATEWAY_KEY])
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
static enum err edge_key_check(struct broker *broker, struct bytes certificate)
{
	const uint8_t *at = certificate.data;
	_cleanup_object_(x509) X509 *x509 = d2i_X509(NULL, &at, (long)certificate.len);
	uint8_t spki[WIRE_DEVICE_ID], known[GATEWAY_KEY];
	enum err err = x509 ? identity_of(x509, spki) : ERR_PROTOCOL;

	if (err)
		return err;
	err = gateway_key_get(broker->db, known);
	if (err == ERR_NOT_FOUND)
		return edge_key_first(broker, spki);
	if (!err && memcmp(known, spki, sizeof(known)) != 0)
		err = ERR_DENIED;
	return err;
}
_Static_assert((int)GATEWAY_KEY == (int)WIRE_DEVICE_ID, "both are a SHA-256");

static bool is_recent(uint64_t since_ms, uint64_t seconds)
{
	return since_ms && clock_mono_ms() - since_ms < seconds * 1000;
}

void pki_edge_start(struct pki *pki, const struct msg_edge_start *msg)
{
	const struct reply_to to = { pki->broker->edge_generation, msg->request };
	bool same = pki->csr.len && pki->csr.len == msg->csr.len &&
		    memcmp(pki->csr.data, msg->csr.data, msg->csr.len) == 0;
	enum err err = is_recent(pki->refused_ms, PKI_REFUSED_S) ? ERR_DENIED
								 : buf_set(&pki->csr, msg->csr);

	if (err) {
		reply_error(pki->broker, &to, err);
		return;
	}
	pki->edge_request = msg->request;
	pki->edge_waits = true;
	loop_timer_set(&pki->edge_timer, PKI_WAIT_S * 1000000ULL);
	if (!same || !is_recent(pki->certified_ms, PKI_KEEP_S))
		edge_order(pki);
	else if (pki->crl.len && !pki->crl_wanted)
		edge_send(pki);
	else
		pki_renew_crl(pki);
}

enum err pki_forget_key(struct pki *pki)
{
	return gateway_key_forget(pki->broker->db);
}

void pki_key_forgotten(struct pki *pki)
{
	pki->certified_ms = pki->refused_ms = 0;
	pki->edge_waits = false;
	pki->sign_request = 0;
	loop_timer_cancel(&pki->edge_timer);
}

void pki_edge_gone(struct pki *pki)
{
	pki->edge_waits = false;
	pki->sign_request = 0;
	loop_timer_cancel(&pki->edge_timer);
}

static void edge_certified(struct pki *pki, const struct msg_certified *msg)
{
	const struct reply_to to = { pki->broker->edge_generation, pki->edge_request };
	enum err err = msg->error ? (enum err)msg->error : OK;

	pki->sign_request = 0;
	if (!err && (!msg->certificate.len || !msg->ca.len))
		err = ERR_PROTOCOL;
	if (!err)
		err = edge_key_check(pki->broker, msg->certificate);
	if (err == ERR_DENIED)
		pki->refused_ms = clock_mono_ms();
	if (!err)
		err = buf_set(&pki->certificate, msg->certificate);
	if (!err)
		err = buf_set(&pki->ca, msg->ca);
	if (err) {
		log_error("edge-certificate-refused", "error=%s%s", err_code(err),
			  err == ERR_DENIED ? " hint=\"sekisho gateway rekey\"" : "");
		loop_timer_cancel(&pki->edge_timer);
		reply_error(pki->broker, &to, err);
		return;
	}
	pki->certified_ms = clock_mono_ms();
	/* The list comes with it: without one, a revoked certificate would still reach the login
	 * page. */
	pki_renew_crl(pki);
}

/* ---- CRL ---------------------------------------------------------------------------------------
 */

static enum err crl_add_serial(struct buf *serials, const struct certificate *certificate)
{
	uint8_t entry[CRL_ENTRY_BYTES] = { 0 };
	uint64_t since_s =
		(uint64_t)(certificate->revoked_s ? certificate->revoked_s : certificate->issued_s);

	memcpy(entry, certificate->serial, CERT_SERIAL_BYTES);
	for (size_t i = 0; i < sizeof(since_s); i++)
		entry[CERT_SERIAL_BYTES + i] = (uint8_t)(since_s >> 8 * i);
	entry[CERT_SERIAL_BYTES + sizeof(since_s)] = (uint8_t)certificate->reason;
	return buf_add(serials, entry, sizeof(entry));
}
_Static_assert((int)CERTIFICATE_SERIAL == (int)CERT_SERIAL_BYTES, "both are a serial");

static enum err crl_serials(struct pki *pki, struct buf *serials)
{
	_cleanup_query_ struct query query;
	struct certificate certificate;
	bool more;
	enum err err;

	certificate_list_revoked(&query, pki->broker->db, 1, clock_wall_s());
	while (!(err = certificate_next(&query, &certificate, &more)) && more) {
		if (serials->len >= (size_t)CRL_SERIALS_MAX * CRL_ENTRY_BYTES) {
			/* The rows refuse these devices all the same. */
			log_error("crl-full", "max=%d", CRL_SERIALS_MAX);
			break;
		}
		err = crl_add_serial(serials, &certificate);
		if (err)
			return err;
	}
	return err;
}

static enum err crl_order(struct pki *pki)
{
	_cleanup_buf_ struct buf serials;
	struct msg_make_crl order = { .request = next_request(pki) };
	enum err err;

	buf_init(&serials, CRL_MAX);
	err = crl_serials(pki, &serials);
	if (err)
		return err;
	if (!pki->broker->signer)
		return ERR_UNAVAILABLE;
	order.revoked = bytes_of(&serials);
	err = channel_send(pki->broker->signer, MSG_make_crl, &order, -1);
	if (!err)
		pki->crl_request = order.request;
	return err;
}

void pki_renew_crl(struct pki *pki)
{
	enum err err;

	pki->crl_wanted = true;
	pki->crl_request = 0;
	err = crl_order(pki);
	if (err)
		log_warn("crl-not-ordered", "error=%s", err_code(err));
	loop_timer_set(&pki->crl_timer, CRL_RETRY_S * 1000000ULL);
}

static void crl_due(struct loop_timer *timer)
{
	struct pki *pki = container_of(timer, struct pki, crl_timer);

	if (pki->crl_wanted)
		pki_renew_crl(pki);
}

void pki_made_crl(struct pki *pki, const struct msg_made_crl *msg)
{
	if (!msg->request || msg->request != pki->crl_request)
		return;
	pki->crl_request = 0;
	if (msg->error || !msg->crl.len || buf_set(&pki->crl, msg->crl)) {
		log_error("crl-refused", "error=%s", err_code((enum err)msg->error));
		return; /* crl_timer tries again */
	}
	pki->crl_wanted = false;
	pki->crl_s = clock_wall_s();
	loop_timer_cancel(&pki->crl_timer);
	edge_send(pki);
}

void pki_tick(struct pki *pki, int64_t now_s)
{
	if (now_s - pki->crl_s >= PKI_CRL_S)
		pki_renew_crl(pki);
}

/* ---- devices -----------------------------------------------------------------------------------
 */

static void order_free(struct pki_order *order)
{
	struct pki_order **link = &order->pki->orders;

	while (*link != order)
		link = &(*link)->next;
	*link = order->next;
	loop_timer_cancel(&order->timer);
	free(order);
}

static void order_due(struct loop_timer *timer)
{
	struct pki_order *order = container_of(timer, struct pki_order, timer);
	pki_done *done = order->done;
	void *ctx = order->ctx;

	order_free(order);
	done(ctx, ERR_UNAVAILABLE, (struct bytes){ 0 }, (struct bytes){ 0 });
}

static enum err order_send(struct pki *pki, uint16_t id, const void *msg, struct pki_order wanted)
{
	struct pki_order *order;
	enum err err;

	if (!pki->broker->signer)
		return ERR_UNAVAILABLE;
	order = calloc(1, sizeof(*order));
	if (!order)
		return ERR_NOMEM;
	*order = wanted;
	order->pki = pki;
	order->next = pki->orders;
	pki->orders = order;
	loop_timer_init(pki->broker->loop, &order->timer, order_due);
	loop_timer_set(&order->timer, PKI_WAIT_S * 1000000ULL);
	err = channel_send(pki->broker->signer, id, msg, -1);
	if (err)
		order_free(order);
	return err;
}

enum err pki_sign_device(struct pki *pki, struct bytes csr, const char *name, const char *owner,
			 uint32_t days, pki_done *done, void *ctx)
{
	const struct msg_sign msg = {
		.request = next_request(pki),
		.profile = CERT_DEVICE,
		.csr = csr,
		.name = name,
		.owner = owner,
		.days = days,
		.challenge = "",
	};

	return order_send(pki, MSG_sign, &msg,
			  (struct pki_order){ .request = msg.request, .done = done, .ctx = ctx });
}

enum err pki_ask_ca(struct pki *pki, pki_done *done, void *ctx)
{
	const struct msg_show_ca msg = { .request = next_request(pki) };

	return order_send(
		pki, MSG_show_ca, &msg,
		(struct pki_order){
			.request = msg.request, .ca_alone = true, .done = done, .ctx = ctx });
}

static void order_certified(struct pki *pki, const struct msg_certified *msg)
{
	struct pki_order *order = pki->orders;
	enum err err = msg->error ? (enum err)msg->error : OK;
	pki_done *done;
	void *ctx;

	while (order && order->request != msg->request)
		order = order->next;
	if (!order)
		return; /* too late: without a device's row the certificate opens nothing */
	done = order->done;
	ctx = order->ctx;
	if (!err && (!msg->ca.len || (!order->ca_alone && !msg->certificate.len)))
		err = ERR_PROTOCOL;
	order_free(order);
	done(ctx, err, msg->certificate, msg->ca);
}

void pki_certified(struct pki *pki, const struct msg_certified *msg)
{
	if (msg->request && msg->request == pki->sign_request)
		edge_certified(pki, msg);
	else
		order_certified(pki, msg);
}

void pki_signer_came(struct pki *pki)
{
	if (pki->edge_waits)
		edge_order(pki);
	else if (pki->crl_wanted)
		pki_renew_crl(pki);
}

/* ---- life --------------------------------------------------------------------------------------
 */

enum err pki_new(struct broker *broker, struct pki **ret)
{
	struct pki *pki = calloc(1, sizeof(*pki));

	if (!pki)
		return ERR_NOMEM;
	pki->broker = broker;
	pki->crl_wanted = true; /* a fresh one at each start */
	buf_init(&pki->csr, CERTIFICATE_MAX);
	buf_init(&pki->certificate, CERTIFICATE_MAX);
	buf_init(&pki->ca, CERTIFICATE_MAX);
	buf_init(&pki->crl, CRL_MAX);
	loop_timer_init(broker->loop, &pki->edge_timer, edge_due);
	loop_timer_init(broker->loop, &pki->crl_timer, crl_due);
	*ret = pki;
	return OK;
}

void pki_free(struct pki *pki)
{
	if (!pki)
		return;
	while (pki->orders)
		order_free(pki->orders);
	loop_timer_cancel(&pki->edge_timer);
	loop_timer_cancel(&pki->crl_timer);
	buf_finish(&pki->csr);
	buf_finish(&pki->certificate);
	buf_finish(&pki->ca);
	buf_finish(&pki->crl);
	free(pki);
}
