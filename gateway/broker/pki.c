#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "broker/pki_parts.h"
#include "wire/enums.h"

enum err pki_buf_set(struct buf *buf, struct bytes bytes)
{
	buf_clear(buf);
	return buf_add(buf, bytes.data, bytes.len);
}

struct bytes pki_bytes(const struct buf *buf)
{
	return (struct bytes){ buf->data, buf->len };
}

uint32_t pki_next_request(struct pki *pki)
{
	if (++pki->last_request == 0)
		pki->last_request = 1;
	return pki->last_request;
}

struct bytes pki_ca(const struct pki *pki)
{
	return pki_bytes(&pki->cas);
}

bool pki_is_locked(const struct pki *pki)
{
	return pki->known && pki->locked;
}

/* ---- orders ----------------------------------------------------------------------------- */

static void order_free(struct pki_order *order)
{
	struct pki_order **link = &order->pki->orders;

	while (*link != order)
		link = &(*link)->next;
	*link = order->next;
	loop_timer_cancel(&order->timer);
	free(order);
}

static void order_finish(struct pki_order *order, enum err err, const union wire_any *answer)
{
	pki_done *done = order->done;
	void *ctx = order->ctx;

	order_free(order);
	done(ctx, err, answer);
}

static void order_due(struct loop_timer *timer)
{
	struct pki_order *order = container_of(timer, struct pki_order, timer);

	order_finish(order, ERR_UNAVAILABLE, NULL);
}

enum err pki_order_send(struct pki *pki, uint16_t id, const void *msg, unsigned wait_s,
			struct pki_order wanted)
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
	loop_timer_set(&order->timer, wait_s * 1000000ULL);
	err = channel_send(pki->broker->signer, id, msg, -1);
	if (err)
		order_free(order);
	/* One that does not read: as good as none. */
	return err == ERR_FULL || err == ERR_CLOSED ? ERR_UNAVAILABLE : err;
}

void pki_order_cancel(struct pki *pki, uint32_t request)
{
	struct pki_order *order = pki->orders;

	while (order && order->request != request)
		order = order->next;
	if (order)
		order_free(order);
}

enum err pki_sign_device(struct pki *pki, const struct pki_device_order *order, pki_done *done,
			 void *ctx)
{
	const struct msg_sign msg = {
		.request = pki_next_request(pki),
		.profile = CERT_DEVICE,
		.csr = order->csr,
		.name = order->name,
		.owner = order->owner,
		.days = order->days,
		.challenge = order->challenge,
	};

	return pki_order_send(pki, MSG_sign, &msg, PKI_WAIT_S,
			      (struct pki_order){ .request = msg.request,
						  .answer = MSG_certified,
						  .done = done,
						  .ctx = ctx });
}

enum err pki_sign_auditor(struct pki *pki, struct bytes csr, const char *name, pki_done *done,
			  void *ctx)
{
	const struct msg_sign msg = {
		.request = pki_next_request(pki),
		.profile = CERT_AUDITOR,
		.csr = csr,
		.name = name,
		.owner = "auditor", /* the OU */
	};

	return pki_order_send(pki, MSG_sign, &msg, PKI_WAIT_S,
			      (struct pki_order){ .request = msg.request,
						  .answer = MSG_certified,
						  .done = done,
						  .ctx = ctx });
}

enum err pki_check_csr(struct pki *pki, struct bytes csr, const char *challenge, pki_done *done,
		       void *ctx)
{
	const struct msg_check_csr msg = {
		.request = pki_next_request(pki),
		.csr = csr,
		.challenge = challenge,
	};

	return pki_order_send(pki, MSG_check_csr, &msg, PKI_WAIT_S,
			      (struct pki_order){ .request = msg.request,
						  .answer = MSG_checked_csr,
						  .done = done,
						  .ctx = ctx });
}

enum err pki_answer_ocsp(struct pki *pki, struct bytes question, pki_done *done, void *ctx)
{
	const struct msg_answer_ocsp msg = {
		.request = pki_next_request(pki),
		.question = question,
	};

	return pki_order_send(pki, MSG_answer_ocsp, &msg, PKI_WAIT_S,
			      (struct pki_order){ .request = msg.request,
						  .answer = MSG_ocsp_answer,
						  .done = done,
						  .ctx = ctx });
}

enum err pki_sign_checkpoint(struct pki *pki, const struct msg_sign_checkpoint *order,
			     pki_done *done, void *ctx)
{
	struct msg_sign_checkpoint msg = *order;

	msg.request = pki_next_request(pki);
	return pki_order_send(pki, MSG_sign_checkpoint, &msg, PKI_WAIT_S,
			      (struct pki_order){ .request = msg.request,
						  .answer = MSG_checkpoint_signed,
						  .done = done,
						  .ctx = ctx });
}

enum err pki_ask_ca(struct pki *pki, pki_done *done, void *ctx)
{
	const struct msg_show_ca msg = { .request = pki_next_request(pki) };

	return pki_order_send(
		pki, MSG_show_ca, &msg, PKI_WAIT_S,
		(struct pki_order){
			.request = msg.request, .answer = MSG_ca_state, .done = done, .ctx = ctx });
}

enum err pki_change_ca(struct pki *pki, const struct msg_change_ca *order, pki_done *done,
		       void *ctx)
{
	struct msg_change_ca msg = *order;

	msg.request = pki_next_request(pki);
	return pki_order_send(
		pki, MSG_change_ca, &msg, PKI_CHANGE_WAIT_S,
		(struct pki_order){
			.request = msg.request, .answer = MSG_ca_state, .done = done, .ctx = ctx });
}

/* ---- the signer's answers --------------------------------------------------------------- */

/* How every answer begins. */
struct answer_head {
	uint32_t request;
	uint8_t error;
};

#define HEAD_MATCHES(name)                                                                         \
	static_assert(                                                                             \
		offsetof(struct msg_##name, request) == offsetof(struct answer_head, request) &&   \
			offsetof(struct msg_##name, error) == offsetof(struct answer_head, error), \
		#name " begins like struct answer_head")
HEAD_MATCHES(certified);
HEAD_MATCHES(made_crl);
HEAD_MATCHES(checked_csr);
HEAD_MATCHES(ocsp_answer);
HEAD_MATCHES(ca_state);
HEAD_MATCHES(checkpoint_signed);

/* Whether there is what the order asked for. */
static bool is_whole(uint16_t id, const union wire_any *msg)
{
	switch (id) {
	case MSG_certified:
		return msg->certified.certificate.len && msg->certified.ca.len;
	case MSG_made_crl:
		return msg->made_crl.crl.len > 0;
	case MSG_ocsp_answer:
		return msg->ocsp_answer.answer.len > 0;
	default:
		return true;
	}
}

/* Whatever made the signer say it: after a change of the CAs, lists and the edge follow. */
static enum err state_take(struct pki *pki, const struct msg_ca_state *state)
{
	bool same = pki->known && pki->locked == (state->locked != 0) &&
		    pki->cas.len == state->cas.len &&
		    memcmp(pki->cas.data, state->cas.data, state->cas.len) == 0;
	enum err err;

	if (same)
		return OK;
	err = pki_buf_set(&pki->cas, state->cas);
	if (!err)
		err = pki_crl_issuers(pki, state->issuers);
	if (err)
		return err;
	pki->known = true;
	pki->locked = state->locked != 0;
	if (pki->locked) {
		log_error("ca-locked", "hint=\"sekisho ca %s\"", pki->cas.len ? "unlock" : "init");
		return OK;
	}
	pki_renew_crl(pki);
	pki_edge_catch_up(pki);
	return OK;
}

void pki_answered(struct pki *pki, const struct wire_type *type, const union wire_any *msg)
{
	const struct answer_head *head = (const struct answer_head *)msg;
	struct pki_order *order = pki->orders;
	enum err err = head->error ? (enum err)head->error : OK;

	while (order && (order->request != head->request || order->answer != type->id))
		order = order->next;
	if (!order)
		return; /* too late: without a device's row a certificate opens nothing */
	if (!err && !is_whole(type->id, msg))
		err = ERR_PROTOCOL;
	if (!err && type->id == MSG_ca_state)
		err = state_take(pki, &msg->ca_state);
	order_finish(order, err, err && type->id != MSG_checkpoint_signed ? NULL : msg);
}

static void state_came(void *ctx, enum err err, const union wire_any *answer)
{
	(void)ctx;
	(void)answer;
	if (err)
		log_warn("ca-unknown", "error=%s", err_code(err));
}

/* A new signer has no lists in memory, and may have other CAs. */
void pki_signer_came(struct pki *pki)
{
	const struct msg_show_ca msg = { .request = pki_next_request(pki) };
	enum err err;

	pki->known = false;
	err = pki_order_send(pki, MSG_show_ca, &msg, PKI_EDGE_WAIT_S,
			     (struct pki_order){ .request = msg.request,
						 .answer = MSG_ca_state,
						 .done = state_came });
	if (err)
		log_warn("ca-not-asked", "error=%s", err_code(err));
}

void pki_signer_gone(struct pki *pki)
{
	while (pki->orders)
		order_finish(pki->orders, ERR_UNAVAILABLE, NULL);
}

/* ---- life ------------------------------------------------------------------------------- */

enum err pki_new(struct broker *broker, struct pki **ret)
{
	struct pki *pki = calloc(1, sizeof(*pki));

	if (!pki)
		return ERR_NOMEM;
	pki->broker = broker;
	buf_init(&pki->cas, PKI_CA_MAX);
	pki_edge_init(pki);
	pki_crl_init(pki);
	*ret = pki;
	return OK;
}

void pki_free(struct pki *pki)
{
	if (!pki)
		return;
	while (pki->orders)
		order_free(pki->orders);
	pki_edge_finish(pki);
	pki_crl_finish(pki);
	buf_finish(&pki->cas);
	free(pki);
}
