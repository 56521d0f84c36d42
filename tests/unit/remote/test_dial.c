#include "unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/remote/dial.h"

static int listen_on_loopback(uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void test_dial(void **state)
{
	uint16_t port;
	int listener = listen_on_loopback(&port), fd = -1;

	(void)state;
	assert_ok(remote_dial("127.0.0.1", port, 1000, &fd));
	assert_true(fd >= 0);
	close(fd);
	close(listener);
	fd = -1;
	assert_err(remote_dial("127.0.0.1", port, 1000, &fd), ERR_CLOSED);
	assert_int_equal(fd, -1);
}

static void test_not_an_address(void **state)
{
	static const char *const wrong[] = { "",    "/run/socket", "vsock://2", "|id",
					     "a b", "a\nb",        "user@host", "a?b" };
	int fd = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_err(remote_dial(wrong[i], 3389, 1000, &fd), ERR_INVALID);
	assert_err(remote_dial("127.0.0.1", 0, 1000, &fd), ERR_INVALID);
}

static void test_no_time_left(void **state)
{
	uint16_t port;
	int listener = listen_on_loopback(&port), fd = -1;

	(void)state;
	assert_err(remote_dial("127.0.0.1", port, 0, &fd), ERR_TIMEOUT);
	close(listener);
}

static void mark(void *ctx)
{
	atomic_store((atomic_bool *)ctx, true);
}

/* A read that would block for ever ends when the watchdog fires. */
static void test_watchdog_fires(void **state)
{
	struct remote_watchdog dog = { 0 };
	atomic_bool expired = false;
	int pair[2];
	char byte;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_ok(remote_watchdog_start(&dog, 20000, mark, &expired));
	assert_ok(remote_watchdog_guard(&dog, pair[0]));
	assert_int_equal(read(pair[0], &byte, 1), 0);
	assert_true(remote_watchdog_stop(&dog));
	assert_true(atomic_load(&expired));
	assert_int_equal(remote_watchdog_left_us(&dog), 0);
	close(pair[0]);
	close(pair[1]);
}

static void test_watchdog_after_time(void **state)
{
	struct remote_watchdog dog = { 0 };
	atomic_bool expired = false;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_ok(remote_watchdog_start(&dog, 0, mark, &expired));
	while (!atomic_load(&expired))
		usleep(1000);
	assert_err(remote_watchdog_guard(&dog, pair[0]), ERR_TIMEOUT);
	assert_true(remote_watchdog_stop(&dog));
	close(pair[0]);
	close(pair[1]);
}

static void test_watchdog_in_time(void **state)
{
	struct remote_watchdog dog = { 0 };
	atomic_bool expired = false;

	(void)state;
	assert_ok(remote_watchdog_start(&dog, 60000000, mark, &expired));
	assert_true(remote_watchdog_left_us(&dog) > 50000000);
	assert_false(remote_watchdog_stop(&dog));
	assert_false(remote_watchdog_stop(&dog));
	assert_false(atomic_load(&expired));
}

static void test_watchdog_pauses(void **state)
{
	struct remote_watchdog dog = { 0 };
	atomic_bool expired = false;
	uint64_t end = clock_mono_us() + 150000;

	(void)state;
	assert_ok(remote_watchdog_start(&dog, 100000, mark, &expired));
	remote_watchdog_pause(&dog, true);
	while (clock_mono_us() < end)
		usleep(5000);
	assert_false(atomic_load(&expired));
	remote_watchdog_pause(&dog, false);
	assert_true(remote_watchdog_left_us(&dog) > 0);
	assert_false(remote_watchdog_stop(&dog));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dial),
		cmocka_unit_test(test_not_an_address),
		cmocka_unit_test(test_no_time_left),
		cmocka_unit_test(test_watchdog_fires),
		cmocka_unit_test(test_watchdog_after_time),
		cmocka_unit_test(test_watchdog_in_time),
		cmocka_unit_test(test_watchdog_pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
