/*
 * The magic packet, and that it arrives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "worker/probe/wake.h"

static const uint8_t mac[WAKE_MAC] = { 0x00, 0x11, 0x22, 0xaa, 0xbb, 0xff };

static void test_packet(void **state)
{
	uint8_t packet[WAKE_PACKET];

	(void)state;
	assert_int_equal(sizeof(packet), 102);
	wake_packet(mac, packet);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(packet[i], 0xff);
	for (size_t i = 6; i < sizeof(packet); i++)
		assert_int_equal(packet[i], mac[i % 6]);
}

static int receiver(struct sockaddr_in *ret_address)
{
	socklen_t len = sizeof(*ret_address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	*ret_address = (struct sockaddr_in){ .sin_family = AF_INET,
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)ret_address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret_address, &len), 0);
	return fd;
}

static void test_every_address_gets_it(void **state)
{
	uint8_t packet[WAKE_PACKET], got[256];
	struct sockaddr_in addresses[2];
	struct addrinfo list[2] = { 0 };
	int fds[2];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = receiver(&addresses[i]);
		list[i].ai_family = AF_INET;
		list[i].ai_addr = (struct sockaddr *)&addresses[i];
		list[i].ai_addrlen = sizeof(addresses[i]);
	}
	list[0].ai_next = &list[1];
	wake_packet(mac, packet);
	assert_int_equal(wake_send(list, mac), OK);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		struct pollfd poll_fd = { .fd = fds[i], .events = POLLIN };
		assert_int_equal(poll(&poll_fd, 1, 5000), 1);
		assert_int_equal(recv(fds[i], got, sizeof(got), 0), sizeof(packet));
		assert_memory_equal(got, packet, sizeof(packet));
		close(fds[i]);
	}
}

/* Without SO_BROADCAST the kernel answers EACCES; loopback has a broadcast address too. */
static void test_broadcast_is_allowed(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(9),
				       .sin_addr.s_addr = htonl(0x7fffffff) };
	struct addrinfo list = { .ai_family = AF_INET,
				 .ai_addr = (struct sockaddr *)&address,
				 .ai_addrlen = sizeof(address) };

	(void)state;
	assert_int_equal(wake_send(&list, mac), OK);
}

static void test_nowhere(void **state)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
	struct addrinfo wrong = { .ai_family = AF_INET,
				  .ai_addr = (struct sockaddr *)&address,
				  .ai_addrlen = sizeof(address) };

	(void)state;
	assert_int_equal(wake_send(NULL, mac), ERR_IO);
	assert_int_equal(wake_send(&wrong, mac), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packet),
		cmocka_unit_test(test_every_address_gets_it),
		cmocka_unit_test(test_broadcast_is_allowed),
		cmocka_unit_test(test_nowhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
