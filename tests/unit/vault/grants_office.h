/*
 * grants_office.h - records of a small office, open in a folder of their own, and the desk's way to
 * ask: what tests of grants and groups work on.
 */
#ifndef SEKISHO_TESTS_GRANTS_OFFICE_H
#define SEKISHO_TESTS_GRANTS_OFFICE_H

#include "unit/folder.h"

#include "base/secret.h"
#include "vault/grants.h"
#include "vault/grants_change.h"

struct office {
	char folder[UNIT_FOLDER];
	struct secret *root;
	struct records records;
};

static inline void office_notice(void *ctx, const char *event, const json_t *detail)
{
	(void)ctx;
	(void)event;
	(void)detail;
}

static inline void office_unseal(struct office *office)
{
	assert_ok(records_open(&office->records, office->root, 1));
	assert_ok(records_floor(&office->records, 0, NULL, 0, true));
}

static inline void office_open(struct office *office)
{
	*office = (struct office){ 0 };
	unit_folder(office->folder);
	assert_ok(secret_random(32, &office->root));
	records_init(&office->records, office->folder, office_notice, NULL);
	office_unseal(office);
	assert_ok(records_begin(&office->records));
	assert_ok(db_exec(office->records.db, "INSERT INTO class (id, name, start, years)"
					      " VALUES (90, 'x', 'x', 5)"));
	assert_ok(records_commit(&office->records, 0));
}

static inline void office_close(struct office *office)
{
	records_seal(&office->records);
	secret_free(office->root);
}

/* Within a transaction; client 0: it is a client itself. */
static inline uint64_t office_record(struct office *office, int64_t kind, uint64_t client,
				     uint64_t parent)
{
	struct record_row row = {
		.kind = kind,
		.state = 3,
		.parent = parent,
		.class = 90,
		.purposes = { [7] = 1 },
		.purpose_count = 1,
		.key = 1,
	};

	assert_ok(record_next_id(office->records.db, &row.id));
	row.client = client ? client : row.id;
	assert_ok(records_add_row(&office->records, &row));
	return row.id;
}

/* What the desk makes of an order: asked without an entry first when there is to be one. seq: of
 * the entry, or 0. body is taken. The caller frees what the answer has. */
static inline enum err office_ask(struct office *office, unsigned op, desk_handler *handler,
				  struct desk_person who, json_t *body, struct desk_reply *reply)
{
	const struct record_op *row = record_op_find(op);
	struct desk_ask ask = { .who = who, .op = op, .body = body, .now_s = 1800000000 };
	enum err err = row->duties & who.duty ? OK : ERR_DENIED;

	*reply = (struct desk_reply){ 0 };
	ask.go = !row->event[0];
	if (!err)
		err = handler(&office->records, &ask, reply);
	if (!err && !ask.go) {
		json_decref(reply->body);
		json_decref(reply->detail);
		*reply = (struct desk_reply){ 0 };
		ask.go = true;
		assert_ok(records_begin(&office->records));
		err = handler(&office->records, &ask, reply);
		if (!err)
			err = records_commit(&office->records, office->records.seq + 1);
		records_abort(&office->records);
	}
	json_decref(body);
	return err;
}

static inline void office_reply_finish(struct desk_reply *reply)
{
	json_decref(reply->body);
	json_decref(reply->detail);
	*reply = (struct desk_reply){ 0 };
}

#endif
