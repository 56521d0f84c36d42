/*
 * Asks a CA anything. There is always an answer that fits its message; what is signed holds at most
 * as many certificates as may be asked about, and the nonce of the question.
 */
#include <openssl/ocsp.h>
#include <stdbool.h>
#include <stdlib.h>

#include "certs/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A P-256 CA with the name "fuzz": always the same, so that a corpus can ask about it. */
static const char private_key[] = "3077020101042001010101010101010101010101010101010101010101010101"
				  "01010101010101a00a06082a8648ce3d030107a144034200046ff03b949241ce"
				  "1dadd43519e6960e0a85b41a69a05c328103aa2bce1594ca163c4f753a55bf01"
				  "dc53f6c0b0c7eee78b40c6ff7d25a96e2282b989cef71c144a";

static EVP_PKEY *make_key(void)
{
	long len = 0;
	unsigned char *der = OPENSSL_hexstr2buf(private_key, &len);
	const unsigned char *at = der;
	EVP_PKEY *key = d2i_PrivateKey(EVP_PKEY_EC, NULL, &at, len);

	OPENSSL_free(der);
	return key;
}

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();

	if (!certificate || !X509_set_version(certificate, X509_VERSION_3) ||
	    !X509_set_pubkey(certificate, key) ||
	    !X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
					(const unsigned char *)"fuzz", -1, -1, 0) ||
	    !ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) ||
	    !X509_sign(certificate, key, EVP_sha256()))
		abort();
	return certificate;
}

static enum ocsp_state state_of(void *ctx, size_t issuer, const uint8_t serial[CERT_SERIAL_BYTES],
				int64_t *ret_revoked_s, uint8_t *ret_reason)
{
	(void)ctx;
	(void)issuer;
	*ret_revoked_s = 1700000000;
	*ret_reason = serial[1] & 1;
	return (enum ocsp_state)(serial[0] % 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ocsp_issuer issuer;
	const struct ocsp_source source = { .issuers = &issuer, .count = 1, .state = state_of };
	struct buf answer;

	if (!issuer.key) {
		issuer.key = make_key();
		issuer.certificate = make_certificate(issuer.key);
	}
	buf_init(&answer, 8192);
	if (ocsp_answer(&source, data, size, 1700000000, &answer) != OK)
		abort();
	const uint8_t *at = answer.data;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)answer.len);
	if (!response || at != answer.data + answer.len)
		abort();
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	bool answered = OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL;
	if (answered != (basic != NULL))
		abort();
	if (basic) {
		at = data;
		OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &at, (long)size);
		int count = OCSP_resp_count(basic);
		if (!request || count < 1 || count > OCSP_SINGLES_MAX ||
		    OCSP_check_nonce(request, basic) <= 0)
			abort();
		OCSP_REQUEST_free(request);
	}
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	buf_finish(&answer);
	return 0;
}
