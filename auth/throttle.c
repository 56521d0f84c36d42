#include "auth/throttle.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { THROTTLE_KEY = 16 };

struct throttle_entry {
	uint8_t key[THROTTLE_KEY];
	bool used;
	int64_t failures;
	int64_t next_try_ms, last_ms;
};

struct throttle {
	size_t max;
	struct throttle_entry entries[];
};

int64_t throttle_wait_ms(int64_t failures)
{
	int64_t over = failures - THROTTLE_FREE;

	if (over < 0)
		return 0;
	return over >= 6 ? THROTTLE_MAX_MS : MIN(1000LL << over, (int64_t)THROTTLE_MAX_MS);
}

int64_t throttle_left_ms(int64_t next_try_ms, int64_t now_ms)
{
	if (next_try_ms <= now_ms || next_try_ms - now_ms > THROTTLE_MAX_MS)
		return 0;
	return next_try_ms - now_ms;
}

enum err throttle_new(size_t max, struct throttle **ret)
{
	struct throttle *throttle =
		calloc(1, sizeof(*throttle) + max * sizeof(throttle->entries[0]));

	if (!throttle)
		return ERR_NOMEM;
	throttle->max = max;
	*ret = throttle;
	return OK;
}

void throttle_free(struct throttle *throttle)
{
	free(throttle);
}

void throttle_freep(struct throttle **throttle)
{
	throttle_free(*throttle);
}

/* IPv4 as a mapped IPv6 address; whatever is no address shares one key. */
static void throttle_key(const char *address, uint8_t ret_key[THROTTLE_KEY])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(ret_key, 0, THROTTLE_KEY);
	if (inet_pton(AF_INET, address, ret_key + sizeof(mapped)) == 1)
		memcpy(ret_key, mapped, sizeof(mapped));
	else if (inet_pton(AF_INET6, address, ret_key) == 1 &&
		 memcmp(ret_key, mapped, sizeof(mapped)) != 0)
		memset(ret_key + 8, 0, 8);
}

static struct throttle_entry *throttle_find(struct throttle *throttle,
					    const uint8_t key[THROTTLE_KEY])
{
	for (size_t i = 0; i < throttle->max; i++) {
		struct throttle_entry *entry = &throttle->entries[i];

		if (entry->used && memcmp(entry->key, key, THROTTLE_KEY) == 0)
			return entry;
	}
	return NULL;
}

static struct throttle_entry *throttle_make(struct throttle *throttle,
					    const uint8_t key[THROTTLE_KEY])
{
	struct throttle_entry *oldest = &throttle->entries[0];

	for (size_t i = 0; i < throttle->max && oldest->used; i++) {
		struct throttle_entry *entry = &throttle->entries[i];

		if (!entry->used || entry->last_ms < oldest->last_ms)
			oldest = entry;
	}
	*oldest = (struct throttle_entry){ .used = true };
	memcpy(oldest->key, key, THROTTLE_KEY);
	return oldest;
}

enum err throttle_count(struct throttle *throttle, const char *address, int64_t now_ms,
			int64_t *ret_wait_ms)
{
	struct throttle_entry *entry;
	uint8_t key[THROTTLE_KEY];

	throttle_key(address, key);
	entry = throttle_find(throttle, key);
	if (!entry)
		entry = throttle_make(throttle, key);
	if (now_ms - entry->last_ms > THROTTLE_ADDRESS_FORGET_MS)
		entry->failures = 0;
	if (throttle_left_ms(entry->next_try_ms, now_ms) > 0) {
		*ret_wait_ms = throttle_left_ms(entry->next_try_ms, now_ms);
		return ERR_THROTTLED;
	}
	entry->failures++;
	entry->last_ms = now_ms;
	entry->next_try_ms =
		now_ms + throttle_wait_ms(entry->failures - THROTTLE_ADDRESS_FREE + THROTTLE_FREE);
	return OK;
}

static struct throttle_entry *throttle_of(struct throttle *throttle, const char *address)
{
	uint8_t key[THROTTLE_KEY];

	throttle_key(address, key);
	return throttle_find(throttle, key);
}

int64_t throttle_tries(struct throttle *throttle, const char *address)
{
	const struct throttle_entry *entry = throttle_of(throttle, address);

	return entry ? entry->failures : 0;
}

void throttle_refund(struct throttle *throttle, const char *address)
{
	struct throttle_entry *entry = throttle_of(throttle, address);

	if (!entry || entry->failures == 0)
		return;
	entry->failures--;
	entry->next_try_ms = 0;
}

void throttle_forget(struct throttle *throttle, const char *address)
{
	struct throttle_entry *entry = throttle_of(throttle, address);

	if (entry)
		*entry = (struct throttle_entry){ 0 };
}
