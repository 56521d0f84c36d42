/*
 * rdp_library.h - what is set up once in the process: FreeRDP's log and OpenSSL's old algorithms.
 */
#ifndef SEKISHO_WORKER_REMOTE_RDP_RDP_LIBRARY_H
#define SEKISHO_WORKER_REMOTE_RDP_RDP_LIBRARY_H

#include "base/err.h"

/*
 * Harmless when repeated. Opens OpenSSL's legacy provider, so the worker calls it before its
 * sandbox. ERR_CRYPTO: MD4 and RC4, which NTLM needs, are not there.
 */
nodiscard enum err rdp_library_init(void);

#endif
