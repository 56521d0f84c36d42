/*
 * log.h - logfmt lines on stderr with journald priorities. Never pass a secret. Control bytes in
 * the formatted text are escaped, so that a peer's string cannot forge a line.
 */
#ifndef SEKISHO_BASE_LOG_H
#define SEKISHO_BASE_LOG_H

#include "base/err.h"

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

/*
 * The process's name in each line; the string must live as long as the process. NULL for what the
 * monitor runs: it puts role and process before the lines itself, so that nobody can forge them.
 */
void log_init(const char *role, enum log_level most);

/* A context such as "session=ab12 user=sato" put into every later line of this process; NULL
 * clears. */
void log_context(const char *context);

/* event: a constant in kebab-case; fmt: "key=value key=\"%s\"" or "" . Any thread. */
void log_line(enum log_level level, const char *event, const char *fmt, ...) printf_like(3, 4);

/*
 * A value that somebody else chose, in quotes, with quotes, backslashes and control characters (C1
 * too) escaped, so that it cannot add a field: log_info("x", "name=%s", log_quote(name)). At most 4
 * of them in one line; the result lives until the fifth call in this thread. Cut after 400 bytes.
 */
const char *log_quote(const char *text);

/*
 * What another process wrote on its stderr, as one line under its role and pid: "<priority>" at the
 * start counts if it is one of log_level, and a line without one is a warning of the event
 * "output".
 */
void log_relay(const char *role, int pid, const char *text);

#define log_error(event, ...) log_line(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)  log_line(LOG_LEVEL_WARNING, event, __VA_ARGS__)
#define log_info(event, ...)  log_line(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_line(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

#endif
