/*
 * listen.h - opens the sockets that the gateway listens on, before anybody drops anything.
 */
#ifndef SEKISHO_MONITOR_LISTEN_H
#define SEKISHO_MONITOR_LISTEN_H

#include "base/config.h"

/*
 * A listening, non-blocking, close-on-exec TCP socket. [::] takes IPv4 too. setting names it in
 * messages; says on stderr what is wrong and what to do. ERR_EXISTS: the address is in use.
 */
nodiscard enum err listen_tcp(const struct config_listen *address, const char *setting,
			      int *ret_fd);

/*
 * <runtime_dir>/admin.sock, SOCK_SEQPACKET, mode 0600. One left over is replaced: the caller holds
 * the lock of the directory, so nobody serves it.
 */
nodiscard enum err listen_admin(const char *runtime_dir, int *ret_fd);
void listen_admin_remove(const char *runtime_dir);

#endif
