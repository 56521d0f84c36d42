#include "broker/vault_link.h"

#include <string.h>

#include "base/bucket.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/cert.h"
#include "broker/glass.h"
#include "broker/pki.h"
#include "broker/records.h"
#include "certs/cleanup.h"
#include "store/auditors.h"
#include "store/records.h"

/* What the vault was asked and has not answered. */
struct vault_order {
	struct vault_order *next;
	struct vault_link *link;
	uint32_t request;
	bool opens;            /* it may, once: somebody gave a passphrase or sheets */
	bool waits;            /* for the key's certificate */
	struct secret *secret; /* of msg_vault_answer; NULL: none */
	unsigned number;
	vault_link_done *done;
	void *ctx;
	struct loop_timer timer;
};

struct vault_link {
	struct broker *broker;
	uint32_t last_request;
	enum vault_state state; /* 0: not known */
	struct msg_vault_root root;
	struct vault_order *orders;
	bool certifying; /* the signer, or then the vault, has not answered yet */
	uint32_t certificate_request;
	struct bucket opened;
};

/* How each order begins. */
struct order_head {
	uint32_t request;
};

/* 0 is none's. */
static struct vault_order *find_order(const struct vault_link *link, uint32_t request)
{
	struct vault_order *order = request ? link->orders : NULL;

	while (order && order->request != request)
		order = order->next;
	return order;
}

static void order_free(struct vault_order *order)
{
	struct vault_order **at = &order->link->orders;

	while (*at != order)
		at = &(*at)->next;
	*at = order->next;
	loop_timer_cancel(&order->timer);
	secret_free(order->secret);
	free(order);
}

static void order_finish(struct vault_order *order, enum err err,
			 const struct msg_vault_state *answer)
{
	_cleanup_secret_ struct secret *secret = util_take_ptr(order->secret);
	const struct vault_given given = { .secret = secret ? secret_text(secret) : "",
					   .number = order->number };
	vault_link_done *done = order->done;
	void *ctx = order->ctx;

	order_free(order);
	done(ctx, err, answer, &given);
}

static void order_due(struct loop_timer *timer)
{
	order_finish(container_of(timer, struct vault_order, timer), ERR_UNAVAILABLE, NULL);
}

static uint32_t next_request(struct vault_link *link)
{
	if (++link->last_request == 0)
		link->last_request = 1;
	return link->last_request;
}

static enum err send_to_vault(struct vault_link *link, uint16_t id, const void *msg)
{
	enum err err = link->broker->vault ? channel_send(link->broker->vault, id, msg, -1)
					   : ERR_UNAVAILABLE;

	return err == ERR_FULL || err == ERR_CLOSED ? ERR_UNAVAILABLE : err;
}

enum err vault_link_order(struct vault_link *link, uint16_t id, void *msg, vault_link_done *done,
			  void *ctx)
{
	struct vault_order *order = calloc(1, sizeof(*order));
	struct order_head *head = msg;

	if (!order)
		return ERR_NOMEM;
	head->request = next_request(link);
	*order = (struct vault_order){ .next = link->orders,
				       .link = link,
				       .request = head->request,
				       .opens = id == MSG_vault_unseal || id == MSG_vault_init ||
						id == MSG_vault_change,
				       .done = done,
				       .ctx = ctx };
	link->orders = order;
	loop_timer_init(link->broker->loop, &order->timer, order_due);
	loop_timer_set(&order->timer, VAULT_LINK_WAIT_S * 1000000ULL);
	enum err err = send_to_vault(link, id, msg);
	if (err)
		order_free(order);
	return err;
}

/* What waits for the key's certificate: it is there, or will not come now. */
static void waiting_finish(struct vault_link *link, enum err err,
			   const struct msg_vault_state *state)
{
	struct vault_order *order = link->orders;

	link->certifying = false;
	link->certificate_request = 0;
	if (err)
		log_error("house-certificate", "error=%s", err_code(err));
	while (order) {
		bool waits = order->waits;
		struct vault_order *at = order;

		order = order->next;
		if (waits)
			order_finish(at, err, err ? NULL : state);
	}
}

/* ---- the certificate -------------------------------------------------------------------- */

static enum err row_of(X509 *certificate, struct auditor_row *ret)
{
	char fingerprint[CERT_FINGERPRINT_TEXT];
	enum err err = cert_fingerprint(certificate, fingerprint);

	*ret = (struct auditor_row){ .name = VAULT_LINK_NAME,
				     .kind = AUDITOR_HOUSE,
				     .created_s = clock_wall_s() };
	if (!err)
		err = util_unhex(fingerprint, ret->fingerprint, sizeof(ret->fingerprint));
	return err ? err : cert_seconds(X509_get0_notAfter(certificate), &ret->not_after_s);
}

/* From here on recordings are sealed to it, before the vault has it: it needs only the key. */
static enum err keep(struct broker *broker, struct bytes der)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	_cleanup_object_(x509) X509 *certificate = NULL;
	char fingerprint[CERT_FINGERPRINT_TEXT];
	struct audit_entry entry = { .event = "auditor-certify" };
	struct auditor_row row;
	enum err err = cert_parse(der, &certificate);

	if (!err)
		err = row_of(certificate, &row);
	if (!err)
		err = cert_fingerprint(certificate, fingerprint);
	if (!err)
		err = db_tx_begin(&tx, broker->db);
	if (!err)
		err = auditor_add(broker->db, &row, der.data, der.len);
	if (err)
		return err;
	entry.detail = json_pack("{s:s, s:s, s:s}", "name", VAULT_LINK_NAME, "kind", "house",
				 "sha256", fingerprint);
	err = audit_append(broker->db, &entry);
	return err ? err : db_tx_commit(&tx);
}

static enum err hand_over(struct vault_link *link, struct bytes der)
{
	struct msg_vault_certificate msg = { .request = next_request(link), .certificate = der };
	enum err err = keep(link->broker, der);

	if (!err)
		err = send_to_vault(link, MSG_vault_certificate, &msg);
	if (!err)
		link->certificate_request = msg.request;
	return err;
}

static void certified(void *ctx, enum err result, const union wire_any *answer)
{
	struct vault_link *link = ctx;
	enum err err = result;

	if (!err)
		err = hand_over(link, answer->certified.certificate);
	/* vault_link_tick tries again. */
	if (err)
		waiting_finish(link, err, NULL);
}

/* ERR_FULL: a vault that is broken, or cannot keep what it gets, asks again and again. */
static enum err check_houses(struct vault_link *link)
{
	int64_t count;
	enum err err = auditor_houses(link->broker->db, clock_wall_s(), &count);

	return !err && count >= VAULT_LINK_HOUSES ? ERR_FULL : err;
}

static void certify(struct vault_link *link, struct bytes csr)
{
	enum err err;

	if (link->certifying)
		return;
	link->certificate_request = 0;
	err = check_houses(link);
	if (!err)
		err = pki_sign_auditor(link->broker->pki, csr, VAULT_LINK_NAME, certified, link);
	link->certifying = !err;
	if (err)
		log_error("house-certificate", "error=%s", err_code(err));
}

/* ---- what the vault says ---------------------------------------------------------------- */

/* Only of a vault that is open: before, anybody may have written what its file says. */
static void note_generation(struct vault_link *link)
{
	enum err err = vault_floor_raise(link->broker->db, link->root.generation);

	if (err)
		log_error("vault-floor", "error=%s", err_code(err));
}

/* asked: somebody ordered what opens it. */
static void note_state(struct vault_link *link, enum vault_state state, bool asked)
{
	struct audit_entry entry = { .event = state == VAULT_OPEN ? "vault-unsealed"
								  : "vault-sealed" };
	bool was_open = link->state == VAULT_OPEN, is_open = state == VAULT_OPEN;
	int64_t wait_ms;
	enum err err;

	/* The audit log cannot be shortened: a vault that is broken may not fill it by itself. */
	if (is_open && !was_open && !asked &&
	    bucket_take(&link->opened, VAULT_LINK_OPENED_PER_MINUTE, clock_mono_ms(), &wait_ms)) {
		log_warn("vault-not-believed", "state=%s wait_ms=%lld", vault_state_code(state),
			 (long long)wait_ms);
		return;
	}
	link->state = state;
	if (was_open == is_open)
		return;
	if (is_open)
		records_vault_open(link->broker);
	else
		glass_vault_gone(link->broker);
	err = broker_audit(link->broker, &entry);
	if (err)
		log_error("vault-unrecorded", "error=%s", err_code(err));
}

void vault_link_state(struct vault_link *link, const struct msg_vault_state *state)
{
	struct vault_order *order = find_order(link, state->request);
	enum err err = state->error ? (enum err)state->error : OK;
	const bool asked = order && order->opens;

	if (state->state < VAULT_EMPTY || state->state > VAULT_OPEN)
		return;
	if (state->state == VAULT_OPEN)
		note_generation(link);
	if (asked)
		order->opens = false;
	note_state(link, state->state, asked);
	if (link->certificate_request && state->request == link->certificate_request) {
		waiting_finish(link, err, state);
		return;
	}
	if (state->csr.len && state->state == VAULT_OPEN)
		certify(link, state->csr);
	order = find_order(link, state->request);
	if (!order)
		return;
	order->waits = !err && link->certifying && !state->certificate.len;
	if (!order->waits)
		order_finish(order, err, state);
}

void vault_link_says(struct vault_link *link, const struct msg_vault_root *root)
{
	link->root = *root;
}

void vault_link_gives(struct vault_link *link, const struct msg_vault_answer *answer)
{
	struct vault_order *order = find_order(link, answer->request);

	if (!order || order->secret)
		return;
	order->number = answer->number;
	if (secret_new(answer->secret, strlen(answer->secret), &order->secret))
		log_error("vault-answer", "error=nomem");
}

const struct msg_vault_root *vault_link_root(const struct vault_link *link)
{
	return &link->root;
}

enum vault_state vault_link_is(const struct vault_link *link)
{
	return link->broker->vault ? link->state : 0;
}

void vault_link_tick(struct vault_link *link)
{
	const struct msg_vault_status ask = { .request = next_request(link) };

	if (send_to_vault(link, MSG_vault_status, &ask) != OK)
		return;
}

void vault_link_came(struct vault_link *link)
{
	struct msg_vault_floor msg = { 0 };
	enum err err = vault_floor_get(link->broker->db, &msg.generation);

	vault_link_gone(link);
	if (!err && msg.generation)
		err = send_to_vault(link, MSG_vault_floor, &msg);
	if (err)
		log_error("vault-floor", "error=%s", err_code(err));
}

void vault_link_gone(struct vault_link *link)
{
	link->certifying = false;
	link->certificate_request = 0;
	if (link->state)
		note_state(link, VAULT_SEALED, false);
	link->state = 0;
	link->root = (struct msg_vault_root){ 0 };
	while (link->orders)
		order_finish(link->orders, ERR_UNAVAILABLE, NULL);
}

/* ---- life ------------------------------------------------------------------------------- */

enum err vault_link_new(struct broker *broker, struct vault_link **ret)
{
	struct vault_link *link = calloc(1, sizeof(*link));

	if (!link)
		return ERR_NOMEM;
	link->broker = broker;
	*ret = link;
	return OK;
}

void vault_link_free(struct vault_link *link)
{
	if (!link)
		return;
	while (link->orders)
		order_free(link->orders);
	free(link);
}
