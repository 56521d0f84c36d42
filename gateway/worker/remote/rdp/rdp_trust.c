#include "worker/remote/rdp/rdp_trust.h"

#include <limits.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/util.h"
#include "worker/remote/rdp/rdp.h"

enum { TRUST_REFUSE = 0, TRUST_ACCEPT = 2 };

enum err rdp_trust_fingerprint(const uint8_t *pem, size_t len, uint8_t ret_fingerprint[32])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	BIO *bio = len <= INT_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	enum err err = ERR_INVALID;

	if (cert && X509_digest(cert, EVP_sha256(), digest, &digest_len) && digest_len == 32) {
		memcpy(ret_fingerprint, digest, 32);
		err = OK;
	}
	X509_free(cert);
	BIO_free(bio);
	return err;
}

/* FreeRDP may connect more than once, say to try TLS after NLA: the broker is asked the first time
 * only. */
static bool trust_first_use(struct rdp_remote *rdp, const uint8_t fingerprint[32])
{
	bool trusted;

	if (rdp->has_trusted)
		return secret_equal(rdp->trusted, fingerprint, 32);
	/* The PC is not to blame for the time the broker takes. */
	remote_watchdog_pause(&rdp->watchdog, true);
	trusted = rdp_events(rdp)->trust(rdp->remote.ctx, fingerprint);
	remote_watchdog_pause(&rdp->watchdog, false);
	if (trusted) {
		memcpy(rdp->trusted, fingerprint, 32);
		rdp->has_trusted = true;
	}
	return trusted;
}

int rdp_trust_verify(freerdp *instance, const BYTE *data, size_t length, const char *hostname,
		     UINT16 port, DWORD flags)
{
	struct rdp_remote *rdp = rdp_of(instance->context);
	const uint8_t *pin = rdp->remote.config.pin;
	uint8_t fingerprint[32];
	char text[65];
	bool trusted = false;

	(void)hostname;
	(void)port;
	/* Neither an RD gateway nor another host that the PC sends us to. */
	if (!(flags & (VERIFY_CERT_FLAG_GATEWAY | VERIFY_CERT_FLAG_REDIRECT)) &&
	    rdp_trust_fingerprint(data, length, fingerprint) == OK) {
		trusted = pin ? secret_equal(pin, fingerprint, 32)
			      : trust_first_use(rdp, fingerprint);
		util_hex(fingerprint, 32, text);
		log_info("rdp-certificate", "sha256=%s pinned=%d trusted=%d", text, pin != NULL,
			 trusted);
	}
	if (trusted)
		return TRUST_ACCEPT;
	rdp_fail(rdp, END_PC_CERTIFICATE);
	return TRUST_REFUSE;
}
