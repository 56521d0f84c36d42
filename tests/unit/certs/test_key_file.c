#include "fixture.h"

#include <openssl/pem.h>
#include <sys/stat.h>

#include "certs/ca_make.h"
#include "certs/key_file.h"

struct keys {
	EVP_PKEY *key;
	struct secret *passphrase, *wrong;
};

static int setup(void **state)
{
	struct keys *keys = calloc(1, sizeof(*keys));

	assert_ok(ca_make_key(&keys->key));
	assert_ok(secret_new("correct horse", 13, &keys->passphrase));
	assert_ok(secret_new("correct horsf", 13, &keys->wrong));
	*state = keys;
	return 0;
}

static int teardown(void **state)
{
	struct keys *keys = *state;

	EVP_PKEY_free(keys->key);
	secret_free(keys->passphrase);
	secret_free(keys->wrong);
	free(keys);
	return 0;
}

static enum err decode(const struct secret *pem, const struct secret *passphrase, EVP_PKEY **ret)
{
	return key_decode(secret_text(pem), secret_len(pem), passphrase, ret);
}

static void test_clear(void **state)
{
	struct keys *keys = *state;
	_cleanup_secret_ struct secret *pem = NULL;
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;

	assert_ok(key_encode(keys->key, NULL, &pem));
	assert_non_null(strstr(secret_text(pem), "BEGIN PRIVATE KEY"));
	assert_ok(decode(pem, NULL, &key));
	assert_int_equal(EVP_PKEY_eq(key, keys->key), 1);
}

static void test_encrypted(void **state)
{
	struct keys *keys = *state;
	_cleanup_secret_ struct secret *pem = NULL, *again = NULL;
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;

	assert_ok(key_encode(keys->key, keys->passphrase, &pem));
	assert_non_null(strstr(secret_text(pem), "BEGIN ENCRYPTED PRIVATE KEY"));
	assert_err(decode(pem, NULL, &key), ERR_LOCKED);
	assert_err(decode(pem, keys->wrong, &key), ERR_LOGIN);
	assert_null(key);
	assert_ok(decode(pem, keys->passphrase, &key));
	assert_int_equal(EVP_PKEY_eq(key, keys->key), 1);
	/* The salt is new each time. */
	assert_ok(key_encode(keys->key, keys->passphrase, &again));
	assert_string_not_equal(secret_text(pem), secret_text(again));
}

/* What openssl asn1parse would show: PBES2, scrypt, AES-256-CBC, and what it costs. */
static void test_algorithms(void **state)
{
	struct keys *keys = *state;
	_cleanup_secret_ struct secret *pem = NULL;
	const X509_ALGOR *how;
	const ASN1_OBJECT *object;
	const void *value;
	int type;
	uint64_t number;

	assert_ok(key_encode(keys->key, keys->passphrase, &pem));
	BIO *bio = BIO_new_mem_buf(secret_text(pem), (int)secret_len(pem));
	X509_SIG *sealed = PEM_read_bio_PKCS8(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(sealed);
	X509_SIG_get0(sealed, &how, NULL);
	X509_ALGOR_get0(&object, &type, &value, how);
	assert_int_equal(OBJ_obj2nid(object), NID_pbes2);
	PBE2PARAM *params = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBE2PARAM));
	X509_ALGOR_get0(&object, NULL, NULL, params->encryption);
	assert_int_equal(OBJ_obj2nid(object), NID_aes_256_cbc);
	X509_ALGOR_get0(&object, &type, &value, params->keyfunc);
	assert_int_equal(OBJ_obj2nid(object), NID_id_scrypt);
	SCRYPT_PARAMS *scrypt = ASN1_item_unpack(value, ASN1_ITEM_rptr(SCRYPT_PARAMS));
	assert_int_equal(ASN1_STRING_length(scrypt->salt), 16);
	assert_int_equal(ASN1_INTEGER_get_uint64(&number, scrypt->costParameter), 1);
	assert_int_equal(number, 16384);
	SCRYPT_PARAMS_free(scrypt);
	PBE2PARAM_free(params);
	X509_SIG_free(sealed);
}

static void encode_otherwise(struct keys *keys, X509_ALGOR *how, struct secret **ret)
{
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(keys->key);
	X509_SIG *sealed = PKCS8_set0_pbe("correct horse", 13, plain, how);
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;

	assert_non_null(sealed);
	assert_int_equal(PEM_write_bio_PKCS8(bio, sealed), 1);
	long len = BIO_get_mem_data(bio, &data);
	assert_ok(secret_new(data, (size_t)len, ret));
	BIO_free(bio);
	X509_SIG_free(sealed);
	PKCS8_PRIV_KEY_INFO_free(plain);
}

/* Whoever sends a key must not choose how long its passphrase takes, nor weaken it. */
static void test_other_encryption(void **state)
{
	struct keys *keys = *state;
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	uint8_t salt[16] = { 0 };
	struct {
		X509_ALGOR *how;
		enum err wanted;
	} cases[] = {
		{ PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, 16, NULL, 16384, 8, 1), OK },
		{ PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, 16, NULL, 16384, 8, 17),
		  ERR_INVALID },
		{ PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, 16, NULL, 16384, 9, 1),
		  ERR_INVALID },
		{ PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, 16, NULL, 2048, 64, 1),
		  ERR_INVALID },
		{ PKCS5_pbe2_set_scrypt(EVP_aes_128_cbc(), salt, 16, NULL, 16384, 8, 1),
		  ERR_INVALID },
		{ PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), 10000, salt, 16, NULL, NID_hmacWithSHA256),
		  ERR_INVALID },
		{ PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, 2048, salt, 16),
		  ERR_INVALID },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_secret_ struct secret *pem = NULL;
		encode_otherwise(keys, cases[i].how, &pem);
		assert_err(decode(pem, keys->passphrase, &key), cases[i].wanted);
		EVP_PKEY_free(util_take_ptr(key));
	}
}

static void test_rubbish(void **state)
{
	struct keys *keys = *state;
	_cleanup_secret_ struct secret *pem = NULL;
	_cleanup_object_(pkey) EVP_PKEY *key = NULL;
	char old[4096], large[KEY_PEM_MAX + 1];

	assert_err(key_decode("rubbish", 7, NULL, &key), ERR_INVALID);
	assert_err(key_decode("", 0, NULL, &key), ERR_INVALID);
	assert_err(key_decode("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", 58,
			      NULL, &key),
		   ERR_INVALID);
	memset(large, 'x', sizeof(large));
	assert_err(key_decode(large, sizeof(large), NULL, &key), ERR_TOO_BIG);
	/* The older encryption of PEM itself, RFC 1421. */
	assert_ok(key_encode(keys->key, NULL, &pem));
	int len = snprintf(old, sizeof(old),
			   "-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
			   "AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n%s",
			   secret_text(pem) + strlen("-----BEGIN PRIVATE KEY-----\n"));
	assert_err(key_decode(old, (size_t)len, keys->passphrase, &key), ERR_INVALID);
	assert_null(key);
}

static void test_files(void **state)
{
	struct keys *keys = *state;
	struct fixture_folder folder;
	_cleanup_object_(pkey) EVP_PKEY *key = NULL, *open = NULL;
	char path[128];
	struct stat status;
	bool sealed = false;

	folder_make(&folder);
	folder_file(&folder, "key", path);
	assert_err(key_read(path, NULL, &key), ERR_NOT_FOUND);
	assert_ok(key_seal(path, keys->passphrase, &sealed));
	assert_false(sealed);
	assert_ok(key_write(keys->key, NULL, path));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_ok(key_read(path, NULL, &open));
	assert_ok(key_seal(path, keys->passphrase, &sealed));
	assert_true(sealed);
	assert_err(key_read(path, NULL, &key), ERR_LOCKED);
	/* One that is encrypted already is left alone, whatever its passphrase. */
	sealed = false;
	assert_ok(key_seal(path, keys->wrong, &sealed));
	assert_false(sealed);
	assert_ok(key_read(path, keys->passphrase, &key));
	assert_int_equal(EVP_PKEY_eq(key, keys->key), 1);
	EVP_PKEY_free(util_take_ptr(key));
	static const mode_t modes[] = { 0640, 0604, 0620 };
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_err(key_read(path, keys->passphrase, &key), ERR_DENIED);
	}
	folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_clear, setup, teardown),
		cmocka_unit_test_setup_teardown(test_encrypted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_algorithms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_encryption, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rubbish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
