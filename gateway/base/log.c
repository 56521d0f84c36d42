#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

enum { LOG_LINE_MAX = 2048, LOG_RELAY_MAX = 6144, LOG_PREFIX_MAX = 128 };

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

	for (const unsigned char *c = (const unsigned char *)text; *c && len + 5 < room; c++) {
		bool c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f;

		if (*c < 0x20 || *c == 0x7f || c1)
			len += (size_t)snprintf(ret + len, room - len, "\\x%02x", c1 ? *++c : *c);
		else
			ret[len++] = (char)*c;
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

/*
 * Ends a line that was cut. A log that cannot be written must not stop the gateway: nothing is done
 * about a failure.
 */
static void write_line(char *line, size_t len)
{
	line[len - 1] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		errno = 0;
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	char raw[LOG_LINE_MAX], safe[LOG_LINE_MAX], line[LOG_LINE_MAX + 512];
	char who[LOG_PREFIX_MAX] = "";
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
	if (log_role)
		snprintf(who, sizeof(who), "role=%s pid=%d ", log_role, (int)getpid());
	len = snprintf(line, sizeof(line), "<%d>%sevent=%s%s%s%s\n", (int)level, who, event,
		       log_extra, safe[0] ? " " : "", safe);
	write_line(line, MIN((size_t)len, sizeof(line) - 1));
	pthread_mutex_unlock(&log_mutex);
	errno = saved_errno;
}

/* The priority that the text begins with, which is skipped then, or 0. */
static int take_priority(const char **text)
{
	const char *at = *text;
	int level = at[0] == '<' && at[1] && at[2] == '>' ? at[1] - '0' : 0;

	if (level != LOG_LEVEL_ERROR && level != LOG_LEVEL_WARNING && level != LOG_LEVEL_INFO &&
	    level != LOG_LEVEL_DEBUG)
		return 0;
	*text += strlen("<0>");
	return level;
}

void log_relay(const char *role, int pid, const char *text)
{
	char safe[LOG_RELAY_MAX], line[LOG_RELAY_MAX + LOG_PREFIX_MAX];
	int saved_errno = errno, len;
	int level = take_priority(&text);

	escape(text, safe, sizeof(safe));
	if (level)
		len = snprintf(line, sizeof(line), "<%d>role=%s pid=%d %s\n", level, role, pid,
			       safe);
	else
		len = snprintf(line, sizeof(line), "<%d>role=%s pid=%d event=output text=\"%s\"\n",
			       LOG_LEVEL_WARNING, role, pid, safe);
	pthread_mutex_lock(&log_mutex);
	write_line(line, MIN((size_t)len, sizeof(line) - 1));
	pthread_mutex_unlock(&log_mutex);
	errno = saved_errno;
}
