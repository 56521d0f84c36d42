/*
 * vnc_reader.h - reads what the PC sends (RFC 6143 §7.6, 7.7), as far as it has come, without ever
 * blocking.
 */
#ifndef SEKISHO_WORKER_REMOTE_VNC_VNC_READER_H
#define SEKISHO_WORKER_REMOTE_VNC_VNC_READER_H

#include <stdbool.h>

struct vnc;

void vnc_reader_init(struct vnc *vnc);

/* Reads for one turn of the loop. True: there may be more at once. Failures are noted with
 * vnc_fail. */
bool vnc_reader_run(struct vnc *vnc);

#endif
