#include "siem/syslog.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "siem/ocsf.h"

enum {
	FACILITY_AUDIT = 13, /* log audit, RFC 5424 table 1 */
	FACILITY_FACTOR = 8,
	SEQUENCE_MAX = 2147483647, /* of sequenceId, RFC 5424 §7.3.1; then from 1 again */
	HEADER_MAX = 512,
	HOSTNAME_MAX = 255,
};

/* OCSF's severities, by syslog's. */
static unsigned priority_of(const char *event)
{
	static const unsigned severities[] = { 6, 6, 5, 4, 2 };
	unsigned severity = ocsf_severity(event);

	return FACILITY_AUDIT * FACILITY_FACTOR +
	       (severity < ARRAY_SIZE(severities) ? severities[severity] : 6);
}

/* PRINTUSASCII of at most max characters, "-" for nothing (RFC 5424 §6.2). */
static void printable(const char *text, size_t max, char *ret)
{
	size_t len = 0;

	for (; text[len] && len < max; len++)
		ret[len] = isgraph((unsigned char)text[len]) ? text[len] : '?';
	if (!len)
		ret[len++] = '-';
	ret[len] = '\0';
}

static enum err time_text(uint64_t time_ms, char ret[32])
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm utc;
	char date[24];

	if (!gmtime_r(&seconds, &utc) || !strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc))
		return ERR_INVALID;
	snprintf(ret, 32, "%s.%03uZ", date, (unsigned)(time_ms % 1000));
	return OK;
}

static enum err header(const struct msg_siem_entry *entry, const char *gateway,
		       char ret[HEADER_MAX])
{
	char host[HOSTNAME_MAX + 1], event[OCSF_MESSAGE_ID + 1], when[32];
	enum err err = time_text(entry->time_ms, when);

	printable(gateway, HOSTNAME_MAX, host);
	printable(entry->event, OCSF_MESSAGE_ID, event);
	snprintf(ret, HEADER_MAX, "<%u>1 %s %s sekisho - %s [meta sequenceId=\"%" PRIu64 "\"] ",
		 priority_of(entry->event), when, host, event, (entry->seq - 1) % SEQUENCE_MAX + 1);
	return err;
}

enum err syslog_add(struct buf *out, const struct msg_siem_entry *entry, const char *gateway)
{
	_cleanup_buf_ struct buf frame;
	char head[HEADER_MAX];
	enum err err = header(entry, gateway, head);

	buf_init(&frame, SYSLOG_FRAME_MAX);
	if (!err)
		err = buf_add(&frame, head, strlen(head));
	if (!err)
		err = ocsf_add(&frame, entry, gateway);
	if (!err)
		err = buf_printf(out, "%zu ", frame.len);
	return err ? err : buf_add(out, frame.data, frame.len);
}
