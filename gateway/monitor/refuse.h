/*
 * refuse.h - why the gateway does not start, for the person who started it: one line in English and
 * Japanese on stderr, before there is anything to log about.
 */
#ifndef SEKISHO_MONITOR_REFUSE_H
#define SEKISHO_MONITOR_REFUSE_H

#include "base/err.h"

/* subject: what it is about, such as a setting and its value; en and ja: what is wrong and what to
 * do. */
void refuse(const char *en, const char *ja, const char *subject, ...) printf_like(3, 4);

/* The same with the text of errno. */
void refuse_errno(const char *subject, ...) printf_like(1, 2);

#endif
