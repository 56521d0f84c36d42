/*
 * syslog.h - entries as syslog messages: the header of RFC 5424, the event as its text, framed by
 * its length (RFC 5425 §4.3).
 */
#ifndef SEKISHO_SIEM_SYSLOG_H
#define SEKISHO_SIEM_SYSLOG_H

#include "base/buf.h"
#include "wire/wire.h"

enum { SYSLOG_FRAME_MAX = 8192 };

/* ERR_NOMEM, ERR_TOO_BIG of the buffer, ERR_INVALID: a time that is none. */
nodiscard enum err syslog_add(struct buf *out, const struct msg_siem_entry *entry,
			      const char *gateway);

#endif
