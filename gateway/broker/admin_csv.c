/*
 * admin_csv.c - sekisho device export: the inventory for spreadsheets. Its columns and their order
 * are those of docs/certificates-en.md and stay as they are; a new one comes last.
 */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "broker/admin_inventory.h"

enum { ROW_MAX = 16 * 1024, CSV_MAX = 96 * 1024, TIME_ROOM = 40, BY_ROOM = 96, ZONE = 5 };

/* ---- words ------------------------------------------------------------------------------ */

static const struct {
	const char *column, *code, *en, *ja;
} words[] = {
	{ "state", "active", "In use", "使用中" },
	{ "state", "locked", "Locked", "ロック中" },
	{ "state", "expired", "Expired", "期限切れ" },
	{ "state", "revoked", "Revoked", "失効" },
	{ "state", "retired", "Retired", "廃棄済み" },
	{ "place", "tpm", "Security chip (TPM)", "セキュリティチップ（TPM）" },
	{ "place", "store", "System's key store", "OS の証明書ストア" },
	{ "place", "file", "File on the device", "端末のファイル" },
	{ "place", "pkcs12", "Handed out as a file (PKCS#12)", "配布ファイル（PKCS#12）" },
	{ "place", "unknown", "Unknown", "不明" },
	{ "disposal", "wiped", "Wiped", "消去" },
	{ "disposal", "destroyed", "Destroyed", "破壊" },
	{ "disposal", "returned", "Returned", "返却" },
	{ "disposal", "lost", "Lost", "紛失" },
	{ "reason", INVENTORY_WHY_RETIRED, "Retired", "廃棄" },
};

static const char *word(const char *column, const char *code, bool ja)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (util_streq(words[i].column, column) && util_streq(words[i].code, code))
			return ja ? words[i].ja : words[i].en;
	return code;
}

/* Somebody at the gateway itself has no account. */
static const char *by_text(const char *by, bool ja, char room[BY_ROOM])
{
	if (strncmp(by, "uid ", 4) != 0)
		return by;
	snprintf(room, BY_ROOM,
		 ja ? "ゲートウェイのコマンド（%s）" : "command line on the gateway (%s)",
		 util_streq(by, "uid 0") ? "root" : by);
	return room;
}

/* ISO 8601 with its zone, which sorts as text and means the same everywhere. */
static const char *time_text(int64_t seconds, char room[TIME_ROOM])
{
	time_t when = (time_t)seconds;
	char zone[ZONE + 1];
	struct tm tm;
	size_t len;

	if (!seconds || !localtime_r(&when, &tm) || strftime(zone, sizeof(zone), "%z", &tm) != ZONE)
		return "";
	len = strftime(room, TIME_ROOM, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!len)
		return "";
	snprintf(room + len, TIME_ROOM - len, "%.3s:%s", zone, zone + 3);
	return room;
}

/* In pairs: digits alone, or with one e among them, would be read as a number. */
static const char *serial_text(const char *digits, char room[3 * CERTIFICATE_SERIAL])
{
	size_t at = 0;

	for (size_t i = 0; digits[i]; i++) {
		if (i && i % 2 == 0)
			room[at++] = ':';
		room[at++] = digits[i];
	}
	room[at] = '\0';
	return room;
}

/* ---- rows ------------------------------------------------------------------------------- */

/* What spreadsheets take for the beginning of a formula, also in the width that Japanese keyboards
 * make. */
static bool is_formula(const char *text)
{
	static const char *const starts[] = {
		"=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"
	};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (strncmp(text, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

/* RFC 4180 §2, and a mark before what must stay a text. */
static enum err csv_cell(struct buf *csv, bool first, const char *text)
{
	bool quoted = strpbrk(text, ",\"\r\n") != NULL;
	enum err err = first ? OK : buf_add(csv, ",", 1);

	if (!err && quoted)
		err = buf_add(csv, "\"", 1);
	if (!err && is_formula(text))
		err = buf_add(csv, "'", 1);
	for (; *text && !err; text++) {
		err = buf_add(csv, text, 1);
		if (!err && *text == '"')
			err = buf_add(csv, "\"", 1);
	}
	if (!err && quoted)
		err = buf_add(csv, "\"", 1);
	return err;
}

static enum err csv_row(struct buf *csv, const struct inventory_row *row, bool ja)
{
	const struct device *device = &row->device;
	char id[24], issued[TIME_ROOM], until[TIME_ROOM], seen[TIME_ROOM], revoked[TIME_ROOM];
	char retired[TIME_ROOM], serial[3 * CERTIFICATE_SERIAL], by[BY_ROOM];
	const char *const cells[] = {
		id,
		device->name,
		device->owner_name,
		row->owners,
		word("state", row->state, ja),
		row->certificate.key_type,
		word("place", row->place, ja),
		time_text(row->certificate.issued_s, issued),
		time_text(device->not_after_s, until),
		time_text(device->seen_s, seen),
		device->seen_address,
		serial_text(row->serial, serial),
		time_text(device->revoked_s, revoked),
		word("reason", device->revoked_why, ja),
		time_text(device->retired_s, retired),
		word("disposal", inventory_disposal_code(device->disposal), ja),
		by_text(device->retired_by, ja, by),
		device->remark,
	};
	enum err err = OK;

	snprintf(id, sizeof(id), "%lld", (long long)device->id);
	for (size_t i = 0; !err && i < ARRAY_SIZE(cells); i++)
		err = csv_cell(csv, i == 0, cells[i]);
	return err ? err : buf_add(csv, "\r\n", 2);
}

/* The byte order mark makes Excel read it as UTF-8. */
static const char header_en[] =
	"\xef\xbb\xbf"
	"No.,Device,Owner,Used by,State,Key,Place of the key,Issued,Valid until,Last seen,Address,"
	"Serial number,Revoked,Reason,Retired,Disposal,Recorded by,Remark\r\n";
static const char header_ja[] =
	"\xef\xbb\xbf"
	"番号,端末,所有者,使用者,状態,鍵の種類,鍵の場所,発行,期限,最終利用,アドレス,"
	"シリアル番号,失効,失効理由,廃棄,廃棄方法,廃棄の記録者,備考\r\n";

/* ---- pages ------------------------------------------------------------------------------ */

struct export
{
	struct admin_call *call;
	bool ja, full;
	int64_t count;
	struct buf csv;
};

/* As a string in JSON. */
static size_t json_bytes(const struct buf *text)
{
	size_t bytes = 0;

	for (size_t i = 0; i < text->len; i++)
		bytes += strchr("\"\\\r\n\t", text->data[i]) ? 2 : text->data[i] < 0x20 ? 6 : 1;
	return bytes;
}

static enum err export_row(void *ctx, const struct inventory_row *row, bool *ret_stop)
{
	_cleanup_buf_ struct buf text;
	struct export *export = ctx;
	enum err err;

	buf_init(&text, ROW_MAX);
	err = csv_row(&text, row, export->ja);
	if (err)
		return err;
	if (!admin_page_take(export->call, json_bytes(&text), row->device.id)) {
		export->full = *ret_stop = true;
		return OK;
	}
	export->count++;
	return buf_add(&export->csv, text.data, text.len);
}

/* The header is on the first page alone, so that pages make one file. */
static enum err export_page(struct export *export, int64_t after)
{
	const char *header = export->ja ? header_ja : header_en;
	struct admin_call *call = export->call;
	enum err err = after ? OK : buf_add(&export->csv, header, strlen(header));

	if (!err)
		err = inventory_each(call->broker, after, export_row, export);
	if (err)
		return err;
	call->result = json_pack("{s:s%}", "csv", export->csv.len ? (char *)export->csv.data : "",
				 export->csv.len);
	if (!call->result)
		return ERR_NOMEM;
	return export->full ? admin_page_end(call) : OK;
}

enum err admin_device_export(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	const char *language = admin_text(call, "language");
	int64_t after = admin_number(call, "after", 0);
	struct export export = { .call = call, .ja = language && util_streq(language, "ja") };
	enum err err;

	if (language && !export.ja && !util_streq(language, "en"))
		return admin_wrong(call, ERR_INVALID, "language", "ja or en");
	buf_init(&export.csv, CSV_MAX);
	err = export_page(&export, after);
	buf_finish(&export.csv);
	if (!err)
		err = db_tx_begin(&tx, call->broker->db);
	return err ? err
		   : admin_commit(call, &tx, "device-export",
				  json_pack("{s:I, s:I}", "after", (json_int_t)after, "devices",
					    (json_int_t) export.count));
}
