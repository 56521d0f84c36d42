#include "worker/probe/wake.h"

#include <string.h>
#include <sys/socket.h>

#include "base/util.h"

void wake_packet(const uint8_t mac[WAKE_MAC], uint8_t packet[WAKE_PACKET])
{
	memset(packet, 0xff, WAKE_MAC);
	for (int i = 1; i <= 16; i++)
		memcpy(packet + i * WAKE_MAC, mac, WAKE_MAC);
}

static bool send_one(const struct addrinfo *info, const uint8_t packet[WAKE_PACKET])
{
	const int on = 1;
	_cleanup_close_ int fd =
		socket(info->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0)
		return false;
	return sendto(fd, packet, WAKE_PACKET, MSG_NOSIGNAL, info->ai_addr, info->ai_addrlen) ==
	       WAKE_PACKET;
}

enum err wake_send(const struct addrinfo *list, const uint8_t mac[WAKE_MAC])
{
	uint8_t packet[WAKE_PACKET];
	bool sent = false;

	wake_packet(mac, packet);
	for (; list; list = list->ai_next)
		sent |= send_one(list, packet);
	return sent ? OK : ERR_IO;
}
