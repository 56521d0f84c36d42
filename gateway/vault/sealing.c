#include "vault/sealing.h"

#include <string.h>

#include "base/util.h"
#include "vault/gcm.h"
#include "vault/wrap.h"

_Static_assert((int)SEALING_MORE == (int)GCM_NONCE + (int)GCM_TAG &&
		       (int)SEALING_DATA_KEY == (int)WRAP_KEY_WRAPPED &&
		       (int)GCM_KEY == (int)WRAP_KEY && (int)KEYRING_KEY == (int)WRAP_KEY,
	       "the same keys");

/* ---- what it is bound to ----------------------------------------------------------------------
 */

static const char mark[16] = "sekisho record 1";

enum {
	BOUND_NUMBERS = 7,
	BOUND_MAX = sizeof(mark) + BOUND_NUMBERS * 8 + RECORD_PURPOSES * RECORD_PURPOSE
};

static size_t put_u64(uint8_t *to, size_t at, uint64_t number)
{
	for (size_t i = 0; i < 8; i++)
		to[at + i] = (uint8_t)(number >> (56 - 8 * i));
	return at + 8;
}

static struct gcm_bound bind(const struct sealing_of *of, uint8_t room[BOUND_MAX])
{
	const struct record_row *row = of->row;
	const uint64_t numbers[BOUND_NUMBERS] = {
		(uint64_t)of->what, row->id,    of->part,           (uint64_t)of->version,
		row->client,        row->class, row->purpose_count,
	};
	size_t at = sizeof(mark), purposes = row->purpose_count * RECORD_PURPOSE;

	memcpy(room, mark, sizeof(mark));
	for (size_t i = 0; i < BOUND_NUMBERS; i++)
		at = put_u64(room, at, numbers[i]);
	memcpy(room + at, row->purposes, purposes);
	return (struct gcm_bound){ room, at + purposes };
}

/* ---- sealing ----------------------------------------------------------------------------------
 */

enum err sealing_put(struct records *records, const struct sealing_of *of, const void *data,
		     size_t len, uint8_t ret_data_key[SEALING_DATA_KEY], uint8_t *ret_sealed)
{
	uint8_t room[BOUND_MAX], key[GCM_KEY];
	const struct gcm_bound bound = bind(of, room);
	const uint8_t *group;
	enum err err = keyring_use(&records->keyring, of->row->key, &group);

	if (err)
		return err;
	util_random(key, sizeof(key));
	util_random(ret_sealed, GCM_NONCE);
	err = wrap_key_put(group, key, ret_data_key);
	if (!err)
		err = gcm_put(key, ret_sealed, &bound, data, len, ret_sealed + GCM_NONCE,
			      ret_sealed + GCM_NONCE + len);
	secret_wipe(key, sizeof(key));
	return err;
}

static enum err data_key_of(struct records *records, uint64_t group_key,
			    const uint8_t data_key[SEALING_DATA_KEY], uint8_t ret[GCM_KEY])
{
	const uint8_t *group;
	enum err err = keyring_use(&records->keyring, group_key, &group);

	if (!err)
		err = wrap_key_get(group, data_key, ret);
	return err == ERR_LOGIN ? ERR_INVALID : err;
}

enum err sealing_get(struct records *records, const struct sealing_of *of,
		     const uint8_t data_key[SEALING_DATA_KEY], const uint8_t *sealed, size_t len,
		     struct secret **ret)
{
	_cleanup_secret_ struct secret *plain = NULL;
	uint8_t room[BOUND_MAX], key[GCM_KEY];
	const struct gcm_bound bound = bind(of, room);

	if (!sealed || len < SEALING_MORE)
		return ERR_INVALID;
	size_t plain_len = len - SEALING_MORE;
	enum err err = secret_new(sealed, plain_len, &plain);
	if (!err)
		err = data_key_of(records, of->row->key, data_key, key);
	if (!err)
		err = gcm_get(key, sealed, &bound, sealed + GCM_NONCE, plain_len,
			      sealed + GCM_NONCE + plain_len, secret_data(plain));
	secret_wipe(key, sizeof(key));
	if (!err)
		*ret = util_take_ptr(plain);
	return err;
}

enum err sealing_rewrap(struct records *records, uint64_t from, uint64_t to,
			const uint8_t data_key[SEALING_DATA_KEY], uint8_t ret[SEALING_DATA_KEY])
{
	uint8_t key[GCM_KEY];
	const uint8_t *group;
	enum err err = data_key_of(records, from, data_key, key);

	if (!err)
		err = keyring_use(&records->keyring, to, &group);
	if (!err)
		err = wrap_key_put(group, key, ret);
	secret_wipe(key, sizeof(key));
	return err;
}
