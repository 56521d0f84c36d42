/* Keys of others where there are any: RFC 9500, RFC 8410, and the test data of badkeys (MIT). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <time.h>

#include "base/util.h"
#include "certs/cleanup.h"
#include "certs/weak_key.h"

static EVP_PKEY *rsa_key(const BIGNUM *n, const BIGNUM *e)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;

	assert_true(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n));
	assert_true(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e));
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static enum err check_exponent(const BIGNUM *n, const char *exponent)
{
	BIGNUM *e = NULL;

	assert_true(BN_dec2bn(&e, exponent) > 0);
	_cleanup_object_(pkey) EVP_PKEY *key = rsa_key(n, e);
	BN_free(e);
	return weak_key_check(key);
}

/* Frees n. */
static enum err check_modulus(BIGNUM *n)
{
	assert_non_null(n);
	enum err err = check_exponent(n, "65537");
	BN_free(n);
	return err;
}

static BIGNUM *modulus_of(const EVP_PKEY *key)
{
	BIGNUM *n = NULL;

	assert_true(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n));
	return n;
}

static EVP_PKEY *private_key(const char *pem)
{
	_cleanup_object_(bio) BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	assert_non_null(key);
	return key;
}

static void test_good_keys(void **state)
{
	static const char *const kinds[] = { "P-256", "P-384" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_object_(pkey) EVP_PKEY *key = EVP_EC_gen(kinds[i]);
		assert_int_equal(weak_key_check(key), OK);
	}
	for (int i = 0; i < 50; i++) {
		_cleanup_object_(pkey) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		assert_int_equal(weak_key_check(key), OK);
	}
	_cleanup_object_(pkey) EVP_PKEY *rsa = EVP_RSA_gen(3072);
	assert_int_equal(weak_key_check(rsa), OK);
}

static void test_published_keys(void **state)
{
	static const char *const pems[] = {
		/* RFC 9500 §2.3: testECCP256, testECCP384 */
		"-----BEGIN EC PRIVATE KEY-----\n"
		"MHcCAQEEIObLW92AqkWunJXowVR2Z5/+yVPBaFHnEedDk5WJxk/BoAoGCCqGSM49\n"
		"AwEHoUQDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71vc75eSOkyMsxFxbFsTNEMTLjV\n"
		"uKFxOelIgsiZJXKZNCX0FBmrfpCkKklCcg==\n"
		"-----END EC PRIVATE KEY-----\n",
		"-----BEGIN EC PRIVATE KEY-----\n"
		"MIGkAgEBBDDiVjMo36v2gYhga5EyQoHB1YpEVkMbCdUQs1/syfMHyhgihG+iZxNx\n"
		"qagbrA41dJ2gBwYFK4EEACKhZANiAARbCQG4hSMpbrkZ1Q/6GpyzdLxNQJWGKCv+\n"
		"yhGx2VrbtUc0r1cL+CtyKM8ia89MJd28/jsaOtOUMO/3Y+HWjS4VHZFyC3eVtY2m\n"
		"s0Y5YTqPubWo2kjGdHEX+ZGehCTzfsg=\n"
		"-----END EC PRIVATE KEY-----\n",
		/* RFC 8410 §10.3 */
		"-----BEGIN PRIVATE KEY-----\n"
		"MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
		"-----END PRIVATE KEY-----\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pems); i++) {
		_cleanup_object_(pkey) EVP_PKEY *key = private_key(pems[i]);
		assert_int_equal(weak_key_check(key), ERR_KEY);
	}
}

static void test_exponents(void **state)
{
	static const struct {
		const char *exponent;
		enum err err;
	} rows[] = {
		{ "1", ERR_KEY },
		{ "3", ERR_KEY },
		{ "65535", ERR_KEY },
		{ "65536", ERR_KEY },
		{ "65537", OK },
		{ "65538", ERR_KEY },
		{ "65539", OK },
		{ "18446744073709551615", OK },
		{ "18446744073709551617", ERR_KEY },
	};
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_RSA_gen(3072);
	BIGNUM *n = modulus_of(key);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(check_exponent(n, rows[i].exponent), rows[i].err);
	BN_free(n);
}

static void test_small_factors(void **state)
{
	static const BN_ULONG factors[] = { 2, 3, 751, 65521 };
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_RSA_gen(3072);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(factors); i++) {
		BIGNUM *n = modulus_of(key);
		assert_true(BN_mul_word(n, factors[i]));
		assert_int_equal(check_modulus(n), ERR_KEY);
	}
	/* Above the bound. Not 65537, modulo which 2 has the order 32: Fermat's little theorem
	 * finds that one in sixteen times. */
	BIGNUM *n = modulus_of(key);
	assert_true(BN_mul_word(n, 65539));
	assert_int_equal(check_modulus(n), OK);
}

/* "Modulus" p, p³: whoever sees it can work out the private key. */
static void test_one_prime(void **state)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_get_rfc2409_prime_1024(NULL), *cube = BN_new();

	(void)state;
	assert_int_equal(check_modulus(BN_get_rfc3526_prime_3072(NULL)), ERR_KEY);
	assert_true(BN_sqr(cube, p, ctx) && BN_mul(cube, cube, p, ctx));
	assert_int_equal(check_modulus(cube), ERR_KEY);
	BN_free(p);
	BN_CTX_free(ctx);
}

static BIGNUM *prime_from(const BIGNUM *start, int far_bit, BN_CTX *ctx)
{
	BIGNUM *prime = BN_dup(start), *far = BN_new();

	assert_true(BN_set_bit(far, far_bit) && BN_add(prime, prime, far));
	while (BN_check_prime(prime, ctx, NULL) != 1)
		assert_true(BN_add_word(prime, 2));
	BN_free(far);
	return prime;
}

/* Found in the first round, in one of the hundred, and not any more. */
static void test_close_primes(void **state)
{
	static const struct {
		int far_bit;
		enum err err;
	} rows[] = { { 1, ERR_KEY }, { 700, ERR_KEY }, { 772, ERR_KEY }, { 790, OK } };
	/* badkeys, tests/data/rsa-fermat-hexmodulus.txt */
	static const char vector[] =
		"e36099d4b2fbf4b58d6a19bb57fc3443f67d86c759169ae8038d46ec28e0256a"
		"6730e95f7f9da57c81cd3567b0da5a716fec1a5f15e56c3731075f5351dcbab3"
		"2b16050c3d72b5ee6c1408aa0f8ce34fa3ef9c6962f4e75b6512af8706551d28"
		"19ac900224e4108d24b89f37580853a73aec654f90763d70e5a36fa7d1cbbeed"
		"927ab004b7471fa3fb71c91feeeaff9e1ef464f9913b84f8da37a8d356950d00"
		"019d6701fc749da72b5b88d48a6998ebcc096a4bc711ffbe6b89627683c14e14"
		"fa0ca26a17c228c067295ff8117cc7095537c275e6996e1dc1452cb7f5124036"
		"4e81841f5bb7df604df747bf774d269f38a35bf93402a08561ff89e0c43d2f97";
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_get_rfc3526_prime_1536(NULL), *n = NULL;

	(void)state;
	assert_true(BN_hex2bn(&n, vector) > 0);
	assert_int_equal(check_modulus(n), ERR_KEY);
	assert_true(BN_rshift1(p, p) && BN_set_bit(p, 0));
	BIGNUM *first = prime_from(p, 2, ctx);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		BIGNUM *second = prime_from(first, rows[i].far_bit, ctx);
		n = BN_new();
		assert_true(BN_mul(n, first, second, ctx));
		assert_int_equal(check_modulus(n), rows[i].err);
		BN_free(second);
	}
	/* The square of a modulus. */
	_cleanup_object_(pkey) EVP_PKEY *half = EVP_RSA_gen(1536);
	BIGNUM *root = modulus_of(half);
	n = BN_new();
	assert_true(BN_sqr(n, root, ctx));
	assert_int_equal(check_modulus(n), ERR_KEY);
	BN_free(root);
	BN_free(first);
	BN_free(p);
	BN_CTX_free(ctx);
}

/* k * M + (65537^a mod M), as Infineon's library made primes. */
static BIGNUM *roca_prime(const BIGNUM *primorial, int bits, BN_CTX *ctx)
{
	BIGNUM *a = BN_new(), *k = BN_new(), *prime = BN_new(), *base = BN_new();

	assert_true(BN_set_word(base, 65537));
	do {
		assert_true(BN_rand(a, 256, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
			    BN_rand(k, bits - BN_num_bits(primorial), BN_RAND_TOP_TWO,
				    BN_RAND_BOTTOM_ANY) &&
			    BN_mod_exp_simple(prime, base, a, primorial, ctx) &&
			    BN_mul(k, k, primorial, ctx) && BN_add(prime, prime, k));
	} while (BN_check_prime(prime, ctx, NULL) != 1);
	BN_free(a);
	BN_free(k);
	BN_free(base);
	return prime;
}

static void test_roca(void **state)
{
	/* badkeys, tests/data/rsa-roca.key */
	static const char vector[] =
		"-----BEGIN RSA PUBLIC KEY-----\n"
		"MIIBCgKCAQEAkTKtIR/MDftNrkgyashkwifks5Swm9HEkw4ZcCijyQdpTStInk9p\n"
		"dUrq4zjG6tk5xX9AaYXLu47fmiBVzClGvAXTZbpn6JbG1IERUs+i0pBRT5CzUu7v\n"
		"J/63L72NzVvJFaT0SUE5zByhCjJE+pflMnX1e1UptOdnN5AHeY4RKkugVse3XO2x\n"
		"Ms3yH3vTyZdtnaOIFRU0d6E7PrsgRtEAqFHcAGmPUw0ZOW8A++8sS/FlnrxMf9lV\n"
		"a1/8k/A8otPfrNIipfAoq0MKJ+oxE2wML1DDxIGTGmNaN3gPANJyeuca7ptA+NGq\n"
		"5oU1x3pWMXgSvrVSXUooNk8xIkrKxSz3LQIDAQAB\n"
		"-----END RSA PUBLIC KEY-----\n";
	_cleanup_object_(bio) BIO *bio = BIO_new_mem_buf(vector, -1);
	_cleanup_object_(pkey) EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *primorial = BN_new(), *n = BN_new();

	(void)state;
	assert_int_equal(weak_key_check(key), ERR_KEY);
	assert_true(BN_one(primorial));
	for (BN_ULONG i = 2, known = 0; known < 126; i++) {
		bool prime = true;
		for (BN_ULONG k = 2; prime && k * k <= i; k++)
			prime = i % k != 0;
		if (!prime)
			continue;
		assert_true(BN_mul_word(primorial, i));
		known++;
	}
	BIGNUM *p = roca_prime(primorial, 1536, ctx), *q = roca_prime(primorial, 1536, ctx);
	assert_true(BN_mul(n, p, q, ctx));
	assert_int_equal(check_modulus(n), ERR_KEY);
	BN_free(p);
	BN_free(q);
	BN_free(primorial);
	BN_CTX_free(ctx);
}

static enum err check_ed25519(const char *hex)
{
	uint8_t bytes[32];

	assert_int_equal(util_unhex(hex, bytes, sizeof(bytes)), OK);
	_cleanup_object_(pkey) EVP_PKEY *key =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, sizeof(bytes));
	assert_non_null(key);
	return weak_key_check(key);
}

static void test_ed25519_points(void **state)
{
	static const char *const bad[] = {
		/* Order 4, 1, 2, 8, 8, and with the other sign. */
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		/* y + p */
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(check_ed25519(bad[i]), ERR_KEY);
	assert_int_equal(
		check_ed25519("ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
		OK);
}

static void test_other_kinds(void **state)
{
	_cleanup_object_(pkey) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");

	(void)state;
	assert_int_equal(weak_key_check(key), ERR_KEY);
}

/* A prime of the largest size, which OpenSSL's own check would try for many seconds. */
static void test_bounded_time(void **state)
{
	clock_t start = clock();

	(void)state;
	assert_int_equal(check_modulus(BN_get_rfc3526_prime_8192(NULL)), ERR_KEY);
	double took_ms = (double)(clock() - start) * 1000 / CLOCKS_PER_SEC;
	print_message("RSA 8192: %.0f ms\n", took_ms);
	assert_true(took_ms < 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_keys),   cmocka_unit_test(test_published_keys),
		cmocka_unit_test(test_exponents),   cmocka_unit_test(test_small_factors),
		cmocka_unit_test(test_one_prime),   cmocka_unit_test(test_close_primes),
		cmocka_unit_test(test_roca),        cmocka_unit_test(test_ed25519_points),
		cmocka_unit_test(test_other_kinds), cmocka_unit_test(test_bounded_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
