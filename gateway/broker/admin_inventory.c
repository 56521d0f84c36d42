/*
 * admin_inventory.c - every device once, and as a file for spreadsheets.
 */
#include "broker/admin_inventory.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "wire/enums.h"

enum { CSV_MAX = 72 * 1024, TIME_ROOM = 32 };

/* ---- devices -----------------------------------------------------------------------------------
 */

static const struct {
	enum disposal disposal;
	const char *code;
} disposals[] = {
	{ DISPOSAL_WIPED, "wiped" },
	{ DISPOSAL_DESTROYED, "destroyed" },
	{ DISPOSAL_RETURNED, "returned" },
	{ DISPOSAL_LOST, "lost" },
};

const char *inventory_disposal_code(int64_t disposal)
{
	for (size_t i = 0; i < ARRAY_SIZE(disposals); i++)
		if (disposals[i].disposal == (enum disposal)disposal)
			return disposals[i].code;
	return "";
}

enum err inventory_disposal_parse(const char *code, enum disposal *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(disposals); i++) {
		if (util_streq(disposals[i].code, code)) {
			*ret = disposals[i].disposal;
			return OK;
		}
	}
	return ERR_INVALID;
}

static const char *state_code(const struct broker *broker, const struct device *device)
{
	if (device->retired_s)
		return "retired";
	if (device->state == DEVICE_REVOKED)
		return "revoked";
	if (clock_wall_s() >= device->not_after_s)
		return "expired";
	if (device->state == DEVICE_LOCKED || device->failures >= broker->policy.failures)
		return "locked";
	return "active";
}

static enum err fill(struct broker *broker, struct inventory_row *row)
{
	int64_t id = row->device.id;
	enum err err = certificate_newest(broker->db, id, &row->certificate);

	if (err == ERR_NOT_FOUND) {
		row->certificate = (struct certificate){ 0 };
		err = OK;
	}
	if (!err)
		err = device_owners(broker->db, id, row->owners, sizeof(row->owners));
	util_hex(row->certificate.serial, row->certificate.id ? CERTIFICATE_SERIAL : 0,
		 row->serial);
	row->state = state_code(broker, &row->device);
	row->place = key_place_code((unsigned)row->certificate.key_place);
	return err;
}

enum err inventory_each(struct broker *broker, inventory_func *func, void *ctx)
{
	_cleanup_query_ struct query query = { 0 };
	struct inventory_row row;
	bool more;
	enum err err;

	device_list(&query, broker->db);
	while (!(err = device_next(&query, &row.device, &more)) && more) {
		err = fill(broker, &row);
		if (!err)
			err = func(ctx, &row);
		if (err)
			return err;
	}
	return err;
}

/* ---- export ------------------------------------------------------------------------------------
 */

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

/* Local time, as spreadsheets read it. */
static const char *time_text(int64_t seconds, char room[TIME_ROOM])
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (!seconds || !localtime_r(&when, &tm) ||
	    !strftime(room, TIME_ROOM, "%Y-%m-%d %H:%M", &tm))
		return "";
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

static enum err csv_row(void *ctx, const struct inventory_row *row)
{
	const struct device *device = &row->device;
	char id[24], issued[TIME_ROOM], until[TIME_ROOM], seen[TIME_ROOM], revoked[TIME_ROOM];
	char retired[TIME_ROOM], serial[3 * CERTIFICATE_SERIAL];
	const char *const cells[] = {
		id,
		device->name,
		device->owner_name,
		row->owners,
		row->state,
		row->certificate.key_type,
		row->place,
		time_text(row->certificate.issued_s, issued),
		time_text(device->not_after_s, until),
		time_text(device->seen_s, seen),
		device->seen_address,
		serial_text(row->serial, serial),
		time_text(device->revoked_s, revoked),
		device->revoked_why,
		time_text(device->retired_s, retired),
		inventory_disposal_code(device->disposal),
		device->retired_by,
		device->remark,
	};
	enum err err = OK;

	snprintf(id, sizeof(id), "%lld", (long long)device->id);
	for (size_t i = 0; !err && i < ARRAY_SIZE(cells); i++)
		err = csv_cell(ctx, i == 0, cells[i]);
	return err ? err : buf_add(ctx, "\r\n", 2);
}

/* The byte order mark makes Excel read it as UTF-8. */
static const char csv_header[] =
	"\xef\xbb\xbf"
	"番号 (ID),端末 (Device),所有者 (Owner),使用者 (Users),状態 (State),鍵の種類 (Key),"
	"鍵の場所 (Key place),発行 (Issued),期限 (Valid until),最終利用 (Last seen),"
	"アドレス (Address),シリアル (Serial),失効 (Revoked),失効理由 (Reason),廃棄 (Retired),"
	"廃棄方法 (Disposal),廃棄の記録者 (Recorded by),備考 (Remark)\r\n";

enum err admin_device_export(struct admin_call *call)
{
	_cleanup_tx_ struct db_tx tx = { 0 };
	_cleanup_buf_ struct buf csv;
	enum err err;

	buf_init(&csv, CSV_MAX);
	err = buf_add(&csv, csv_header, sizeof(csv_header) - 1);
	if (!err)
		err = inventory_each(call->broker, csv_row, &csv);
	if (err == ERR_TOO_BIG)
		return admin_wrong(call, err, "", "more devices than fit into one file");
	if (!err)
		err = db_tx_begin(&tx, call->broker->db);
	if (!err)
		err = admin_audit(call, "device-export", NULL);
	if (!err) {
		call->result = json_pack("{s:s%}", "csv", csv.data, csv.len);
		err = call->result ? db_tx_commit(&tx) : ERR_NOMEM;
	}
	return err;
}
