/*
 * landlock.h - the part of a sandbox that the Linux security module Landlock holds (landlock(7)):
 * files, and which TCP ports a process may connect to.
 */
#ifndef SEKISHO_BASE_LANDLOCK_H
#define SEKISHO_BASE_LANDLOCK_H

#include <stdint.h>

#include "base/sandbox.h"

/* The version of the kernel's rules, 0 without Landlock. Errors are logged by all but this. */
long landlock_abi(void);

/* A part of sandbox_enter. ret_abi: what landlock_abi() said. */
nodiscard enum err landlock_enter(const struct sandbox *sandbox, long *ret_abi);

/*
 * From now on TCP goes to this port and to DNS alone. Binds the calling thread and those it starts
 * later. In a sandbox it needs the calls landlock_create_ruleset, landlock_add_rule and
 * landlock_restrict_self. Kernels with an ABI below 4 cannot hold ports: OK and no change.
 */
nodiscard enum err landlock_connect_only(uint16_t port);

#endif
