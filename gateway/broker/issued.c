#include "broker/issued.h"

#include "broker/cert.h"
#include "certs/cleanup.h"
#include "certs/identity.h"
#include "certs/x509_build.h"

enum err issued_stack(struct bytes ders, STACK_OF(X509) * *ret)
{
	STACK_OF(X509) *stack = sk_X509_new_null();
	struct bytes rest = ders;
	enum err err = stack ? OK : ERR_NOMEM;

	while (!err && rest.len) {
		X509 *certificate = NULL;

		err = cert_take(&rest, &certificate);
		if (!err && !sk_X509_push(stack, certificate)) {
			X509_free(certificate);
			err = ERR_NOMEM;
		}
	}
	if (err)
		sk_X509_pop_free(stack, X509_free);
	else
		*ret = stack;
	return err;
}

enum err issued_row(const struct msg_certified *certified, int64_t now_s, struct certificate *ret)
{
	_cleanup_object_(x509) X509 *x509 = NULL;
	struct certificate row = { .issuer = certified->issuer, .issued_s = now_s };
	enum err err = cert_parse(certified->certificate, &x509);

	if (!err)
		err = identity_of(x509, row.key);
	if (!err)
		err = x509_serial(x509, row.serial);
	if (!err)
		err = cert_seconds(X509_get0_notBefore(x509), &row.not_before_s);
	if (!err)
		err = cert_seconds(X509_get0_notAfter(x509), &row.not_after_s);
	if (!err)
		*ret = row;
	return err;
}
_Static_assert((int)DEVICE_KEY == (int)WIRE_DEVICE_ID, "both are a SHA-256");
