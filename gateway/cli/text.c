#include "cli/text.h"

#include <stdbool.h>
#include <string.h>
#include <wchar.h>

/* They take no column, but turn the text around them or hide in it (Unicode UTR 36 §2.6). */
static bool is_invisible(wchar_t wide)
{
	return (wide >= 0x200b && wide <= 0x200f) || (wide >= 0x202a && wide <= 0x202e) ||
	       (wide >= 0x2060 && wide <= 0x206f) || wide == 0xfeff;
}

/* One character: how many bytes, and how many columns; -1 when it must not reach a terminal. */
static size_t next(const char *text, int *ret_columns)
{
	mbstate_t state = { 0 };
	wchar_t wide;
	size_t len = mbrtowc(&wide, text, strlen(text), &state);

	if (len == (size_t)-1 || len == (size_t)-2 || len == 0) {
		*ret_columns = -1;
		return 1;
	}
	*ret_columns = is_invisible(wide) ? -1 : wcwidth(wide);
	return len;
}

size_t text_width(const char *text)
{
	size_t width = 0;
	int columns;

	while (*text) {
		text += next(text, &columns);
		width += columns < 0 ? 1 : (size_t)columns;
	}
	return width;
}

static void put(FILE *out, const char *text, const char *kept)
{
	while (*text) {
		int columns;
		size_t len = next(text, &columns);
		if (columns >= 0 || strchr(kept, *text))
			fwrite(text, 1, len, out);
		else
			fputc('?', out);
		text += len;
	}
}

void text_put(FILE *out, const char *text, size_t width)
{
	size_t used = text_width(text);

	put(out, text, "");
	for (; used < width; used++)
		fputc(' ', out);
}

void text_put_lines(FILE *out, const char *text)
{
	put(out, text, "\n");
}
