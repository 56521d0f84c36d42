/*
 * pki.h - what the broker asks of the signer: the gateway's certificate, certificates of devices,
 * the CRL. Nothing waits longer than PKI_WAIT_S, and nothing is left half done when the signer does
 * not answer.
 */
#ifndef SEKISHO_BROKER_PKI_H
#define SEKISHO_BROKER_PKI_H

#include "broker/broker.h"

enum {
	PKI_WAIT_S = 5,
	PKI_KEEP_S = 3600,  /* the edge that asks again gets the certificate it has */
	PKI_REFUSED_S = 60, /* after a key that is not the edge's, nothing is signed for it */
	PKI_CRL_S = 7 * 24 * 3600, /* until a fresh CRL is made although nothing was revoked */
};

nodiscard enum err pki_new(struct broker *broker, struct pki **ret);
/* Pending orders are dropped without their callback. */
void pki_free(struct pki *pki);

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

/* certificate and ca: DER; empty on failure. Lives until the return. */
typedef void pki_done(void *ctx, enum err err, struct bytes certificate, struct bytes ca);

/*
 * Orders a device's certificate. done is called later, and only after OK, at most PKI_WAIT_S later.
 * ERR_UNAVAILABLE without a signer.
 */
nodiscard enum err pki_sign_device(struct pki *pki, struct bytes csr, const char *name,
				   const char *owner, uint32_t days, pki_done *done, void *ctx);

/* Asks for the CA's certificate alone; the rest as above, certificate is empty. */
nodiscard enum err pki_ask_ca(struct pki *pki, pki_done *done, void *ctx);

/* A device was revoked: the edge gets a new CRL as soon as the signer makes one. */
void pki_renew_crl(struct pki *pki);

/* Now and then: makes a fresh CRL when the one there is old. */
void pki_tick(struct pki *pki, int64_t now_s);

/* DER; empty while it is not known. */
struct bytes pki_ca(const struct pki *pki);

/* From the signer; with a new one, what was owed is asked for again. */
void pki_certified(struct pki *pki, const struct msg_certified *msg);
void pki_made_crl(struct pki *pki, const struct msg_made_crl *msg);
void pki_signer_came(struct pki *pki);

#endif
