#include "certs/weak_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/util.h"

enum {
	LISTED_HEX = 32,
	EXPONENT_MIN = 65537,
	EXPONENT_BITS_MAX = 64,
	ROCA_PRIME_MAX =
		701, /* the 126th: keys from 1984 bits have all of these in their pattern */
	ED25519_BYTES = 32,
};

static const char listed[][LISTED_HEX + 1] = {
#define KEY(hash) hash,
#include "certs/weak_keys.def"
#undef KEY
};

static enum err check_list(EVP_PKEY *key)
{
	uint8_t *der = NULL, hash[SHA256_DIGEST_LENGTH];
	char hex[2 * sizeof(hash) + 1];
	int len = i2d_PUBKEY(key, &der);

	if (len <= 0)
		return ERR_CRYPTO;
	bool hashed = EVP_Digest(der, (size_t)len, hash, NULL, EVP_sha256(), NULL) == 1;
	OPENSSL_free(der);
	if (!hashed)
		return ERR_CRYPTO;
	util_hex(hash, sizeof(hash), hex);
	for (size_t i = 0; i < ARRAY_SIZE(listed); i++)
		if (memcmp(listed[i], hex, LISTED_HEX) == 0)
			return ERR_KEY;
	return OK;
}

static enum err check_exponent(const BIGNUM *e)
{
	if (!BN_is_odd(e) || BN_num_bits(e) > EXPONENT_BITS_MAX || BN_get_word(e) < EXPONENT_MIN)
		return ERR_KEY;
	return OK;
}

static bool is_small_prime(unsigned number)
{
	for (unsigned i = 2; i * i <= number; i++)
		if (number % i == 0)
			return false;
	return number >= 2;
}

static enum err check_factors(const BIGNUM *n)
{
	for (unsigned prime = 2; prime < WEAK_KEY_FACTOR_MAX; prime++) {
		if (!is_small_prime(prime))
			continue;
		BN_ULONG rest = BN_mod_word(n, prime);
		if (rest == 0 || rest == (BN_ULONG)-1)
			return ERR_KEY;
	}
	return OK;
}

/* A power of 65537 modulo prime. */
static bool is_roca_residue(BN_ULONG rest, unsigned prime)
{
	unsigned power = 1;

	do {
		if (power == rest)
			return true;
		power = (unsigned)((uint64_t)power * 65537 % prime);
	} while (power != 1);
	return false;
}

/*
 * The primes of those keys are k * M + (65537^a mod M), where M is the product of the first primes:
 * modulo each of them the modulus is a power of 65537 (Nemec et al., CCS 2017, §3.3).
 */
static enum err check_roca(const BIGNUM *n)
{
	for (unsigned prime = 3; prime <= ROCA_PRIME_MAX; prime++)
		if (is_small_prime(prime) && !is_roca_residue(BN_mod_word(n, prime), prime))
			return OK;
	return ERR_KEY;
}

static bool is_square_modulo(BN_ULONG value, unsigned modulus)
{
	for (unsigned i = 0; i < modulus; i++)
		if (i * i % modulus == value % modulus)
			return true;
	return false;
}

/* Nearly everything that is not a square is found out without taking a root. */
static bool may_be_square(const BIGNUM *value)
{
	BN_ULONG rest = BN_mod_word(value, 64 * 63 * 65 * 11);

	return is_square_modulo(rest, 64) && is_square_modulo(rest, 63) &&
	       is_square_modulo(rest, 65) && is_square_modulo(rest, 11);
}

/* The root, rounded down, by Newton's method from above. */
static bool take_root(const BIGNUM *value, BIGNUM *root, BN_CTX *ctx)
{
	bool done = false;

	BN_CTX_start(ctx);
	BIGNUM *next = BN_CTX_get(ctx);
	BN_zero(root);
	if (!next || !BN_set_bit(root, (BN_num_bits(value) + 1) / 2))
		goto out;
	for (;;) {
		if (!BN_div(next, NULL, value, root, ctx) || !BN_add(next, next, root) ||
		    !BN_rshift1(next, next))
			goto out;
		if (BN_cmp(next, root) >= 0)
			break;
		if (!BN_copy(root, next))
			goto out;
	}
	done = true;
out:
	BN_CTX_end(ctx);
	return done;
}

static enum err check_square(const BIGNUM *value, BIGNUM *scratch, BN_CTX *ctx)
{
	if (!may_be_square(value))
		return OK;
	BN_CTX_start(ctx);
	BIGNUM *again = BN_CTX_get(ctx);
	bool done = again && take_root(value, scratch, ctx) && BN_sqr(again, scratch, ctx);
	bool equal = done && BN_cmp(again, value) == 0;
	BN_CTX_end(ctx);
	if (!done)
		return ERR_NOMEM;
	return equal ? ERR_KEY : OK;
}

/* Fermat's method: n = a² - b² is found at once when both primes are near the root of n. */
static enum err check_close(const BIGNUM *n, BN_CTX *ctx)
{
	enum err err = ERR_NOMEM;

	BN_CTX_start(ctx);
	BIGNUM *a = BN_CTX_get(ctx), *square = BN_CTX_get(ctx), *scratch = BN_CTX_get(ctx);
	if (!scratch || !take_root(n, a, ctx) || !BN_sqr(square, a, ctx) ||
	    !BN_sub(square, square, n))
		goto out;
	err = OK;
	if (BN_is_zero(square))
		err = ERR_KEY;
	for (int i = 0; !err && i < WEAK_KEY_FERMAT_ROUNDS; i++) {
		/* (a + 1)² - n = a² - n + 2a + 1 */
		if (!BN_add(square, square, a) || !BN_add_word(a, 1) || !BN_add(square, square, a))
			err = ERR_NOMEM;
		else
			err = check_square(square, scratch, ctx);
	}
out:
	BN_CTX_end(ctx);
	return err;
}

/* Of a prime p, and of its powers, p divides 2^(n-1) - 1 (Fermat's little theorem). */
static enum err check_one_prime(const BIGNUM *n, BN_CTX *ctx)
{
	enum err err = ERR_NOMEM;

	BN_CTX_start(ctx);
	BIGNUM *power = BN_CTX_get(ctx), *exponent = BN_CTX_get(ctx), *common = BN_CTX_get(ctx);
	if (!common || !BN_copy(exponent, n) || !BN_sub_word(exponent, 1) ||
	    !BN_mod_exp_mont_word(power, 2, exponent, n, ctx, NULL) || !BN_sub_word(power, 1) ||
	    !BN_gcd(common, power, n, ctx))
		goto out;
	err = BN_is_one(common) ? OK : ERR_KEY;
out:
	BN_CTX_end(ctx);
	return err;
}

static enum err check_rsa(EVP_PKEY *key)
{
	BIGNUM *n = NULL, *e = NULL;
	BN_CTX *ctx = BN_CTX_new();
	enum err err = ERR_CRYPTO;

	if (!ctx || !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) ||
	    !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e))
		goto out;
	err = check_exponent(e);
	if (!err)
		err = check_factors(n);
	if (!err)
		err = check_roca(n);
	if (!err)
		err = check_close(n, ctx);
	if (!err)
		err = check_one_prime(n, ctx);
out:
	BN_free(n);
	BN_free(e);
	BN_CTX_free(ctx);
	return err;
}

/* y of the points whose order divides 8, without the sign: whatever is signed, some signature by
 * such a key is right (RFC 8032 §5.1.7 does not refuse them). */
static const char *const small_orders[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
};

static enum err check_ed25519(EVP_PKEY *key)
{
	uint8_t y[ED25519_BYTES];
	char hex[2 * ED25519_BYTES + 1];
	size_t len = sizeof(y), high = 1;

	if (!EVP_PKEY_get_raw_public_key(key, y, &len) || len != sizeof(y))
		return ERR_CRYPTO;
	y[ED25519_BYTES - 1] &= 0x7f;
	/* From 2^255 - 19 on, which is 7fff…ffed, there is a second form of a small y. */
	while (high < ED25519_BYTES - 1 && y[high] == 0xff)
		high++;
	if (high == ED25519_BYTES - 1 && y[high] == 0x7f && y[0] >= 0xed)
		return ERR_KEY;
	util_hex(y, sizeof(y), hex);
	for (size_t i = 0; i < ARRAY_SIZE(small_orders); i++)
		if (util_streq(hex, small_orders[i]))
			return ERR_KEY;
	return OK;
}

enum err weak_key_check(EVP_PKEY *key)
{
	enum err err = check_list(key);

	if (err)
		return err;
	if (EVP_PKEY_is_a(key, "RSA"))
		return check_rsa(key);
	if (EVP_PKEY_is_a(key, "ED25519"))
		return check_ed25519(key);
	return EVP_PKEY_is_a(key, "EC") ? OK : ERR_KEY;
}
