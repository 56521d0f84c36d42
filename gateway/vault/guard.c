#include "vault/guard.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

#include "base/util.h"
#include "vault/wrap.h"

/* ---- MACs ------------------------------------------------------------------------------- */

static void mac_free(EVP_MAC **mac)
{
	EVP_MAC_free(*mac);
}

static enum err mac_new(const struct secret *key, const char *use, EVP_MAC_CTX **ret)
{
	_cleanup_(mac_free) EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	_cleanup_secret_ struct secret *derived = NULL;
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	enum err err = wrap_derive(key, NULL, 0, use, strlen(use), WRAP_KEY, &derived);

	*ret = err || !mac ? NULL : EVP_MAC_CTX_new(mac);
	if (!err && !*ret)
		err = ERR_NOMEM;
	if (!err &&
	    EVP_MAC_init(*ret, (const uint8_t *)secret_text(derived), WRAP_KEY, params) != 1)
		err = ERR_CRYPTO;
	return err;
}

/* With the key that it has. */
static bool mac_start(EVP_MAC_CTX *ctx)
{
	return EVP_MAC_init(ctx, NULL, 0, NULL) == 1;
}

static bool mac_add(EVP_MAC_CTX *ctx, const void *data, size_t len)
{
	return len == 0 || EVP_MAC_update(ctx, data, len) == 1;
}

static bool mac_u64(EVP_MAC_CTX *ctx, uint64_t number)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> (56 - 8 * i));
	return mac_add(ctx, bytes, sizeof(bytes));
}

static enum err mac_end(EVP_MAC_CTX *ctx, bool ok, uint8_t ret[GUARD_MAC])
{
	size_t len = 0;

	return ok && EVP_MAC_final(ctx, ret, &len, GUARD_MAC) == 1 && len == GUARD_MAC ? OK
										       : ERR_CRYPTO;
}

/* Each column with its type, and bytes with their length, so that no two rows read the same. */
static bool mac_field(EVP_MAC_CTX *ctx, const struct query_field *field)
{
	uint8_t type = (uint8_t)field->type;

	if (!mac_add(ctx, &type, 1))
		return false;
	if (field->type == QUERY_I64)
		return mac_u64(ctx, (uint64_t)field->number);
	return field->type == QUERY_NULL ||
	       (mac_u64(ctx, field->len) && mac_add(ctx, field->data, field->len));
}

static enum err mac_row(EVP_MAC_CTX *ctx, enum guarded_table table,
			const struct query_field *fields, size_t count, uint8_t ret[GUARD_MAC])
{
	const char *name = guarded_name(table);
	bool ok = mac_start(ctx) && mac_u64(ctx, strlen(name)) &&
		  mac_add(ctx, name, strlen(name)) && mac_u64(ctx, count);

	for (size_t i = 0; ok && i < count; i++)
		ok = mac_field(ctx, &fields[i]);
	return mac_end(ctx, ok, ret);
}

/* ---- rows ------------------------------------------------------------------------------- */

/* XOR: the same adds and takes away. */
static enum err count_in(struct guard *guard, enum guarded_table table,
			 const struct query_field *fields, size_t count)
{
	uint8_t mac[GUARD_MAC];
	enum err err = mac_row(guard->sum, table, fields, count, mac);

	for (size_t i = 0; !err && i < GUARD_MAC; i++)
		guard->now[i] ^= mac[i];
	return err;
}

/* The row at hand: fields without the MAC, whether that fits, and the MAC that it should have. */
struct row {
	struct query_field fields[GUARDED_COLUMNS];
	size_t count;
	uint8_t mac[GUARD_MAC];
	bool fits;
};

static enum err read_row(struct guard *guard, struct query *query, enum guarded_table table,
			 struct row *ret)
{
	size_t count = query_fields(query, ret->fields, GUARDED_COLUMNS);
	enum err err = query_err(query);

	if (err)
		return err;
	const struct query_field *last = &ret->fields[count - 1];
	ret->count = count - 1;
	err = mac_row(guard->rows, table, ret->fields, ret->count, ret->mac);
	ret->fits = !err && last->type == QUERY_BYTES && last->len == GUARD_MAC &&
		    secret_equal(last->data, ret->mac, GUARD_MAC);
	return err;
}

static enum err check(struct guard *guard, enum guarded_table table, const int64_t *keys, bool take)
{
	_cleanup_query_ struct query query;
	struct row row = { 0 };

	guarded_select(&query, guard->db, table, keys);
	enum err err = query_one(&query);
	if (!err)
		err = read_row(guard, &query, table, &row);
	if (!err && !row.fits)
		err = ERR_INVALID;
	return err || !take ? err : count_in(guard, table, row.fields, row.count);
}

enum err guard_check(struct guard *guard, enum guarded_table table, const int64_t *keys)
{
	return check(guard, table, keys, false);
}

enum err guard_before(struct guard *guard, enum guarded_table table, const int64_t *keys)
{
	return check(guard, table, keys, true);
}

static enum err count_row(struct guard *guard, enum guarded_table table, const int64_t *keys,
			  uint8_t ret_mac[GUARD_MAC])
{
	_cleanup_query_ struct query query;
	struct row row = { 0 };

	guarded_select(&query, guard->db, table, keys);
	enum err err = query_one(&query);
	if (!err)
		err = read_row(guard, &query, table, &row);
	if (!err)
		err = count_in(guard, table, row.fields, row.count);
	if (!err)
		memcpy(ret_mac, row.mac, GUARD_MAC);
	return err;
}

enum err guard_after(struct guard *guard, enum guarded_table table, const int64_t *keys)
{
	uint8_t mac[GUARD_MAC];
	enum err err = count_row(guard, table, keys, mac);

	return err ? err : guarded_set_mac(guard->db, table, keys, mac);
}

enum err guard_before_id(struct guard *guard, enum guarded_table table, uint64_t id)
{
	return guard_before(guard, table, &(int64_t){ (int64_t)id });
}

enum err guard_after_id(struct guard *guard, enum guarded_table table, uint64_t id)
{
	return guard_after(guard, table, &(int64_t){ (int64_t)id });
}

enum err guard_check_id(struct guard *guard, enum guarded_table table, uint64_t id)
{
	return guard_check(guard, table, &(int64_t){ (int64_t)id });
}

/* ---- all of them ------------------------------------------------------------------------ */

static enum err read_table(struct guard *guard, enum guarded_table table, guard_damaged *damaged,
			   void *ctx)
{
	_cleanup_query_ struct query query;
	int64_t keys[GUARDED_KEYS];
	bool more = false;

	guarded_select(&query, guard->db, table, NULL);
	for (;;) {
		struct row row = { 0 };
		enum err err = query_next(&query, &more);

		if (err || !more)
			return err;
		err = read_row(guard, &query, table, &row);
		if (!err)
			err = count_in(guard, table, row.fields, row.count);
		if (err)
			return err;
		for (size_t i = 0; i < guarded_keys(table); i++)
			keys[i] = row.fields[i].number;
		if (!row.fits)
			damaged(ctx, table, keys);
	}
}

enum err guard_read_all(struct guard *guard, guard_damaged *damaged, void *ctx)
{
	enum err err = OK;

	memset(guard->now, 0, sizeof(guard->now));
	for (unsigned table = 0; !err && table < GUARDED_TABLES; table++)
		err = read_table(guard, table, damaged, ctx);
	if (err)
		guard_drop(guard);
	else
		guard_keep(guard);
	return err;
}

enum err guard_meta(struct guard *guard, uint64_t counter, uint64_t seq, uint8_t ret[GUARD_MAC])
{
	bool ok = mac_start(guard->meta) && mac_u64(guard->meta, counter) &&
		  mac_u64(guard->meta, seq) && mac_add(guard->meta, guard->now, GUARD_MAC);

	return mac_end(guard->meta, ok, ret);
}

void guard_keep(struct guard *guard)
{
	memcpy(guard->kept, guard->now, GUARD_MAC);
}

void guard_drop(struct guard *guard)
{
	memcpy(guard->now, guard->kept, GUARD_MAC);
}

/* ---- life ------------------------------------------------------------------------------- */

enum err guard_open(struct guard *guard, struct db *db, const struct secret *key)
{
	*guard = (struct guard){ .db = db };
	enum err err = mac_new(key, "sekisho guard: row", &guard->rows);

	if (!err)
		err = mac_new(key, "sekisho guard: sum", &guard->sum);
	if (!err)
		err = mac_new(key, "sekisho guard: meta", &guard->meta);
	return err;
}

void guard_close(struct guard *guard)
{
	EVP_MAC_CTX_free(guard->rows);
	EVP_MAC_CTX_free(guard->sum);
	EVP_MAC_CTX_free(guard->meta);
	secret_wipe(guard, sizeof(*guard));
}
