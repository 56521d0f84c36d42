#include "vault/export_csv.h"
#include "vault/grants.h"

#include <csv.h>
#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "store/vault/rule_rows.h"
#include "vault/index.h"
#include "vault/jobs.h"
#include "vault/records_change.h"
#include "vault/template.h"

/* The longest cell are all purposes that a record may have. */
enum { LINE = 65536, CELL = RECORD_PURPOSES * RULE_NAME_BYTES };

struct writing {
	struct records *records;
	const struct desk_person *who;
	const struct export_rows *rows;
	bool numbers;
	struct envelope *envelope;
	json_t *fields;   /* key: what its column is called */
	json_t *purposes; /* of a record, as they stand: what they are called */
	struct secret *line;
	size_t len;
	bool begun; /* the row has a cell */
};

/* ---- cells -------------------------------------------------------------------------------------
 */

static enum err flush(struct writing *writing)
{
	enum err err = envelope_add(writing->envelope, secret_data(writing->line), writing->len);

	writing->len = 0;
	return err;
}

static enum err put(struct writing *writing, const char *data, size_t len)
{
	enum err err = writing->len + len > LINE ? flush(writing) : OK;

	if (err)
		return err;
	memcpy(secret_data(writing->line) + writing->len, data, len);
	writing->len += len;
	return OK;
}

/* What a spreadsheet takes for a formula; also the wide forms. */
static bool is_formula(const char *text)
{
	static const char *const signs[] = {
		"=", "+", "-", "@", "|", "＝", "＋", "－", "＠", "｜"
	};

	while (*text == ' ' || !strncmp(text, "\xe3\x80\x80", 3))
		text += *text == ' ' ? 1 : 3;
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (!strncmp(text, signs[i], strlen(signs[i])))
			return true;
	return false;
}

/* An apostrophe in front makes a text of what would be calculated, as in the portal's own files. */
static enum err put_cell(struct writing *writing, const char *text)
{
	char plain[CELL + 2], quoted[2 * sizeof(plain) + 2];
	int len = snprintf(plain, sizeof(plain), "%s%s", is_formula(text) ? "'" : "", text);
	enum err err;

	if (len < 0 || len >= (int)sizeof(plain))
		return ERR_INVALID;
	const size_t size = csv_write(quoted, sizeof(quoted), plain, (size_t)len);
	err = writing->begun ? put(writing, ",", 1) : OK;
	if (!err)
		err = put(writing, quoted, size);
	writing->begun = true;
	secret_wipe(plain, (size_t)len);
	secret_wipe(quoted, size);
	return err;
}

static enum err end_row(struct writing *writing)
{
	writing->begun = false;
	return put(writing, "\r\n", 2);
}

/* ---- columns -----------------------------------------------------------------------------------
 */

static enum err add_template(struct writing *writing, int64_t kind)
{
	json_t *template = NULL;
	const json_t *field;
	size_t i;
	enum err err = template_of(writing->records->db, kind, &template);

	json_array_foreach(template, i, field)
	{
		const char *key = json_string_value(json_object_get(field, "key"));

		if (!json_object_get(writing->fields, key))
			json_object_set(writing->fields, key, json_object_get(field, "ja"));
	}
	json_decref(template);
	return err;
}

/* Fields that went out of the templates stand in records still. */
static enum err add_old_fields(struct writing *writing)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < writing->rows->count; i++) {
		_cleanup_content_ struct content content = { 0 };
		const json_t *value;
		struct record_row row;
		const char *key;

		err = records_row(writing->records, writing->rows->ids[i], &row);
		if (!err)
			err = record_get_content(writing->records, &row, 0, &content);
		if (err == ERR_NOT_FOUND)
			err = OK;
		json_object_foreach((json_t *)(uintptr_t)content.fields, key,
				    value) if (!json_object_get(writing->fields, key))
			json_object_set_new(writing->fields, key, json_string(key));
		work_note(writing->records->work, i, 2 * writing->rows->count);
		if (!err)
			err = jobs_may_pause(writing->records);
	}
	return err;
}

static enum err write_head(struct writing *writing)
{
	static const char *const names[] = { "種別", "顧問先",   "氏名",    "フリガナ",
					     "本人", "利用目的", "保存区分" };
	const json_t *name;
	const char *key;
	enum err err = put(writing, "\xef\xbb\xbf", 3);

	for (size_t i = 0; !err && i < ARRAY_SIZE(names); i++)
		err = put_cell(writing, names[i]);
	json_object_foreach(writing->fields, key, name)
	{
		if (!err)
			err = put_cell(writing, json_string_value(name));
	}
	if (!err && writing->numbers)
		err = put_cell(writing, "番号");
	return err ? err : end_row(writing);
}

/* ---- rows --------------------------------------------------------------------------------------
 */

/* With ; between them; not read again for each row that has the same. */
static enum err purposes_of(struct writing *writing, const struct record_row *row, const char **ret)
{
	char key[2 * sizeof(row->purposes) + 1], text[CELL] = "";
	struct purpose_row purpose;
	size_t at = 0;
	enum err err = OK;

	util_hex(row->purposes, row->purpose_count * RECORD_PURPOSE, key);
	*ret = json_string_value(json_object_get(writing->purposes, key));
	if (*ret)
		return OK;
	for (size_t i = 0; !err && i < row->purpose_count && at < sizeof(text); i++) {
		err = purpose_by_id(writing->records->db, record_purpose(row, i), &purpose);
		if (!err)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? ";" : "",
					       purpose.name);
	}
	if (!err && at >= sizeof(text))
		err = ERR_TOO_BIG;
	if (!err && json_object_set_new(writing->purposes, key, json_string(text)))
		err = ERR_NOMEM;
	*ret = json_string_value(json_object_get(writing->purposes, key));
	return err;
}

static enum err write_fields(struct writing *writing, const struct content *content)
{
	const json_t *name;
	const char *key;
	enum err err = OK;

	json_object_foreach(writing->fields, key, name)
	{
		const char *text = json_string_value(json_object_get(content->fields, key));

		if (!err)
			err = put_cell(writing, text ? text : "");
	}
	return err;
}

static enum err write_number(struct writing *writing, const struct record_row *row, bool along)
{
	char number[NUMBERS_ROOM] = "";
	enum err err = along ? record_get_number(writing->records, row, number) : OK;

	if (!err)
		err = put_cell(writing, number);
	secret_wipe(number, sizeof(number));
	return err;
}

static enum err write_row(struct writing *writing, size_t at)
{
	static const char *const kinds[] = { "", "顧問先", "従業員", "扶養親族", "支払先" };
	_cleanup_content_ struct content content = { .name = "", .kana = "" };
	const char *purposes = "";
	struct class_row class;
	struct record_row row;
	enum err err = records_row(writing->records, writing->rows->ids[at], &row);

	/* It was put into the bin or disposed of since it was chosen. */
	if (!err && (row.removed || row.disposed))
		err = ERR_WRONG_STATE;
	if (!err && row.version)
		err = record_get_content(writing->records, &row, 0, &content);
	if (!err)
		err = purposes_of(writing, &row, &purposes);
	if (!err)
		err = class_by_id(writing->records->db, row.class, &class);
	if (err)
		return err;
	const char *const cells[] = {
		kinds[row.kind],
		row.kind == KIND_CLIENT ? ""
					: grants_name(writing->records, writing->who, row.client),
		content.name,
		content.kana,
		row.parent ? grants_name(writing->records, writing->who, row.parent) : "",
		purposes,
		class.name,
	};
	for (size_t i = 0; !err && i < ARRAY_SIZE(cells); i++)
		err = put_cell(writing, cells[i]);
	if (!err)
		err = write_fields(writing, &content);
	if (!err && writing->numbers)
		err = write_number(writing, &row, writing->rows->numbers[at]);
	return err ? err : end_row(writing);
}

enum err export_csv(struct records *records, const struct desk_person *who,
		    const struct export_rows *rows, bool numbers, struct envelope *envelope)
{
	struct writing writing = { .records = records,
				   .who = who,
				   .rows = rows,
				   .numbers = numbers,
				   .envelope = envelope,
				   .fields = json_object(),
				   .purposes = json_object() };
	enum err err = writing.fields && writing.purposes ? OK : ERR_NOMEM;

	if (!err)
		err = secret_random(LINE, &writing.line);
	for (int64_t kind = KIND_CLIENT; !err && kind <= KIND_PAYEE; kind++)
		err = add_template(&writing, kind);
	if (!err)
		err = add_old_fields(&writing);
	if (!err)
		err = write_head(&writing);
	for (size_t i = 0; !err && i < rows->count; i++) {
		err = write_row(&writing, i);
		work_note(records->work, rows->count + i, 2 * rows->count);
		if (!err)
			err = jobs_may_pause(records);
	}
	if (!err)
		err = flush(&writing);
	secret_free(writing.line);
	json_decref(writing.fields);
	json_decref(writing.purposes);
	return err;
}
