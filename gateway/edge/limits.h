/*
 * limits.h - how many connections may be open, in all and from one address, and how many requests
 * an address may make in a minute. An IPv6 network of 64 bits or fewer counts as one address (RFC
 * 6177: a site has at least that many), an IPv4-mapped address as the IPv4 one. One thread.
 */
#ifndef SEKISHO_EDGE_LIMITS_H
#define SEKISHO_EDGE_LIMITS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

/*
 * A try at a code, a certificate request, an OCSP question. A page that waits for an administrator
 * asks every five seconds, so ten of an office behind one address may wait at once. A code has 140
 * bits: a machine that guesses is no nearer to one with 120 tries than with 1,200, but with these
 * it could keep busy the one broker that everybody's work needs. Apart from the other requests, so
 * that the page still comes to those who share its address.
 */
enum { LIMITS_QUESTIONS = 120 };

struct limits;
struct limits_address; /* what is known about one address; owned by limits */

struct limits_settings {
	size_t connections;
	size_t connections_per_address;
	uint32_t requests_per_minute;
	size_t addresses;  /* most that are remembered; at least connections */
	size_t ipv6_bytes; /* of an IPv6 address that tell one from another, 1 to 8 */
};

nodiscard enum err limits_new(const struct limits_settings *settings, struct limits **ret);
void limits_free(struct limits *limits);

/*
 * A connection was accepted. Refuse it with ERR_THROTTLED, when its address has its share already,
 * and with ERR_FULL, when all together do. Otherwise *ret_address stays valid until
 * limits_disconnect. now_ms: any clock that never steps.
 */
nodiscard enum err limits_connect(struct limits *limits, const struct sockaddr *peer,
				  uint64_t now_ms, struct limits_address **ret_address);
void limits_disconnect(struct limits *limits, struct limits_address *address);

/* A request came. ERR_THROTTLED: answer 429, with *ret_retry_s seconds (at least 1) to wait. */
nodiscard enum err limits_request(struct limits *limits, struct limits_address *address,
				  uint64_t now_ms, unsigned *ret_retry_s);

/*
 * A request that was counted is a question of somebody whom nobody knows yet: LIMITS_QUESTIONS of
 * them in a minute. Errors as above.
 */
nodiscard enum err limits_question(struct limits_address *address, uint64_t now_ms,
				   unsigned *ret_retry_s);

/* The settings' connections. */
size_t limits_most(const struct limits *limits);

/* Remembered addresses, for the tests. */
size_t limits_count(const struct limits *limits);

#endif
