#include "cli/qr.h"

#include <qrencode.h>

enum {
	QUIET = 2 /* ISO/IEC 18004 wants 4 modules, phones are content with 2, and terminals are
		     small */
};

static bool is_dark(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return false;
	return code->data[y * code->width + x] & 1;
}

/* Light modules are drawn, so that the code is right on a dark terminal; most readers take both. */
static const char *half_block(bool upper_dark, bool lower_dark)
{
	if (upper_dark)
		return lower_dark ? " " : "▄";
	return lower_dark ? "▀" : "█";
}

bool qr_print(FILE *out, const char *text)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);

	if (!code)
		return false;
	for (int y = -QUIET; y < code->width + QUIET; y += 2) {
		/* Colours set as well: a terminal with a light background would turn the code
		 * inside out. */
		fputs("\033[97;40m", out);
		for (int x = -QUIET; x < code->width + QUIET; x++)
			fputs(half_block(is_dark(code, x, y), is_dark(code, x, y + 1)), out);
		fputs("\033[0m\n", out);
	}
	QRcode_free(code);
	return true;
}
