#include "vault/csv_rows.h"

#include <csv.h>
#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/util.h"

enum {
	DECODED = 16384, /* bytes of UTF-8 at a time */
	REST_MAX = 4,    /* bytes of a character that is not complete */
};

struct csv_rows {
	csv_rows_take *take;
	void *ctx;
	iconv_t charset;
	struct csv_parser parser;
	enum err err; /* the first of take and of the row's limits */
	size_t row;
	bool begun, after_cr; /* something was decoded; the last row ended with CR */
	char rest[REST_MAX];
	size_t rest_len;
	char decoded[DECODED];
	char text[CSV_ROW_MAX]; /* the row's cells, each with a NUL */
	size_t text_len;
	char *cells[CSV_COLUMNS_MAX];
	size_t count;
	bool filled; /* a cell is not empty */
};

static const char *const names[CSV_CHARSETS] = { "UTF-8", "CP932" };

/* For good: the modules stay loaded, and a descriptor is all the state that a conversion has. */
static struct {
	bool open;
	iconv_t charset;
} charsets[CSV_CHARSETS];

void csv_rows_prepare(void)
{
	for (size_t i = 0; i < CSV_CHARSETS; i++) {
		if (charsets[i].open)
			continue;
		charsets[i].charset = iconv_open("UTF-8", names[i]);
		charsets[i].open = charsets[i].charset != (iconv_t)-1;
		if (!charsets[i].open)
			log_warn("charset-missing",
				 "name=%s hint=\"install the C library's gconv modules\"",
				 names[i]);
	}
}

/* libcsv asks once, for the largest cell that there may be; a cell beyond is refused. */
static void *cell_memory(void *old, size_t size)
{
	return old ? NULL : secret_malloc(size);
}

enum err csv_rows_new(enum csv_charset charset, csv_rows_take *take, void *ctx,
		      struct csv_rows **ret)
{
	struct csv_rows *rows;

	csv_rows_prepare();
	if (!charsets[charset].open)
		return ERR_UNAVAILABLE;
	rows = secret_malloc(sizeof(*rows));
	if (!rows)
		return ERR_NOMEM;
	memset(rows, 0, sizeof(*rows));
	if (csv_init(&rows->parser,
		     CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL | CSV_REPALL_NL)) {
		secret_malloc_free(rows);
		return ERR_NOMEM;
	}
	csv_set_realloc_func(&rows->parser, cell_memory);
	csv_set_free_func(&rows->parser, secret_malloc_free);
	csv_set_blk_size(&rows->parser, CSV_ROW_MAX + 8); /* its own NUL, and more */
	rows->take = take;
	rows->ctx = ctx;
	rows->row = 1;
	rows->charset = charsets[charset].charset;
	iconv(rows->charset, NULL, NULL, NULL, NULL);
	*ret = rows;
	return OK;
}

void csv_rows_free(struct csv_rows *rows)
{
	if (!rows)
		return;
	csv_free(&rows->parser);
	secret_malloc_free(rows);
}

size_t csv_rows_row(const struct csv_rows *rows)
{
	return rows->row;
}

/* ---- rows ------------------------------------------------------------------------------- */

/* Line feeds stand in cells of several lines; anything else below a space, and DEL, does not. */
static bool is_text(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)data[i];
		if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static enum err add_cell(struct csv_rows *rows, const char *data, size_t len)
{
	if (!is_text(data, len))
		return ERR_INVALID;
	if (rows->count == CSV_COLUMNS_MAX || len >= sizeof(rows->text) - rows->text_len)
		return ERR_TOO_BIG;
	rows->cells[rows->count++] = rows->text + rows->text_len;
	memcpy(rows->text + rows->text_len, data, len);
	rows->text[rows->text_len + len] = 0;
	rows->text_len += len + 1;
	rows->filled = rows->filled || len;
	return OK;
}

static void on_cell(void *data, size_t len, void *ctx)
{
	struct csv_rows *rows = ctx;

	rows->after_cr = false;
	if (!rows->err)
		rows->err = add_cell(rows, data, len);
}

/* end: the character that ended it, -1 at the end of the file. CR LF comes as two ends. */
static void on_row(int end, void *ctx)
{
	struct csv_rows *rows = ctx;
	const bool second = end == '\n' && rows->after_cr && !rows->count;

	rows->after_cr = end == '\r';
	if (rows->err || second)
		return;
	if (rows->filled)
		rows->err = rows->take(rows->ctx, rows->row, rows->cells, rows->count);
	if (rows->err)
		return;
	rows->row++;
	secret_wipe(rows->text, rows->text_len);
	rows->text_len = 0;
	rows->count = 0;
	rows->filled = false;
}

static enum err parser_error(struct csv_rows *rows)
{
	if (rows->err)
		return rows->err;
	return csv_error(&rows->parser) == CSV_EPARSE ? ERR_INVALID : ERR_TOO_BIG;
}

static enum err parse(struct csv_rows *rows, const char *text, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf";

	/* iconv gives whole characters, so a mark is never in two parts. */
	if (!rows->begun && len >= strlen(mark) && !memcmp(text, mark, strlen(mark))) {
		text += strlen(mark);
		len -= strlen(mark);
		rows->begun = true;
	}
	rows->begun = rows->begun || len;
	return csv_parse(&rows->parser, text, len, on_cell, on_row, rows) != len || rows->err
		       ? parser_error(rows)
		       : OK;
}

/* ---- characters ------------------------------------------------------------------------- */

/* Decodes what it can of in; what is left of it is the beginning of a character. */
static enum err decode(struct csv_rows *rows, char **in, size_t *in_len)
{
	while (*in_len) {
		char *out = rows->decoded;
		size_t room = sizeof(rows->decoded);
		const size_t done = iconv(rows->charset, in, in_len, &out, &room);
		const int why = done == (size_t)-1 ? errno : 0;
		const enum err err = parse(rows, rows->decoded, sizeof(rows->decoded) - room);

		if (err)
			return err;
		if (why == EINVAL)
			return OK;
		if (why && why != E2BIG)
			return ERR_PROTOCOL;
	}
	return OK;
}

/* A character that two pieces share, byte by byte until it is one. */
static enum err decode_rest(struct csv_rows *rows, const uint8_t **data, size_t *len)
{
	enum err err = OK;

	while (!err && rows->rest_len && *len) {
		char *in = rows->rest;
		size_t in_len;

		if (rows->rest_len == REST_MAX)
			return ERR_PROTOCOL;
		rows->rest[rows->rest_len++] = (char)*(*data)++;
		--*len;
		in_len = rows->rest_len;
		err = decode(rows, &in, &in_len);
		if (in_len != rows->rest_len) {
			memmove(rows->rest, in, in_len);
			rows->rest_len = in_len;
		}
	}
	return err;
}

enum err csv_rows_add(struct csv_rows *rows, const uint8_t *data, size_t len)
{
	enum err err = decode_rest(rows, &data, &len);
	char *in = (char *)(uintptr_t)data; /* iconv does not write there */

	if (!err && len)
		err = decode(rows, &in, &len);
	if (!err && len) {
		if (rows->rest_len + len > REST_MAX)
			return ERR_PROTOCOL;
		memcpy(rows->rest + rows->rest_len, in, len);
		rows->rest_len += len;
	}
	return err;
}

enum err csv_rows_end(struct csv_rows *rows)
{
	if (rows->rest_len)
		return ERR_PROTOCOL;
	return csv_fini(&rows->parser, on_cell, on_row, rows) || rows->err ? parser_error(rows)
									   : OK;
}
