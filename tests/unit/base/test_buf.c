#include "unit/unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/util.h"

static void ceiling(void **state)
{
	_cleanup_buf_ struct buf buf;
	uint8_t *end;

	(void)state;
	buf_init(&buf, 10);
	assert_ok(buf_add(&buf, "12345", 5));
	assert_ok(buf_add(&buf, "67890", 5));
	assert_err(buf_add(&buf, "x", 1), ERR_TOO_BIG);
	assert_err(buf_reserve(&buf, SIZE_MAX, &end), ERR_TOO_BIG);
	assert_int_equal(buf.len, 10);
	assert_memory_equal(buf.data, "1234567890", 10);
	buf_clear(&buf);
	assert_err(buf_printf(&buf, "%d bytes and more", 10), ERR_TOO_BIG);
	assert_ok(buf_printf(&buf, "%d%s", 42, "x"));
	assert_int_equal(buf.len, 3);
	assert_string_equal((char *)buf.data, "42x");
}

static void wipe(void **state)
{
	_cleanup_buf_ struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	assert_ok(buf_add(&buf, "password", 8));
	buf_wipe(&buf);
	assert_int_equal(buf.len, 0);
	for (size_t i = 0; i < buf.room; i++)
		assert_int_equal(buf.data[i], 0);
}

static void secrets(void **state)
{
	_cleanup_secret_ struct secret *secret = NULL, *empty = NULL, *a = NULL, *b = NULL;

	(void)state;
	assert_ok(secret_new("hunter2", 7, &secret));
	assert_string_equal(secret_text(secret), "hunter2");
	assert_int_equal(secret_len(secret), 7);
	assert_ok(secret_new(NULL, 0, &empty));
	assert_string_equal(secret_text(empty), "");
	assert_ok(secret_random(32, &a));
	assert_ok(secret_random(32, &b));
	assert_false(secret_equal(secret_data(a), secret_data(b), 32));
	assert_true(secret_equal(secret_data(a), secret_data(a), 32));
	assert_true(secret_equal("", "", 0));
	assert_err(secret_new("x", SIZE_MAX - 8, &b), ERR_TOO_BIG);
}

/* Locked and left out of core dumps: VmFlags of the mapping say "lo" and "dd" (proc(5)). */
static void secret_memory_flags(void **state)
{
	_cleanup_secret_ struct secret *secret = NULL;
	_cleanup_fclose_ FILE *smaps = fopen("/proc/self/smaps", "re");
	unsigned long from, to, at;
	char line[512];
	bool inside = false, checked = false;

	(void)state;
	assert_non_null(smaps);
	assert_ok(secret_random(32, &secret));
	at = (unsigned long)(uintptr_t)secret_data(secret);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from <= at && at < to;
		if (inside && strncmp(line, "VmFlags:", 8) == 0) {
			assert_non_null(strstr(line, " dd"));
#ifndef __SANITIZE_ADDRESS__ /* ASan makes mlock do nothing */
			assert_non_null(strstr(line, " lo"));
#endif
			checked = true;
		}
	}
	assert_true(checked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ceiling),
		cmocka_unit_test(wipe),
		cmocka_unit_test(secrets),
		cmocka_unit_test(secret_memory_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
