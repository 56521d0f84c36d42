#include "unit/vault/vectors.h"

#include "vault/gcm.h"

/* Ours: keys of 256 bits, nonces of 96, whole tags. */
static bool is_ours(const json_t *group)
{
	return json_integer_value(json_object_get(group, "keySize")) == 8 * GCM_KEY &&
	       json_integer_value(json_object_get(group, "ivSize")) == 8 * GCM_NONCE &&
	       json_integer_value(json_object_get(group, "tagSize")) == 8 * GCM_TAG;
}

static size_t tried;

static void gcm(const json_t *group, const json_t *test)
{
	struct octets key = octets_of(test, "key"), nonce = octets_of(test, "iv"),
		      bound = octets_of(test, "aad"), plain = octets_of(test, "msg"),
		      sealed = octets_of(test, "ct"), tag = octets_of(test, "tag");
	const struct gcm_bound to = { bound.data, bound.len };
	uint8_t *room = malloc(plain.len + 1), made[GCM_TAG];

	if (is_ours(group)) {
		assert_int_equal(sealed.len, plain.len);
		assert_err(
			gcm_get(key.data, nonce.data, &to, sealed.data, sealed.len, tag.data, room),
			is_valid(test) ? OK : ERR_INVALID);
		tried++;
	}
	if (is_ours(group) && is_valid(test)) {
		assert_memory_equal(room, plain.data, plain.len);
		assert_ok(gcm_put(key.data, nonce.data, &to, plain.data, plain.len, room, made));
		assert_memory_equal(room, sealed.data, sealed.len);
		assert_memory_equal(made, tag.data, GCM_TAG);
	}
	free(room);
	free(key.data);
	free(nonce.data);
	free(bound.data);
	free(plain.data);
	free(sealed.data);
	free(tag.data);
}

static void sealing_is_sp_800_38ds(void **state)
{
	(void)state;
	run_all("aes_gcm_test.json", gcm, 316);
	assert_int_equal(tried, 66);
}

/* What does not open leaves nothing behind. */
static void what_is_wrong_is_wiped(void **state)
{
	static const uint8_t key[GCM_KEY] = { 1 }, nonce[GCM_NONCE] = { 2 }, none[16] = { 0 };
	const struct gcm_bound bound = { "bound", 5 };
	uint8_t data[16] = "fifteen letters", tag[GCM_TAG];

	(void)state;
	assert_ok(gcm_put(key, nonce, &bound, data, sizeof(data), data, tag));
	tag[0] ^= 1;
	assert_err(gcm_get(key, nonce, &bound, data, sizeof(data), tag, data), ERR_INVALID);
	assert_memory_equal(data, none, sizeof(none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealing_is_sp_800_38ds),
		cmocka_unit_test(what_is_wrong_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
