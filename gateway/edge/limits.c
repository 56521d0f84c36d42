#include "edge/limits.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <search.h>
#include <string.h>

#include "base/bucket.h"
#include "base/util.h"

/* Of the allowance: one request, and what comes back in a millisecond is requests_per_minute. */
enum { REQUEST_COST = 60 * 1000 };

struct limits_address {
	uint8_t key[9]; /* first: the whole is found by it; family, then 4 or 8 bytes */
	size_t connections;
	uint64_t allowance;
	uint64_t refilled_ms;
	struct bucket questions;
	struct limits_address *older, *newer; /* among those without a connection */
};

struct limits {
	struct limits_settings settings;
	void *tree; /* tsearch(3): balanced, so no choice of addresses makes it slow */
	size_t count;
	size_t connections;
	struct limits_address *oldest, *newest;
};

enum err limits_new(const struct limits_settings *settings, struct limits **ret)
{
	struct limits *limits = calloc(1, sizeof(*limits));

	if (!limits)
		return ERR_NOMEM;
	limits->settings = *settings;
	*ret = limits;
	return OK;
}

void limits_free(struct limits *limits)
{
	if (!limits)
		return;
	tdestroy(limits->tree, free);
	free(limits);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(((struct limits_address *)NULL)->key));
}

static enum err make_key(const struct sockaddr *peer, size_t ipv6_bytes, uint8_t ret_key[9])
{
	memset(ret_key, 0, 9);
	if (peer->sa_family == AF_INET) {
		ret_key[0] = 4;
		memcpy(ret_key + 1, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, 4);
		return OK;
	}
	if (peer->sa_family == AF_INET6) {
		const struct in6_addr *in6 =
			&((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(in6)) {
			ret_key[0] = 4;
			memcpy(ret_key + 1, in6->s6_addr + 12, 4);
		} else {
			ret_key[0] = 6;
			memcpy(ret_key + 1, in6->s6_addr, MIN(ipv6_bytes, (size_t)8));
		}
		return OK;
	}
	return ERR_INVALID;
}

static void unlink_idle(struct limits *limits, struct limits_address *address)
{
	if (address->older)
		address->older->newer = address->newer;
	else
		limits->oldest = address->newer;
	if (address->newer)
		address->newer->older = address->older;
	else
		limits->newest = address->older;
	address->older = address->newer = NULL;
}

static void link_idle(struct limits *limits, struct limits_address *address)
{
	address->newer = NULL;
	address->older = limits->newest;
	if (limits->newest)
		limits->newest->newer = address;
	else
		limits->oldest = address;
	limits->newest = address;
}

static enum err add(struct limits *limits, const uint8_t key[9], uint64_t now_ms,
		    struct limits_address **ret)
{
	struct limits_address *address;

	if (limits->count >= limits->settings.addresses) {
		struct limits_address *oldest = limits->oldest;

		if (!oldest)
			return ERR_FULL;
		unlink_idle(limits, oldest);
		tdelete(oldest, &limits->tree, compare);
		free(oldest);
		limits->count--;
	}
	address = calloc(1, sizeof(*address));
	if (!address)
		return ERR_NOMEM;
	memcpy(address->key, key, sizeof(address->key));
	address->allowance = (uint64_t)limits->settings.requests_per_minute * REQUEST_COST;
	address->refilled_ms = now_ms;
	if (!tsearch(address, &limits->tree, compare)) {
		free(address);
		return ERR_NOMEM;
	}
	limits->count++;
	link_idle(limits, address);
	*ret = address;
	return OK;
}

enum err limits_connect(struct limits *limits, const struct sockaddr *peer, uint64_t now_ms,
			struct limits_address **ret_address)
{
	struct limits_address *address;
	uint8_t key[9];
	void **found;
	enum err err;

	err = make_key(peer, limits->settings.ipv6_bytes, key);
	if (err)
		return err;
	found = tfind(key, &limits->tree, compare);
	address = found ? *found : NULL;
	/* First, or one address could have others dropped to make room for it. */
	if (address && address->connections >= limits->settings.connections_per_address)
		return ERR_THROTTLED;
	if (limits->connections >= limits->settings.connections)
		return ERR_FULL;
	if (!address) {
		err = add(limits, key, now_ms, &address);
		if (err)
			return err;
	}
	if (address->connections++ == 0)
		unlink_idle(limits, address);
	limits->connections++;
	*ret_address = address;
	return OK;
}

void limits_disconnect(struct limits *limits, struct limits_address *address)
{
	limits->connections--;
	if (--address->connections == 0)
		link_idle(limits, address);
}

enum err limits_request(struct limits *limits, struct limits_address *address, uint64_t now_ms,
			unsigned *ret_retry_s)
{
	uint64_t rate = limits->settings.requests_per_minute;
	uint64_t most = rate * REQUEST_COST;
	/* A minute fills it; the cap keeps the product small. */
	uint64_t passed_ms = MIN(now_ms - address->refilled_ms, (uint64_t)REQUEST_COST);

	address->allowance = MIN(address->allowance + passed_ms * rate, most);
	address->refilled_ms = now_ms;
	if (address->allowance < REQUEST_COST) {
		*ret_retry_s = (unsigned)((REQUEST_COST - address->allowance + rate * 1000 - 1) /
					  (rate * 1000));
		return ERR_THROTTLED;
	}
	address->allowance -= REQUEST_COST;
	return OK;
}

enum err limits_question(struct limits_address *address, uint64_t now_ms, unsigned *ret_retry_s)
{
	int64_t wait_ms;
	enum err err = bucket_take(&address->questions, LIMITS_QUESTIONS, now_ms, &wait_ms);

	if (err)
		*ret_retry_s = (unsigned)((wait_ms + 999) / 1000);
	return err;
}

size_t limits_most(const struct limits *limits)
{
	return limits->settings.connections;
}

size_t limits_count(const struct limits *limits)
{
	return limits->count;
}
