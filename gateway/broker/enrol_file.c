/*
 * enrol_file.c - key and certificate in one file, for devices that cannot make a key: made when it
 * is picked up, sent once, never stored.
 */
#include <openssl/crypto.h>
#include <string.h>

#include "base/secret.h"
#include "broker/enrol_code.h"
#include "broker/enrol_job.h"
#include "broker/issued.h"
#include "certs/cleanup.h"
#include "certs/csr.h"
#include "certs/pkcs12.h"

static void stack_free(STACK_OF(X509) * *stack)
{
	sk_X509_pop_free(*stack, X509_free);
}

void enrol_file_init(struct enrol_file *file)
{
	buf_init(&file->der, ENROL_FILE_MAX);
	file->password[0] = '\0';
}

void enrol_file_finish(struct enrol_file *file)
{
	buf_wipe(&file->der);
	buf_finish(&file->der);
	secret_wipe(file->password, sizeof(file->password));
}

enum err enrol_file_key(struct enrol_job *job)
{
	uint8_t *der = NULL;
	size_t len = 0;
	enum err err;

	job->file_key = EVP_EC_gen("P-256");
	if (!job->file_key)
		return ERR_CRYPTO;
	err = csr_make(job->file_key, &der, &len);
	if (err)
		return err;
	free(job->csr);
	job->csr = malloc(len);
	if (job->csr) {
		memcpy(job->csr, der, len);
		job->csr_len = len;
		csr_key_type(job->file_key, job->key_type, sizeof(job->key_type));
	}
	OPENSSL_free(der);
	return job->csr ? OK : ERR_NOMEM;
}

/* 100 random bits, in groups of four. */
static enum err make_password(struct enrol_file *file, struct secret **ret)
{
	char plain[ENROL_PASSWORD + 1];

	enrol_code_random(plain, ENROL_PASSWORD);
	enrol_code_group(plain, file->password, sizeof(file->password));
	secret_wipe(plain, sizeof(plain));
	return secret_new(file->password, strlen(file->password), ret);
}

enum err enrol_file_make(const struct enrol_job *job, const struct msg_certified *certified,
			 const char *name, struct enrol_file *file)
{
	_cleanup_secret_ struct secret *password = NULL;
	_cleanup_object_(x509) X509 *certificate = NULL;
	_cleanup_(stack_free) STACK_OF(X509) *chain = NULL;
	const uint8_t *at = certified->certificate.data;
	enum err err = make_password(file, &password);

	if (!err)
		err = issued_stack(certified->ca, &chain);
	if (err)
		return err;
	certificate = d2i_X509(NULL, &at, (long)certified->certificate.len);
	if (!certificate)
		return ERR_PROTOCOL;
	return pkcs12_make(job->compatible ? PKCS12_COMPATIBLE : PKCS12_MODERN, job->file_key,
			   certificate, chain, name, password, &file->der);
}
