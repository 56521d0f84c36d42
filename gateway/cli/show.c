#include "cli/show.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "base/util.h"
#include "cli/invite.h"
#include "cli/lang.h"
#include "cli/qr.h"
#include "cli/text.h"
#include "cli/words.h"

enum {
	COLUMNS_MAX = 32,
	COLUMNS_WIDE = 10, /* from here on, columns in which nothing stands are left out */
	CELL_ROOM = 96,
	GAP = 2,
	MAC_DIGITS = 12,
	HEX_ROOM = 3 * 64,
};

/* What the broker names by code, columns and members: what stands for it in Japanese, and which
 * hold seconds since 1970, with how much of them is shown. */
static const struct heading {
	const char *code, *ja;
	enum { NONE, MINUTES, SECONDS } time;
} headings[] = {
	{ "account", "アカウント", NONE },
	{ "address", "アドレス", NONE },
	{ "asked", "申請", MINUTES },
	{ "audio", "音声", NONE },
	{ "by", "招待した人", NONE },
	{ "certificate", "証明書", NONE },
	{ "chunks", "チャンク数", NONE },
	{ "created", "招待", MINUTES },
	{ "days", "保存日数", NONE },
	{ "decided", "決定", MINUTES },
	{ "decided_by", "決定した人", NONE },
	{ "detail", "詳細", NONE },
	{ "delivered", "届いた最後の項目", NONE },
	{ "delivered_at", "届いた日時", SECONDS },
	{ "device", "端末", NONE },
	{ "disposal", "廃棄方法", NONE },
	{ "ended", "終了", MINUTES },
	{ "entries", "件数", NONE },
	{ "event", "出来事", NONE },
	{ "expires", "有効期限", MINUTES },
	{ "failed", "続けて間違えた回数", NONE },
	{ "failed_at", "最後に試した日時", SECONDS },
	{ "failures", "失敗回数", NONE },
	{ "finding", "所見", NONE },
	{ "fingerprint", "鍵の指紋", NONE },
	{ "first_bad", "最初の異常チャンク（から）", NONE },
	{ "from", "開始", MINUTES },
	{ "full-name", "氏名", NONE },
	{ "generation", "ルート鍵の世代", NONE },
	{ "hash", "連鎖ハッシュ", NONE },
	{ "held", "保全中", NONE },
	{ "hint", "対処", NONE },
	{ "hold", "保全", NONE },
	{ "host", "PC", NONE },
	{ "hosts", "PC の数", NONE },
	{ "id", "番号", NONE },
	{ "issued", "発行", MINUTES },
	{ "key", "鍵", NONE },
	{ "keys", "キー入力", NONE },
	{ "kind", "種類", NONE },
	{ "last_bad", "最初の異常チャンク（まで）", NONE },
	{ "locked", "ロック", NONE },
	{ "mac", "MAC アドレス", NONE },
	{ "made", "作成", MINUTES },
	{ "name", "名前", NONE },
	{ "newest", "最後のハッシュ", NONE },
	{ "opened", "復号できたチャンク数", NONE },
	{ "owners", "使用者", NONE },
	{ "part", "部分", NONE },
	{ "pin", "証明書", NONE },
	{ "place", "鍵の場所", NONE },
	{ "port", "ポート", NONE },
	{ "pre_approved", "承認済み", NONE },
	{ "protocol", "方式", NONE },
	{ "proven", "監査ログが証明するチャンク数", NONE },
	{ "reason", "理由", NONE },
	{ "recording", "録画", NONE },
	{ "recordings", "録画の数", NONE },
	{ "records", "レコード数", NONE },
	{ "remark", "備考", NONE },
	{ "resume", "再び読める位置", NONE },
	{ "retention", "保存区分", NONE },
	{ "retired", "廃棄", MINUTES },
	{ "role", "役割", NONE },
	{ "root_key", "ルート CA の鍵", NONE },
	{ "said", "応答", NONE },
	{ "security", "保護", NONE },
	{ "seen", "最終利用", MINUTES },
	{ "seq", "番号", NONE },
	{ "serial", "シリアル", NONE },
	{ "session", "セッション", NONE },
	{ "set", "シートの組", NONE },
	{ "sha256", "SHA-256", NONE },
	{ "sheet", "シート", NONE },
	{ "since", "待ち始め", SECONDS },
	{ "size", "バイト数", NONE },
	{ "stamped", "タイムスタンプ", SECONDS },
	{ "started", "開始", MINUTES },
	{ "state", "状態", NONE },
	{ "time", "日時", SECONDS },
	{ "trouble", "問題", NONE },
	{ "until", "期限", MINUTES },
	{ "user", "利用者", NONE },
	{ "verdict", "判定", NONE },
	{ "video", "映像", NONE },
	{ "viewers", "画面数", NONE },
	{ "wait", "待ち時間（秒）", NONE },
	{ "waiting", "待っている項目の数", NONE },
	{ "watch", "閲覧", NONE },
	{ "whole", "完全なチャンクの終わり", NONE },
};

static const struct heading *heading_of(const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		if (util_streq(headings[i].code, code))
			return &headings[i];
	return NULL;
}

static const char *heading_text(const char *code)
{
	const struct heading *heading = lang_is_ja() ? heading_of(code) : NULL;

	return heading ? heading->ja : code;
}

static bool has_column(const json_t *columns, const char *code)
{
	const json_t *column;
	size_t index;

	json_array_foreach(columns, index, column)
	{
		if (json_is_string(column) && util_streq(json_string_value(column), code))
			return true;
	}
	return false;
}

/* A device is made out to one of those who use it. */
static const char *column_heading(const json_t *columns, const char *code)
{
	if (lang_is_ja() && util_streq(code, "user") && has_column(columns, "owners"))
		return "所有者";
	return heading_text(code);
}

static const char *time_text(const char *code, int64_t seconds, char room[CELL_ROOM])
{
	const struct heading *heading = heading_of(code);
	time_t when = (time_t)seconds;
	struct tm local;

	if (seconds == 0 || !heading || !localtime_r(&when, &local) ||
	    !strftime(room, CELL_ROOM,
		      heading->time == SECONDS ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M", &local))
		return "-";
	return room;
}

static bool is_time(const char *code)
{
	const struct heading *heading = heading_of(code);

	return heading && heading->time != NONE;
}

/* A cell as text: the value's own, or written into room. */
static const char *cell_text(const json_t *value, char room[CELL_ROOM])
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_string_value(value);
	case JSON_INTEGER:
		snprintf(room, CELL_ROOM, "%lld", (long long)json_integer_value(value));
		return room;
	case JSON_REAL:
		snprintf(room, CELL_ROOM, "%g", json_real_value(value));
		return room;
	case JSON_TRUE:
		return lang("yes", "はい");
	case JSON_FALSE:
		return lang("no", "いいえ");
	case JSON_NULL:
	case JSON_OBJECT:
	case JSON_ARRAY:
	default:
		return "-";
	}
}

/* Hexadecimal digits with a colon after every second one: as in "00:11:22", or in upper case as the
 * pages show fingerprints. text itself when it does not fit. */
static const char *colons(const char *text, bool upper, char *room, size_t size)
{
	size_t len = strlen(text), at = 0;

	if (len / 2 * 3 + 1 > size || len % 2)
		return text;
	for (size_t i = 0; i < len; i++) {
		if (i && i % 2 == 0)
			room[at++] = ':';
		room[at++] = upper ? (char)toupper((unsigned char)text[i]) : text[i];
	}
	room[at] = '\0';
	return room;
}

static const char *mac_text(const char *digits, char room[CELL_ROOM])
{
	if (!digits || !*digits)
		return "-";
	return strlen(digits) == MAC_DIGITS ? colons(digits, false, room, CELL_ROOM) : digits;
}

/* Who gave an order without an account: root, or the gateway's own user, at the gateway itself. */
static const char *by_text(const char *by, char room[CELL_ROOM])
{
	if (strncmp(by, "uid ", 4) != 0)
		return by;
	snprintf(room, CELL_ROOM,
		 lang_is_ja() ? "ゲートウェイのコマンド（%s）" : "command line on the gateway (%s)",
		 util_streq(by, "uid 0") ? "root" : by);
	return room;
}

static const char *column_text(const json_t *columns, const json_t *row, size_t at,
			       char room[CELL_ROOM])
{
	const char *code = json_string_value(json_array_get(columns, at));
	const json_t *value = json_array_get(row, at);

	if (row == columns && code)
		return column_heading(columns, code);
	if (code && json_is_integer(value) && is_time(code))
		return time_text(code, json_integer_value(value), room);
	if (code && util_streq(code, "mac"))
		return mac_text(json_string_value(value), room);
	if (code && json_is_string(value) &&
	    (util_streq(code, "by") || util_streq(code, "decided_by")))
		return by_text(json_string_value(value), room);
	return code ? word(code, cell_text(value, room)) : cell_text(value, room);
}

static void measure(const json_t *columns, const json_t *row, size_t *widths)
{
	char room[CELL_ROOM];

	for (size_t i = 0; i < MIN(json_array_size(row), (size_t)COLUMNS_MAX); i++)
		widths[i] = MAX(widths[i], text_width(column_text(columns, row, i, room)));
}

/* A width of 0 leaves the column out. */
static void print_row(FILE *out, const json_t *columns, const json_t *row, const size_t *widths)
{
	size_t count = MIN(json_array_size(row), (size_t)COLUMNS_MAX), last = 0;
	char room[CELL_ROOM];

	for (size_t i = 0; i < count; i++)
		if (widths[i])
			last = i;
	/* No spaces at the end of a line: the last column needs no width. */
	for (size_t i = 0; i < count; i++)
		if (widths[i])
			text_put(out, column_text(columns, row, i, room),
				 i < last ? widths[i] + GAP : 0);
	fputc('\n', out);
}

static bool says_nothing(const json_t *columns, const json_t *rows, size_t at)
{
	char room[CELL_ROOM];
	const json_t *row;
	size_t index;

	json_array_foreach(rows, index, row)
	{
		const char *text = column_text(columns, row, at, room);
		if (*text && !util_streq(text, "-"))
			return false;
	}
	return json_array_size(rows) > 0;
}

static void print_table(FILE *out, const json_t *columns, const json_t *rows)
{
	size_t widths[COLUMNS_MAX] = { 0 }, index, count = json_array_size(columns);
	const json_t *row;

	measure(columns, columns, widths);
	json_array_foreach(rows, index, row) measure(columns, row, widths);
	for (size_t i = 0; count >= COLUMNS_WIDE && i < MIN(count, (size_t)COLUMNS_MAX); i++)
		if (says_nothing(columns, rows, i))
			widths[i] = 0;
	print_row(out, columns, columns, widths);
	json_array_foreach(rows, index, row) print_row(out, columns, row, widths);
}

/* A member whose text has another in Japanese beside it, under its name and "_ja". */
static const json_t *in_our_language(const json_t *body, const char *name, const json_t *value)
{
	char ja_name[64];

	snprintf(ja_name, sizeof(ja_name), "%s_ja", name);
	const json_t *ja = lang_is_ja() ? json_object_get(body, ja_name) : NULL;
	return json_is_string(ja) ? ja : value;
}

static bool is_translation(const char *name)
{
	size_t len = strlen(name);

	return len > 3 && util_streq(name + len - 3, "_ja");
}

static const char *member_text(const json_t *body, const char *name, const json_t *value,
			       char room[CELL_ROOM])
{
	if (json_is_integer(value) && is_time(name))
		return time_text(name, json_integer_value(value), room);
	return word(name, cell_text(in_our_language(body, name, value), room));
}

static void print_members(FILE *out, const json_t *body)
{
	const char *name;
	json_t *value;
	char room[CELL_ROOM], digits[HEX_ROOM];

	json_object_foreach((json_t *)body, name, value)
	{
		if (util_streq(name, "columns") || util_streq(name, "rows") || is_translation(name))
			continue;
		const char *text = member_text(body, name, value, room);
		if (util_streq(name, "sha256"))
			text = colons(text, true, digits, sizeof(digits));
		text_put(out, heading_text(name), 0);
		fputs(strchr(text, '\n') ? ":\n" : ": ", out);
		text_put_lines(out, text);
		if (!*text || text[strlen(text) - 1] != '\n')
			fputc('\n', out);
	}
}

/* Shown once; the gateway keeps it sealed from here on. */
static void print_totp(FILE *out, const json_t *body)
{
	const char *uri = json_string_value(json_object_get(body, "otpauth"));

	fprintf(out, "%s ", lang("TOTP secret:", "確認コードの秘密鍵:"));
	text_put(out, json_string_value(json_object_get(body, "totp_secret")), 0);
	fprintf(out, "\n%s\n",
		lang("Scan this with the authenticator app; it is not shown again:",
		     "認証アプリで読み取ってください（再表示されません）:"));
	if (!uri || qr_print(out, uri))
		return;
	text_put(out, uri, 0);
	fputc('\n', out);
}

void show_reply(FILE *out, const json_t *body)
{
	const json_t *columns = json_object_get(body, "columns"),
		     *rows = json_object_get(body, "rows");

	if (json_is_array(columns) && json_is_array(rows)) {
		print_table(out, columns, rows);
		print_members(out, body);
	} else if (json_is_string(json_object_get(body, "totp_secret"))) {
		print_totp(out, body);
	} else if (invite_is(body)) {
		invite_print(out, body);
	} else if (json_object_size(body) == 0) {
		fprintf(out, "%s\n", lang("Done.", "完了しました。"));
	} else {
		print_members(out, body);
	}
}

/* The error's own text in the user's language; the code itself when it is not one of ours. */
static const char *error_text(const char *code)
{
	for (int err = OK + 1; err < ERR_COUNT; err++)
		if (util_streq(err_code((enum err)err), code))
			return lang(err_text_en((enum err)err), err_text_ja((enum err)err));
	return code;
}

void show_error(FILE *out, const json_t *body)
{
	const char *code = json_string_value(json_object_get(body, "error"));
	const char *field = json_string_value(json_object_get(body, "field"));
	const char *message = json_string_value(json_object_get(body, "message"));
	const char *ja = json_string_value(json_object_get(body, "message_ja"));

	fputs("sekisho: ", out);
	if (field) {
		text_put(out, field, 0);
		fputs(": ", out);
	}
	if (lang_is_ja() && ja)
		message = ja;
	text_put(out, message ? message : error_text(code ? code : "internal"), 0);
	fputc('\n', out);
}

void show_json(FILE *out, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);

	fprintf(out, "%s\n", text ? text : "{\"error\":\"nomem\"}");
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
	json_decref(body);
}

void show_refusal(bool json, enum err err, const char *field, const char *message)
{
	json_t *body = json_pack("{s:s, s:s*, s:s*}", "error", err_code(err), "field", field,
				 "message", message);

	if (json) {
		show_json(stdout, body);
	} else {
		show_error(stderr, body);
		json_decref(body);
	}
}
