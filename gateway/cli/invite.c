#include "cli/invite.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "cli/lang.h"
#include "cli/qr.h"
#include "cli/template.h"
#include "cli/text.h"

enum { TIME_ROOM = 64, QUIET = 4 /* modules around a QR code, ISO/IEC 18004 */ };

/* The sheet lies in the program itself. The path is relative to the directory that CMakeLists.txt
 * gives the assembler for this file. */
extern const char invite_template[];
__asm__(".pushsection .rodata\ninvite_template:\n.incbin \"invite.html\"\n.byte 0\n.popsection\n");

static const char *text_of(const json_t *body, const char *name)
{
	return json_string_value(json_object_get(body, name));
}

bool invite_is(const json_t *body)
{
	return text_of(body, "code") && text_of(body, "url");
}

/* Local time, with the zone's name: whoever reads it may be elsewhere. */
static const char *time_text(const json_t *body, bool ja, char room[TIME_ROOM])
{
	time_t when = (time_t)json_integer_value(json_object_get(body, "expires"));
	struct tm local;
	size_t len = 0;

	if (localtime_r(&when, &local))
		len = ja ? strftime(room, TIME_ROOM, "%Y年%-m月%-d日 %H:%M", &local)
			 : strftime(room, TIME_ROOM, "%Y-%m-%d %H:%M %Z", &local);
	return len ? room : "-";
}

/* Pairs of hexadecimal digits, so that people can compare them. */
static enum err put_fingerprint(struct buf *buf, const char *digits)
{
	enum err err = OK;

	for (size_t i = 0; !err && digits[i] && digits[i + 1]; i += 2) {
		const char pair[] = { digits[i], digits[i + 1] };

		if (i)
			err = buf_add(buf, i % 16 ? " " : "\n", 1);
		for (size_t k = 0; !err && k < sizeof(pair); k++) {
			char upper = pair[k] >= 'a' ? (char)(pair[k] - 'a' + 'A') : pair[k];

			err = buf_add(buf, &upper, 1);
		}
	}
	return err;
}

/* ---- terminal -------------------------------------------------------------------------------- */

static void put_line(FILE *out, const char *name, const char *value)
{
	fputs("  ", out);
	text_put(out, name, 16);
	text_put(out, value ? value : "-", 0);
	fputc('\n', out);
}

static void put_fingerprint_lines(FILE *out, const char *digits)
{
	_cleanup_buf_ struct buf buf;
	char *rest, *line;
	bool first = true;

	buf_init(&buf, 256);
	if (put_fingerprint(&buf, digits) || buf_add(&buf, "", 1))
		return;
	rest = (char *)buf.data;
	while ((line = strsep(&rest, "\n"))) {
		put_line(out, first ? lang("CA (SHA-256)", "CA の指紋") : "", line);
		first = false;
	}
}

void invite_print(FILE *out, const json_t *body)
{
	const char *url = text_of(body, "url"), *fingerprint = text_of(body, "fingerprint");
	char until[TIME_ROOM];

	fprintf(out, "%s %lld\n", lang("Invitation", "招待"),
		(long long)json_integer_value(json_object_get(body, "id")));
	put_line(out, lang("Person", "利用者"), text_of(body, "person"));
	put_line(out, lang("Device", "端末"), text_of(body, "device"));
	put_line(out, lang("Good until", "有効期限"), time_text(body, false, until));
	put_line(out, lang("Address", "アドレス"), text_of(body, "enrol"));
	put_line(out, lang("Code", "コード"), text_of(body, "code"));
	put_fingerprint_lines(out, fingerprint ? fingerprint : "");
	if (text_of(body, "file"))
		put_line(out, lang("Sheet to print", "印刷用の紙面"), text_of(body, "file"));
	fprintf(out, "\n%s\n",
		lang("The code is shown this once and is good for one device. Hand it over in "
		     "person:",
		     "コードは今だけ表示され、1 "
		     "台の端末にだけ使えます。本人に直接渡してください:"));
	if (!qr_print(out, url))
		put_line(out, "", url);
}

/* ---- sheet ----------------------------------------------------------------------------------- */

/* One path of horizontal runs; light modules are the paper. */
static enum err put_qr(struct buf *buf, const json_t *rows)
{
	size_t size = json_array_size(rows) + 2 * QUIET, y;
	const json_t *row;
	enum err err = buf_printf(buf,
				  "<svg class=\"qr\" viewBox=\"0 0 %zu %zu\" role=\"img\" "
				  "aria-label=\"QR\"><path d=\"",
				  size, size);

	json_array_foreach(rows, y, row)
	{
		const char *modules = json_string_value(row);

		for (size_t x = 0, run; !err && modules && modules[x]; x += run) {
			run = strspn(modules + x, "1");
			if (run)
				err = buf_printf(buf, "M%zu %zuh%zuv1h-%zuz", x + QUIET, y + QUIET,
						 run, run);
			else
				run = MAX(strcspn(modules + x, "1"), (size_t)1);
		}
	}
	return err ? err : buf_printf(buf, "\"/></svg>");
}

static enum err put_value(void *ctx, const char *name, struct buf *buf)
{
	const json_t *body = ctx;
	const char *text = text_of(body, name);
	char room[TIME_ROOM];

	if (util_streq(name, "qr"))
		return put_qr(buf, json_object_get(body, name));
	if (util_streq(name, "expires_ja"))
		return template_escape(buf, time_text(body, true, room));
	if (util_streq(name, "expires_en"))
		return template_escape(buf, time_text(body, false, room));
	if (!text)
		return ERR_PROTOCOL;
	if (util_streq(name, "fingerprint"))
		return put_fingerprint(buf, text);
	return template_escape(buf, text);
}

enum err invite_sheet(const json_t *body, struct buf *buf)
{
	if (!json_array_size(json_object_get(body, "qr")))
		return ERR_PROTOCOL;
	return template_fill(invite_template, put_value, (void *)(uintptr_t)body, buf);
}
