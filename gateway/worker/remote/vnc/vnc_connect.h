/*
 * vnc_connect.h - the way to a PC that is ready to show its picture: TCP, versions, the security
 * type that policy allows, login. libvncclient does the talking, a watchdog bounds the time it may
 * take.
 */
#ifndef SEKISHO_WORKER_REMOTE_VNC_VNC_CONNECT_H
#define SEKISHO_WORKER_REMOTE_VNC_VNC_CONNECT_H

#include "base/err.h"
#include "wire/enums.h"

struct vnc;

/*
 * On success vnc->client is connected and logged in, its socket non-blocking; si holds size and
 * name.
 *
 * security: none and vnc-password take exactly that type. tls is VeNCrypt X509 with the certificate
 * verified against tls_ca, name included; GnuTLS in libvncclient 0.9.14 cannot verify otherwise, so
 * without tls_ca it is refused. auto is tls when a tls_ca is given; else the best the PC offers of
 * anonymous TLS, VNC password (when a password is given) and, only if it offers neither, nothing. A
 * user's full password (VeNCrypt Plain) is sent to a verified PC only.
 */
nodiscard enum err vnc_connect(struct vnc *vnc, enum end_reason *ret_reason);

#endif
