/* refuse.h - a process that gets no namespaces, as in most containers. */
#ifndef SEKISHO_TESTS_PREVIEW_REFUSE_H
#define SEKISHO_TESTS_PREVIEW_REFUSE_H

#include <errno.h>
#include <seccomp.h>

/* For this process and what it starts. */
static inline void refuse_namespaces(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	assert_non_null(filter);
	assert_int_equal(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 0), 0);
	assert_int_equal(seccomp_load(filter), 0);
	seccomp_release(filter);
}

#endif
