#include "monitor/refuse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void refuse_v(const char *en, const char *ja, const char *subject, va_list args)
	__attribute__((format(printf, 3, 0)));

static void refuse_v(const char *en, const char *ja, const char *subject, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), subject, args);
	fprintf(stderr, "sekishod: %s: %s%s%s\n", text, en, ja ? " / " : "", ja ? ja : "");
}

void refuse(const char *en, const char *ja, const char *subject, ...)
{
	va_list args;

	va_start(args, subject);
	refuse_v(en, ja, subject, args);
	va_end(args);
}

void refuse_errno(const char *subject, ...)
{
	const char *text = strerror(errno);
	va_list args;

	va_start(args, subject);
	refuse_v(text, NULL, subject, args);
	va_end(args);
}
