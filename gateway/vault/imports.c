#include "vault/imports.h"
#include "vault/grants.h"

#include <stdlib.h>

#include "base/secret.h"
#include "base/util.h"
#include "vault/jobs.h"
#include "vault/staging.h"

enum { SAMPLE = 10 };

/* ---- which there are ---------------------------------------------------------------------------
 */

void imports_drop(struct import *import)
{
	if (import->busy || import->readers) {
		import->until = 0;
		return;
	}
	import_file_free(import->file);
	json_decref(import->wrong);
	*import = (struct import){ 0 };
}

void imports_free(struct imports *imports)
{
	if (!imports)
		return;
	for (size_t i = 0; i < IMPORTS_MAX; i++)
		imports_drop(&imports->all[i]);
	free(imports);
}

void imports_expire(struct records *records, int64_t now_s)
{
	if (!records->imports)
		return;
	for (size_t i = 0; i < IMPORTS_MAX; i++) {
		struct import *import = &records->imports->all[i];

		if (import->id && !import->busy && !import->readers && import->until <= now_s)
			imports_drop(import);
	}
}

enum err imports_find(struct records *records, uint64_t id, int64_t now_s, struct import **ret)
{
	imports_expire(records, now_s);
	for (size_t i = 0; records->imports && i < IMPORTS_MAX; i++) {
		if (records->imports->all[i].id != id)
			continue;
		*ret = &records->imports->all[i];
		return OK;
	}
	return ERR_NOT_FOUND;
}

enum err imports_add(struct records *records, const struct desk_person *who, int64_t now_s,
		     struct import **ret)
{
	struct import *free_one = NULL;
	size_t own = 0;
	enum err err;

	imports_expire(records, now_s);
	if (!records->imports)
		records->imports = calloc(1, sizeof(*records->imports));
	if (!records->imports)
		return ERR_NOMEM;
	for (size_t i = 0; i < IMPORTS_MAX; i++) {
		struct import *import = &records->imports->all[i];

		if (!import->id)
			free_one = import;
		else
			own += import->by.account == who->account;
	}
	if (!free_one || own >= IMPORTS_OF_ONE)
		return ERR_FULL;
	err = import_file_new(&free_one->file);
	if (err)
		return err;
	free_one->id = ++records->imports->last_id;
	free_one->by = *who;
	free_one->until = now_s + IMPORT_S;
	*ret = free_one;
	return OK;
}

/* ---- looked through ----------------------------------------------------------------------------
 */

struct looking {
	struct records *records;
	const struct import *import;
	const struct desk_person *who; /* the importer */
	json_t *wrong, *sample;
};

static void look_again(void *ctx)
{
	struct looking *looking = ctx;

	json_array_clear(looking->wrong);
	json_array_clear(looking->sample);
}

static enum err note_error(void *ctx, size_t row, const char *column, const char *error)
{
	struct looking *looking = ctx;

	if (json_array_size(looking->wrong) == IMPORT_ERRORS)
		return OK;
	return json_array_append_new(looking->wrong,
				     json_pack("{s:I, s:s, s:s}", "row", (json_int_t)row, "column",
					       column, "error", error))
		       ? ERR_NOMEM
		       : OK;
}

static enum err note_row(void *ctx, struct import_row *row)
{
	struct looking *looking = ctx;
	const uint64_t client = row->record.client;

	if (!looking->sample || json_array_size(looking->sample) == SAMPLE)
		return OK;
	return json_array_append_new(
		       looking->sample,
		       json_pack("{s:I, s:I, s:s, s:s, s:b}", "row", (json_int_t)row->row, "kind",
				 (json_int_t)row->record.kind, "client_name",
				 grants_name(looking->records, looking->who, client), "name",
				 row->content.name, "has_number", *row->number != '\0'))
		       ? ERR_NOMEM
		       : OK;
}

static enum err look_pause(void *ctx)
{
	const struct looking *looking = ctx;
	enum err err = jobs_pause(looking->records);

	return !err && !looking->import->until ? ERR_NOT_FOUND : err;
}

enum err imports_look(struct records *records, struct import *import, json_t *sample,
		      struct import_reading *ret)
{
	struct looking looking = { records, import, &import->by, json_array(), sample };
	enum err err = looking.wrong ? OK : ERR_NOMEM;

	*ret = (struct import_reading){ .records = records,
					.who = import->by,
					.rules = &import->rules,
					.on_error = note_error,
					.on_row = note_row,
					.on_pause = look_pause,
					.ctx = &looking };
	json_decref(import->wrong);
	import->wrong = looking.wrong;
	import->looked = false;
	import->busy = true;
	if (!err)
		err = import_read(ret, import->file, look_again);
	import->busy = false;
	ret->ctx = NULL;
	if (err)
		return err;
	import->charset = ret->charset;
	import->rows = ret->rows;
	import->errors = ret->errors;
	import->looked = true;
	return OK;
}

/* ---- shown -------------------------------------------------------------------------------------
 */

struct showing {
	struct looking looking;
	const struct desk_person *reader;
	size_t after, last, bytes;
	bool more;
};

static void show_again(void *ctx)
{
	struct showing *showing = ctx;

	json_array_clear(showing->looking.sample);
	showing->bytes = 0;
}

static enum err show_error(void *ctx, size_t row, const char *column, const char *error)
{
	(void)ctx;
	(void)row;
	(void)column;
	(void)error;
	return OK;
}

/* An employee may be named by his number, which nobody sees here. */
static const char *parent_of(const struct showing *showing, const struct import_row *row)
{
	char digits[NUMBERS_ROOM];
	bool number;

	numbers_plain(row->parent_text, digits);
	number = *digits != '\0';
	secret_wipe(digits, sizeof(digits));
	return number ? grants_name(showing->looking.records, showing->reader, row->record.parent)
		      : row->parent_text;
}

static json_t *shown_row(const struct showing *showing, const struct import_row *row)
{
	const struct record_row *record = &row->record;
	json_t *purposes = json_array();

	for (size_t i = 0; i < record->purpose_count; i++)
		json_array_append_new(purposes,
				      json_integer((json_int_t)record_purpose(record, i)));
	return json_pack(
		"{s:I, s:I, s:s, s:s, s:s, s:s, s:b, s:I, s:o, s:O}", "row", (json_int_t)row->row,
		"kind", (json_int_t)record->kind, "client_name",
		*row->client_text || record->kind == KIND_CLIENT
			? row->client_text
			: grants_name(showing->looking.records, showing->reader, record->client),
		"name", row->content.name, "kana", row->content.kana, "parent_name",
		parent_of(showing, row), "has_number", *row->number != '\0', "class",
		(json_int_t)record->class, "purposes", purposes, "fields", row->content.fields);
}

static enum err show_row(void *ctx, struct import_row *row)
{
	struct showing *showing = ctx;
	json_t *rows = showing->looking.sample, *shown;
	size_t bytes;

	if (row->row <= showing->after)
		return OK;
	shown = shown_row(showing, row);
	bytes = shown ? json_dumpb(shown, NULL, 0, JSON_COMPACT) + 1 : 0;
	showing->more = json_array_size(rows) == IMPORT_PAGE ||
			(showing->bytes && showing->bytes + bytes > IMPORT_PAGE_BYTES);
	if (showing->more || !shown) {
		json_decref(shown);
		return showing->more ? ERR_FULL : ERR_NOMEM;
	}
	showing->bytes += bytes;
	showing->last = row->row;
	return json_array_append_new(rows, shown) ? ERR_NOMEM : OK;
}

enum err imports_show(struct records *records, struct import *import, const struct desk_person *who,
		      size_t after, json_t *rows, size_t *ret_next)
{
	struct showing showing = {
		.looking = { .records = records, .import = import, .sample = rows },
		.reader = who,
		.after = after
	};
	struct import_reading reading = { .records = records,
					  .who = import->by,
					  .rules = &import->rules,
					  .on_error = show_error,
					  .on_row = show_row,
					  .on_pause = look_pause,
					  .ctx = &showing,
					  .charset_known = true,
					  .charset = import->charset };
	enum err err;

	import->readers++;
	err = import_read(&reading, import->file, show_again);
	import->readers--;
	import_reading_finish(&reading);
	*ret_next = showing.more ? showing.last : 0;
	return err;
}

/* ---- entered -----------------------------------------------------------------------------------
 */

struct entering {
	struct staging staging;
	struct import *import;
	struct change_by by;
};

/* There is one attempt: the charset is known. */
static void enter_again(void *ctx)
{
	(void)ctx;
}

static enum err enter_error(void *ctx, size_t row, const char *column, const char *error)
{
	(void)ctx;
	(void)row;
	(void)column;
	(void)error;
	return ERR_WRONG_STATE;
}

static enum err enter_row(void *ctx, struct import_row *row)
{
	struct entering *entering = ctx;

	return staging_enter(&entering->staging, &row->record, &row->content,
			     *row->number ? row->number : NULL, &entering->by);
}

static enum err enter_pause(void *ctx)
{
	struct entering *entering = ctx;
	enum err err = staging_pause(&entering->staging);

	return !err && !entering->import->until ? ERR_NOT_FOUND : err;
}

/* What was right when its row was read. */
static enum err check_row(void *ctx, struct import_row *row)
{
	(void)ctx;
	(void)row;
	return OK;
}

static enum err read_all(struct records *records, struct entering *entering, import_row_take *take)
{
	struct import *import = entering->import;
	struct import_reading reading = { .records = records,
					  .who = import->by,
					  .rules = &import->rules,
					  .on_error = enter_error,
					  .on_row = take,
					  .on_pause = enter_pause,
					  .ctx = entering,
					  .charset_known = true,
					  .charset = import->charset };
	enum err err = import_read(&reading, import->file, enter_again);

	import_reading_finish(&reading);
	return err ? err : reading.rows == import->rows ? OK : ERR_WRONG_STATE;
}

/* Others have changed something since: all of it is checked once more, while nobody does. */
static enum err settle(struct records *records, struct entering *entering)
{
	enum err err = staging_rest(&entering->staging);

	records->settling = !err && entering->staging.others;
	if (records->settling)
		err = read_all(records, entering, check_row);
	if (!err)
		err = staging_settle(&entering->staging);
	records->settling = false;
	return err;
}

enum err imports_enter(struct records *records, struct import *import, const struct desk_ask *ask,
		       uint64_t *ret_first)
{
	struct entering entering = { .import = import, .by = { import->by.account, ask->now_s } };
	enum err err;

	import->busy = true;
	err = staging_begin(&entering.staging, records, import->rows, ask->seq);
	*ret_first = entering.staging.next;
	if (!err)
		err = read_all(records, &entering, enter_row);
	if (!err)
		err = settle(records, &entering);
	staging_end(&entering.staging);
	import->busy = false;
	if (!err)
		imports_drop(import);
	return err;
}
