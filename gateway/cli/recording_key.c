#include "cli/recording_key.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "certs/cleanup.h"
#include "cli/lang.h"
#include "cli/prompt.h"

enum { FILE_MAX = 256 * 1024 };

/* ---- PEM ------------------------------------------------------------------------------------- */

/* What OpenSSL asks for a passphrase with. */
struct asked {
	const struct secret *passphrase; /* NULL: not known yet */
	bool needed;
};

static int give_passphrase(char *room, int size, int writing, void *ctx)
{
	struct asked *asked = ctx;

	(void)writing;
	asked->needed = true;
	if (!asked->passphrase || secret_len(asked->passphrase) > (size_t)size)
		return -1;
	memcpy(room, secret_text(asked->passphrase), secret_len(asked->passphrase));
	return (int)secret_len(asked->passphrase);
}

static EVP_PKEY *read_pem(struct secret *file, struct asked *asked)
{
	_cleanup_object_(bio) BIO *in = BIO_new_mem_buf(secret_data(file), (int)secret_len(file));

	return in ? PEM_read_bio_PrivateKey(in, NULL, give_passphrase, asked) : NULL;
}

static enum err ask(struct secret **ret)
{
	return prompt_password(lang("passphrase of the key", "鍵のパスフレーズ"), false, ret);
}

static enum err load_pem(struct secret *file, struct recording_key *key)
{
	_cleanup_secret_ struct secret *passphrase = NULL;
	struct asked asked = { 0 };
	enum err err = OK;

	key->key = read_pem(file, &asked);
	if (key->key || !asked.needed)
		return key->key ? OK : ERR_INVALID;
	err = ask(&passphrase);
	if (err)
		return err;
	asked.passphrase = passphrase;
	key->key = read_pem(file, &asked);
	return key->key ? OK : ERR_LOGIN;
}

/* ---- PKCS#12 --------------------------------------------------------------------------------- */

static bool parse(PKCS12 *p12, const char *passphrase, struct recording_key *key)
{
	return PKCS12_verify_mac(p12, passphrase, -1) &&
	       PKCS12_parse(p12, passphrase, &key->key, &key->certificate, NULL);
}

static enum err load_pkcs12(PKCS12 *p12, struct recording_key *key)
{
	_cleanup_secret_ struct secret *passphrase = NULL;
	enum err err;

	/* An empty one is said in two ways. */
	if (parse(p12, NULL, key) || parse(p12, "", key))
		return key->key ? OK : ERR_INVALID;
	err = ask(&passphrase);
	if (err)
		return err;
	if (!parse(p12, secret_text(passphrase), key))
		return ERR_LOGIN;
	return key->key ? OK : ERR_INVALID;
}

static enum err load_key(const char *path, struct recording_key *key)
{
	_cleanup_object_(pkcs12) PKCS12 *p12 = NULL;
	_cleanup_secret_ struct secret *file = NULL;
	enum err err = secret_read_file(path, FILE_MAX, &file);

	if (err)
		return err;
	const uint8_t *at = secret_data(file);
	p12 = d2i_PKCS12(NULL, &at, (long)secret_len(file));
	return p12 ? load_pkcs12(p12, key) : load_pem(file, key);
}

/* ---- the certificate ------------------------------------------------------------------------- */

static enum err load_certificate(const char *path, X509 **ret)
{
	_cleanup_free_ char *data = NULL;
	size_t len;
	enum err err = util_read_file(path, FILE_MAX, &data, &len);

	if (err)
		return err;
	const uint8_t *at = (const uint8_t *)data;
	X509 *certificate = d2i_X509(NULL, &at, (long)len);
	if (!certificate) {
		_cleanup_object_(bio) BIO *in = BIO_new_mem_buf(data, (int)len);
		certificate = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
	}
	if (!certificate)
		return ERR_INVALID;
	X509_free(*ret);
	*ret = certificate;
	return OK;
}

/* Recordings are sealed to P-256 alone (record/seal.h). */
static bool is_p256(EVP_PKEY *key)
{
	char group[32];

	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) &&
	       util_streq(group, SN_X9_62_prime256v1);
}

static const char *explain(enum err err, bool of_key)
{
	if (err == ERR_LOGIN)
		return lang("the passphrase is wrong", "パスフレーズが違います");
	if (err == ERR_CLOSED)
		return lang("it has a passphrase, and none was given",
			    "パスフレーズが必要ですが、入力がありません");
	if (err == ERR_INVALID && of_key)
		return lang("no private key in PEM or PKCS#12 is in the file",
			    "ファイルに PEM または PKCS#12 の秘密鍵がありません");
	if (err == ERR_INVALID)
		return lang("no certificate in PEM or DER is in the file",
			    "ファイルに PEM または DER の証明書がありません");
	return NULL;
}

enum err recording_key_load(const char *key, const char *certificate, struct recording_key *ret,
			    const char **ret_field, const char **ret_wrong)
{
	struct recording_key loaded = { 0 };
	enum err err = load_key(key, &loaded);

	*ret_field = "key";
	*ret_wrong = explain(err, true);
	if (!err && !is_p256(loaded.key)) {
		err = ERR_KEY;
		*ret_wrong = lang("an auditor's key is an EC key on P-256",
				  "監査人の鍵は P-256 の EC 鍵です");
	}
	if (!err && certificate) {
		*ret_field = "cert";
		err = load_certificate(certificate, &loaded.certificate);
		*ret_wrong = explain(err, false);
	}
	if (!err && loaded.certificate && !X509_check_private_key(loaded.certificate, loaded.key)) {
		err = ERR_KEY;
		*ret_wrong = lang("the certificate is not the key's", "証明書が鍵と一致しません");
	}
	ERR_clear_error();
	if (err)
		recording_key_finish(&loaded);
	else
		*ret = loaded;
	return err;
}

void recording_key_finish(struct recording_key *key)
{
	EVP_PKEY_free(key->key);
	X509_free(key->certificate);
	*key = (struct recording_key){ 0 };
}
