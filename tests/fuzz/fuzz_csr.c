/* Takes anything as a certificate request; what is accepted has a key of the allowed kinds. */
#include <stdlib.h>

#include "certs/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	EVP_PKEY *key = NULL;
	enum err err = csr_check(data, size, "", &key);

	if ((err == OK) != (key != NULL) || (size > CSR_MAX && err != ERR_TOO_BIG))
		abort();
	if (key && EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) < 3072)
		abort();
	if (key && !EVP_PKEY_is_a(key, "RSA") && !EVP_PKEY_is_a(key, "EC") &&
	    !EVP_PKEY_is_a(key, "ED25519"))
		abort();
	EVP_PKEY_free(key);
	return 0;
}
