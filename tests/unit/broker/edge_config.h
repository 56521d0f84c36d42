/*
 * edge_config.h - what the edge gets, and orders of an administrator that need the signer.
 */
#ifndef SEKISHO_TESTS_BROKER_EDGE_CONFIG_H
#define SEKISHO_TESTS_BROKER_EDGE_CONFIG_H

#include "unit/broker/signer.h"

#include "broker/pki_parts.h"

/* ---- CAs and CRLs ----------------------------------------------------------------------- */

static void send_order(struct office *office, const char *command, json_t *arguments);

static struct answer order_answer(struct office *office);

/* ---- devices ---------------------------------------------------------------------------- */

static inline void send_order(struct office *office, const char *command, json_t *arguments)
{
	char *text = json_dumps(arguments, 0);
	const struct msg_admin msg = { .command = command,
				       .arguments = { (const uint8_t *)text, strlen(text) } };

	assert_ok(ipc_send(office->admin, MSG_admin, &msg, -1));
	json_decref(arguments);
	free(text);
}

static inline struct answer order_answer(struct office *office)
{
	const struct msg_admin_reply *reply = &office->received.msg.admin_reply;
	struct answer answer = { .fd = -1 };

	assert_true(
		office_receive(office, office->admin, WIRE_ADMIN, MSG_admin_reply, OFFICE_WAIT_MS));
	answer.status = reply->status;
	answer.body = json_loadb((const char *)reply->body.data, reply->body.len, 0, NULL);
	ipc_received_finish(&office->received);
	return answer;
}

struct ordered {
	int count;
	enum err err;
	uint8_t first; /* byte of the certificate */
};

static inline void on_ordered(void *ctx, enum err err, const union wire_any *answer)
{
	struct ordered *ordered = ctx;

	ordered->count++;
	ordered->err = err;
	ordered->first = err ? 0 : answer->certified.certificate.data[0];
}

static inline void order(struct office *office, struct ordered *ordered)
{
	const struct pki_device_order wanted = {
		.csr = { (const uint8_t *)"csr", 3 }, .name = "pc", .owner = "sato", .days = 1
	};

	assert_ok(pki_sign_device(office->broker->pki, &wanted, on_ordered, ordered));
}

#endif
