#include "vault/shares.h"

#include <libgfshare.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/util.h"

/* A sheet: version, number, set, share, the first bytes of the SHA-256 of all before. */
enum {
	VERSION = 1,
	AT_NUMBER = 1,
	AT_SET = 2,
	AT_SHARE = AT_SET + SHARES_SET,
	AT_CHECK = AT_SHARE + SHARES_KEY,
	CHECK = SHARES_SHEET - AT_CHECK,
};
_Static_assert(CHECK == 2, "what is left of the rows");

/* Never 0: the share of that number would be the key itself. */
static const unsigned char numbers[SHARES] = { 1, 2, 3 };

/* The library has none of its own, and begins with NULL on purpose. */
static void fill(unsigned char *data, unsigned len)
{
	util_random(data, len);
}

static enum err digest(const void *data, size_t len, uint8_t ret[SHARES_DIGEST])
{
	return EVP_Digest(data, len, ret, NULL, EVP_sha256(), NULL) == 1 ? OK : ERR_CRYPTO;
}

/* ---- making ----------------------------------------------------------------------------- */

static enum err put_sheet(const struct shares *shares, uint8_t number, const uint8_t *share,
			  char *text)
{
	uint8_t sheet[SHARES_SHEET] = { VERSION, number }, hash[SHARES_DIGEST];
	enum err err;

	memcpy(sheet + AT_SET, shares->set, SHARES_SET);
	memcpy(sheet + AT_SHARE, share, SHARES_KEY);
	err = digest(sheet, AT_CHECK, hash);
	memcpy(sheet + AT_CHECK, hash, CHECK);
	for (unsigned row = 0; !err && row < SHARES_ROWS; row++) {
		char *at = text + row * (TYPED_ROW + 1);

		typed_put(sheet + (size_t)row * TYPED_ROW_BYTES, row, at);
		at[TYPED_ROW] = '\n';
	}
	secret_wipe(sheet, sizeof(sheet));
	return err;
}

static enum err split(const struct secret *key, uint8_t shares[SHARES][SHARES_KEY])
{
	unsigned char order[SHARES];

	memcpy(order, numbers, sizeof(order));
	gfshare_fill_rand = fill;
	gfshare_ctx *ctx = gfshare_ctx_init_enc(order, SHARES, SHARES_NEEDED, SHARES_KEY);
	if (!ctx)
		return ERR_NOMEM;
	gfshare_ctx_enc_setsecret(ctx, (unsigned char *)(uintptr_t)secret_text(key));
	for (unsigned char i = 0; i < SHARES; i++)
		gfshare_ctx_enc_getshare(ctx, i, shares[i]);
	/* Overwrites what it held with random bytes. */
	gfshare_ctx_free(ctx);
	return OK;
}

enum err shares_make(struct shares *ret, struct secret **ret_key, struct secret **ret_sheets)
{
	_cleanup_secret_ struct secret *key = NULL, *sheets = NULL, *room = NULL;
	struct shares made;
	enum err err = secret_random(SHARES_KEY, &key);

	util_random(made.set, sizeof(made.set));
	if (!err)
		err = secret_random(SHARES * SHARES_SHEET_TEXT, &sheets);
	if (!err)
		err = secret_random(SHARES * SHARES_KEY, &room);
	if (err)
		return err;
	uint8_t(*parts)[SHARES_KEY] = (void *)secret_data(room);
	err = split(key, parts);
	for (size_t i = 0; !err && i < SHARES; i++) {
		err = digest(parts[i], SHARES_KEY, made.digests[i]);
		if (!err)
			err = put_sheet(&made, numbers[i], parts[i],
					(char *)secret_data(sheets) + i * SHARES_SHEET_TEXT);
	}
	if (err)
		return err;
	*ret = made;
	*ret_key = util_take_ptr(key);
	*ret_sheets = util_take_ptr(sheets);
	return OK;
}

/* ---- joining ---------------------------------------------------------------------------- */

static enum err get_rows(const char *text, uint8_t sheet[SHARES_SHEET])
{
	for (unsigned row = 0; row < SHARES_ROWS; row++) {
		size_t len = strcspn(text, "\n");

		if (typed_get(text, len, row, sheet + (size_t)row * TYPED_ROW_BYTES))
			return ERR_CODE;
		text += len + (text[len] == '\n');
	}
	return *text ? ERR_CODE : OK;
}

static enum err get_sheet(const struct shares *shares, const char *text,
			  uint8_t sheet[SHARES_SHEET])
{
	uint8_t hash[SHARES_DIGEST];
	enum err err = get_rows(text, sheet);
	uint8_t number = sheet[AT_NUMBER];

	if (!err)
		err = digest(sheet, AT_CHECK, hash);
	if (err)
		return err;
	if (memcmp(hash, sheet + AT_CHECK, CHECK) != 0 || sheet[0] != VERSION || number < 1 ||
	    number > SHARES)
		return ERR_CODE;
	if (memcmp(sheet + AT_SET, shares->set, SHARES_SET) != 0)
		return ERR_EXPIRED;
	err = digest(sheet + AT_SHARE, SHARES_KEY, hash);
	return !err && memcmp(hash, shares->digests[number - 1], sizeof(hash)) != 0 ? ERR_LOGIN
										    : err;
}

static enum err combine(uint8_t sheets[SHARES_NEEDED][SHARES_SHEET], struct secret **ret)
{
	unsigned char order[SHARES_NEEDED] = { sheets[0][AT_NUMBER], sheets[1][AT_NUMBER] };
	_cleanup_secret_ struct secret *key = NULL;
	enum err err = secret_random(SHARES_KEY, &key);

	if (err)
		return err;
	gfshare_fill_rand = fill;
	gfshare_ctx *ctx = gfshare_ctx_init_dec(order, SHARES_NEEDED, SHARES_KEY);
	if (!ctx)
		return ERR_NOMEM;
	for (unsigned char i = 0; i < SHARES_NEEDED; i++)
		gfshare_ctx_dec_giveshare(ctx, i, sheets[i] + AT_SHARE);
	gfshare_ctx_dec_extract(ctx, secret_data(key));
	gfshare_ctx_free(ctx);
	*ret = util_take_ptr(key);
	return OK;
}

enum err shares_join(const struct shares *shares, const char *const texts[SHARES_NEEDED],
		     size_t *ret_bad, struct secret **ret_key)
{
	uint8_t sheets[SHARES_NEEDED][SHARES_SHEET] = { { 0 } };
	enum err err = OK;

	for (size_t i = 0; !err && i < SHARES_NEEDED; i++) {
		err = get_sheet(shares, texts[i], sheets[i]);
		if (err)
			*ret_bad = i;
	}
	if (!err && sheets[0][AT_NUMBER] == sheets[1][AT_NUMBER])
		err = ERR_EXISTS;
	if (!err)
		err = combine(sheets, ret_key);
	secret_wipe(sheets, sizeof(sheets));
	return err;
}

enum err shares_check(const struct shares *shares, const char *text, unsigned *ret_number)
{
	uint8_t sheet[SHARES_SHEET] = { 0 };
	enum err err = get_sheet(shares, text, sheet);

	if (!err)
		*ret_number = sheet[AT_NUMBER];
	secret_wipe(sheet, sizeof(sheet));
	return err;
}
