#include "vault/imports.h"
#include "vault/grants.h"

#include <stdlib.h>

#include "base/util.h"
#include "vault/op_request.h"

enum { SAMPLE = 10 };

/* ---- which there are ---------------------------------------------------------------------------
 */

void imports_drop(struct import *import)
{
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

		/* What was entered in a transaction that failed is still to be entered. */
		if (import->gone_with > records->counter)
			import->gone_with = 0;
		if (import->id && (import->gone_with || import->until <= now_s))
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

enum err imports_look(struct records *records, struct import *import, json_t *sample,
		      struct import_reading *ret)
{
	struct looking looking = { records, &import->by, json_array(), sample };
	enum err err = looking.wrong ? OK : ERR_NOMEM;

	*ret = (struct import_reading){ .records = records,
					.who = import->by,
					.rules = &import->rules,
					.on_error = note_error,
					.on_row = note_row,
					.ctx = &looking };
	json_decref(import->wrong);
	import->wrong = looking.wrong;
	import->looked = false;
	if (!err)
		err = import_read(ret, import->file, look_again);
	ret->ctx = NULL;
	if (err)
		return err;
	import->charset = ret->charset;
	import->rows = ret->rows;
	import->errors = ret->errors;
	import->looked = true;
	return OK;
}

/* ---- entered -----------------------------------------------------------------------------------
 */

struct entering {
	struct records *records;
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

	return record_create(entering->records, &row->record, &row->content,
			     *row->number ? row->number : NULL, &entering->by);
}

enum err imports_enter(struct records *records, struct import *import, int64_t now_s)
{
	struct entering entering = { records, { import->by.account, now_s } };
	struct import_reading reading = { .records = records,
					  .who = import->by,
					  .rules = &import->rules,
					  .on_error = enter_error,
					  .on_row = enter_row,
					  .ctx = &entering,
					  .charset_known = true,
					  .charset = import->charset };
	enum err err = import_read(&reading, import->file, enter_again);

	import_reading_finish(&reading);
	if (!err)
		import->gone_with = records->counter + 1;
	return err;
}
