#include "cli/enrol.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/csr.h"
#include "certs/pkcs12.h"
#include "cli/output.h"
#include "wire/enums.h"

enum { FILE_BYTES_MAX = 64 * 1024 };

struct enrol {
	const char *user, *name, *out; /* of the command line */
	int64_t days;                  /* 0: the gateway's default */
	bool pem, compatible;
	EVP_PKEY *key;
};

void enrol_free(struct enrol *enrol)
{
	if (!enrol)
		return;
	EVP_PKEY_free(enrol->key);
	free(enrol);
}

void enrol_freep(struct enrol **enrol)
{
	enrol_free(*enrol);
}

bool enrol_is_pem(const struct enrol *enrol)
{
	return enrol->pem;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static const char *text_of(const struct args *args, const char *name)
{
	const struct args_value *value = args_find(args, name);

	return value ? value->text : NULL;
}

enum err enrol_new(const struct args *args, struct enrol **ret)
{
	__attribute__((cleanup(enrol_freep))) struct enrol *enrol = calloc(1, sizeof(*enrol));
	const struct args_value *days = args_find(args, "days");

	if (!enrol)
		return ERR_NOMEM;
	enrol->user = text_of(args, "user");
	enrol->name = text_of(args, "name");
	enrol->out = text_of(args, "out");
	enrol->days = days ? days->number : 0;
	enrol->pem = ends_with(enrol->out, ".pem");
	enrol->compatible = args_find(args, "compatible");
	/* Before a certificate is issued that then has nowhere to go. */
	enum err err = output_check(enrol->out);
	if (err)
		return err;
	enrol->key = EVP_EC_gen("P-256");
	if (!enrol->key)
		return ERR_CRYPTO;
	*ret = util_take_ptr(enrol);
	return OK;
}

json_t *enrol_request(const struct enrol *enrol)
{
	uint8_t *der = NULL;
	size_t len = 0;
	char text[CSR_MAX * 2];

	if (csr_make(enrol->key, &der, &len))
		return NULL;
	if (len > CSR_MAX) {
		OPENSSL_free(der);
		return NULL;
	}
	EVP_EncodeBlock((unsigned char *)text, der, (int)len);
	OPENSSL_free(der);
	json_t *request =
		json_pack("{s:s, s:s, s:s, s:s}", "user", enrol->user, "name", enrol->name, "csr",
			  text, "place", key_place_code(enrol->pem ? KEY_FILE : KEY_PKCS12));
	if (request && enrol->days)
		json_object_set_new(request, "days", json_integer(enrol->days));
	return request;
}

static X509 *certificate_of(const json_t *reply, const char *member)
{
	const char *pem = json_string_value(json_object_get(reply, member));
	_cleanup_object_(bio) BIO *bio = pem ? BIO_new_mem_buf(pem, -1) : NULL;

	return bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
}

static enum err make_pem(const struct enrol *enrol, X509 *certificate, struct buf *buf)
{
	_cleanup_object_(bio) BIO *bio = BIO_new(BIO_s_secmem());
	char *data = NULL;

	if (!bio || !PEM_write_bio_PKCS8PrivateKey(bio, enrol->key, NULL, NULL, 0, NULL, NULL) ||
	    !PEM_write_bio_X509(bio, certificate))
		return ERR_CRYPTO;
	long len = BIO_get_mem_data(bio, &data);
	return buf_add(buf, data, (size_t)len);
}

/* One after another, as the broker puts them. */
static STACK_OF(X509) * chain_of(const json_t *reply, const char *member)
{
	const char *pem = json_string_value(json_object_get(reply, member));
	_cleanup_object_(bio) BIO *bio = pem ? BIO_new_mem_buf(pem, -1) : NULL;
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *certificate;

	while (bio && chain && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		if (!sk_X509_push(chain, certificate))
			X509_free(certificate);
	return chain;
}

enum err enrol_write(const struct enrol *enrol, const json_t *reply, const struct secret *password)
{
	_cleanup_object_(x509) X509 *certificate = certificate_of(reply, "certificate");
	STACK_OF(X509) *chain = chain_of(reply, "ca");
	_cleanup_buf_ struct buf file;
	enum err err = ERR_PROTOCOL;

	buf_init(&file, FILE_BYTES_MAX);
	if (certificate && sk_X509_num(chain) > 0 &&
	    X509_check_private_key(certificate, enrol->key) == 1)
		err = enrol->pem
			      ? make_pem(enrol, certificate, &file)
			      : pkcs12_make(enrol->compatible ? PKCS12_COMPATIBLE : PKCS12_MODERN,
					    enrol->key, certificate, chain, enrol->name, password,
					    &file);
	if (!err)
		err = util_write_file(enrol->out, file.data, file.len, 0600);
	sk_X509_pop_free(chain, X509_free);
	buf_wipe(&file);
	return err;
}
