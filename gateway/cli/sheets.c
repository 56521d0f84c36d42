#include "cli/sheets.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/typed.h"
#include "base/util.h"
#include "cli/lang.h"
#include "cli/prompt.h"
#include "cli/template.h"
#include "cli/text.h"

enum { PATH_ROOM = 4096, TIME_ROOM = 64, SET_DIGITS = 8 };

/* The page lies in the program itself, as the invitation's (cli/invite.c). */
extern const char sheets_template[];
__asm__(".pushsection .rodata\nsheets_template:\n.incbin \"sheets.html\"\n.byte 0\n.popsection\n");

/* Who keeps which: the head of the office, the auditor, the administrator of the system. */
static const struct {
	const char *ja, *en;
} keepers[SHEETS] = {
	{ "所長", "Head of the office" },
	{ "監査人（SA）", "Auditor (SA)" },
	{ "システム管理者（DA）", "Administrator (DA)" },
};

static char label_of(size_t row)
{
	return (char)('A' + row);
}

static const json_t *rows_of(const json_t *body, size_t sheet)
{
	return json_array_get(json_object_get(body, "sheets"), sheet);
}

bool sheets_are(const json_t *body)
{
	return json_array_size(json_object_get(body, "sheets")) == SHEETS;
}

/* "3f2a91c0" as "3F2A-91C0". */
static const char *set_text(const json_t *body, char room[SET_DIGITS + 2])
{
	const char *digits = json_string_value(json_object_get(body, "set"));
	size_t at = 0;

	for (size_t i = 0; digits && digits[i] && i < SET_DIGITS; i++) {
		if (i == SET_DIGITS / 2)
			room[at++] = '-';
		room[at++] = digits[i] >= 'a' ? (char)(digits[i] - 'a' + 'A') : digits[i];
	}
	room[at] = '\0';
	return room;
}

/* ---- words ------------------------------------------------------------------------------ */

void sheets_explain(FILE *out, bool recovers)
{
	fputs(recovers
		      ? lang("\nYou are about to open the vault with two of its three recovery "
			     "sheets.\n"
			     "  1. Type the rows of two sheets. Each row is checked at once.\n"
			     "  2. Choose a new passphrase for the vault.\n"
			     "  3. Three new sheets come out. All old sheets and the old "
			     "passphrase "
			     "are good for nothing then.\n\n",
			     "\n回復シート 3 枚のうち 2 枚で、保管庫を開きます。\n"
			     "  1. シート 2 枚の行を順に入力します。1 行ごとに誤りを確かめます。\n"
			     "  2. 保管庫の新しいパスフレーズを決めます。\n"
			     "  3. 新しいシートが 3 枚出ます。前のシートとパスフレーズは"
			     "使えなくなります。\n\n")
		      : lang("\nYou are about to make the vault's keys. Have at hand:\n"
			     "  - a passphrase that only those know who may open the vault; it is "
			     "asked for after each start of the gateway\n"
			     "  - a printer, and three people who each take one recovery sheet: "
			     "the "
			     "head of the office, the auditor (SA), the administrator (DA)\n"
			     "Any two sheets open the vault when the passphrase is lost; one alone "
			     "opens nothing. Without passphrase and sheets\n"
			     "nobody can open it any more, not even the maker of this program.\n\n",
			     "\n保管庫の鍵を作ります。次のものを用意してください。\n"
			     "  ・保管庫を開けてよい人だけが知るパスフレーズ"
			     "（ゲートウェイの起動のたびに入力します）\n"
			     "  ・プリンターと、回復シートを 1 枚ずつ預かる 3 人: "
			     "所長、監査人（SA）、"
			     "システム管理者（DA）\n"
			     "パスフレーズを失っても、シートが 2 枚そろえば開けます。1 枚では何も"
			     "開けません。\n"
			     "パスフレーズもシートも失うと、誰にも（このプログラムの作者にも）"
			     "開けられません。\n\n"),
	      out);
}

void sheets_print(FILE *out, const json_t *body)
{
	char set[SET_DIGITS + 2];
	const json_t *row;
	size_t i;

	for (size_t k = 0; k < SHEETS; k++) {
		fprintf(out, "\n%s %zu/%d  %s  %s %s\n", lang("Recovery sheet", "回復シート"),
			k + 1, SHEETS, lang(keepers[k].en, keepers[k].ja), lang("set", "組"),
			set_text(body, set));
		json_array_foreach(rows_of(body, k), i, row)
		{
			fprintf(out, "  %c  ", label_of(i));
			text_put(out, json_string_value(row), 0);
			fputc('\n', out);
		}
	}
	fprintf(out, "\n%s\n",
		lang("They are shown this once. Each goes to another person, on paper, in a safe "
		     "place. Sheets of before are good for nothing now.",
		     "今だけ表示されます。紙に控え、3 人が別々に安全な場所で保管してください。"
		     "前のシートは使えなくなりました。"));
}

/* ---- pages ------------------------------------------------------------------------------ */

struct page {
	const json_t *body;
	size_t at; /* from 0 on */
};

static const char *day_text(bool ja, char room[TIME_ROOM])
{
	time_t now = time(NULL);
	struct tm local;
	size_t len = 0;

	if (localtime_r(&now, &local))
		len = strftime(room, TIME_ROOM, ja ? "%Y年%-m月%-d日" : "%Y-%m-%d", &local);
	return len ? room : "-";
}

static enum err put_rows(struct buf *buf, const json_t *rows)
{
	const json_t *row;
	size_t i;
	enum err err = json_array_size(rows) == SHEETS_ROWS ? OK : ERR_PROTOCOL;

	json_array_foreach(rows, i, row)
	{
		if (!err)
			err = buf_printf(buf, "<tr><th>%c</th><td>", label_of(i));
		if (!err)
			err = json_is_string(row) ? template_escape(buf, json_string_value(row))
						  : ERR_PROTOCOL;
		if (!err)
			err = buf_printf(buf, "</td></tr>\n");
	}
	return err;
}

static enum err put_value(void *ctx, const char *name, struct buf *buf)
{
	const struct page *page = ctx;
	const char *office = json_string_value(json_object_get(page->body, "office"));
	char set[SET_DIGITS + 2], day[TIME_ROOM];

	if (util_streq(name, "rows"))
		return put_rows(buf, rows_of(page->body, page->at));
	if (util_streq(name, "number"))
		return buf_printf(buf, "%zu", page->at + 1);
	if (util_streq(name, "keeper_ja"))
		return template_escape(buf, keepers[page->at].ja);
	if (util_streq(name, "keeper_en"))
		return template_escape(buf, keepers[page->at].en);
	if (util_streq(name, "set"))
		return template_escape(buf, set_text(page->body, set));
	if (util_streq(name, "day_ja"))
		return template_escape(buf, day_text(true, day));
	if (util_streq(name, "day_en"))
		return template_escape(buf, day_text(false, day));
	return util_streq(name, "office") && office ? template_escape(buf, office) : ERR_PROTOCOL;
}

enum err sheets_page(const json_t *body, unsigned number, struct buf *buf)
{
	struct page page = { .body = body, .at = number - 1 };

	if (number < 1 || number > SHEETS)
		return ERR_INVALID;
	return template_fill(sheets_template, put_value, &page, buf);
}

static enum err path_of(const char *folder, unsigned number, char path[PATH_ROOM])
{
	int len = snprintf(path, PATH_ROOM, "%s/sheet-%u.html", folder, number);

	return len > 0 && len < PATH_ROOM ? OK : ERR_TOO_BIG;
}

static enum err write_page(const json_t *body, const char *folder, unsigned number)
{
	_cleanup_buf_ struct buf buf;
	char path[PATH_ROOM];
	enum err err = path_of(folder, number, path);

	buf_init(&buf, SHEETS_PAGE_MAX);
	if (!err)
		err = sheets_page(body, number, &buf);
	if (!err)
		err = util_write_file(path, buf.data, buf.len, 0600);
	buf_wipe(&buf);
	return err;
}

enum err sheets_write(const json_t *body, const char *folder)
{
	enum err err = mkdir(folder, 0700) < 0 ? err_from_errno(errno) : OK;

	for (unsigned number = 1; !err && number <= SHEETS; number++)
		err = write_page(body, folder, number);
	return err;
}

/* What was written is overwritten first: better than nothing where the file system writes in place.
 */
static bool delete_page(const char *folder, unsigned number)
{
	static const char nothing[SHEETS_PAGE_MAX];
	char path[PATH_ROOM];
	FILE *file = path_of(folder, number, path) ? NULL : fopen(path, "r+e");
	struct stat status;

	if (!file)
		return false;
	size_t len = fstat(fileno(file), &status) == 0 ? (size_t)status.st_size : 0;
	bool good = fwrite(nothing, 1, MIN(len, sizeof(nothing)), file) == len;
	good = fflush(file) == 0 && fsync(fileno(file)) == 0 && good;
	fclose(file);
	return unlink(path) == 0 && good;
}

void sheets_finish(FILE *out, const char *folder)
{
	_cleanup_secret_ struct secret *line = NULL;
	bool good = true;

	fprintf(out, "\n%s: %s\n", lang("The three sheets are in", "3 枚のシートの保存先"), folder);
	fputs(lang("  1. Open each in a browser and print it. Look that all rows A to H can be "
		   "read.\n"
		   "  2. Give each to its keeper. Nobody keeps two.\n"
		   "Press Enter once all three are printed: the files are deleted then. ",
		   "  1. それぞれブラウザーで開いて印刷し、A～H の行が読めることを確かめます。\n"
		   "  2. 預かる人に 1 枚ずつ渡します。一人で 2 枚は持ちません。\n"
		   "3 枚とも印刷できたら Enter を押してください。ファイルを消去します。"),
	      out);
	fflush(out);
	if (prompt_line(STDIN_FILENO, &line)) {
		fputs(lang("\nDelete the files yourself.\n",
			   "\nファイルはご自分で消してください。\n"),
		      out);
		return;
	}
	for (unsigned number = 1; number <= SHEETS; number++)
		good = delete_page(folder, number) && good;
	good = rmdir(folder) == 0 && good;
	fputs(good ? lang("The files are deleted.\n", "ファイルを消去しました。\n")
		   : lang("Not all files could be deleted: do it yourself.\n",
			  "消去できないファイルがあります。ご自分で消してください。\n"),
	      out);
}

/* ---- typing ----------------------------------------------------------------------------- */

/* One row into its place, in the form in which it was printed. */
static enum err ask_row(const char *label, unsigned row, bool terminal, char ret[TYPED_ROW + 1])
{
	_cleanup_secret_ struct secret *line = NULL;
	uint8_t bytes[TYPED_ROW_BYTES];

	if (terminal) {
		text_put(stderr, label, 0);
		fprintf(stderr, " %c: ", label_of(row));
	}
	enum err err = prompt_line(STDIN_FILENO, &line);
	if (!err)
		err = typed_get(secret_text(line), secret_len(line), row, bytes);
	if (!err)
		typed_put(bytes, row, ret);
	secret_wipe(bytes, sizeof(bytes));
	return err;
}

enum err sheets_ask(const char *label, unsigned *ret_row, struct secret **ret)
{
	char text[SHEETS_ROWS * (TYPED_ROW + 1) + 1];
	bool terminal = isatty(STDIN_FILENO);
	enum err err = OK;

	for (unsigned row = 0; !err && row < SHEETS_ROWS;) {
		char *at = text + row * (TYPED_ROW + 1);

		err = ask_row(label, row, terminal, at);
		at[TYPED_ROW] = '\n';
		*ret_row = row;
		row += err ? 0 : 1;
		if (terminal && (err == ERR_CODE || err == ERR_TOO_BIG)) {
			fprintf(stderr, "  %s\n",
				lang("That is not right: compare each character, and type the row "
				     "again.",
				     "誤りがあります。1 文字ずつ見比べて、この行をもう一度入力して"
				     "ください。"));
			err = OK;
		}
	}
	if (!err)
		err = secret_new(text, sizeof(text) - 1, ret);
	secret_wipe(text, sizeof(text));
	return err;
}
