#include "vault/import_rows.h"

#include <string.h>

#include "base/secret.h"
#include "base/util.h"
#include "store/vault/rule_rows.h"
#include "vault/import_known.h"
#include "vault/jobs.h"
#include "vault/rules.h"
#include "vault/template.h"

/* A client or parent that is in the file, and not in the vault yet: no record's number. */
#define IN_FILE ((uint64_t)1 << 62)

/* One attempt to read the file. */
struct pass {
	struct import_reading *reading;
	struct import_known known;
	struct import_rules rules; /* as far as they hold today */
	struct csv_rows *rows;
	enum err err;      /* that is not about the file */
	size_t read, size; /* bytes */
	bool has_head;
	/* Of the row at hand: */
	size_t row;
	char *const *cells;
	size_t count;
	size_t wrong;
	char number[NUMBERS_ROOM];
};

/* ---- what is wrong -----------------------------------------------------------------------------
 */

static void tell(struct pass *pass, size_t row, const char *column, const char *error)
{
	struct import_reading *reading = pass->reading;

	reading->errors++;
	pass->wrong++;
	if (!pass->err)
		pass->err = reading->on_error(reading->ctx, row, column, error);
}

/* The cell of a column, "" when there is none; *ret_name: what to call it. */
static const char *cell_of(const struct pass *pass, enum import_column what, const char **ret_name)
{
	const struct import_head *head = &pass->reading->head;
	int at = import_head_find(head, what);

	*ret_name = at >= 0 ? head->columns[at].name : import_column_name(what);
	return at >= 0 && (size_t)at < pass->count ? pass->cells[at] : "";
}

static void wrong(struct pass *pass, enum import_column what, const char *error)
{
	const char *name;

	cell_of(pass, what, &name);
	tell(pass, pass->row, name, error);
}

static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

static const char *fault_of(const char *text, size_t max)
{
	return characters(text) > max ? "too-long" : !util_text_plain(text) ? "invalid" : NULL;
}

/* ---- cells -------------------------------------------------------------------------------------
 */

static int64_t kind_named(const char *text)
{
	static const char *const names[] = { "", "顧問先", "従業員", "扶養親族", "支払先" };
	enum protected_kind kind;

	for (size_t i = KIND_CLIENT; i <= KIND_PAYEE; i++)
		if (util_streq(text, names[i]))
			return (int64_t)i;
	return protected_kind_parse(text, &kind) ? 0 : (int64_t)kind;
}

static void take_kind(struct pass *pass, struct record_row *row)
{
	const char *name, *text = cell_of(pass, IMPORT_KIND, &name);

	row->kind = *text ? kind_named(text) : pass->reading->rules->kind;
	if (!row->kind)
		wrong(pass, IMPORT_KIND, *text ? "unknown-kind" : "missing");
}

static enum err take_client(struct pass *pass, struct record_row *row)
{
	const char *name, *text = cell_of(pass, IMPORT_CLIENT, &name);
	enum err err = OK;

	if (row->kind == KIND_CLIENT) {
		if (!import_known_may(&pass->known, 0))
			wrong(pass, IMPORT_KIND, "unknown-kind");
		return OK;
	}
	row->client = pass->rules.client;
	if (*text)
		err = import_known_client(&pass->known, text, &row->client);
	if (!err && !row->client)
		wrong(pass, IMPORT_CLIENT,
		      *text || pass->reading->rules->client ? "unknown-client" : "missing");
	return err;
}

static enum err take_parent(struct pass *pass, struct record_row *row)
{
	const char *name, *text = cell_of(pass, IMPORT_PARENT, &name);
	enum err err = OK;

	if (row->kind != KIND_DEPENDANT) {
		if (*text)
			wrong(pass, IMPORT_PARENT, "unknown-field");
		return OK;
	}
	if (*text && row->client)
		err = import_known_parent(&pass->known, row->client, text, &row->parent);
	if (!err && !row->parent)
		wrong(pass, IMPORT_PARENT, *text ? "unknown-parent" : "missing");
	return err;
}

static enum err take_class(struct pass *pass, struct record_row *row)
{
	const char *name, *text = cell_of(pass, IMPORT_CLASS, &name);
	enum err err = OK;

	row->class = pass->rules.class;
	if (*text)
		err = import_known_class(&pass->known, text, &row->class);
	if (!err && !row->class)
		wrong(pass, IMPORT_CLASS, *text ? "unknown-class" : "missing");
	return err;
}

static int compare_ids(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Names with ; or its wide form between them. */
static char *next_name(char **rest)
{
	static const char wide[] = "；";
	char *name = *rest, *plain = strchr(name, ';'), *other = strstr(name, wide);

	if (!plain && !other) {
		*rest = NULL;
	} else if (plain && (!other || plain < other)) {
		*plain = '\0';
		*rest = plain + 1;
	} else {
		*other = '\0';
		*rest = other + strlen(wide);
	}
	return import_trim(name);
}

static enum err take_names(struct pass *pass, char *text, uint64_t *ids, size_t *ret_count)
{
	enum err err = OK;

	while (!err && text) {
		const char *name = next_name(&text);
		uint64_t id = 0;
		bool there = false;

		if (!*name)
			continue;
		err = import_known_purpose(&pass->known, name, &id);
		if (err || !id || *ret_count == RECORD_PURPOSES) {
			*ret_count = 0;
			return err;
		}
		for (size_t i = 0; i < *ret_count; i++)
			there = there || ids[i] == id;
		if (!there)
			ids[(*ret_count)++] = id;
	}
	return err;
}

static enum err take_purposes(struct pass *pass, struct record_row *row)
{
	const struct import_rules *rules = &pass->rules;
	const char *name, *text = cell_of(pass, IMPORT_PURPOSES, &name);
	const bool given = *text;
	uint64_t ids[RECORD_PURPOSES];
	size_t count = rules->purpose_count;
	enum err err = OK;

	memcpy(ids, rules->purposes, count * sizeof(*ids));
	if (given) {
		count = 0;
		/* The row is its own; it is not looked at again. */
		err = take_names(pass, (char *)(uintptr_t)text, ids, &count);
		qsort(ids, count, sizeof(*ids), compare_ids);
	}
	if (!err && count == 0)
		wrong(pass, IMPORT_PURPOSES, given ? "unknown-purpose" : "missing");
	record_set_purposes(row, ids, count);
	return err;
}

static void take_name(struct pass *pass, struct content *content)
{
	const char *column, *fault;

	content->name = cell_of(pass, IMPORT_NAME, &column);
	fault = *content->name ? fault_of(content->name, CONTENT_NAME) : "missing";
	if (fault)
		wrong(pass, IMPORT_NAME, fault);
	content->kana = cell_of(pass, IMPORT_KANA, &column);
	fault = fault_of(content->kana, CONTENT_NAME);
	if (fault)
		wrong(pass, IMPORT_KANA, fault);
}

static enum err take_number(struct pass *pass, const struct record_row *row)
{
	const char *name, *text = cell_of(pass, IMPORT_NUMBER, &name);
	const bool company = row->kind == KIND_CLIENT || row->kind == KIND_PAYEE;
	enum import_double there = IMPORT_NEW;
	enum err err = OK;

	pass->number[0] = '\0';
	if (!*text)
		return OK;
	numbers_plain(text, pass->number);
	const size_t len = strlen(pass->number);
	if (len != NUMBERS_PERSONAL && (len != NUMBERS_CORPORATE || !company)) {
		wrong(pass, IMPORT_NUMBER, "digits");
	} else if (!numbers_right((enum protected_kind)row->kind, pass->number)) {
		wrong(pass, IMPORT_NUMBER, "check-digit");
	} else if (row->client || row->kind == KIND_CLIENT) {
		err = import_known_number(&pass->known, row->kind, row->client, pass->number,
					  &there);
		if (!err && there != IMPORT_NEW)
			wrong(pass, IMPORT_NUMBER,
			      there == IMPORT_IN_FILE ? "double-file" : "double-vault");
	}
	return err;
}

/* What the column of a required field is called. */
static const char *label_of(const struct pass *pass, int64_t kind, const json_t *field)
{
	const struct import_head *head = &pass->reading->head;
	const char *key = json_string_value(json_object_get(field, "key"));

	for (size_t i = 0; i < head->count; i++)
		if (head->columns[i].keys[kind] && util_streq(head->columns[i].keys[kind], key))
			return head->columns[i].name;
	return json_string_value(json_object_get(field, "ja"));
}

static enum err take_fields(struct pass *pass, const struct record_row *row,
			    struct content *content)
{
	const struct import_head *head = &pass->reading->head;
	const json_t *field;
	size_t at;

	content->own = json_object();
	content->fields = content->own;
	for (size_t i = 0; content->own && i < head->count && i < pass->count; i++) {
		const char *text = pass->cells[i], *key = head->columns[i].keys[row->kind];
		const char *fault;

		if (head->columns[i].what != IMPORT_FIELD || !*text)
			continue;
		fault = key ? fault_of(text, TEMPLATE_VALUE) : "unknown-field";
		if (fault)
			tell(pass, pass->row, head->columns[i].name, fault);
		else if (json_object_set_new(content->own, key, json_string(text)))
			return ERR_NOMEM;
	}
	json_array_foreach(head->templates[row->kind], at, field)
	{
		if (json_is_true(json_object_get(field, "required")) &&
		    !json_object_get(content->own,
				     json_string_value(json_object_get(field, "key"))))
			tell(pass, pass->row, label_of(pass, row->kind, field), "missing");
	}
	return content->own ? OK : ERR_NOMEM;
}

/* ---- rows --------------------------------------------------------------------------------------
 */

static enum err finish_row(struct pass *pass, struct import_row *row)
{
	struct import_reading *reading = pass->reading;
	enum err err = OK;

	const char *name;

	row->number = pass->number;
	row->client_text = cell_of(pass, IMPORT_CLIENT, &name);
	row->parent_text = cell_of(pass, IMPORT_PARENT, &name);
	if (pass->wrong == 0)
		err = reading->on_row(reading->ctx, row);
	if (err)
		return err;
	const uint64_t id = row->record.id ? row->record.id : IN_FILE + pass->row;
	return import_known_add(&pass->known, row->record.kind, row->record.client,
				row->content.name, pass->number, id);
}

static enum err read_row(struct pass *pass)
{
	struct import_row row = { .row = pass->row, .record.state = STATE_ACTIVE };
	enum err err;

	take_kind(pass, &row.record);
	if (!row.record.kind)
		return OK;
	take_name(pass, &row.content);
	err = take_client(pass, &row.record);
	if (!err)
		err = take_parent(pass, &row.record);
	if (!err)
		err = take_class(pass, &row.record);
	if (!err)
		err = take_purposes(pass, &row.record);
	if (!err)
		err = take_number(pass, &row.record);
	if (!err)
		err = take_fields(pass, &row.record, &row.content);
	if (!err)
		err = finish_row(pass, &row);
	secret_wipe(pass->number, sizeof(pass->number));
	content_finish(&row.content);
	return err;
}

static enum err read_head(struct pass *pass)
{
	struct import_reading *reading = pass->reading;
	struct import_head *head = &reading->head;
	enum err err = import_head_read(reading->records->db, reading->rules->kind, pass->cells,
					pass->count, head);

	pass->has_head = true;
	for (size_t i = 0; !err && i < head->count; i++) {
		if (head->columns[i].what == IMPORT_UNKNOWN)
			tell(pass, pass->row, head->columns[i].name, "unknown-column");
		if (head->columns[i].twice)
			tell(pass, pass->row, head->columns[i].name, "double-column");
	}
	return err;
}

static enum err on_cells(void *ctx, size_t row, char *const *cells, size_t count)
{
	char *trimmed[CSV_COLUMNS_MAX];
	struct pass *pass = ctx;
	enum err err = OK;

	for (size_t i = 0; i < count; i++)
		trimmed[i] = import_trim(cells[i]);
	/* Cells behind the last column that say nothing are a spreadsheet's, not the person's. */
	while (count && pass->has_head && count > pass->reading->head.count && !*trimmed[count - 1])
		count--;
	pass->row = row;
	pass->cells = trimmed;
	pass->count = count;
	pass->wrong = 0;
	if (!pass->has_head) {
		err = read_head(pass);
	} else if (pass->reading->rows == IMPORT_ROWS) {
		tell(pass, 0, "", "rows");
		err = ERR_FULL;
	} else {
		pass->reading->rows++;
		if (count > pass->reading->head.count)
			tell(pass, row, "", "cells");
		err = read_row(pass);
	}
	if (!err && jobs_is_over(pass->reading->records))
		err = pass->reading->on_pause(pass->reading->ctx);
	if (err && err != ERR_FULL && !pass->err)
		pass->err = err;
	return pass->err ? ERR_INTERNAL : err;
}

/* ---- the file ----------------------------------------------------------------------------------
 */

static enum err on_piece(void *ctx, const uint8_t *data, size_t len)
{
	struct pass *pass = ctx;

	pass->read += len;
	work_note(pass->reading->records->work, pass->read, pass->size);
	return csv_rows_add(pass->rows, data, len);
}

/* Rules that are not the office's any more, or whose client is not his, are none. */
static enum err take_rules(struct pass *pass)
{
	struct records *records = pass->reading->records;
	struct import_rules *rules = &pass->rules;
	enum err err = OK;

	*rules = *pass->reading->rules;
	if (rules->client && (rules_client(records, rules->client) ||
			      !import_known_may(&pass->known, rules->client)))
		rules->client = 0;
	if (rules->class && rules_class(records, rules->class))
		rules->class = 0;
	for (size_t i = 0; !err && i < rules->purpose_count; i++)
		err = rules_purpose(records, rules->purposes[i]);
	if (err)
		rules->purpose_count = 0;
	return err == ERR_NOT_FOUND || err == ERR_WRONG_STATE ? OK : err;
}

/* ret: what the file itself says against it. */
static enum err read_as(struct pass *pass, enum csv_charset charset, const struct import_file *file,
			enum err *ret)
{
	const struct import_reading *reading = pass->reading;
	enum err err = import_known_open(&pass->known, reading->records, &reading->who);

	pass->known.on_pause = reading->on_pause;
	pass->known.ctx = reading->ctx;
	pass->size = import_file_bytes(file);
	if (!err)
		err = take_rules(pass);
	if (!err)
		err = csv_rows_new(charset, on_cells, pass, &pass->rows);
	if (err)
		return err;
	*ret = import_file_read(file, on_piece, pass);
	if (!*ret)
		*ret = csv_rows_end(pass->rows);
	pass->row = csv_rows_row(pass->rows);
	csv_rows_free(pass->rows);
	return pass->err;
}

static void conclude(struct pass *pass, enum err why)
{
	if (why == ERR_PROTOCOL)
		tell(pass, 0, "", "encoding");
	else if (why == ERR_INVALID)
		tell(pass, pass->row, "", "quotes");
	else if (why == ERR_TOO_BIG)
		tell(pass, pass->row, "", "too-big");
	else if (!why && pass->reading->rows == 0)
		tell(pass, 0, "", "rows");
	else if (why && why != ERR_FULL && !pass->err)
		pass->err = why;
}

enum err import_read(struct import_reading *reading, const struct import_file *file,
		     void (*on_restart)(void *ctx))
{
	enum csv_charset charset = reading->charset_known ? reading->charset : CSV_UTF8;
	const enum csv_charset last = reading->charset_known ? charset : CSV_CP932;
	enum err err = OK, why = ERR_PROTOCOL;

	for (; !err && why == ERR_PROTOCOL && charset <= last; charset++) {
		struct pass pass = { .reading = reading };

		import_reading_finish(reading);
		on_restart(reading->ctx);
		reading->charset = charset;
		reading->rows = 0;
		reading->errors = 0;
		err = read_as(&pass, charset, file, &why);
		if (!err && (why != ERR_PROTOCOL || charset == last)) {
			conclude(&pass, why);
			err = pass.err;
		}
		enum err ended = import_known_finish(&pass.known);
		if (!err)
			err = ended;
	}
	return err;
}

void import_reading_finish(struct import_reading *reading)
{
	import_head_finish(&reading->head);
}
