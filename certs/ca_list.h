/*
 * ca_list.h - the office's CAs as they go into messages: to the broker, and below a certificate.
 */
#ifndef SEKISHO_CERTS_CA_LIST_H
#define SEKISHO_CERTS_CA_LIST_H

#include "certs/ca_store.h"

/* Appends the live ones: numbers as u32, little-endian; certificates with their roots, each once.
 */
nodiscard enum err ca_list_numbers(const struct ca_store *store, int64_t now_s, struct buf *buf);
nodiscard enum err ca_list_certificates(const struct ca_store *store, int64_t now_s,
					struct buf *buf);
/* Appends any certificate as DER. ERR_CRYPTO, or as buf_add. */
nodiscard enum err ca_list_add(const X509 *certificate, struct buf *buf);
/* Appends the certificate of a CA and its root's. */
nodiscard enum err ca_list_chain(const struct ca *ca, struct buf *buf);

#endif
