#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

enum { LOG_LINE_MAX = 2048 };

static const char *log_role = "sekisho";
static enum log_level log_most = LOG_LEVEL_INFO;
static char log_extra[256];
static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;

void log_init(const char *role, enum log_level most)
{
	log_role = role;
	log_most = most;
}

void log_context(const char *context)
{
	pthread_mutex_lock(&log_mutex);
	snprintf(log_extra, sizeof(log_extra), "%s%s", context ? " " : "", context ? context : "");
	pthread_mutex_unlock(&log_mutex);
}

/* Control bytes could forge lines or drive a terminal; everything else, UTF-8 included, stays. */
static size_t escape(const char *text, char *ret, size_t room)
{
	size_t len = 0;

	for (; *text && len + 5 < room; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			len += (size_t)snprintf(ret + len, room - len, "\\x%02x", c);
		else
			ret[len++] = (char)c;
	}
	ret[len] = 0;
	return len;
}

const char *log_quote(const char *text)
{
	enum { SLOTS = 4, ROOM = 416 };
	static _Thread_local char slots[SLOTS][ROOM];
	static _Thread_local unsigned next;
	char *slot = slots[next++ % SLOTS];
	size_t len = 0;

	slot[len++] = '"';
	for (const unsigned char *c = (const unsigned char *)text; *c && len < ROOM - 8; c++) {
		bool c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f;

		if (*c < 0x20 || *c == 0x7f || c1)
			len += (size_t)snprintf(slot + len, ROOM - len, "\\x%02x", c1 ? *++c : *c);
		else if (*c == '"' || *c == '\\')
			len += (size_t)snprintf(slot + len, ROOM - len, "\\%c", *c);
		else
			slot[len++] = (char)*c;
	}
	slot[len++] = '"';
	slot[len] = 0;
	return slot;
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	char raw[LOG_LINE_MAX], safe[LOG_LINE_MAX], line[LOG_LINE_MAX + 512];
	int saved_errno = errno;
	va_list args;
	int len;

	if (level > log_most)
		return;
	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	escape(raw, safe, sizeof(safe));

	pthread_mutex_lock(&log_mutex);
	len = snprintf(line, sizeof(line), "<%d>role=%s pid=%d event=%s%s%s%s\n", (int)level,
		       log_role, (int)getpid(), event, log_extra, safe[0] ? " " : "", safe);
	if (len >= (int)sizeof(line)) {
		len = (int)sizeof(line) - 1;
		line[len - 1] = '\n';
	}
	/* A log that cannot be written must not stop the gateway: nothing is done about a failure.
	 */
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		errno = 0;
	pthread_mutex_unlock(&log_mutex);
	errno = saved_errno;
}
