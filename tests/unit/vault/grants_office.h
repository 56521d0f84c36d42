/*
 * grants_office.h - an office with records to give rights to: what tests of grants and groups
 * share.
 */
#ifndef SEKISHO_TESTS_GRANTS_OFFICE_H
#define SEKISHO_TESTS_GRANTS_OFFICE_H

#include "unit/vault/office.h"

#include "store/vault/rule_rows.h"
#include "vault/grants.h"
#include "vault/grants_change.h"

static const struct grants_hand office_hand = { 99, 1800000000 };

/* With a class for the records. */
static inline struct office *office_of_grants(void)
{
	const struct class_row row = { .name = "c", .start = "s", .years = 5 };
	struct office *office = office_new();
	uint64_t id;

	assert_ok(records_begin(&office->records));
	assert_ok(class_insert(office->records.db, &row, &id));
	assert_int_equal(id, 1);
	assert_ok(records_commit(&office->records, 0));
	return office;
}

/* Within a transaction; client 0: it is a client itself. */
static inline uint64_t office_record(struct office *office, int64_t kind, uint64_t client,
				     uint64_t parent)
{
	struct record_row row = {
		.kind = kind,
		.state = STATE_ACTIVE,
		.parent = parent,
		.class = 1,
		.purposes = { [RECORD_PURPOSE - 1] = 1 },
		.purpose_count = 1,
		.key = 1,
	};

	assert_ok(record_next_id(office->records.db, &row.id));
	row.client = client ? client : row.id;
	assert_ok(records_add_row(&office->records, &row));
	return row.id;
}

/* In a transaction of its own. */
static inline void office_give(struct office *office, const struct grant_row *row)
{
	assert_ok(records_begin(&office->records));
	assert_ok(grants_give(&office->records, row, &office_hand));
	assert_ok(records_commit(&office->records, 0));
}

static inline void office_reopen(struct office *office)
{
	records_seal(&office->records);
	office->counter = 0;
	office_open(office);
}

#endif
