/*
 * pki.h - what the broker asks of the signer: the gateway's certificate, certificates of devices,
 * CRLs, OCSP answers, and the office's CAs. Nothing waits longer than said, and nothing is left
 * half done when the signer does not answer.
 */
#ifndef SEKISHO_BROKER_PKI_H
#define SEKISHO_BROKER_PKI_H

#include "broker/broker.h"

enum {
	PKI_WAIT_S = 5,
	PKI_CHANGE_WAIT_S = 30, /* for change_ca: passphrases are slow on purpose */
	PKI_KEEP_S = 3600,      /* the edge that asks again gets the certificate it has */
	PKI_REFUSED_S = 60,     /* after a key that is not the edge's, nothing is signed for it */
	PKI_RENEW_S = 30 * 24 * 3600, /* until the edge gets a new certificate for its key */
	PKI_CRL_S = 7 * 24 * 3600,    /* until fresh CRLs are made although nothing was revoked */
};

nodiscard enum err pki_new(struct broker *broker, struct pki **ret);
/* Pending orders are dropped without their callback. */
void pki_free(struct pki *pki);

/* ---- the edge --------------------------------------------------------------------------- */

/*
 * The edge asks for its certificate: answered with edge_config, or with an error reply after
 * PKI_WAIT_S. When the signer comes later, edge_config is sent then.
 */
void pki_edge_start(struct pki *pki, const struct msg_edge_start *msg);

/*
 * The edge's key is lost: forgets it, so that the next one that asks is taken. The caller has a
 * transaction, and calls pki_key_forgotten after it.
 */
nodiscard enum err pki_forget_key(struct pki *pki);
void pki_key_forgotten(struct pki *pki);

/* The edge is gone: nothing is owed to it. */
void pki_edge_gone(struct pki *pki);

/* Something was revoked: the edge gets new CRLs as soon as the signer makes them. */
void pki_renew_crl(struct pki *pki);

/* Now and then: makes fresh CRLs when those there are old, or from a time to come, and renews the
 * edge's certificate. */
void pki_tick(struct pki *pki, int64_t now_s);

/* ---- orders ----------------------------------------------------------------------------- */

/* answer: the signer's message, of the kind that the order is answered with; NULL unless err is OK.
 * Lives until the return. */
typedef void pki_done(void *ctx, enum err err, const union wire_any *answer);

/*
 * For all: done is called later, and only after OK. ERR_UNAVAILABLE, at once or through done: there
 * is no signer, or it did not answer within PKI_WAIT_S. ERR_LOCKED, through done: the signer waits
 * for the passphrase of its keys.
 */

struct pki_device_order {
	struct bytes csr;
	const char *name, *owner; /* of the device; account */
	uint32_t days;            /* 0: as many as there may be */
	const char *challenge;    /* as msg_sign's; NULL: none */
};

/* Orders a device's certificate: certified, with certificate and ca not empty. */
nodiscard enum err pki_sign_device(struct pki *pki, const struct pki_device_order *order,
				   pki_done *done, void *ctx);

/* Orders an auditor's certificate: as a device's, but for its profile. */
nodiscard enum err pki_sign_auditor(struct pki *pki, struct bytes csr, const char *name,
				    pki_done *done, void *ctx);

/* Whether the signer would take the request: checked_csr. Errors of csr_check. */
nodiscard enum err pki_check_csr(struct pki *pki, struct bytes csr, const char *challenge,
				 pki_done *done, void *ctx);

/* ocsp_answer. */
nodiscard enum err pki_answer_ocsp(struct pki *pki, struct bytes question, pki_done *done,
				   void *ctx);

/* Has the audit log's tree signed: checkpoint_signed, also when the signer refuses. order's request
 * is set here. */
nodiscard enum err pki_sign_checkpoint(struct pki *pki, const struct msg_sign_checkpoint *order,
				       pki_done *done, void *ctx);

/* The CAs as they are now: ca_state, also when the signer is locked. */
nodiscard enum err pki_ask_ca(struct pki *pki, pki_done *done, void *ctx);

/*
 * Makes, unlocks or rotates a CA: ca_state, within PKI_CHANGE_WAIT_S. Edge and CRLs follow by
 * themselves. order's request is set here.
 */
nodiscard enum err pki_change_ca(struct pki *pki, const struct msg_change_ca *order, pki_done *done,
				 void *ctx);

/* All CAs of the office as edge_config's ca; empty while they are not known. */
struct bytes pki_ca(const struct pki *pki);

/* Whether the signer waits for the passphrase of its keys. False while it is not known. */
bool pki_is_locked(const struct pki *pki);

/* Whether the edge serves nobody yet because it has no certificate. */
bool pki_edge_is_waiting(const struct pki *pki);

/* ---- the signer ------------------------------------------------------------------------- */

/* A message of the signer. */
void pki_answered(struct pki *pki, const struct wire_type *type, const union wire_any *msg);
/* There is a new one: what was owed is asked for again. */
void pki_signer_came(struct pki *pki);
/* Ends all orders. */
void pki_signer_gone(struct pki *pki);

#endif
