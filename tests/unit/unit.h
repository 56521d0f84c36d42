/*
 * unit.h - what every cmocka test includes, in the order cmocka needs.
 */
#ifndef SEKISHO_TESTS_UNIT_H
#define SEKISHO_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

/* Compares error codes by name, so that a failure reads well. */
#define assert_err(got, wanted) assert_string_equal(err_code(got), err_code(wanted))
#define assert_ok(got)          assert_err(got, OK)

#endif
