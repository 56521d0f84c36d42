/*
 * rdp_orders.h - what a PC draws outside of the graphics channel: bitmap updates, drawing orders
 * and surface commands ([MS-RDPBCGR] 2.2.9.1, [MS-RDPEGDI]).
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_ORDERS_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_ORDERS_H

#include <freerdp/freerdp.h>

struct rdp_remote;

/* Puts ours before the callbacks of FreeRDP's GDI, which was just made. */
void rdp_orders_register(struct rdp_remote *rdp);

#endif
