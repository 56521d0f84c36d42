/*
 * wake.h - Wake-on-LAN: the "magic packet" of AMD's white paper 20213, six 0xff and the card's
 * address sixteen times, in a UDP datagram.
 */
#ifndef SEKISHO_PROBE_WAKE_H
#define SEKISHO_PROBE_WAKE_H

#include <netdb.h>
#include <stdint.h>

#include "base/err.h"

enum { WAKE_MAC = 6, WAKE_PACKET = WAKE_MAC + 16 * WAKE_MAC };

void wake_packet(const uint8_t mac[WAKE_MAC], uint8_t packet[WAKE_PACKET]);

/* Sends to every address of the list at the port in it, broadcast addresses too. ERR_IO: to none.
 */
nodiscard enum err wake_send(const struct addrinfo *list, const uint8_t mac[WAKE_MAC]);

#endif
