#include "vault/root_file.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define MAC_INFO "sekisho vault: MAC of root.json"

enum { VERSION = 1, PATH_BYTES = 400, HEX_MAX = 2 * WRAP_MAX + 1 };

static void json_freep(json_t **json)
{
	json_decref(*json);
}

static enum err path_of(const char *folder, char path[PATH_BYTES])
{
	int len = snprintf(path, PATH_BYTES, "%s/root.json", folder);

	return len > 0 && len < PATH_BYTES ? OK : ERR_TOO_BIG;
}

/* ---- writing ---------------------------------------------------------------------------- */

static json_t *hex(const uint8_t *data, size_t len)
{
	char text[HEX_MAX];

	util_hex(data, len, text);
	return json_string(text);
}

static json_t *passphrase_json(const struct root_passphrase *slot)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:o, s:o}", "kdf", "argon2id", "memory_kib",
			 (json_int_t)slot->cost.memory_kib, "passes", (json_int_t)slot->cost.passes,
			 "lanes", (json_int_t)slot->cost.lanes, "salt",
			 hex(slot->salt, sizeof(slot->salt)), "key",
			 hex(slot->key, sizeof(slot->key)));
}

static json_t *opener_json(const struct root_opener *slot)
{
	return json_pack("{s:I, s:o, s:o}", "made", (json_int_t)slot->made_s, "key",
			 hex(slot->key, sizeof(slot->key)), "kept",
			 hex(slot->kept, sizeof(slot->kept)));
}

static json_t *shares_json(const struct shares *shares)
{
	return json_pack("{s:o, s:[o, o, o]}", "set", hex(shares->set, sizeof(shares->set)),
			 "sha256", hex(shares->digests[0], SHARES_DIGEST),
			 hex(shares->digests[1], SHARES_DIGEST),
			 hex(shares->digests[2], SHARES_DIGEST));
}

static json_t *token_json(const struct root_token *slot)
{
	return json_pack("{s:I, s:s, s:o, s:o, s:o}", "made", (json_int_t)slot->made_s, "uri",
			 slot->uri, "point", hex(slot->point, sizeof(slot->point)), "ephemeral",
			 hex(slot->ephemeral, sizeof(slot->ephemeral)), "key",
			 hex(slot->key, sizeof(slot->key)));
}

/* Everything but the MAC. */
static enum err to_json(const struct root_file *file, json_t **ret)
{
	_cleanup_(json_freep) json_t *json = json_pack(
		"{s:i, s:I, s:I, s:o, s:o}", "version", VERSION, "generation",
		(json_int_t)file->generation, "made", (json_int_t)file->made_s, "passphrase",
		passphrase_json(&file->passphrase), "house", hex(file->house, file->house_len));
	int failed = json ? 0 : 1;

	if (json && file->sheets.there) {
		failed |= json_object_set_new(json, "sheets", opener_json(&file->sheets));
		failed |= json_object_set_new(json, "shares", shares_json(&file->shares));
	}
	if (json && file->machine.there)
		failed |= json_object_set_new(json, "machine", opener_json(&file->machine));
	if (json && file->token.there)
		failed |= json_object_set_new(json, "token", token_json(&file->token));
	if (failed)
		return ERR_NOMEM;
	*ret = util_take_ptr(json);
	return OK;
}

/* ret: room for ROOT_FILE_MAX. Not json_dumps, as its memory is of whichever allocator jansson has.
 */
static enum err to_text(const json_t *json, size_t flags, char *ret, size_t *ret_len)
{
	size_t len = json_dumpb(json, ret, ROOT_FILE_MAX, flags | JSON_SORT_KEYS);

	if (len == 0 || len > ROOT_FILE_MAX)
		return ERR_TOO_BIG;
	*ret_len = len;
	return OK;
}

static enum err mac_of(const struct root_file *file, const struct secret *key,
		       uint8_t ret[WRAP_MAC])
{
	_cleanup_(json_freep) json_t *json = NULL;
	_cleanup_secret_ struct secret *mac_key = NULL;
	char text[ROOT_FILE_MAX];
	size_t len = 0;
	enum err err = to_json(file, &json);

	if (!err)
		err = wrap_derive(key, NULL, 0, MAC_INFO, strlen(MAC_INFO), WRAP_KEY, &mac_key);
	if (!err)
		err = to_text(json, JSON_COMPACT, text, &len);
	return err ? err : wrap_mac(mac_key, text, len, ret);
}

enum err root_file_check(const struct root_file *file, const struct secret *key)
{
	uint8_t mac[WRAP_MAC];
	enum err err = mac_of(file, key, mac);

	if (!err && !secret_equal(mac, file->mac, sizeof(mac)))
		err = ERR_INVALID;
	return err;
}

enum err root_file_write(const char *folder, struct root_file *file, const struct secret *key)
{
	_cleanup_(json_freep) json_t *json = NULL;
	char path[PATH_BYTES], text[ROOT_FILE_MAX];
	size_t len = 0;
	enum err err = path_of(folder, path);

	if (!err)
		err = mac_of(file, key, file->mac);
	if (!err)
		err = to_json(file, &json);
	if (!err && json_object_set_new(json, "mac", hex(file->mac, sizeof(file->mac))))
		err = ERR_NOMEM;
	if (!err)
		err = to_text(json, JSON_INDENT(1), text, &len);
	return err ? err : util_write_file(path, text, len, 0600);
}

/* ---- reading ---------------------------------------------------------------------------- */

static enum err get_hex(const json_t *object, const char *name, uint8_t *data, size_t len)
{
	const json_t *text = json_object_get(object, name);

	return json_string_length(text) == 2 * len &&
			       util_unhex(json_string_value(text), data, len) == OK
		       ? OK
		       : ERR_INVALID;
}

static enum err get_number(const json_t *object, const char *name, int64_t max, int64_t *ret)
{
	const json_t *number = json_object_get(object, name);
	json_int_t value = json_integer_value(number);

	if (!json_is_integer(number) || value < 0 || value > max)
		return ERR_INVALID;
	*ret = value;
	return OK;
}

static enum err get_passphrase(const json_t *object, struct root_passphrase *slot)
{
	int64_t memory_kib = 0, passes = 0, lanes = 0;
	enum err err = get_number(object, "memory_kib", UINT32_MAX, &memory_kib);

	if (!err)
		err = get_number(object, "passes", UINT32_MAX, &passes);
	if (!err)
		err = get_number(object, "lanes", UINT32_MAX, &lanes);
	if (!err)
		err = get_hex(object, "salt", slot->salt, sizeof(slot->salt));
	if (!err)
		err = get_hex(object, "key", slot->key, sizeof(slot->key));
	slot->cost = (struct wrap_cost){ (uint32_t)memory_kib, (uint32_t)passes, (uint32_t)lanes };
	return err;
}

static enum err get_opener(const json_t *object, struct root_opener *slot)
{
	enum err err = OK;

	if (!object)
		return OK;
	slot->there = true;
	err = get_number(object, "made", INT64_MAX, &slot->made_s);
	if (!err)
		err = get_hex(object, "key", slot->key, sizeof(slot->key));
	return err ? err : get_hex(object, "kept", slot->kept, sizeof(slot->kept));
}

static enum err get_shares(const json_t *object, struct shares *shares)
{
	const json_t *list = json_object_get(object, "sha256");
	enum err err = get_hex(object, "set", shares->set, sizeof(shares->set));

	if (!err && json_array_size(list) != SHARES)
		err = ERR_INVALID;
	for (size_t i = 0; !err && i < SHARES; i++) {
		const json_t *text = json_array_get(list, i);

		if (json_string_length(text) != 2 * (size_t)SHARES_DIGEST ||
		    util_unhex(json_string_value(text), shares->digests[i], SHARES_DIGEST))
			err = ERR_INVALID;
	}
	return err;
}

static enum err get_token(const json_t *object, struct root_token *slot)
{
	const json_t *uri = json_object_get(object, "uri");
	enum err err = OK;

	if (!object)
		return OK;
	if (!json_is_string(uri) || json_string_length(uri) >= sizeof(slot->uri))
		return ERR_INVALID;
	slot->there = true;
	snprintf(slot->uri, sizeof(slot->uri), "%s", json_string_value(uri));
	err = get_number(object, "made", INT64_MAX, &slot->made_s);
	if (!err)
		err = get_hex(object, "point", slot->point, sizeof(slot->point));
	if (!err)
		err = get_hex(object, "ephemeral", slot->ephemeral, sizeof(slot->ephemeral));
	return err ? err : get_hex(object, "key", slot->key, sizeof(slot->key));
}

static enum err get_house(const json_t *json, struct root_file *file)
{
	size_t len = json_string_length(json_object_get(json, "house")) / 2;

	if (len == 0 || len > sizeof(file->house))
		return ERR_INVALID;
	file->house_len = len;
	return get_hex(json, "house", file->house, len);
}

static enum err from_json(const json_t *json, struct root_file *file)
{
	int64_t version = 0;
	enum err err = get_number(json, "version", INT64_MAX, &version);

	if (!err && version != VERSION)
		err = ERR_INVALID;
	if (!err)
		err = get_number(json, "generation", INT64_MAX - 1, &file->generation);
	if (!err)
		err = get_number(json, "made", INT64_MAX, &file->made_s);
	if (!err)
		err = get_passphrase(json_object_get(json, "passphrase"), &file->passphrase);
	if (!err)
		err = get_opener(json_object_get(json, "sheets"), &file->sheets);
	if (!err && file->sheets.there)
		err = get_shares(json_object_get(json, "shares"), &file->shares);
	if (!err)
		err = get_opener(json_object_get(json, "machine"), &file->machine);
	if (!err)
		err = get_token(json_object_get(json, "token"), &file->token);
	if (!err)
		err = get_house(json, file);
	return err ? err : get_hex(json, "mac", file->mac, sizeof(file->mac));
}

enum err root_file_read(const char *folder, struct root_file *ret)
{
	_cleanup_(json_freep) json_t *json = NULL;
	_cleanup_free_ char *text = NULL;
	struct root_file file = { 0 };
	char path[PATH_BYTES];
	size_t len = 0;
	enum err err = path_of(folder, path);

	if (!err)
		err = util_read_file(path, ROOT_FILE_MAX, &text, &len);
	if (err)
		return err;
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	err = json ? from_json(json, &file) : ERR_INVALID;
	if (!err)
		*ret = file;
	return err;
}
