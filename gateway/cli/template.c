#include "cli/template.h"

#include <stdio.h>
#include <string.h>

enum err template_escape(struct buf *buf, const char *text)
{
	enum err err = OK;

	for (; *text && !err; text++) {
		switch (*text) {
		case '&':
			err = buf_printf(buf, "&amp;");
			break;
		case '<':
			err = buf_printf(buf, "&lt;");
			break;
		case '>':
			err = buf_printf(buf, "&gt;");
			break;
		case '"':
			err = buf_printf(buf, "&quot;");
			break;
		case '\'':
			err = buf_printf(buf, "&#39;");
			break;
		default:
			err = buf_add(buf, text, 1);
		}
	}
	return err;
}

enum err template_fill(const char *text, template_value *value, void *ctx, struct buf *buf)
{
	const char *open, *close;
	enum err err = OK;

	while (!err && (open = strstr(text, "{{")) && (close = strstr(open, "}}"))) {
		char name[32];

		snprintf(name, sizeof(name), "%.*s", (int)(close - open - 2), open + 2);
		err = buf_add(buf, text, (size_t)(open - text));
		if (!err)
			err = value(ctx, name, buf);
		text = close + 2;
	}
	return err ? err : buf_add(buf, text, strlen(text));
}
