/*
 * pki_parts.h - for pki.c, pki_edge.c and pki_crl.c alone.
 */
#ifndef SEKISHO_BROKER_PKI_PARTS_H
#define SEKISHO_BROKER_PKI_PARTS_H

#include "base/buf.h"
#include "broker/pki.h"

enum {
	PKI_CERTIFICATE_MAX = 16384,
	PKI_CA_MAX = 24576,
	PKI_CRL_MAX = 65536,
	PKI_CRLS_MAX = 81920,   /* of all issuers, in edge_config */
	PKI_SERIALS_MAX = 1200, /* on all lists: 54 bytes of DER each, and 1 KiB of each list */
	PKI_CRL_RETRY_S = 30,
	PKI_EDGE_WAIT_S = 60, /* for the edge's certificate: an answer is welcome late too */
	PKI_ISSUERS_MAX = 16,
};

/* What the signer was asked and has not answered. */
struct pki_order {
	struct pki_order *next;
	struct pki *pki;
	uint32_t request;
	uint16_t answer; /* id of the message that is waited for */
	pki_done *done;
	void *ctx;
	struct loop_timer timer;
};

/* The CRL of one issuing CA. */
struct pki_crl {
	struct pki *pki;
	uint32_t issuer;
	struct buf der;
	bool wanted;      /* it is older than the last revocation */
	uint32_t request; /* to the signer, 0 for none */
};

struct pki {
	struct broker *broker;
	uint32_t last_request;
	struct pki_order *orders;
	/* Of the office; the newest issuing CA first. crls: one of each that has not run out. */
	struct buf cas;
	bool known, locked; /* known: cas and crls are those of the signer that is there */
	struct pki_crl crls[PKI_ISSUERS_MAX];
	size_t crl_count;
	int64_t crl_s; /* wall clock; when the last was made, 0: none yet */
	struct loop_timer crl_timer;
	/* What the edge has, or shall have. */
	struct buf csr, certificate; /* certificate: with those between it and the root */
	uint32_t issuer;             /* of certificate */
	bool edge_waits;             /* it has not got its first edge_config yet */
	uint32_t edge_request;       /* of its edge_start */
	uint32_t sign_request;       /* to the signer, 0 for none */
	/* Monotonic; 0: never. Of certificate, and of the last refusal of a key. */
	uint64_t certified_ms, refused_ms;
	struct loop_timer edge_timer;
};

nodiscard enum err pki_buf_set(struct buf *buf, struct bytes bytes);
struct bytes pki_bytes(const struct buf *buf);

/* Never 0. */
uint32_t pki_next_request(struct pki *pki);

/* Sends msg, whose request is wanted.request, and waits wait_s for wanted.answer. */
nodiscard enum err pki_order_send(struct pki *pki, uint16_t id, const void *msg, unsigned wait_s,
				  struct pki_order wanted);

/* Forgets one without its callback; 0 or one that is over is allowed. */
void pki_order_cancel(struct pki *pki, uint32_t request);

/* pki_edge.c: orders a certificate for the edge's request. */
void pki_edge_order(struct pki *pki);
/* Orders one when the edge waits for it, or has one of an older issuing CA. */
void pki_edge_catch_up(struct pki *pki);
/* Orders one when the one it has is not new any more. */
void pki_edge_tick(struct pki *pki);
/* Sends edge_config when there is all that belongs to it. */
void pki_edge_send(struct pki *pki);
void pki_edge_init(struct pki *pki);
void pki_edge_finish(struct pki *pki);

/* pki_crl.c: takes over which issuing CAs there are, u32 little-endian. ERR_PROTOCOL. */
nodiscard enum err pki_crl_issuers(struct pki *pki, struct bytes issuers);
/* Whether there is what the edge needs at least, and nothing is under way. */
bool pki_crl_ready(const struct pki *pki);
/* All of them, one after another. */
nodiscard enum err pki_crl_all(const struct pki *pki, struct buf *ders);
void pki_crl_init(struct pki *pki);
void pki_crl_finish(struct pki *pki);

#endif
