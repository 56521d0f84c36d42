/*
 * Names and a name server that never answers. Both need /etc and the loopback address for
 * themselves, so the program goes into namespaces of its own first and is skipped where it may not.
 */
#include "unit/unit.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/remote/dial.h"

enum { DNS_PORT = 53, TIMEOUT_MS = 300, LATE_MS = 3000 /* getaddrinfo alone takes ten seconds */ };

static bool write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	return file && fputs(text, file) >= 0 && fclose(file) == 0;
}

static bool loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;

	close(fd);
	return up;
}

static bool enter_namespaces(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0)
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("etc", "/etc", "tmpfs", 0, NULL) == 0 &&
	       write_file("/etc/resolv.conf", "nameserver 127.0.0.1\n") &&
	       write_file("/etc/nsswitch.conf", "hosts: files dns\n") &&
	       write_file("/etc/hosts", "127.0.0.1 pc.office.test\n") && loopback_up();
}

static int listening(int type, uint16_t port, uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void test_name(void **state)
{
	uint16_t port;
	int listener = listening(SOCK_STREAM, 0, &port), fd = -1;

	(void)state;
	assert_ok(remote_dial("pc.office.test", port, 10000, &fd));
	close(fd);
	close(listener);
}

/* Nothing listens on port 53: the refusal comes at once. */
static void test_unknown_name(void **state)
{
	int fd = -1;

	(void)state;
	assert_err(remote_dial("nowhere.office.test", 3389, 10000, &fd), ERR_NOT_FOUND);
	assert_int_equal(fd, -1);
}

static void test_silent_name_server(void **state)
{
	uint16_t port;
	int server = listening(SOCK_DGRAM, DNS_PORT, &port), fd = -1;
	uint64_t begin = clock_mono_us();
	char question[512];

	(void)state;
	assert_err(remote_dial("far.office.test", 3389, TIMEOUT_MS, &fd), ERR_TIMEOUT);
	assert_true(clock_mono_us() - begin < LATE_MS * 1000u);
	assert_int_equal(fd, -1);
	/* It was asked. */
	assert_true(recv(server, question, sizeof(question), MSG_DONTWAIT) > 0);
	close(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_unknown_name),
		cmocka_unit_test(test_silent_name_server),
	};

	if (!enter_namespaces()) {
		puts("skipped: namespaces are not allowed here");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
