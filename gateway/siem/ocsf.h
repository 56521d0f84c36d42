/*
 * ocsf.h - an entry of the audit log as an event of the Open Cybersecurity Schema Framework,
 * version 1.3.0 (schema.ocsf.io). What the entry says is whole in "unmapped"; the rest is the same,
 * put where an analyst's rules look for it.
 */
#ifndef SEKISHO_SIEM_OCSF_H
#define SEKISHO_SIEM_OCSF_H

#include "base/buf.h"
#include "wire/wire.h"

#define OCSF_VERSION "1.3.0"

enum {
	OCSF_EVENT_MAX =
		6144, /* bytes; with the line of syslog below the 8192 of RFC 5425 §4.3.1 */
	OCSF_MESSAGE_ID = 32, /* of RFC 5424 §6.2.7 */
};

/* severity_id of the event's row: 1 informational to 4 high. */
unsigned ocsf_severity(const char *event);

/* Whether the event has a row of its own in events.def. */
bool ocsf_knows(const char *event);

/*
 * Adds one line of ASCII, a JSON object without a line feed. gateway: its name, for what identifies
 * the entry, metadata.uid = "<gateway>/<number>": by this a collector knows what it got twice. A
 * detail that does not fit, or is no JSON object, is replaced by {"cut":true}. ERR_NOMEM.
 */
nodiscard enum err ocsf_add(struct buf *out, const struct msg_siem_entry *entry,
			    const char *gateway);

#endif
