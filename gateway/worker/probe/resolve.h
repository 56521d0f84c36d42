/*
 * resolve.h - getaddrinfo blocks, so a few threads call it and its answers come back to the loop.
 */
#ifndef SEKISHO_PROBE_RESOLVE_H
#define SEKISHO_PROBE_RESOLVE_H

#include <netdb.h>
#include <stdint.h>

#include "base/loop.h"

struct resolver;

/* In the loop's thread. list: NULL when the name has no address; the callee frees it with
 * freeaddrinfo. */
typedef void resolve_func(void *ctx, struct addrinfo *list);

/* Starts the threads, so after sandbox_enter. */
nodiscard enum err resolver_new(struct loop *loop, struct resolver **ret);
/* Waits for names in work, which may take seconds. Call before loop_free. */
void resolver_free(struct resolver *resolver);

/*
 * socktype as in struct addrinfo. Numeric addresses are answered before the return. func is called
 * exactly once, whenever this is OK. ERR_FULL: too many wait.
 */
nodiscard enum err resolver_ask(struct resolver *resolver, const char *name, uint16_t port,
				int socktype, resolve_func *func, void *ctx);

#endif
