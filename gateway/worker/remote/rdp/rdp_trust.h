/*
 * rdp_trust.h - the PC's TLS certificate: equal to the pin, or accepted by the broker at first use.
 * No certificate store, no files.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_TRUST_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_TRUST_H

#include <freerdp/freerdp.h>

#include "base/err.h"

/* SHA-256 of the DER of the first certificate in a PEM chain. ERR_INVALID. */
nodiscard enum err rdp_trust_fingerprint(const uint8_t *pem, size_t len,
					 uint8_t ret_fingerprint[32]);

/* FreeRDP's VerifyX509Certificate: 2 accepts for this connection, 0 refuses. */
int rdp_trust_verify(freerdp *instance, const BYTE *data, size_t length, const char *hostname,
		     UINT16 port, DWORD flags);

#endif
