#include "cli/auditor_key.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/csr.h"
#include "certs/key_file.h"
#include "cli/exit.h"
#include "cli/lang.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "cli/show.h"

enum { REQUEST_MODE = 0644 /* there is nothing secret in it */ };

/* clang-format off */
const struct command_arg auditor_key_args[AUDITOR_KEY_ARGS] = {
	{ "out", COMMAND_FILE_OUT, true, "where to write the private key; it stays with the auditor",
	  "秘密鍵の保存先（監査人が保管する）" },
	{ "request", COMMAND_FILE_OUT, true,
	  "where to write the certificate request, for the administrator's auditor certify",
	  "証明書要求の保存先（管理者が auditor certify に使う）" },
	{ "passphrase", COMMAND_PASSWORD, true, "passphrase of the key", "鍵のパスフレーズ" },
};
/* clang-format on */

static int refuse(const struct args *args, int code, enum err err, const char *field,
		  const char *message)
{
	output_refuse(args, err, field, message);
	return code;
}

/* Whoever has the file can try passphrases as fast as machines go. */
static int ask(const struct args *args, struct secret **ret)
{
	const struct command_arg *arg = &auditor_key_args[AUDITOR_KEY_ARGS - 1];
	enum err err = prompt_password(lang(arg->en, arg->ja), true, ret);

	if (err == ERR_INVALID)
		return refuse(args, EXIT_REFUSED, err, arg->name,
			      lang("the two differ", "二つのパスフレーズが一致しません"));
	if (err == ERR_CLOSED)
		return refuse(args, EXIT_USAGE, err, arg->name,
			      lang("none on standard input", "標準入力にパスフレーズがありません"));
	if (!err && secret_len(*ret) < AUDITOR_KEY_PASSPHRASE_MIN)
		return refuse(args, EXIT_REFUSED, ERR_INVALID, arg->name,
			      lang("at least 12 characters", "12 文字以上で指定してください"));
	return err ? refuse(args, EXIT_REFUSED, err, arg->name, NULL) : EXIT_DONE;
}

static enum err write_request(EVP_PKEY *key, const char *path)
{
	_cleanup_object_(bio) BIO *out = BIO_new(BIO_s_mem());
	uint8_t *der = NULL;
	size_t len = 0;
	char *text;
	enum err err = csr_make(key, &der, &len);

	if (err)
		return err;
	const bool written = out && PEM_write_bio(out, PEM_STRING_X509_REQ, "", der, (long)len) > 0;
	OPENSSL_free(der);
	if (!written)
		return ERR_CRYPTO;
	const long size = BIO_get_mem_data(out, &text);
	return util_write_file(path, text, (size_t)size, REQUEST_MODE);
}

int auditor_key(const struct args *args)
{
	const char *out = args_find(args, "out")->text;
	const char *request = args_find(args, "request")->text;
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	_cleanup_secret_ struct secret *passphrase = NULL;
	const char *name = NULL;
	enum err err = output_check_all(args, &name);

	if (err)
		return refuse(args, EXIT_REFUSED, err, name, NULL);
	int code = ask(args, &passphrase);
	if (code)
		return code;
	key = EVP_EC_gen("P-256");
	err = key ? key_write(key, passphrase, out) : ERR_CRYPTO;
	if (err)
		return refuse(args, EXIT_REFUSED, err, "out", NULL);
	err = output_check(request); /* which may be the same file by another name */
	if (!err)
		err = write_request(key, request);
	if (err) {
		unlink(out); /* it can be asked for again under the same names */
		return refuse(args, EXIT_REFUSED, err, "request", NULL);
	}
	json_t *body = json_pack("{s:s, s:s}", "key", out, "request", request);
	if (args->json) {
		show_json(stdout, body);
	} else {
		show_reply(stdout, body);
		json_decref(body);
	}
	return EXIT_DONE;
}
